# The windows of `slew visible` against astroplan: targets over the sites of a facility and over hard places, at the same UT1 - UTC.
# usage: windows.py SLEW   prints TAP. Every two minutes of 30 hours astroplan's airmass, Sun, distance to the Moon and hour angle must say what
# our windows say, but for the seconds about their edges: these must lie within 2 s (where the Moon's distance decides: 10 s) of where the
# limits are crossed. Airmass to 1e-3 and the Moon to 0.01 degrees (1e-3 of the illuminated part) at each window's best moment.
import json, random, subprocess, sys, warnings
warnings.filterwarnings("ignore")
from astropy.utils import iers
iers.conf.auto_download = False
iers.conf.auto_max_age = None
iers.conf.iers_degraded_accuracy = "warn"
import astropy.units as u
import numpy as np
from astropy.coordinates import EarthLocation, HADec, SkyCoord
from astropy.time import Time
from astroplan import FixedTarget, Observer

HOURS, STEP_S, AIRMASS, SUN, MOON, VISIT = 30, 120, 2.0, -12.0, 40.0, 300
PLACES = [("Fiji, from the west", -16.8, 179.99, 10), ("Fiji, from the east", -16.8, -179.99, 10), ("Tromso", 69.65, 18.96, 100),
    ("McMurdo", -77.85, 166.67, 30), ("Quito", -0.18, -78.47, 2850)]
DATES = ["2016-12-31T00:00", "2024-06-20T06:00", "2026-02-28T12:00"]
TARGETS = 3

def times(unix):
    return Time(np.asarray(unix, dtype=float), format="unix", scale="utc")

class Peer:
    def __init__(self, lat, lon, height, horizon=0.0, ha_limit=12.0):
        self.site = Observer(location=EarthLocation(lat=lat * u.deg, lon=lon * u.deg, height=height * u.m))
        self.horizon, self.ha_limit = horizon, ha_limit
        self.cache = {}
    def bodies(self, unix):
        key = (unix[0], len(unix))
        if key not in self.cache:  # one grid serves all targets of a date
            t = times(unix)
            moon = self.site.moon_altaz(t)
            self.cache = {key: (self.site.sun_altaz(t).alt.deg, moon)}
        return self.cache[key]
    def look(self, target, unix):
        t = times(unix)
        sun, moon = self.bodies(unix)
        star = self.site.altaz(t, target)
        # astroplan's own target_hour_angle takes the right ascension of J2000; astropy's frame has that of date
        ha = target.coord.transform_to(HADec(obstime=t, location=self.site.location)).ha.wrap_at(180 * u.deg).hour if self.ha_limit < 12 else 0 * sun
        return star.alt.deg, sun, star.separation(moon).deg, ha
    def allowed(self, seen, moon_by=0.0):
        alt, sun, moon, ha = seen
        low = max(np.degrees(np.arcsin(1 / AIRMASS)), self.horizon)
        return (alt >= low) & (sun <= SUN) & (moon >= MOON + moon_by) & (np.abs(ha) <= self.ha_limit)

def best(peer, target, w, name, lines):
    alt, _, moon, _ = peer.look(target, [w["best_us"] / 1e6])
    airmass = 1 / np.sin(np.radians(alt[0]))
    lit = float(peer.site.moon_illumination(times(w["best_us"] / 1e6)))
    bad = abs(airmass - w["airmass_best"]) > 1e-3 or abs(moon[0] - w["moon_deg"]) > 0.01 or abs(lit - w["moon_illuminated"]) > 1e-3
    if bad:
        lines.append(f"# {name}: at best airmass {w['airmass_best']:.4f} Moon {w['moon_deg']:.3f} lit {w['moon_illuminated']:.4f}, astroplan's "
            f"{airmass:.4f} {moon[0]:.3f} {lit:.4f}")
    return bad

