#!/bin/sh
# slew area, rank and catalog as a person calls them: keys, exit codes, what is refused and why.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
data=${SLEW_SHARED:-../shared}/data

printf '<!DOCTYPE html><html>502</html>' > "$t/page.fits.gz"
./slew area "$t/page.fits.gz" > "$t/out" 2> "$t/err"; rc=$?
[ $rc = 1 ] && [ ! -s "$t/out" ] && grep -q 'HTML page.*fetch it again' "$t/err"; ok $? "a web page saved as a map is called one, exit 1"
./slew area > /dev/null 2>&1; [ $? = 2 ]; ok $? "no map: usage, exit 2"
printf 'id,name,ra,dec,dist\n1,NGC 4993,197.44875,-23.38389,40.7\n2,M 31,10.684,41.269,0.78\n3,bad,x,0,1\n' > "$t/g.csv"
./slew catalog build "$t/g.csv" -o "$t/g.fits" > "$t/out" 2> "$t/err"; rc=$?
[ $rc = 0 ] && grep -q '2 galaxies, digest [0-9a-f]\{64\}' "$t/out" && grep -q 'line 4 left out' "$t/err"; ok $? "catalog build tells the bad row and its line"
./slew catalog info "$t/g.fits" | grep -q '^verified'; ok $? "catalog info verifies"
./slew rank --catalog "$t/g.csv" "$t/page.fits.gz" 2>&1 | grep -q 'slew catalog build'; ok $? "a CSV given as catalogue: says how to build one"
./slew rank --json --catalog "$t/g.fits" --position 197.4,-23.4,0.5 --distance-prior volume:100 > "$t/out" 2> "$t/err"
[ $? = 0 ] && grep -q '"name":"NGC 4993".*"outside":0\.[0-9]' "$t/out" && [ $(wc -l < "$t/out") = 1 ]; ok $? "an error circle with a prior on distance gives probabilities"
./slew rank --json --catalog "$t/g.fits" --position 17.4,-23.4,0.5 --distance-prior volume:100 > "$t/out" 2> "$t/err"
[ $? = 0 ] && [ ! -s "$t/out" ] && grep -q 'no galaxy has a score; P(host not in the catalogue) = 100.0 %' "$t/err"; ok $? "where no galaxy lies the chance that none is the host is said all the same"
./slew rank --catalog "$t/g.fits" --position 197.4,-23.4,0.5,0.68 > "$t/out" && grep -q '90 % area 1.5' "$t/out" &&
	! ./slew rank --catalog "$t/g.fits" --position 197.4,-23.4,0.5,68 > /dev/null 2> "$t/err" && grep -q 'level 68' "$t/err"; ok $? "a circle holds 90 %, or what is said"
