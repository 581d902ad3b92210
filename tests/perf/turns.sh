# The work of make bench, in turns: ours, then each peer, and again. Sourced by tools/bench, which sets:
#   turns (how many), whole_turns (of builds; of whole planners when it is late), begun (Unix seconds), rows, crossmatch (there is memory for it),
#   dir (of build), data (files made here), venvs, catalog, slew
# Each measurement is one line of $dir/samples: ROW SIDE VALUE (side: ours or the peer); `fact KEY VALUE` and `equal WHAT VALUE LIMIT ok|NOT` beside.

sample() { [ -n "$3" ] && echo "$1 $2 $3" >> "$dir/samples"; }
say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }
missing() { say "peer $1: skipped, $2"; printf 'missing %s %s\n' "$1" "$2" >> "$dir/samples"; }
value() { printf '%s\n' "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }

# run COMMAND…: one whole process; sets wall and memory; its output is in $dir/out.
run()
{
	figures=$("$build/tests/perf/measure" 400 "$dir/out" "$dir/err" "$@") || { say "FAILED ($?): $* — $(tail -n 1 "$dir/err")"; return 1; }
	wall=$(value "$figures" wall_ms); memory=$(value "$figures" memory_mib)
}

late() { [ $(($(date +%s) - begun)) -gt $((60 * ${BENCH_MINUTES:-22})) ]; }

# has PEER: whether its virtual environment is there. peer NAME SCRIPT ARG…: one run of it; sets computing and map, too.
has() { [ "${PEERS:-1}" != 0 ] && [ -x "$venvs/$1/bin/python" ] && [ -e "$venvs/$1/ready" ]; }
peer()
{
	venv=$1; script=$2; shift 2
	run "$venvs/$venv/bin/python" "tests/perf/peers/$script.py" "$@" || return 1
	computing=$(sed -n 's/^computing_ms //p' "$dir/out"); mapping=$(sed -n 's/^map_ms //p' "$dir/out")
	grep '^version ' "$dir/out" >> "$dir/samples"
}

# ---- ranking ----

rank_ours() # MAP
{
	"$build/tests/perf/rank_time" "$catalog" "$data/$1.fits" 1 1000 > "$dir/out" 2> "$dir/err" || { say "rank_time FAILED: $(cat "$dir/err")"; return 1; }
	[ "$1" = large ] || sample "rank_list_$1" ours "$(value "$(grep '^in_process list ' "$dir/out")" median_ms)"
	[ "$1" = large ] || sample "rank_credible_$1" ours "$(value "$(grep '^in_process credible ' "$dir/out")" median_ms)" # when ranking can
	[ "$1" = large ] || sample "rank_shares_$1" ours "$(value "$(grep '^in_process shares ' "$dir/out")" median_ms)"
	run "$slew" rank --no-shares --top 1000 --json --catalog "$catalog" "$data/$1.fits" || return 1
	[ "$1" = large ] && sample rank_large ours "$wall"
	[ "$1" = large ] || sample "rank_list_cold_$1" ours "$wall"
	run "$slew" rank --top 1000 --json --catalog "$catalog" "$data/$1.fits" || return 1
	[ "$1" = large ] || sample "rank_shares_cold_$1" ours "$wall"
	sample "rank_memory_$1" ours "$memory"
}

rank_peer() # PEER MAP
{
	peer sky "rank_$1" "$data/$2.fits" "$data/galaxies.parquet" "$data/$1.$2" || return 1
	if [ "$2" = large ]; then
		sample rank_large "$1" "$(awk "BEGIN { print $computing + $mapping }")"
	else
		sample "rank_list_$2" "$1" "$computing"
		sample "rank_credible_$2" "$1" "$computing" # its contours are part of its work
		sample "rank_list_cold_$2" "$1" "$wall"
	fi
	sample "rank_memory_$2" "$1" "$memory"
}

# The peers' lists against ours, without distance errors as they have none. naive: the same galaxies and the same dP/dV. crossmatch reads dP/dV on
# a grid of distances, which moves galaxies over the end of a list: its value must lie in the span of its grid (of 21 steps, hence 1e-5), and the
# closed form there must be ours, or below our last.
rank_equal() # PEER MAP
{
	[ -s "$data/$1.$2" ] || return 0
	"$slew" rank --no-shares --top 1000 --csv --distance-error none --catalog "$catalog" "$data/$2.fits" > "$dir/ours.csv" || return 1
	awk -v what="$1, map $2" '
		function verdict(fine) { return fine ? "ok" : "NOT" }
		NR == FNR { if (split($0, a, "\"") == 3) { split(a[1], b, ","); split(a[3], c, ","); ours[b[2]] = c[6]; last = c[6] + 0 } next }
		{ its++; shared += $1 in ours }
		NF == 2 && $1 in ours { d = ours[$1] / $2 - 1; if (d < 0) d = -d; if (d > worst) worst = d }
		NF == 5 { spans++; at = $1 in ours ? ours[$1] : $3 < last ? $3 : last
			agreed += $2 >= $4 * (1 - 1e-5) && $2 <= $5 * (1 + 1e-5) && at >= $3 * (1 - 1e-9) && at <= $3 * (1 + 1e-9) }
		END {
			if (spans) printf "equal %s: %d of its best %d are in ours; %d agree within its grid of distances: %s\n", what, shared, its, agreed, verdict(agreed == its)
			else printf "equal %s: %d of its best %d are in ours; dP/dV differs by %.2g at most, 1e-9 allowed: %s\n", what, shared, its, worst, verdict(shared == its && worst <= 1e-9)
		}' "$dir/ours.csv" "$data/$1.$2" >> "$dir/samples"
}

rank_turns()
{
	for map in small wide large; do
		say "ranking $rows rows, map $map: $turns turns"
		for turn in $(seq "$turns"); do
			rank_ours "$map" || break
			has sky || continue
			rank_peer naive "$map"
			[ "$map" = large ] || [ -z "$crossmatch" ] || rank_peer crossmatch "$map" # on 3.1 million cells it needs about 200 GB
		done
		rank_equal naive "$map"
		rank_equal crossmatch "$map"
	done
}

# ---- visibility ----

visible_turns()
{
	say "visibility: $turns turns"
	for turn in $(seq "$turns"); do
		"$build/tests/perf/visible" > "$dir/visible" || return 1
		sample visible_steps ours "$(awk '/^visible steps/ { print $(NF - 1) }' "$dir/visible")"
		sample visible_windows ours "$(awk '/^visible windows/ { print $(NF - 1) }' "$dir/visible")"
		has sky || continue
		for peer in astropy astroplan rise-set; do
			peer sky visible "$peer" || continue
			sample visible_steps "$peer" "$computing"
			sample visible_windows "$peer" "$computing"
			sed -n 's/^hours //p' "$dir/out" > "$data/hours.$peer"
		done
	done
	ours=$(sed -n 's/.* \([0-9.]*\) hours by steps.*/\1/p' "$dir/visible")
	for peer in astropy astroplan; do
		[ -s "$data/hours.$peer" ] && awk -v o="$ours" -v p="$(cat "$data/hours.$peer")" -v what="$peer" 'BEGIN { d = o / p - 1; if (d < 0) d = -d
			printf "equal %s: hours up %.1f, ours %.1f, 0.2 %% allowed: %s\n", what, p, o, (d <= 0.002 ? "ok" : "NOT") }' >> "$dir/samples"
	done
}

