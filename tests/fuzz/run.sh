#!/bin/sh
# One door for so many seconds: tests/fuzz/run.sh NAME SECONDS BUILD. The corpus stays in BUILD/corpus/NAME and grows from run to run. Ends with
# one line for the ledger; exit 1 when something was found (the input lies in BUILD/found). SLEW_SHARED: a folder of real files, more seeds.
set -u
name=$1 seconds=$2 build=$3
program=$build/tests/fuzz/fuzz-$name corpus=$build/corpus/$name seeds=$build/seeds/$name found=$build/found log=$build/$name.log
quiet=$build/corpus/$name.quiet counts=$build/$name.counts
rm -rf "$seeds" "$counts"
mkdir -p "$corpus" "$seeds" "$found"
"$program" --seeds "$seeds" || exit 1
limits=$("$program" --limits)
dict=
[ -f "tests/fuzz/$name.dict" ] && dict=-dict=tests/fuzz/$name.dict

# Real files of the kind, small ones, as seeds of this run only.
more=
real=${SLEW_SHARED:-../shared}/data
case $name in
igwn_json) [ -d "$real/alerts/igwn_json" ] && more=$build/seeds/$name.real ;;
esac
if [ -n "$more" ]; then
	mkdir -p "$more"
	find "$real/alerts/igwn_json" -type f -size -8k -exec cp {} "$more" \;
fi

# libFuzzer has no clock in its lines: a new edge is timed as its line comes. cov of the corpus itself is not new.
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=4:max_malloc_fill_size=256:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
start=$(date +%s)
# shellcheck disable=SC2086
FUZZ_COUNTS=$counts "$program" -max_total_time="$seconds" -print_final_stats=1 -timeout=20 -detect_leaks=0 $limits $dict -artifact_prefix="$found/$name-" \
	"$corpus" "$seeds" $more < /dev/null 2>&1 | {
	edges=0 last=0 units=0 begun=no
	: > "$log"
	while IFS= read -r line; do
		printf '%s\n' "$line" >> "$log"
		case $line in
		"#"*" cov: "*)
			cov=${line#* cov: } cov=${cov%% *}
			units=${line#* corp: } units=${units%%/*}
			case $line in *INITED*) begun=yes edges=$cov ;; esac
			if [ "$cov" -gt "$edges" ]; then
				edges=$cov
				[ $begun = yes ] && last=$(($(date +%s) - start))
			fi ;;
		esac
	done
	echo "$edges $last $units" > "$log.sum"
}
took=$(($(date +%s) - start))
read -r edges last units < "$log.sum"
rm -f "$log.sum"
cpu_ms=$(($(od -An -t u8 -j 16 -N 8 "$counts") / 1000))
executions=$(od -An -t u8 -N 8 "$counts" | tr -d ' ') reached=$(od -An -t u8 -j 8 -N 8 "$counts" | tr -d ' ')
crashes=$(grep -c '^SUMMARY: ' "$log")

# Seconds of fuzzing since the last new edge, over all runs that the corpus has seen.
was=$(cat "$quiet" 2> /dev/null || echo 0)
[ "$last" -gt 0 ] && still=$((took - last)) || still=$((was + took))
echo "$still" > "$quiet"
[ "$crashes" -eq 0 ] || { echo "fuzz $name: found:"; grep -E -A 12 '^(SUMMARY|==.*ERROR|.*runtime error|slew: own bug|must)' "$log" | head -n 30; ls -t "$found/$name-"* | head -n 1; }
echo "fuzz $name executions=$executions reached=$reached edges=$edges corpus=$units last_new_edge_s=$still found=$crashes per_cpu_s=$((executions * 1000 / (cpu_ms > 0 ? cpu_ms : 1)))"
[ "$crashes" -eq 0 ]
