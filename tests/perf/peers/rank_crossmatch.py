"""ligo.skymap's crossmatch with the 50 and 90 % contours, as its user guide shows. rank_crossmatch.py MAP CATALOGUE.parquet LIST

Writes the best 1000 as `id value` lines; dP/dV per Mpc³."""
from steps import Steps

steps = Steps()
import sys

import astropy.units as u
import numpy as np
import pyarrow.parquet
from astropy.coordinates import SkyCoord
from ligo.skymap.io import read_sky_map
from ligo.skymap.postprocess import crossmatch

steps.done("import")
sky = read_sky_map(sys.argv[1], moc=True, distances=True)
steps.done("map")
table = pyarrow.parquet.read_table(sys.argv[2])
number, ra, dec, distance = (table[name].to_numpy() for name in ("id", "ra", "dec", "dist"))
steps.done("catalogue")
found = crossmatch(sky, SkyCoord(ra * u.deg, dec * u.deg, distance * u.Mpc), contours=(0.5, 0.9))
value = found.probdensity_vol
best = np.argpartition(-value, 1000)[:1000]
best = best[np.argsort(-value[best])]
steps.done("computing")
np.savetxt(sys.argv[3], np.column_stack((number[best], value[best])), fmt=("%d", "%.17g"))
steps.tell(("ligo.skymap",), v50_mpc3=found.contour_vols[0], v90_mpc3=found.contour_vols[1])
