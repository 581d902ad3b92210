"""`slew catalog build` against astropy: FITS form, distances of Planck18 by redshifts in the CMB's frame, their errors, HEALPix order of rows."""
import csv
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.cosmology import Planck18
from astropy.io import fits

slew = sys.argv[1]
number = failed = 0


def ok(good, what):
    global number, failed
    number += 1
    failed += not good
    print(("ok" if good else "not ok"), number, "-", what)


with tempfile.TemporaryDirectory() as folder:
    random.seed(20)
    rows = [(i, random.uniform(0, 360), float(np.degrees(np.arcsin(random.uniform(-1, 1)))), 10 ** random.uniform(-2.5, 0.5)) for i in range(2000)]
    for frame in ("z_cmb", "z_helio"):
        table, out = os.path.join(folder, frame + ".csv"), os.path.join(folder, frame + ".fits")
        with open(table, "w", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(["id", "ra", "dec", frame, "z_err"])
            writer.writerows((i, repr(ra), repr(dec), repr(z), 1e-4) for i, ra, dec, z in rows)
        subprocess.run([slew, "catalog", "build", table, "-o", out], check=True, capture_output=True)
        with fits.open(out) as f:
            f.verify("exception")
            data = f[1].data.copy()
        ok(len(data) == 2000 and np.all(np.diff(data["IPIX29"]) >= 0), f"{frame}: all rows, in the order of their pixels")
        i = data["ID"]
        ra, dec, z = (np.array([r[k] for r in rows])[i] for k in (1, 2, 3))
        ok(np.array_equal(ra, data["RA"]) and np.array_equal(dec, data["DEC"]), f"{frame}: positions to the last bit")
        if frame == "z_helio":
            sun = SkyCoord(264.021, 48.253, unit="deg", frame="galactic")
            along = np.cos(SkyCoord(ra, dec, unit="deg").separation(sun).radian)
            z = (1 + z) / (1 - 369.82 / 299792.458 * along) - 1
        want = np.where(z > 0, Planck18.luminosity_distance(np.maximum(z, 1e-9)).value, np.nan)
        worst = np.nanmax(np.abs(data["DIST_MPC"] / want - 1))
        ok(worst < 1e-8 and np.array_equal(np.isnan(want), np.isnan(data["DIST_MPC"])), f"{frame}: distances of Planck18, worst {worst:.1e}")
        step = 1e-4 * np.maximum(z, 1e-6)
        slope = (Planck18.luminosity_distance(z + step).value - Planck18.luminosity_distance(z - step).value) / (2 * step)
        sigma = slope * np.hypot(1e-4, (1 + z) * 300 / 299792.458)
        worst = np.nanmax(np.abs(data["DISTERR_MPC"] / sigma - 1)[z > 0])
        ok(worst < 1e-5, f"{frame}: errors of 300 km/s and of the redshift, worst {worst:.1e}")
print(f"1..{number}")
print(f"{number - failed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
