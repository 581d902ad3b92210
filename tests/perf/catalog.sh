#!/bin/bash
# Text of GLADE+'s form → catalogue: wall time, processor time, rows a second, peak memory (VmHWM: with pages of mapped files).
# CATALOG_ROWS=22500000 CATALOG_TIMES=1 CATALOG_DIR=folder with 12 GB of room
set -u
rows=${CATALOG_ROWS:-22500000}; times=${CATALOG_TIMES:-1}
dir=$(mktemp -d "${CATALOG_DIR:-${TMPDIR:-/tmp}}/slew-catalog-benchXXXXXX")
trap 'rm -rf "$dir"' EXIT
"${BUILD:-build}/tests/perf/glade_text" "$rows" 1 > "$dir/text" || { echo "no room for the text" >&2; exit 1; }
echo "text: $rows rows, $(stat -c %s "$dir/text") bytes; load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
for _ in $(seq "$times"); do
	begun=$(date +%s.%N)
	"${SLEW:-./slew}" catalog build "$dir/text" -o "$dir/cat.fits" > "$dir/out" 2> "$dir/err" & pid=$!
	peak=0
	while sleep 0.2 && read -r _ kib _ < <(grep VmHWM "/proc/$pid/status" 2> /dev/null); do
		peak=$kib
		read -r -a stat < "/proc/$pid/stat" 2> /dev/null && ticks=$((stat[13] + stat[14]))
	done
	wait $pid || { cat "$dir/err" >&2; exit 1; }
	awk -v n="$rows" -v a="$begun" -v b="$(date +%s.%N)" -v t="${ticks:-0}" -v hz="$(getconf CLK_TCK)" -v k="$peak" \
		'BEGIN{s = b - a; printf "build: %.1f s (%.1f s of processors), %.0f rows/s, peak %.0f MB\n", s, t / hz, n / s, k / 1024}'
done
cat "$dir/out"
echo "catalogue: $(stat -c %s "$dir/cat.fits") bytes; load after: $(cut -d' ' -f1-3 /proc/loadavg)"
