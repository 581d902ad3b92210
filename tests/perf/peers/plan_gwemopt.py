"""A whole plan with gwemopt in its galaxy mode: one telescope (KPED). plan_gwemopt.py MAP FOLDER START; HOME holds Data/gwemopt/catalogs/glade.hdf5"""
from steps import Steps

steps = Steps()
import glob
import sys

from astropy.time import Time
from gwemopt.run import run

steps.done("import")
sky, folder, start = sys.argv[1:4]
run(["-t", "KPED", "--tilesType", "galaxy", "--catalog", "GLADE", "--galaxy_limit", "1000", "-e", sky, "-o", folder, "--geometry", "3d",
	"-g", str(Time(start).gps), "--doTiles", "--doSchedule", "--timeallocationType", "powerlaw", "--scheduleType", "greedy", "--filters", "g,r",
	"--exposuretimes", "30,30", "--doSingleExposure", "--doAlternatingFilters", "--doBalanceExposure"])
steps.done("computing")
made = glob.glob(folder + "/schedule_*.dat")
if not made:
	sys.exit("no schedule was made")
with open(made[0]) as file:
	steps.tell(("gwemopt",), visits=len(file.readlines()))
