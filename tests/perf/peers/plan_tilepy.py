"""A whole plan with tilepy: one telescope with a field of 4°, galaxies of the map's volume. plan_tilepy.py MAP CATALOGUE.h5 FOLDER START

tilepy reads the planets from a file de440s.bsp of the network; here it is given de421 of the package skyfield-data under that name (the same Sun
and Moon to arcseconds)."""
from steps import Steps

steps = Steps()
import datetime
import os
import sys

import skyfield_data
from tilepy.include.CampaignDefinition import ObservationParameters
from tilepy.include.ObservationScheduler import GetSchedule

steps.done("import")
sky, catalogue, folder, start = sys.argv[1:5]
os.makedirs(folder, exist_ok=True)
config = os.path.join(folder, "telescope.ini")
with open(config, "w") as file:
	file.write("""[observatory]
name = lapalma
lat = 28.7615
lon = -17.8915
height = 2200
[visibility]
sundown = -18
moondown = 0
moongrey = 50
moonphase = 60
minmoonsourceseparation = 30
maxmoonsourceseparation = 145
[operations]
maxzenith = 60
fov = 2.0
maxruns = 20
maxnights = 1
duration = 10
minduration = 5
usegreytime = False
minslewing = 1
[tiling]
minimumprobcutforcatalogue = 0.01
minprobcut = 0.005
distcut = 500
doplot = False
secondround = False
zenithweighting = 0.75
percentagemoc = 0.9
reducednside = 128
hrnside = 512
mangrove = False
algorithm = None
strategy = integrated
dorank = False
countprevious = False
""")
os.chdir(folder)
if not os.path.exists("de440s.bsp"):
	os.symlink(os.path.join(skyfield_data.get_skyfield_data_path(), "de421.bsp"), "de440s.bsp")
ask = ObservationParameters()
ask.add_parsed_args(sky, datetime.datetime.fromisoformat(start), os.path.dirname(catalogue), os.path.basename(catalogue), folder, None, None, "BENCH")
ask.from_configfile(config)
GetSchedule(ask)
steps.done("computing")
made = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.startswith("SuggestedPointings")]
if not made:
	sys.exit("no pointing was planned")
with open(made[0]) as file:
	steps.tell(("tilepy",), pointings=len(file.readlines()) - 1)
