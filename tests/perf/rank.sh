#!/bin/sh
# Times the ranking of a made-up catalogue of RANK_ROWS galaxies (22,500,000) against three made-up maps: warm in one process (rank_time), and as
# cold processes of the program: the list alone, with probabilities over all rows (shares), with credible volumes (credible), and slew area. One
# line a figure: `in_process MAP CASE …` and `cold MAP CASE …`, times in ms; memory in MiB of RssAnon + RssShmem, of a cold process the most. RANK_CATALOG names a catalogue that is there already; RANK_RUNS how many runs (7).
# usage: tests/perf/rank.sh     (through make bench-rank; SLEW is the program, BUILD where rank_make and rank_time are)
set -u
: "${SLEW:=./slew}" "${BUILD:=build}" "${RANK_ROWS:=22500000}" "${RANK_RUNS:=7}"
dir=$BUILD/bench
mkdir -p "$dir"
catalog=${RANK_CATALOG:-$dir/rank-$RANK_ROWS.fits}

now_us() { echo $(( $(date +%s%N) / 1000 )); }

# cold NAME COMMAND…: wall time of whole processes, from fork to exit, output to a file.
cold()
{
	name=$1; shift
	"$@" > "$dir/out" 2> "$dir/err" || { echo "cold $name FAILED: $(head -n 1 "$dir/err")"; return; }
	i=0
	: > "$dir/times"
	while [ $i -lt "$RANK_RUNS" ]; do
		start=$(now_us)
		"$@" > "$dir/out" 2> "$dir/err"
		echo $(( $(now_us) - start )) >> "$dir/times"
		i=$((i + 1))
	done
	memory=$("$BUILD/tests/perf/measure" 60 "$dir/out" "$dir/err" "$@" | tr ' ' '\n' | sed -n 's/^memory_mib=//p')
	sort -n "$dir/times" | awk -v name="$name" -v memory="$memory" '{ t[NR] = $1 / 1000 }
		END { printf "cold %s runs=%d min_ms=%.1f median_ms=%.1f max_ms=%.1f memory_mib=%s\n", name, NR, t[1], t[int((NR + 1) / 2)], t[NR], memory }'
}

[ -f "$catalog" ] || "$BUILD/tests/perf/rank_make" catalog "$RANK_ROWS" "$catalog" || exit 1
for map in small wide large; do
	file=$dir/rank-$map.fits
	[ -f "$file" ] || "$BUILD/tests/perf/rank_make" $map "$file" || exit 1
	"$BUILD/tests/perf/rank_time" "$catalog" "$file" "$RANK_RUNS" | sed "s/^map /map $map /; s/^in_process /in_process $map /"
	cold "$map start" "$SLEW" help
	cold "$map area" "$SLEW" area "$file"
	cold "$map list" "$SLEW" rank --no-shares --top 1000 --json --catalog "$catalog" "$file"
	cold "$map shares" "$SLEW" rank --top 1000 --json --catalog "$catalog" "$file"
	cold "$map credible" "$SLEW" rank --volumes --top 1000 --json --catalog "$catalog" "$file"
done