printf 'id,name,ra,dec,dist\n1,NGC 4993,197.44875,-23.38389,40.7\n2,PGC 45657,197.44878,-23.38383,41.9\n3,ESO 508,197.5,-23.4,40\n4,behind,197.50001,-23.4,400\n' > "$t/d.csv"
./slew catalog build "$t/d.csv" -o "$t/d.fits" > /dev/null 2>&1; ./slew rank --catalog "$t/d.fits" --position 197.4,-23.4,0.5 | tail -1 | grep -q '^of these, 2 within'; ok $? "a galaxy that is listed twice is pointed out, one behind another is not"
./slew rank --catalog "$t/g.fits" --position 197.4,-23.4,0.5 --distance-prior far > /dev/null 2>&1; [ $? = 2 ]; ok $? "a prior that is none: usage, exit 2"
./slew rank --volumes --csv --catalog "$t/g.fits" --position 197.4,-23.4,0.5 2> "$t/err" | tail -1 | grep -q ',,,$' && grep -q 'no volumes' "$t/err"
ok $? "a map without distances has no volumes: said, and left empty"
printf 'name,weight\nNGC 4993,2\n' > "$t/w.csv"
./slew rank --catalog "$t/g.fits" --position 197.4,-23.4,0.5 --weight "$t/w.csv" 2> "$t/err" | head -1 | grep -q 'not known' && grep -q '1 of 2' "$t/err"
ok $? "a file of weights is matched and counted; without its density nothing is known of what is missing"
map=$data/skymaps/gwtc/GW170817_skymap.fits.gz
if [ -r "$map" ]; then
	keys=$(./slew area --json "$map" | grep -o '"[a-z0-9_]*":' | tr -d '":\n' | tr '\n' ' ')
	[ "$keys" = "area50_deg2area90_deg2ra_degdec_degdistmean_mpcdiststd_mpcdistmod_magorderingmax_orderpixelsvolume50_mpc3volume90_mpc3" ]; ok $? "area --json has the keys of the contract"
	./slew rank --json --catalog "$t/g.fits" "$map" > "$t/out" 2> "$t/err"
	keys=$(head -1 "$t/out" | grep -o '"[a-z0-9_]*":' | tr -d '":\n')
	[ "$keys" = "rankidnamera_degdec_degdistance_mpcdistance_err_mpcdpdv_per_mpc3sharecumulative_shareprobabilityoutsideweightweight_is_mean" ] && grep -q '"rank":1,"id":1,"name":"NGC 4993"' "$t/out"
	ok $? "rank --json has the keys of the contract; NGC 4993 is first"
	./slew rank --csv --catalog "$t/g.fits" "$map" | head -1 | grep -qx 'rank,id,name,ra_deg,dec_deg,distance_mpc,distance_err_mpc,dpdv_per_mpc3,share,cumulative_share,probability,outside,weight,weight_is_mean'
	ok $? "rank --csv has the same columns"
	./slew rank --volumes --no-shares --json --catalog "$t/g.fits" "$map" | head -1 | grep -q '"NGC 4993".*"outside":null,"weight":1,"weight_is_mean":false,"volume_level":0\.[0-9]*,"volume50_mpc3":5[12]\.[0-9]*,"volume90_mpc3":22[67]\.' &&
		./slew rank --volumes --csv --catalog "$t/g.fits" "$map" | head -1 | grep -q 'outside,weight,weight_is_mean,volume_level,volume50_mpc3,volume90_mpc3$' &&
		./slew rank --volumes --catalog "$t/g.fits" "$map" | grep -q '^50 % volume 52.* Mpc³, 90 % volume 227'
	ok $? "rank --volumes: the level of each galaxy and both volumes, in every form"
	./slew rank --weight luminosity --catalog "$t/g.fits" "$map" > "$t/out" 2>&1
	head -1 "$t/out" | grep -q '^P(host not in the catalogue)' && grep -q 'such a weight' "$t/out"; ok $? "rank tells first whether the host is in the catalogue"
	map2=$data/skymaps/embedded/advocate_S2376-1-preliminary__skymap.fits
	./slew rank --catalog "$t/g.fits" "$map2" | head -1 | grep -q ': 21.1 % of the map lies where it has no distance'; ok $? "what lies in cells without a distance is not the catalogue's"
	./slew rank --catalog "$t/g.fits" "$data/skymaps/mock/MS220722v_bayestar.multiorder.fits" | head -1 | grep -q '= 100.0 %'; ok $? "cells with DISTMU far below 0 do not make the answer unknown"
	./slew rank --catalog "$t/g.fits" --explain ngc4993 "$map" > "$t/out" 2>&1
	grep -q 'the galaxy stands +0.57' "$t/out" && grep -q '^  volume level    28.77 %' "$t/out" && grep -q '^= probability .*rank 1' "$t/out"; ok $? "rank --explain tells each factor"
	./slew rank --catalog "$t/g.fits" --explain 'NGC 5' "$map" > /dev/null 2> "$t/err"; [ $? = 1 ] && grep -q 'no galaxy of that name' "$t/err"
	ok $? "rank --explain of a stranger says so, exit 1"
	head -c 100000 "$map" | ./slew area - 2>&1 | grep -q 'truncated'; ok $? "a broken download is called truncated"
else
	for what in "area --json keys" "rank --json keys" "rank --csv columns" "rank --volumes" "P(host not in the catalogue)" "cells without a distance" "cells of negative DISTMU" "rank --explain" "rank --explain of a stranger" "a broken download"; do skip "$what" "$map is not there"; done
fi
alert=$data/alerts/igwn_json/MS181101ab-initial.json
if [ -r "$alert" ]; then
	./slew area --json "$alert" | grep -q '"ordering":"NUNIQ"'; ok $? "an alert that carries its map is a map"
else
	skip "an alert that carries its map is a map" "$alert is not there"
fi
echo "1..$n"
