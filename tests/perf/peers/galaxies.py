"""The rows of a catalogue of ours in the forms that the peers read: galaxies.py parquet|tilepy|gwemopt CATALOGUE.fits OUT

Rows without a distance are left out (the peers do nothing with them, or stop), the others are shuffled: a published catalogue does not come
sorted by position."""
import sys

import numpy as np
from astropy.io import fits

kind, path, out = sys.argv[1:4]
with fits.open(path, memmap=True) as file:
	rows = file["GALAXIES"].data
	columns = {name: np.ascontiguousarray(rows[name]) for name in ("ID", "RA", "DEC", "DIST_MPC", "B_MAG", "LOGMSTAR")}
kept = np.flatnonzero(np.isfinite(columns["DIST_MPC"]))
kept = kept[np.random.default_rng(20230518).permutation(len(kept))]
number, ra, dec, distance, b_mag, log_mass = (v[kept].astype(v.dtype.newbyteorder("=")) for v in columns.values())

if kind == "parquet":
	import pyarrow
	import pyarrow.parquet
	table = pyarrow.table({"id": number, "ra": ra, "dec": dec, "dist": distance})
	pyarrow.parquet.write_table(table, out, compression="zstd")
elif kind == "tilepy":
	import tables
	rows = np.zeros(len(kept), dtype=[("no_GLADE", "i8"), ("RA", "f8"), ("Dec", "f8"), ("d_L", "f8"), ("B_mag", "f8"), ("mass", "f8")])
	rows["no_GLADE"], rows["RA"], rows["Dec"], rows["d_L"] = number, ra, dec, distance
	rows["B_mag"], rows["mass"] = b_mag, 10.0 ** np.nan_to_num(log_mass, nan=9.0)
	with tables.open_file(out, "w") as file:
		file.create_table("/", "catalog", obj=rows)
else:
	from astropy.io.misc.hdf5 import write_table_hdf5
	from astropy.table import Table
	magnitude = np.nan_to_num(b_mag.astype(float), nan=18.0)
	table = Table({"ra": ra, "dec": dec, "distmpc": distance, "magb": magnitude, "magk": magnitude - 3, "z": distance * 70 / 299792.458})
	for name in ("GWGC", "PGC", "HyperLEDA", "2MASS"):
		table[name] = np.full(len(kept), "---", dtype="S8")
	write_table_hdf5(table, out, path="df", overwrite=True)
print("rows", len(kept))