# ---- catalogue ----

build_turns()
{
	say "catalogue of $rows rows from text: $whole_turns turns"
	"$build/tests/perf/glade_text" "$rows" 1 > "$data/text" || { say "no room for the text"; rm -f "$data/text"; return 1; }
	fact text_bytes "$(stat -c %s "$data/text")"
	for turn in $(seq "$whole_turns"); do
		run "$slew" catalog build "$data/text" -o "$data/built.fits" || break
		sample catalog_build ours "$(awk "BEGIN { print $wall / 1000 }")"
		sample catalog_build_memory ours "$memory"
	done
	rm -f "$data/text" "$data/built.fits"
}

# ---- alerts ----

alert_turns()
{
	say "alert to map: $turns turns"
	tests/perf/alert_make.sh "$data/small.fits" 0 > "$data/alert.json"
	fact alert_bytes "$(stat -c %s "$data/alert.json")"
	for turn in $(seq "$turns"); do
		"$build/tests/perf/alert_time" "$data/alert.json" > "$dir/alert" || return 1
		sample alert_map ours "$(awk '/^alert to columns, this process/ { print $(NF - 1) }' "$dir/alert")"
		sample alert_map_child ours "$(awk '/^alert to columns, child/ { print $(NF - 1) }' "$dir/alert")"
		has sky && peer sky alert "$data/alert.json" && sample alert_map astropy "$computing" && sample alert_map_child astropy "$computing"
	done
}

