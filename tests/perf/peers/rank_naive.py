"""The common way with healpy: the map made flat, a pixel for each galaxy, p × norm × N(d; mu, sigma), sorted. rank_naive.py MAP CATALOGUE.parquet LIST

Writes the best 1000 as `id value` lines; dP/dV per Mpc³."""
from steps import Steps

steps = Steps()
import sys

import healpy
import numpy as np
import pyarrow.parquet
from ligo.skymap.bayestar import rasterize
from ligo.skymap.io import read_sky_map
from scipy.stats import norm

steps.done("import")
sky = rasterize(read_sky_map(sys.argv[1], moc=True, distances=True))
p, mu, sigma, weight = (np.asarray(sky[name]) for name in ("PROB", "DISTMU", "DISTSIGMA", "DISTNORM"))
nside = healpy.npix2nside(len(p))
steps.done("map")
table = pyarrow.parquet.read_table(sys.argv[2])
number, ra, dec, distance = (table[name].to_numpy() for name in ("id", "ra", "dec", "dist"))
steps.done("catalogue")
pixel = healpy.ang2pix(nside, ra, dec, lonlat=True, nest=True)
value = p[pixel] * weight[pixel] * norm(mu[pixel], sigma[pixel]).pdf(distance) / healpy.nside2pixarea(nside)
value[np.isnan(value)] = 0
best = np.argsort(-value)[:1000]
steps.done("computing")
np.savetxt(sys.argv[3], np.column_stack((number[best], value[best])), fmt=("%d", "%.17g"))
steps.tell(("healpy", "scipy"), nside=nside)
