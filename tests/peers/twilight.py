# The nights of `slew visible --night` against astroplan: sunset, twilights, sunrise, moonrise, moonset for sites x dates at the same UT1 - UTC.
# usage: twilight.py SLEW   prints TAP; every time that both have must agree to 5 s (where the body crosses by less than 3 degrees an hour: to
# 15 arcseconds of altitude), and what one says does not happen must not happen for the other.
import json, subprocess, sys, warnings
warnings.filterwarnings("ignore")
from astropy.utils import iers
iers.conf.auto_download = False
iers.conf.auto_max_age = None
iers.conf.iers_degraded_accuracy = "warn"
import astropy.units as u
from astropy.coordinates import EarthLocation
from astropy.time import Time
from astroplan import Observer

GRID = 600  # astroplan draws straight lines between so many altitudes of a day: 0.3 s
SITES = [("Cerro Tololo", -30.1674, -70.8047, 2198), ("Haleakala", 20.7075, -156.256, 3055), ("Siding Spring", -31.2728, 149.0708, 1116),
    ("the date line in Fiji, from the west", -16.8, 179.99, 10), ("the same from the east", -16.8, -179.99, 10), ("Quito", -0.18, -78.47, 2850),
    ("Tromso", 69.65, 18.96, 100), ("Ny-Alesund", 78.92, 11.93, 20), ("McMurdo", -77.85, 166.67, 30)]
DATES = ["2015-06-30T12:00", "2016-12-31T06:00", "2016-12-31T20:00", "2017-08-17T18:00", "2019-12-31T23:30", "2024-02-29T00:00", "2025-03-20T09:00"]
KINDS = [("sunset_us", "sunrise_us", -50 / 60), ("civil_dusk_us", "civil_dawn_us", -6), ("nautical_dusk_us", "nautical_dawn_us", -12),
    ("astronomical_dusk_us", "astronomical_dawn_us", -18)]

def utc(us):
    return Time(us // 1000000, us % 1000000 / 1e6, format="unix", scale="utc")

class Peer:
    def __init__(self, site):
        self.site = Observer(location=EarthLocation(lat=site[1] * u.deg, lon=site[2] * u.deg, height=site[3] * u.m), name=site[0])
    def event(self, call, start, end, horizon):
        t = call(start, which="next", horizon=horizon * u.deg, n_grid_points=GRID)
        return None if t.mask.any() or not t.unix < end.unix else float(t.unix)
    def altitude(self, moon, t):
        return float((self.site.moon_altaz(t) if moon else self.site.sun_altaz(t)).alt.deg)
    def crosses(self, key, unix):
        horizon = next((h for dusk, dawn, h in KINDS if key in (dusk, dawn)), -50 / 60)
        a, b = (self.altitude(key.startswith("moon"), Time(unix + s, format="unix")) > horizon for s in (-5, 5))
        return a != b
    def night(self, ours):
        start, end, out = utc(ours["noon_us"]), utc(ours["next_noon_us"]), {}
        for dusk, dawn, horizon in KINDS:
            out[dusk] = self.event(self.site.sun_set_time, start, end, horizon)
            after = start if out[dusk] is None else Time(out[dusk] + 1, format="unix")
            out[dawn] = self.event(self.site.sun_rise_time, after, end, horizon)
        out["moonrise_us"] = self.event(self.site.moon_rise_time, start, end, -50 / 60)
        out["moonset_us"] = self.event(self.site.moon_set_time, start, end, -50 / 60)
        return out

def compare(peer, ours, name, lines):
    worst, failed, count = 0, 0, 0
    for key, theirs in peer.night(ours).items():
        mine = ours[key]
        if mine is None and theirs is None:
            continue
        if theirs is None and peer.crosses(key, mine / 1e6):  # astroplan 0.10.1 misses a moonrise now and then that its own altitudes have
            lines.append(f"# {name}: {key}: astroplan finds none, but its altitude crosses within 5 s of ours")
            count += 1
            continue
        if mine is None or theirs is None:
            lines.append(f"# {name}: {key}: {'we' if mine is None else 'astroplan'} have none, the other {theirs or mine / 1e6}")
            failed += 1
            continue
        off = abs(mine / 1e6 - theirs)
        t, moon = Time(theirs, format="unix"), key.startswith("moon")
        speed = abs(peer.altitude(moon, t + 30 * u.s) - peer.altitude(moon, t - 30 * u.s)) * 60  # degrees an hour
        count += 1
        if speed >= 3:
            worst = max(worst, off)
        if off > 5 and off * speed > 15:  # seconds x degrees an hour = arcseconds
            lines.append(f"# {name}: {key}: {off:.1f} s off at {speed:.2f} degrees an hour")
            failed += 1
    return worst, failed, count

def main(slew):
    number, bad, worst = 0, 0, 0
    for site in SITES:
        peer, lines, failed, count, most = Peer(site), [], 0, 0, 0
        for date in DATES:
            dut1 = float(Time(date).delta_ut1_utc)
            place = f"{site[1]},{site[2]},{site[3]}"
            text = subprocess.run([slew, "visible", "--night", "--json", "--place", place, "--start", date, "--dut1", f"{dut1:.4f}"],
                capture_output=True, text=True, check=True).stdout
            w, f, c = compare(peer, json.loads(text), f"{site[0]} {date}", lines)
            most, failed, count = max(most, w), failed + f, count + c
        number += 1
        bad += failed > 0
        worst = max(worst, most)
        print(*lines, sep="\n", end="\n" if lines else "")
        print(f"{'not ok' if failed else 'ok'} {number} - nights of {site[0]}: {count} times, at most {most:.2f} s from astroplan")
    print(f"# worst {worst:.2f} s")
    print(f"{number - bad} passed, {bad} failed, 0 skipped")
    return bad > 0

sys.exit(main(sys.argv[1]))