# ---- whole plans ----

# The policy of the plans: bns-near, but every galaxy of its first 300 is worth a visit, whatever that costs.
plan_policy()
{
	sed 's/"name": "bns-near"/"name": "bench"/; s/"top": 60, "probability": 0.8/"top": 300, "probability": 1/; s/"budget_h": {[^}]*}/"budget_h": {"event": 300, "night": 300}/
		s/"auto_budget_h": 3/"auto_budget_h": 300/' policies/bns-near.json > "$data/policy.json"
}

plan_ours() # ROW CATALOGUE
{
	run "$slew" plan --json --policy "$data/policy.json" --catalog "$2" --now 2026-04-14T21:00:00 "$data/alert.json" || return 1
	sample "$1" ours "$wall"
	sample "${1}_memory" ours "$memory"
}

plan_peer() # PEER
{
	rm -rf "$data/plan.$1"
	case $1 in
	tilepy) peer tilepy plan_tilepy "$data/small.fits" "$data/tilepy.h5" "$data/plan.$1" 2026-04-14T21:00:00 ;;
	gwemopt) home=$HOME; HOME=$data/home; peer gwemopt plan_gwemopt "$data/small.fits" "$data/plan.$1" 2026-04-14T21:00:00; status=$?; HOME=$home; [ $status = 0 ] ;;
	esac || { missing "$1" "it stopped: $(tail -n 1 "$dir/err" | tr -d '\r' | cut -c 1-120)"; stopped="$stopped $1"; return 1; }
	for row in plan_cold plan_full; do
		sample $row "$1" "$wall"
		sample ${row}_memory "$1" "$memory"
	done
}

# Twenty live events, one after the other, each a whole process: what a change of the telescopes or the weather costs at most.
replan_ours()
{
	begin_ms=$(($(date +%s%N) / 1000000))
	for number in $(seq 0 19); do
		run "$slew" plan --json --policy "$data/policy.json" --catalog "$catalog" --now 2026-04-14T21:00:00 "$data/alert.$number.json" || return 1
	done
	sample replan_20 ours "$(($(date +%s%N) / 1000000 - begin_ms))"
}

plan_inputs()
{
	plan_policy
	[ -s "$data/plan.fits" ] || "$build/tests/perf/rank_make" catalog "$((rows < 1900000 ? rows : 1900000))" "$data/plan.fits" || return 1
	tests/perf/alert_make.sh "$data/small.fits" 0 > "$data/alert.json"
	for number in $(seq 0 19); do
		tests/perf/alert_make.sh "$data/$([ $((number % 2)) = 0 ] && echo small || echo wide).fits" "$number" > "$data/alert.$number.json"
	done
	has tilepy && [ ! -s "$data/tilepy.h5" ] && "$venvs/tilepy/bin/python" tests/perf/peers/galaxies.py tilepy "$data/plan.fits" "$data/tilepy.h5" >&2
	home=$data/home/Data/gwemopt/catalogs
	has gwemopt && [ ! -s "$home/glade.hdf5" ] && mkdir -p "$home" && "$venvs/gwemopt/bin/python" tests/perf/peers/galaxies.py gwemopt "$data/plan.fits" "$home/glade.hdf5" >&2
	return 0
}

plan_turns()
{
	stopped= # peers that failed once: not tried again
	plan_inputs || return 1
	say "whole plans: $turns turns"
	for turn in $(seq "$turns"); do
		plan_ours plan_cold "$data/plan.fits" && plan_ours plan_full "$catalog" && replan_ours
		[ "$turn" -le "$whole_turns" ] || ! late || continue
		for peer in tilepy gwemopt; do
			case "$stopped" in *" $peer"*) ;; *) ! has "$peer" || plan_peer "$peer" ;; esac
		done
	done
}
