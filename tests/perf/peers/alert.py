"""The bytes of an LVK alert (JSON) to the columns of its map in memory, each step the median of 20, in a warm process. alert.py ALERT.json"""
from steps import Steps

steps = Steps()
import base64
import io
import json
import sys
import time

import numpy as np
from ligo.skymap.io import read_sky_map

steps.done("import")
with open(sys.argv[1], "rb") as file:
	text = file.read()
took = []
for _ in range(21):
	start = time.perf_counter()
	alert = json.loads(text)
	sky = read_sky_map(io.BytesIO(base64.b64decode(alert["event"]["skymap"])), moc=True, distances=True)
	took.append(time.perf_counter() - start)
steps.ms["computing"] = float(np.median(took[1:])) * 1e3
steps.tell(("ligo.skymap", "astropy"), cells=len(sky), probability_sum=float(np.sum(sky["PROBDENSITY"])))
