#!/bin/sh
# slew depth as a person calls it: the table, JSON, reference images by MOC, dust, and what is refused.
n=0; bad=0
check() # name command…
{
	n=$((n + 1)); name=$1; shift
	if "$@"; then echo "ok $n - $name"; else echo "not ok $n - $name"; bad=1; fi
}
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
usage() { ./slew depth "$@" > "$tmp/b" 2>&1; test $? = 2 && grep -q "slew: depth: " "$tmp/b"; }
input() { word=$1; shift; ./slew depth "$@" > "$tmp/b" 2>&1; test $? = 1 && grep -q "^slew: .*$word" "$tmp/b"; }

./slew depth --distance 40 > "$tmp/a" 2>&1
check "four filters, and what is not known is said" eval '[ "$(grep -cE "^(gp|rp|ip|zs) " "$tmp/a")" = 4 ] && grep -q "extinction of our galaxy unknown" "$tmp/a" && grep -q "no reference image is known" "$tmp/a"'
./slew depth --distance 40 --reference blank --airmass 1 --exposure 180 --filter rp --json > "$tmp/a" 2>&1
check "the limit is the exposure time calculator's 22.3" grep -q '"limit_mag":22.3' "$tmp/a"
echo '0/0-11' > "$tmp/all.txt"; echo '3/1' > "$tmp/spot.txt"
echo '[{"survey": "wide", "band": "r", "depth_mag": 21.5, "moc": "all.txt"}, {"survey": "deep", "band": "r", "depth_mag": 24, "moc": "spot.txt"}]' > "$tmp/r.json"
./slew depth --distance 100 --filter rp,ip --position '13:09:47.7 -23:23:02' --references "$tmp/r.json" > "$tmp/a" 2>&1
check "the reference that covers the position is used, in its band only" eval 'grep -q "reference of wide: 5 sigma at 21.50" "$tmp/a" && [ "$(grep -c "reference of" "$tmp/a")" = 1 ]'
./slew depth --distance 100 --filter rp --ebv 1.2 > "$tmp/a" 2>&1
check "too much dust is called that" grep -q "too much dust" "$tmp/a"
./slew depth --distance 160 --filter rp,zs --curve > "$tmp/a" 2>&1
check "the chance against exposure: never less for a longer one" eval 'sed -n "/by exposure/,/^magnitudes/p" "$tmp/a" | awk "/ s / { n++; if (\$4 < r || \$6 < z || \$3 < l) exit 1; r = \$4; z = \$6; l = \$3 } END { exit n != 11 }"'
./slew depth --distance 160 --filter rp --exposure 600 --json > "$tmp/a" 2>&1
check "and in JSON, the same as for one exposure" eval 'p=$(sed "s/.*\"curve\"//" "$tmp/a" | tr "{" "\n" | grep "\"exposure_s\":600.0," | grep -o "\"probability\":[0-9.e-]*"); [ -n "$p" ] && sed "s/\"curve\":\[[^]]*\]//; s/\"families\":\[[^]]*\]//" "$tmp/a" | grep -qF "$p,"'
./slew depth --facility blanco --distance 160 --exposure 86 --filter r --reference blank > "$tmp/a" 2>&1
check "DECam, too, knows how deep it sees" grep -q "^r .* 23.[78]" "$tmp/a"
check "no distance is a usage error" usage --filter rp
check "an airmass below 1 is a usage error" usage --distance 40 --airmass 0.5
check "references without a position are a usage error" usage --distance 40 --references "$tmp/r.json"
check "a filter without photometry is refused" input photometry --distance 40 --filter U
check "and those that have it are named" input "gp rp ip zs\$" --distance 40 --filter r
check "no neutron star is not taken for a BNS" usage --distance 40 --p-bns 0
check "probabilities of more than 1 are a usage error" usage --distance 40 --p-bns 0.6 --p-nsbh 0.6
check "an instrument that there is not is named" input "no instrument keyhole" --distance 40 --instrument keyhole
check "an unknown facility is refused" input nowhere --distance 40 --facility nowhere
check "what is no dust map is refused" input "dust map" --distance 40 --position '10 10' --dust "$tmp/all.txt"
echo '[{"band": "r", "depth_mag": 24}]' > "$tmp/r.json"
check "a reference without its MOC is refused" input "needs survey" --distance 40 --position '10 10' --references "$tmp/r.json"
echo "1..$n"
exit $bad
