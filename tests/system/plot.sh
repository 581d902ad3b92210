#!/bin/sh
# slew plot as a person calls it: each kind makes a picture, the same one each time; what is wrong is named, with its exit code.
n=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
data=${SLEW_SHARED:-../shared}/data

# The smallest sky map: twelve cells, one half in each of two.
cards() { printf '%-80s' "$@" END; }
block() { cards "$@" | dd bs=2880 conv=sync 2> /dev/null | tr '\000' ' '; }
{
	block 'SIMPLE  =                    T' 'BITPIX  =                    8' 'NAXIS   =                    0' 'EXTEND  =                    T'
	block "XTENSION= 'BINTABLE'" 'BITPIX  =                    8' 'NAXIS   =                    2' 'NAXIS1  =                    8' \
		'NAXIS2  =                   12' 'PCOUNT  =                    0' 'GCOUNT  =                    1' 'TFIELDS =                    1' \
		"TTYPE1  = 'PROB    '" "TFORM1  = 'D       '" "PIXTYPE = 'HEALPIX '" "ORDERING= 'NESTED  '" "COORDSYS= 'C       '" \
		'NSIDE   =                    1' "INDXSCHM= 'IMPLICIT'" "OBJECT  = 'A<B>    '"
	{
		i=0
		while [ $i -lt 12 ]; do
			case $i in 4 | 8) printf '\077\340\000\000\000\000\000\000' ;; *) printf '\000\000\000\000\000\000\000\000' ;; esac
			i=$((i + 1))
		done
	} | dd bs=2880 conv=sync 2> /dev/null
} > "$t/map.fits"
# The same with distances of 1e300 Mpc, which are none.
{
	block 'SIMPLE  =                    T' 'BITPIX  =                    8' 'NAXIS   =                    0' 'EXTEND  =                    T'
	block "XTENSION= 'BINTABLE'" 'BITPIX  =                    8' 'NAXIS   =                    2' 'NAXIS1  =                   32' \
		'NAXIS2  =                   12' 'PCOUNT  =                    0' 'GCOUNT  =                    1' 'TFIELDS =                    4' \
		"TTYPE1  = 'PROB    '" "TFORM1  = 'D       '" "TTYPE2  = 'DISTMU  '" "TFORM2  = 'D       '" "TTYPE3  = 'DISTSIGMA'" "TFORM3  = 'D       '" \
		"TTYPE4  = 'DISTNORM'" "TFORM4  = 'D       '" "PIXTYPE = 'HEALPIX '" "ORDERING= 'NESTED  '" "COORDSYS= 'C       '" 'NSIDE   =                    1' \
		"INDXSCHM= 'IMPLICIT'" 'DISTMEAN=               1E+300' 'DISTSTD =               1E+300'
	{
		i=0
		while [ $i -lt 12 ]; do
			case $i in 4 | 8) printf '\077\340\000\000\000\000\000\000' ;; *) printf '\000\000\000\000\000\000\000\000' ;; esac
			printf '\176\067\344\074\210\000\165\234\077\360\000\000\000\000\000\000\077\360\000\000\000\000\000\000'
			i=$((i + 1))
		done
	} | dd bs=2880 conv=sync 2> /dev/null
} > "$t/far.fits"

./slew plot sky "$t/map.fits" --at 2026-11-24T03:00 --sites lco --site lsc -o "$t/a.svg" > "$t/out" 2> "$t/err"; rc=$?
[ $rc = 0 ] && [ ! -s "$t/out" ] && grep -q '^<svg xmlns' "$t/a.svg" && grep -q '</svg>$' "$t/a.svg"; ok $? "a sky is drawn"
grep -q 'A&lt;B&gt;' "$t/a.svg" && grep -q '>Moon [0-9]* %<' "$t/a.svg" && grep -q '>lsc<' "$t/a.svg" && grep -q 'class="r50"' "$t/a.svg"; ok $? "with its name, regions, Moon and site"
if command -v xmllint > /dev/null; then
	xmllint --noout "$t/a.svg" 2> "$t/err"; ok $? "it is XML"
else
	skip "it is XML" "xmllint is not there"
