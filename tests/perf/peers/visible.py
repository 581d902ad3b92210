"""Up or not: 1000 targets, 6 sites, 288 steps of 5 minutes: visible.py astropy|astroplan|rise-set

Airmass below 2, Sun below -18°, Moon 30° away, as tests/perf/visible.c asks it of the same places at the same times. `hours` is the sum."""
from steps import Steps

steps = Steps()
import datetime
import sys

import numpy as np

peer = sys.argv[1]
TARGETS, STEPS = 1000, 288
SITES = (("ogg", 20.7069, -155.2562, 3055), ("lsc", -30.1674, -70.8047, 2201), ("cpt", -32.3806, 20.8124, 1460),
	("coj", -31.2727, 149.0702, 1116), ("tfn", 28.3003, -16.5097, 2330), ("elp", 30.6801, -104.0152, 2027))


def places():
	state, drawn = 1, []
	for _ in range(2 * TARGETS):
		state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
		drawn.append((state >> 11) / 9007199254740992)
	u = np.array(drawn).reshape(TARGETS, 2)
	return 360 * u[:, 0], np.degrees(np.arcsin(2 * u[:, 1] - 1))


ra, dec = places()
if peer == "rise-set":
	from rise_set.angle import Angle
	from rise_set.astrometry import make_ra_dec_target
	from rise_set.visibility import Visibility

	steps.done("import")
	start, hours = datetime.datetime(2026, 11, 23, 12), 0.0
	targets = [make_ra_dec_target(ra=Angle(degrees=float(r)), dec=Angle(degrees=float(d))) for r, d in zip(ra, dec)]
	for _, lat, lon, _ in SITES:
		site = {"latitude": Angle(degrees=lat), "longitude": Angle(degrees=lon)}
		sight = Visibility(site, start, start + datetime.timedelta(days=1), horizon=15.0, twilight="astronomical")
		for target in targets:
			for begin, end in sight.get_observable_intervals(target, airmass=2.0, moon_distance=Angle(degrees=30)):
				hours += (end - begin).total_seconds() / 3600
	steps.done("computing")
	steps.tell(("ocs-rise-set",), hours=hours)
	sys.exit()

from astropy.utils import iers

iers.conf.auto_download = False
iers.conf.auto_max_age = None
iers.conf.iers_degraded_accuracy = "warn"
import astropy.units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body, get_sun
from astropy.time import Time

if peer == "astroplan":
	from astroplan import AirmassConstraint, AtNightConstraint, FixedTarget, MoonSeparationConstraint, Observer
steps.done("import")
times, sky, up = Time("2026-11-23T12:00:00") + np.arange(STEPS) * 5 * u.min, SkyCoord(ra * u.deg, dec * u.deg), 0
for name, lat, lon, height in SITES:
	site = EarthLocation(lat=lat * u.deg, lon=lon * u.deg, height=height * u.m)
	if peer == "astroplan":
		observer, targets = Observer(location=site, name=name), [FixedTarget(t) for t in sky]
		seen = np.ones((TARGETS, STEPS), bool)
		for ask in (AirmassConstraint(2.0), AtNightConstraint.twilight_astronomical(), MoonSeparationConstraint(min=30 * u.deg)):
			seen &= np.asarray(ask(observer, targets, times=times, grid_times_targets=True))
	else:
		altitude = sky[:, None].transform_to(AltAz(obstime=times[None, :], location=site)).alt.deg
		sun = get_sun(times).transform_to(AltAz(obstime=times, location=site)).alt.deg
		moon = get_body("moon", times, site)
		apart = sky[:, None].separation(SkyCoord(moon.ra, moon.dec)[None, :]).deg
		seen = (altitude > 30) & (sun < -18)[None, :] & (apart > 30)
	up += int(seen.sum())
steps.done("computing")
steps.tell((peer,), hours=up * 5 / 60)
