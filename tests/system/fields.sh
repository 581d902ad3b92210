#!/bin/sh
# slew fields and slew area --moc as a person calls them: keys, exit codes, what is refused and why; GW170817's map (hindsight: a later sample map).
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
data=${SLEW_SHARED:-../shared}/data
map=$data/skymaps/gwtc/GW170817_skymap.fits.gz

./slew fields "$t/none.fits" > /dev/null 2> "$t/err"; [ $? = 2 ] && grep -q 'no --footprint' "$t/err"; ok $? "no footprint: usage, exit 2"
./slew fields --footprint keyhole "$t/none.fits" > "$t/out" 2> "$t/err"; [ $? = 1 ] && grep -q 'known are .*decam.*sinistro' "$t/err"; ok $? "an unknown camera: the known ones are named"
./slew fields --footprint decam --from both "$t/none.fits" > /dev/null 2> "$t/err"; [ $? = 2 ] && grep -q 'slew catalog build' "$t/err"; ok $? "galaxies without a catalogue: usage"
./slew area --moc "$t/o.fits" --level 1.5 "$t/none.fits" > /dev/null 2>&1; [ $? = 2 ]; ok $? "a level above 1: usage"
if [ -r "$map" ]; then
	./slew fields --footprint decam --top 12 --json --moc "$t/c.json" "$map" > "$t/out" 2> "$t/err"
	keys=$(head -1 "$t/out" | grep -o '"[a-z_]*":' | tr -d '":\n')
	[ "$keys" = "rankra_degdec_degkindprobabilitycumulative_probabilitygalaxies_probabilitysky_probabilitygalaxies" ]; ok $? "fields --json has its keys"
	last=$(tail -1 "$t/out" | sed 's/.*"cumulative_probability":0\.\([0-9][0-9]\).*/\1/')
	[ "$(wc -l < "$t/out")" = 12 ] && [ "$last" -ge 90 ]; ok $? "twelve frames of DECam hold 0.$last of GW170817's region, more than 0.9"
	grep -q '^{"' "$t/c.json" && ! ls "$t"/*.tmp > /dev/null 2>&1; ok $? "coverage as JSON, nothing left beside it"
	printf 'id,name,ra,dec,dist,b_mag\n1,NGC 4993,197.44875,-23.38389,40.7,13.3\n2,ESO 508-018,196.978,-23.862,41,14.5\n3,near it,197.5,-23.3,40,15\n' > "$t/g.csv"
	./slew catalog build "$t/g.csv" -o "$t/g.fits" > /dev/null 2>&1
	./slew fields --footprint sinistro --catalog "$t/g.fits" --from galaxies --csv "$map" > "$t/out" 2> "$t/err"
	head -1 "$t/out" | grep -qx 'rank,ra_deg,dec_deg,kind,probability,cumulative_probability,galaxies_probability,sky_probability,galaxies,names' &&
		sed -n 2p "$t/out" | grep -q '"NGC 4993;near it"'; ok $? "two galaxies in one frame, NGC 4993 in the first"
	./slew area --moc "$t/a.txt" --level 0.5 "$map" > /dev/null && grep -q '^[0-9]*/[0-9]' "$t/a.txt"; ok $? "the region of a level as coverage"
	mkfifo "$t/pipe.txt"; timeout 20 cat "$t/pipe.txt" > "$t/piped" & ./slew area --moc "$t/pipe.txt" --level 0.5 "$map" > /dev/null; wait
	[ -p "$t/pipe.txt" ] && cmp -s "$t/piped" "$t/a.txt"; ok $? "a pipe is written to, not replaced"
	timeout 60 ./slew fields --footprint r0.1 "$map" > /dev/null 2> "$t/err"; [ $? = 1 ] && grep -q 'too small to tile' "$t/err"; ok $? "a frame too small for a sky is refused at once"
	./slew area --moc "$t/no/a.fits" "$map" > /dev/null 2> "$t/err"; [ $? = 1 ] && grep -q 'cannot be written' "$t/err"; ok $? "a folder that is not there is named"
else
	for what in "fields --json keys" "DECam on GW170817" "coverage as JSON" "two galaxies in one frame" "region as coverage" "a pipe" "a tiny frame" "no folder"; do skip "$what" "$map is not there"; done
fi
echo "1..$n"
