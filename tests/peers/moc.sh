#!/bin/bash
# What slew writes as coverage, read by mocpy (CDS): area, cells, and what is in and what is out. Needs Python 3 with venv; mocpy is installed
# once into a folder of the build. What cannot be had is a skip, said aloud.
: "${BUILD:=build}"
data=${SLEW_SHARED:-../shared}/data
map=$data/skymaps/gwtc/GW170817_skymap.fits.gz
mkdir -p "$BUILD/peers" || exit 1
venv=$(cd "$BUILD/peers" && pwd)/venv-moc
skip() { echo "ok 1 - coverage as mocpy reads it # SKIP $1"; echo "1..1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
[ -r "$map" ] || skip "$map is not there; SLEW_SHARED names the folder of shared data"
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "python3-venv is missing"
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import mocpy' 2> /dev/null; then
	echo "# installing mocpy into $venv (once)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'mocpy>=0.17'; } > "$BUILD/peers/pip-moc.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install mocpy; see $BUILD/peers/pip-moc.log"; }
fi
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
./slew area --json --moc "$t/region.fits" --level 0.9 "$map" > "$t/area.json" || exit 1
for f in fits json txt; do ./slew fields --footprint decam --top 12 --json --moc "$t/fields.$f" "$map" > "$t/fields.lines" || exit 1; done
./slew fields --footprint 60x60 --top 3 --json --moc "$t/squares.fits" "$map" > "$t/squares.lines" || exit 1
exec "$venv/bin/python" - "$t" << 'PYTHON'
import json, sys
import astropy.units as u
from astropy.coordinates import SkyCoord
from mocpy import MOC
t, n, failed = sys.argv[1], 0, 0

def ok(good, what):
    global n, failed
    n += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {n} - {what}")

def area(moc):
    return moc.sky_fraction * 41252.96124941928

region = MOC.from_fits(f"{t}/region.fits")
wanted = json.load(open(f"{t}/area.json"))
ok(region.max_order == wanted["max_order"], "the region's order is the map's")
ok(0 <= area(region) - wanted["area90_deg2"] < 0.06, f"its area {area(region):.4f} is that of `slew area`, the last cells, all as dense, whole")
ok(bool(region.contains_lonlat([wanted["ra_deg"]] * u.deg, [wanted["dec_deg"]] * u.deg)[0]), "it holds the best position")
fits = MOC.from_fits(f"{t}/fields.fits")
ok(fits == MOC.load(f"{t}/fields.json", format="json"), "FITS and JSON are the same coverage")
ok(fits == MOC.load(f"{t}/fields.txt", format="ascii"), "FITS and ASCII are the same coverage")
lines = [json.loads(l) for l in open(f"{t}/fields.lines")]
chip = 2048 * 4096 * (0.2637 / 3600) ** 2
ok(0.5 < area(fits) / (len(lines) * 61 * chip) <= 1.001, f"{len(lines)} frames of 61 chips cover {area(fits):.2f} deg2, overlaps once")
squares = [json.loads(l) for l in open(f"{t}/squares.lines")]
ours, theirs = MOC.from_fits(f"{t}/squares.fits"), None
for s in squares:
    centre = SkyCoord(s["ra_deg"], s["dec_deg"], unit="deg")
    box = MOC.from_box(lon=centre.ra, lat=centre.dec, a=0.5 * u.deg, b=0.5 * u.deg, angle=0 * u.deg, max_depth=14)
    theirs = box if theirs is None else theirs.union(box)
extra = area(ours.difference(theirs)) / area(ours)
lack = area(theirs.difference(ours)) / area(ours)
ok(extra < 0.002 and lack < 0.01, f"squares agree with mocpy's own boxes: {extra:.5f} more, {lack:.5f} less (its boxes take every cell that they touch)")
print(f"1..{n}")
print(f"{n - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
PYTHON
