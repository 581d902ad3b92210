#!/bin/sh
# How many simulated nights pass in a second, with their invariants, their judge and each eighth one's replay: the medians of five batches, by the
# wall and by processor time (what the machine does beside it slows the first more).
# usage: tests/perf/nights.sh [NIGHTS a batch, 40]     ($SLEW: the program, ./slew; $JOBS: processes at once, 1)
set -u
: "${SLEW:=./slew}" "${JOBS:=1}"
nights=${1:-40}
list=
for batch in 1 2 3 4 5; do
	line=$("$SLEW" sim --seeds "$nights" --seed $((batch * 1000)) --jobs "$JOBS" --quiet) || { echo "nights: $line"; exit 1; }
	list="$list$(echo "$line" | sed -n 's/.* \([0-9.]*\) nights\/s, \([0-9.]*\) a processor second.*/\1 \2/p')
"
done
median() { printf '%s' "$list" | awk -v c="$1" '{ print $c }' | sort -n | sed -n 3p; }
printf '%-64s %s\n' "nights simulated a second, a processor second (5 x $nights)" "$(median 1), $(median 2)"