fi
./slew plot sky "$t/map.fits" --at 2026-11-24T03:00 --sites lco --site lsc -o - | cmp -s - "$t/a.svg"; ok $? "-o - writes the same bytes to standard output"
(cd "$t" && "$OLDPWD/slew" plot sky map.fits > out 2>&1 && [ -s sky.svg ]); ok $? "without -o it is KIND.svg"
./slew plot altitude 13:09:47.7 -23:23:02 --at 2026-11-24T00:00 -o "$t/b.svg" 2> "$t/err" && grep -q 'Cerro Tololo' "$t/b.svg" && grep -q 'class="astro"' "$t/b.svg"
ok $? "altitudes of a position, a declination with its minus"
printf '{"name":"N1","ra_deg":10,"dec_deg":-20}\n{"name":"N2","ra_deg":40,"dec_deg":-30}\n' > "$t/list"
./slew plot altitude --targets - --sites lco --site lsc --at 2026-11-24T00:00 -o - < "$t/list" | grep -q '>N2<'; ok $? "altitudes of a list from standard input"
./slew plot sky "$t/map.fits" --fields "$t/list" --footprint decam -o - | grep -c '<path class="field"' | grep -qx 2; ok $? "fields of a camera"
printf '{"event":"S1","event_us":1000000,"now_us":2000000,"source":{"p_bns":1},"targets":[{"key":"a","probability":0.25,"distance_mpc":40}],"requests":[{"target":"a","slot_us":3000000,"duration_s":60,"share":0.5,"filters":["gp"],"limit_mag":[22],"reserve":false}]}' > "$t/plan.json"
./slew plot probability "$t/plan.json" -o "$t/p.svg" && grep -q 'looked at: 25 %' "$t/p.svg" && grep -q 'of 1 visits to come; none is completed' "$t/p.svg"; ok $? "probability of a plan"

says() # exit code, words, what it is; the command follows
{
	want=$1; words=$2; what=$3; shift 3
	./slew plot "$@" > "$t/out" 2> "$t/err" < /dev/null; rc=$?
	[ $rc = "$want" ] && [ ! -s "$t/out" ] && [ "$(wc -l < "$t/err")" = 1 ] && grep -qE -e "$words" "$t/err"; rc=$?
	[ $rc = 0 ] || sed 's/^/# /' "$t/err"
	ok $rc "$what"
}
says 2 'no KIND' "no kind"
says 2 'no kind "skies".*sky, distance, altitude or probability' "no such kind" skies
says 2 'no MAP' "no map" sky -o "$t/x.svg"
says 1 'nowhere.fits: No such file' "no such map" sky "$t/nowhere.fits" -o "$t/x.svg"
says 1 'list: ' "what is no map" sky "$t/list" -o "$t/x.svg"
says 1 '2-D' "no distances in a 2-D map" distance "$t/map.fits" -o "$t/x.svg"
says 1 'no cell of the map has a distance' "distances beyond number are none" distance "$t/far.fits" -o "$t/x.svg"
./slew area --json "$t/far.fits" 2> "$t/err" | grep -q '"distmean_mpc":null,"diststd_mpc":null'; ok $? "nor are they told by slew area"
printf 'ra,dec,dist\n45,0,40\n' > "$t/g.csv"; ./slew catalog build "$t/g.csv" -o "$t/g.fits" > /dev/null 2>&1
./slew rank --catalog "$t/g.fits" "$t/far.fits" 2> "$t/err" | grep -q 'no galaxy of it lies where the map has a distance'; ok $? "and slew rank says why no galaxy has a score"
says 1 'slew catalog build' "a catalogue that is not ours" sky "$t/map.fits" --catalog "$t/list" -o "$t/x.svg"
says 1 'nowhere/x.svg.*cannot be written' "an output that cannot be written" sky "$t/map.fits" -o "$t/nowhere/x.svg"
says 1 '--at' "a time that is none" sky "$t/map.fits" --at yesterday -o "$t/x.svg"
says 1 'no site "xyz"' "a site that the facility has not" sky "$t/map.fits" --sites lco --site xyz -o "$t/x.svg"
says 1 'neither a state nor a plan' "no state and no plan" probability "$t/list" -o "$t/x.svg"
says 2 'belong together' "fields without a camera" sky "$t/map.fits" --fields "$t/list" -o "$t/x.svg"
says 2 '--hours wants a number' "hours that are no number" altitude 10 20 --hours long -o "$t/x.svg"
says 2 'either RA DEC or --targets' "no target" altitude -o "$t/x.svg"
[ ! -e "$t/x.svg" ]; ok $? "nothing is written when something is wrong"

map=$data/skymaps/gwtc/GW170817_skymap.fits.gz
if [ -r "$map" ]; then
	./slew plot distance "$map" --at 197.4488,-23.3839 -o "$t/d.svg" && grep -q 'mean 38\.[0-9] ± 7\.[0-9] Mpc' "$t/d.svg" && grep -q 'toward RA 197.4488' "$t/d.svg"
	ok $? "the distance of GW170817, and toward NGC 4993"
	./slew plot sky "$map" -o "$t/e.svg" && grep -q '90 %: 16\.16 deg²' "$t/e.svg" && [ "$(wc -c < "$t/e.svg")" -lt 1500000 ]; ok $? "12.6 million cells in less than 1.5 MB"
else
	skip "the distance of GW170817" "$map is not there"
	skip "12.6 million cells" "$map is not there"
fi
echo "1..$n"
