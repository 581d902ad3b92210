#!/bin/bash
# What slew writes as coverage, read by mocpy (CDS): area, cells, and what is in and what is out; and what mocpy writes, read by slew and written again. Needs Python 3 with venv; mocpy is installed
# once into a folder of the build. What cannot be had is a skip, said aloud.
: "${BUILD:=build}"
data=${SLEW_SHARED:-../shared}/data
map=$data/skymaps/gwtc/GW170817_skymap.fits.gz
mkdir -p "$BUILD/peers" || exit 1
venv=$(cd "$BUILD/peers" && pwd)/venv-moc
skip() { echo "ok 1 - coverage as mocpy reads it # SKIP $1"; echo "1..1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
[ -r "$map" ] || skip "$map is not there; SLEW_SHARED names the folder of shared data"
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "python3-venv is missing"
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import inspect, mocpy; inspect.signature(mocpy.MOC.save).parameters["v1_compatible"]' 2> /dev/null; then
	echo "# installing mocpy into $venv (once)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'mocpy>=0.21'; } > "$BUILD/peers/pip-moc.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install mocpy; see $BUILD/peers/pip-moc.log"; }
fi
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
./slew area --json --moc "$t/region.fits" --level 0.9 "$map" > "$t/area.json" || exit 1
for f in fits json txt; do ./slew fields --footprint decam --top 12 --json --moc "$t/fields.$f" "$map" > "$t/fields.lines" || exit 1; done
./slew fields --footprint 60x60 --top 3 --json --moc "$t/squares.fits" "$map" > "$t/squares.lines" || exit 1
exec "$venv/bin/python" - "$t" "$BUILD/tests/peers/moc_echo" << 'PYTHON'
import json, subprocess, sys
import astropy.units as u
import numpy as np
from astropy.coordinates import Latitude, Longitude, SkyCoord
from mocpy import MOC
t, echo, n, failed = sys.argv[1], sys.argv[2], 0, 0

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

# The other way: mocpy's files, read by slew, written by slew in its four ways, read by mocpy.
def cone(ra, dec, radius, order):
    return MOC.from_cone(lon=Longitude(ra * u.deg), lat=Latitude(dec * u.deg), radius=radius * u.deg, max_depth=order)

rng = np.random.default_rng(20170817)
scatter = MOC.from_lonlat(rng.uniform(0, 360, 3000) * u.deg, np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))) * u.deg, max_norder=13)
theirs = {"a cone": cone(197.45, -23.38, 1.1, 12), "both poles": cone(10, 90, 5, 9).union(cone(0, -90, 3, 8)), "a cell of order 29": cone(1, 1, 1e-7, 29),
    "3,000 points": scatter, "all but a cone": cone(0, 0, 20, 8).complement(), "the whole sky": MOC.from_str("0/0-11"), "nothing": MOC.from_str("5/"),
    "one of order 0": MOC.from_str("0/7 10/")}
for name, moc in theirs.items():
    wrong, ranges29 = [], moc.to_depth29_ranges
    deg2 = sum(int(b) - int(a) for a, b in ranges29) / (12 * 4**29) * 41252.96124941928 # its sky_fraction is 0 below 1e-16
    if abs(deg2 - area(moc)) > 1e-9:
        wrong.append(f"mocpy says {area(moc)} deg2, its ranges {deg2}")
    for form, options in (("fits", {}), ("fits", {"v1_compatible": True}), ("json", {}), ("ascii", {})):
        moc.save(f"{t}/in", format=form, overwrite=True, **options)
        for ours in ("nuniq", "range", "json", "ascii"):
            said = subprocess.run([echo, ours, f"{t}/in", f"{t}/out"], capture_output=True, text=True)
            if said.returncode != 0:
                wrong.append(f"{form}{options} {said.stderr.strip()}")
                continue
            order, ranges, ours_deg2 = said.stdout.split()
            back = MOC.load(f"{t}/out", format=ours if ours in ("json", "ascii") else "fits")
            if back != moc or int(ranges) != len(ranges29) or abs(float(ours_deg2) - deg2) > 1e-12 * deg2:
                wrong.append(f"{form}{options} as {ours}: {ours_deg2} deg2 for {deg2}, {ranges} ranges for {len(ranges29)}")
            elif back.max_order != moc.max_order or int(order) != moc.max_order:
                wrong.append(f"{form}{options} as {ours}: order {order}, read back {back.max_order}, for {moc.max_order}")
    ok(not wrong, f"{name}: {len(ranges29)} ranges of mocpy's, sky fraction {moc.sky_fraction:.3g}: the same cells" + "".join(f"\n#   {w}" for w in wrong))
print(f"1..{n}")
print(f"{n - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
PYTHON
