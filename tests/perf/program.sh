#!/bin/sh
# Prints the figures that the README quotes, each as it is measured here and now; what cannot be measured is said.
# usage: tests/perf/program.sh     (through make bench-program; ../shared or $SLEW_SHARED holds the real maps and galaxies)
set -u
cd "$(dirname "$0")/../.." || exit 1
shared=${SLEW_SHARED:-../shared}
dir=build/bench/program
mkdir -p $dir

figure() { printf '%-64s %s\n' "$1" "$2"; }
now_ms() { echo $(( $(date +%s%N) / 1000000 )); }

# Runs a command; sets ms and, where GNU time is installed, kib (its largest resident size).
measure()
{
	start=$(now_ms)
	if [ -x /usr/bin/time ]; then
		/usr/bin/time -o $dir/time -f %M "$@" > $dir/out 2> $dir/err || return 1
		kib=$(tail -n 1 $dir/time)
	else
		"$@" > $dir/out 2> $dir/err || return 1
		kib='not measured (apt-get install time)'
	fi
	ms=$(( $(now_ms) - start ))
}

figure "processors" "$(nproc), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
figure "compiler" "$(${CC:-gcc} --version | head -n 1)"
cp slew $dir/slew && strip $dir/slew
figure "./slew, stripped: bytes" "$(stat -c %s $dir/slew)"

cp slew $dir/keep
rm -rf $dir/objects
start=$(now_ms)
make -s -j"$(nproc)" BUILD=$dir/objects slew > $dir/out 2>&1 && figure "build from nothing, make -j$(nproc): ms" $(( $(now_ms) - start ))
mv $dir/keep slew

if [ -d "$shared/data/skymaps" ] && ./slew help | grep -q 'slew rank'; then
	catalog=$dir/galaxies.fits
	measure ./slew catalog build "$shared/data/galaxies/derived/galaxies_master.csv" -o $catalog || cat $dir/err
	figure "slew catalog build galaxies_master.csv: ms, KiB" "$ms, $kib"
	map=$(find -L "$shared/data/skymaps" \( -name '*multiorder*.fits*' -o -name '*combined*.fits*' \) -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
	for map in "$map" $(find -L "$shared/data/skymaps" -name '*.fits.gz' -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-); do
		if measure ./slew rank --json --top 1000 --catalog $catalog "$map"; then
			figure "slew rank, cold, ${map##*/} ($(stat -L -c %s "$map") bytes): ms, KiB" "$ms, $kib"
		else
			figure "slew rank ${map##*/}" "FAILED: $(head -n 1 $dir/err)"
		fi
	done
else
	figure "slew catalog build, slew rank" "skipped: $shared/data or the command is not there"
fi
tests/perf/nights.sh
SLEW=./slew tests/perf/latency.sh