def compare(peer, target, windows, start, name, lines):
    grid = start + float(STEP_S) * np.arange(HOURS * 3600 // STEP_S + 1)
    theirs = peer.allowed(peer.look(target, grid))
    spans = [(w["start_us"] / 1e6, w["end_us"] / 1e6) for w in windows]
    ours = np.zeros(len(grid), bool)
    near = np.zeros(len(grid), bool)
    for a, b in spans:
        ours |= (grid >= a) & (grid <= b)
        near |= (np.abs(grid - a) < STEP_S) | (np.abs(grid - b) < STEP_S)
    runs = np.flatnonzero(np.diff(np.concatenate(([0], theirs.astype(int), [0]))))
    for a, b in zip(runs[::2], runs[1::2]):  # what is too short for a visit, or for our steps of four minutes, is no window
        if (b - a - 1) * STEP_S < VISIT:
            near[a:b] = True
    failed = int(np.sum((theirs != ours) & ~near))
    if failed:
        lines.append(f"# {name}: {failed} times differ, the first {times(grid[(theirs != ours) & ~near][0]).isot}")
    edges = 0
    for a, b in spans:
        for at, side in ((a, 1), (b, -1)):
            if abs(at - start) < 1 or abs(at - start - HOURS * 3600) < 1:
                continue
            edges += 1
            points = np.array([at + 2 * side, at - 2 * side, at + 10 * side, at - 10 * side])
            alt, sun, moon, ha = seen = peer.look(target, points)
            ok = peer.allowed(seen)
            by_moon = np.abs(moon[0] - MOON) < 0.01
            if not (ok[0] and not ok[1]) and not (by_moon and ok[2] and not ok[3]):
                failed += 1
                lines.append(f"# {name}: the edge at {times(at).isot} is not astroplan's: altitude {alt[0]:.4f} Sun {sun[0]:.4f} Moon {moon[0]:.4f} "
                    f"hour angle {ha[0]:.4f}")
    for w in windows:
        failed += best(peer, target, w, name, lines)
    return failed, edges

def sites():
    for s in json.load(open("facilities/lco.json"))["sites"]:
        yield s["code"], Peer(s["latitude_deg"], s["longitude_deg"], s["elevation_m"], s.get("horizon_deg", 15), s.get("ha_limit_h", 12)), \
            ["--facility", "lco", "--site", s["code"]]
    for name, lat, lon, height in PLACES:
        yield name, Peer(lat, lon, height), ["--place", f"{lat},{lon},{height}"]

def main(slew):
    number = bad = 0
    chance = random.Random(20170817)
    for name, peer, place in sites():
        lines, failed, edges, count = [], 0, 0, 0
        for date in DATES:
            start = Time(date, scale="utc")
            dut1 = float(start.delta_ut1_utc)
            for _ in range(TARGETS):
                ra, dec = chance.uniform(0, 360), float(np.degrees(np.arcsin(chance.uniform(-1, 1))))
                text = subprocess.run([slew, "visible", f"{ra:.6f}", f"{dec:.6f}", *place, "--start", date, "--hours", str(HOURS), "--dut1", f"{dut1:.4f}",
                    "--max-airmass", str(AIRMASS), "--sun", str(SUN), "--min-moon", str(MOON), "--visit", str(VISIT / 60), "--json"],
                    capture_output=True, text=True, check=True).stdout
                windows = json.loads(text)["sites"][0]["windows"]
                target = FixedTarget(SkyCoord(round(ra, 6) * u.deg, round(dec, 6) * u.deg))
                f, n = compare(peer, target, windows, round(start.unix), f"{name} {date} {ra:.4f} {dec:.4f}", lines)
                failed, edges, count = failed + f, edges + n, count + len(windows)
        number += 1
        bad += failed > 0
        print(*lines, sep="\n", end="\n" if lines else "")
        print(f"{'not ok' if failed else 'ok'} {number} - windows over {name}: {count} windows, {edges} edges as astroplan has them", flush=True)
    print(f"{number - bad} passed, {bad} failed, 0 skipped")
    return bad > 0

sys.exit(main(sys.argv[1]))
