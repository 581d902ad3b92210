"""ligo.skymap's crossmatch with the 50 and 90 % contours, as its user guide shows. rank_crossmatch.py MAP CATALOGUE.parquet LIST

Writes the best 1000 as `id value exact least most` lines, dP/dV per Mpc³: exact is the closed form at the galaxy, least and most are what its
grid of distances makes of it."""
from steps import Steps

steps = Steps()
import sys

import astropy.units as u
import healpy
import numpy as np
import pyarrow.parquet
from astropy.coordinates import SkyCoord
from ligo.skymap import moc
from ligo.skymap.io import read_sky_map
from ligo.skymap.postprocess import crossmatch
from scipy.stats import norm

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

# Its grid of distances: 1000 steps to the farthest galaxy. The closed form at the cell of each of the best, one step nearer to one step farther,
# spans what a value of that grid can be; the middle of them is the galaxy's own distance.
grid_mpc = distance.max() / 1000
order, pixel = moc.uniq2nest(sky["UNIQ"])
first = pixel << (2 * (29 - order))
sorting = np.argsort(first)
cell = sky[sorting[np.searchsorted(first[sorting], healpy.ang2pix(2**29, ra[best], dec[best], lonlat=True, nest=True), side="right") - 1]]
r = np.maximum(distance[best][:, None] + np.linspace(-grid_mpc, grid_mpc, 21), 0)
span = np.asarray(cell["PROBDENSITY"] * cell["DISTNORM"])[:, None] * norm(np.asarray(cell["DISTMU"])[:, None], np.asarray(cell["DISTSIGMA"])[:, None]).pdf(r)
np.savetxt(sys.argv[3], np.column_stack((number[best], value[best], span[:, 10], span.min(axis=1), span.max(axis=1))), fmt=("%d",) + 4 * ("%.17g",))
steps.tell(("ligo.skymap",), grid_mpc=grid_mpc, v50_mpc3=found.contour_vols[0], v90_mpc3=found.contour_vols[1])
