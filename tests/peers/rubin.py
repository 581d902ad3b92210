"""slew's records for Rubin's scheduler, told to its own code. Usage: rubin.py SLEW RUBIN_RECORD FOLDER DATA TS_SCHEDULER"""
import asyncio
import base64
import glob
import importlib.util
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import types

import healpy as hp
import numpy as np
import rubin_reading as reading
from astropy.utils import iers
from rubin_influx import Influx

iers.conf.auto_download, iers.conf.auto_max_age = False, None # the nights here need no better clock

slew, tool, folder, data, ts_scheduler = sys.argv[1:6]
count = failed = skipped = 0


def ok(good, what, skip=None):
    global count, failed, skipped
    count += 1
    failed += not good
    skipped += skip is not None
    print(f"{'ok' if good else 'not ok'} {count} - {what}{' # SKIP ' + skip if skip else ''}", flush=True)


def tool_lines(paths):
    said = subprocess.run([tool, *paths], capture_output=True, text=True)
    if said.returncode != 0:
        print("# " + said.stderr.replace("\n", "\n# "))
    return [json.loads(line) for line in said.stdout.splitlines()]


def gaussian(ra, dec, sigma_deg, order=6):
    """A round map as multi-order FITS bytes, 2-D."""
    from astropy.table import Table

    nside = 2**order
    pixels = np.arange(hp.nside2npix(nside))
    at = np.array(hp.ang2vec(ra, dec, lonlat=True))
    distance = np.degrees(np.arccos(np.clip(np.array(hp.pix2vec(nside, pixels, nest=True)).T @ at, -1, 1)))
    density = np.exp(-0.5 * (distance / sigma_deg) ** 2)
    density /= density.sum() * hp.nside2pixarea(nside)
    table = Table({"UNIQ": pixels + 4 * nside**2, "PROBDENSITY": density})
    table.meta.update(PIXTYPE="HEALPIX", ORDERING="NUNIQ", COORDSYS="C", INDXSCHM="EXPLICIT", MOCORDER=order, ORIGIN="made up")
    table["PROBDENSITY"].unit = "sr-1"
    out = io.BytesIO()
    table.write(out, format="fits")
    return out.getvalue()


def alert_of(name, when, fits, **event):
    body = {"time": when, "far": 1e-10, "significant": True, "instruments": ["H1", "L1"], "group": "CBC", "pipeline": "gstlal", "search": "AllSky",
            "properties": {"HasNS": 1.0, "HasRemnant": 1.0, "HasMassGap": 0.0}, "classification": {"BNS": 0.95, "NSBH": 0.03, "BBH": 0.0, "Terrestrial": 0.02},
            "skymap": base64.b64encode(fits).decode()}
    body.update(event)
    return {"alert_type": "INITIAL", "time_created": when, "superevent_id": name, "urls": {"gracedb": "https://example.org/"}, "event": body, "external_coinc": None}


def variants(paths):
    """Alerts of the same kind with other facts and other maps, so that every rule is met from both sides."""
    dice, out = random.Random(20261120), []
    maps = [json.load(open(p))["event"]["skymap"] for p in paths if (json.load(open(p)).get("event") or {}).get("skymap")]
    maps += [base64.b64encode(gaussian(dice.uniform(0, 360), np.degrees(np.arcsin(dice.uniform(-1, 1))), s)).decode() for s in (1, 1.5, 2, 4, 5, 8, 10, 15, 20, 30)]
    for i in range(400):
        bns, nsbh = dice.choice([(0.95, 0.04), (0.5, 0.45), (0.0, 0.05), (0.3, 0.3), (0.02, 0.9), (0.86, 0.03)])
        facts = {"HasNS": dice.choice([0.4, 0.5, 1.0, 1.0]), "HasRemnant": dice.choice([0.4, 0.5, 1.0, 1.0]), "HasMassGap": dice.choice([0.0, 0.0, 0.89, 0.9])}
        alert = alert_of(f"S26{i:04d}a", "2026-11-20T03:04:05Z", b"", far=dice.choice([1e-9, 3.1e-8, 3.2e-8, 1e-6]), properties=facts,
                         classification={"BNS": bns, "NSBH": nsbh, "BBH": 1 - bns - nsbh, "Terrestrial": 0.0}, instruments=["H1", "L1", "V1", "K1"][: dice.randint(1, 4)])
        alert["event"]["skymap"] = dice.choice(maps)
        alert["alert_type"] = dice.choice(["INITIAL"] * 8 + ["UPDATE", "PRELIMINARY"])
        out.append(f"{folder}/variant-{i}.json")
        json.dump(alert, open(out[-1], "w"))
    return out


def differences(path, line):
    """What of slew's record is not as the other reading has it."""
    alert, labels, masks = reading.read(path)
    if "error" in line:
        return [] if labels == {None} or not alert.get("superevent_id") else [f"not read: {line['error']}"]
    if line["label"] not in labels:
        return [f"label {line['label']}, wanted {labels}"]
    if line["label"] is None:
        return []
    low = np.degrees(np.pi / 2 - np.array(hp.pix2ang(32, np.nonzero(masks[0])[0], nest=True))[0].max())
    if "refused" in line:
        return [] if low >= 29.9 and "north" in line["refused"] else [f"refused: {line['refused']}"]
    record, wrong = line["record"], []
    cells = np.array(record["reward_map"])
    if not (masks[0] <= cells).all() or not (cells <= masks[1]).all():
        wrong.append(f"mask of {cells.sum()} cells, wanted {masks[0].sum()} to {masks[1].sum()}")
    detectors = (alert["event"]["instruments"] + ["", "", ""])[:3]
    for key, wanted in (("source", alert["superevent_id"]), ("instrument", detectors), ("event_trigger_timestamp", reading.trigger(alert["event"]["time"])),
                        ("reward_map_nside", 32), ("is_update", False)):
        if record[key] != wanted:
            wrong.append(f"{key} {record[key]}, wanted {wanted}")
    if len(record) != 9 or cells.dtype != bool or len(cells) != 12288 or not cells.any() or cells.all() or low >= 30:
        wrong.append("a record of another form")
    return wrong


def compare(paths, what):
    lines, wrong, labels = tool_lines(paths), [], {}
    for path, line in zip(paths, lines):
        labels[line["label"]] = labels.get(line["label"], 0) + 1
        wrong += [f"{os.path.basename(path)}: {w}" for w in differences(path, line)]
    told = ", ".join(f"{n} {label or 'not followed'}" for label, n in sorted(labels.items(), key=str))
    ok(len(lines) == len(paths) and not wrong, f"{what}: {told}" + "".join("\n#   " + w for w in wrong[:10]))
    return {line["file"]: line for line in lines}


# ---- Rubin's own code ----
def scheduler_made():
    """Surveys of targets of opportunity; the field centres are a stand-in (5292 cells of HEALPix nside 21), since the package ships none."""
    os.environ["RUBIN_SIM_DATA_DIR"] = f"{folder}/rubin_sim_data"
    os.makedirs(f"{folder}/rubin_sim_data/site_models")
    np.savetxt(f"{folder}/rubin_sim_data/site_models/icover.3.5292.23.0.txt", np.array(hp.pix2vec(21, np.arange(hp.nside2npix(21)))).T.ravel())
    from rubin_scheduler.scheduler.example.too_surveys import gen_too_surveys

    dec = 90 - np.degrees(hp.pix2ang(32, np.arange(hp.nside2npix(32)))[0])
    return gen_too_surveys(nside=32, detailer_list=[], too_footprint=np.where(dec < 12, 1.0, np.nan))


def told(surveys, too_id, cells_ring, label, trigger):
    """Visits that each survey wants of a target of opportunity made as ts_scheduler's driver makes it."""
    from astropy.time import Time
    from rubin_scheduler.scheduler.features import Conditions
    from rubin_scheduler.scheduler.utils import TargetoO

    start = Time(trigger.rstrip("Z"), format="isot", scale="utc").tai.mjd
    ra, dec = np.radians(hp.pix2ang(32, np.nonzero(cells_ring)[0], lonlat=True))
    target = TargetoO(too_id, cells_ring, start, duration=1.0, ra_rad_center=float(np.mean(ra)), dec_rad_center=float(np.mean(dec)), too_type=label)
    conditions = Conditions(nside=32, mjd=start + 0.001)
    conditions.targets_of_opportunity = [target]
    wanted = {}
    for survey in surveys:
        survey.update_conditions(conditions)
        if survey.obs_wanted is not None and np.size(survey.obs_wanted) > 0:
            wanted[survey.survey_name] = np.copy(survey.obs_wanted)
        survey.clear_script()
    return wanted


# Who follows what; the package's example surveys have none for GW_case_large.
SURVEYS = {"GW_case_B": "ToO, GW_case_B_C", "GW_case_D": "ToO, GW_case_D_E", "lensed_BNS_case_A": "ToO, LensedBNS_A", "lensed_BNS_case_B": "ToO, LensedBNS_B"}


def visits_of(surveys, records):
    for number, (name, record) in enumerate(records.items()):
        ring = np.array(record["reward_map"])[hp.ring2nest(32, np.arange(12288))]
        wanted = told(surveys, 1000 + number, ring, record["alert_type"], record["event_trigger_timestamp"])
        here = np.degrees(hp.pix2ang(32, np.nonzero(ring)[0])[0]) > 78
        survey = SURVEYS.get(record["alert_type"])
        total = sum(len(v) for v in wanted.values())
        ok(total > 0 and list(wanted) == [survey] if survey and here.any() else total == 0,
           f"{os.path.basename(name)}: {record['alert_type']} becomes a TargetoO, {', '.join(wanted) or 'no survey'} asks for {total} visits")


def client_of(port):
    """The real TooClient of ts_scheduler; TLS, which it insists on, is left out, and so is the service that gives it its password."""
    path = f"{ts_scheduler}/python/lsst/ts/scheduler/too_client.py"
    if not os.path.exists(path):
        return None
    import aioinflux
    import lsst_efd_client

    class Client(lsst_efd_client.EfdClient):
        deployment, mode = "slew", "slew"

        def __init__(self, efd_name, db_name="efd", **_):
            self.db_name, self.query_history = db_name, []
            self.influx_client = aioinflux.InfluxDBClient(host="127.0.0.1", port=port, db=db_name, mode="async", output="dataframe")

    lsst_efd_client.EfdClient = Client
    utils = types.ModuleType("lsst.ts.utils")

    def index_generator(first=1, last=2**31 - 1):
        yield from range(first, last)

    utils.index_generator = index_generator
    sys.modules.setdefault("lsst", types.ModuleType("lsst"))
    sys.modules.setdefault("lsst.ts", types.ModuleType("lsst.ts"))
    sys.modules["lsst.ts.utils"] = utils
    spec = importlib.util.spec_from_file_location("too_client", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TooClient


def malformed():
    """What stops their code, and that none of it leaves: each by an alert that would lead to it, or by a row that our file does not take."""
    from astropy.time import Time
    from rubin_scheduler.scheduler.features import Conditions

    conditions = Conditions(nside=32, mjd=61364.1)
    broken = {"a map of nside 64": lambda: conditions.ra[np.ones(hp.nside2npix(64), bool)], "a missing cell": lambda: conditions.ra[np.array([None] + [True] * 12287, object)],
              "a blank in a time": lambda: Time("2026-11-20 03:05:21", format="isot", scale="utc"), "an offset in a time": lambda: Time("2026-11-20T03:05:21+00:00", format="isot")}
    stopped = []
    for name, call in broken.items():
        try:
            call()
        except (IndexError, ValueError):
            stopped.append(name)
    ok(len(stopped) == len(broken), f"their code stops at {', '.join(stopped)}")
    flat = gaussian(0, 0, np.inf, 1)
    hostile = {"S'1": (gaussian(60, -30, 3), {}, "source"), "S26north": (gaussian(60, 75, 3), {}, "north"), "S26sky": (flat, {}, "whole sky"),
               "S26names": (gaussian(60, -30, 3), {"instruments": ["H1'"]}, "instrument"), "S26" + "x" * 70: (gaussian(60, -30, 3), {}, "over 60")}
    paths = []
    for name, (fits, event, _) in hostile.items():
        paths.append(f"{folder}/hostile-{len(paths)}.json")
        json.dump(alert_of(name, "2026-11-20T03:04:05Z", fits, **event), open(paths[-1], "w"))
    refused = [line.get("refused", "") + line.get("error", "") for line in tool_lines(paths)]
    wrong = [f"{name[:12]}: {said or 'taken'}" for (name, (_, _, word)), said in zip(hostile.items(), refused) if word not in said]
    ok(not wrong and len(refused) == len(hostile), f"{len(hostile)} alerts that would lead to a bad record are refused by us first" + "".join("\n#   " + w for w in wrong))
    db, taken = sqlite3.connect(f"{folder}/too.db"), []
    good = (1, "S", "[]", "GW_case_B", "2026-11-20T03:05:21.123Z", bytes(12288), 32, 0, 0)
    for column, value in ((5, bytes(12 * 64**2)), (5, None), (6, 64), (4, None), (7, 2), (1, None)):
        try:
            db.execute("INSERT INTO too_alert VALUES(?,?,?,?,?,?,?,?,?)", tuple(value if i == column else v for i, v in enumerate(good)))
            taken.append(column)
        except sqlite3.IntegrityError:
            pass
    db.close()
    ok(not taken, f"the file takes no such row{taken or ''}")


def block():
    """An override through the two readings of ts_scheduler's driver, with the block that the observatory would install."""
    import yaml
    from string import Template

    given = json.load(open("tools/BLOCK-SLEW.json"))
    schema = yaml.safe_load(given["configuration_schema"])

    def parameters(override):
        values = yaml.safe_load(override)
        types = {"string": str, "array": list, "number": (int, float)}
        for key, value in values.items():
            if not isinstance(value, types[schema["properties"][key]["type"]]):
                raise ValueError(f"{key} is {value!r}")
        if missing := set(schema["required"]) - set(values):
            raise ValueError(f"without {missing}")
        text = Template(yaml.safe_dump(given["scripts"][0]["parameters"])).substitute(**values)
        return yaml.safe_load(Template(text).substitute(**values))

    config = engine_config("auxtel", {"name": "auxtel", "use": "rubin-auxtel", "urls": {"folder": "folder:blocks"}})
    os.makedirs(f"{folder}/auxtel/blocks")
    sent = subprocess.run([slew, "check", config], capture_output=True, text=True)
    ok("rubin-block" in sent.stdout and "blocks" in sent.stdout, "slew check understands a folder of blocks" + ("" if sent.returncode in (0, 1) else sent.stdout))
    lines = subprocess.run([tool, "--block"], capture_output=True, text=True).stdout
    got = parameters(lines)
    wrong = [k for k in ("object_name", "object_ra", "object_dec", "reason", "program", "rot_type") if not isinstance(got[k], str)]
    wrong += [k for k in ("filter_sequence", "grating_sequence") if not all(isinstance(x, str) for x in got[k])]
    ok(not wrong and got["object_ra"] == "03:35:01.300" and got["object_dec"] == "-24:55:59.00" and got["exposure_time_sequence"] == [30.0, 30.0],
       f"the override keeps its texts over both readings: {got['object_ra']} {got['object_dec']}")
    plain = lines.replace("\"'", "'").replace("'\"", "'").replace("Abell 1: a _2", "Abell 1") # the colon alone would stop it
    ok(not isinstance(parameters(plain)["object_ra"], str), f"with plain quotes {parameters(plain)['object_ra']} would arrive")


# ---- the engine itself ----
POLICY = {"name": "rubin-test", "when": "alert_type = 'INITIAL' AND p_bns > 0.5 AND area90_deg2 < 500", "targets": {"from": "region", "probability": 0.7},
          "observe": [{"epoch": 1, "filters": ["g", "i"], "exposure_s": 30, "min_moon_deg": 0}], "ladder": [{"programme": "too", "facility": "rubin", "mode": "TIME_CRITICAL"}],
          "approval": {"mode": "auto"}, "offer_wait_s": 1}


SIMONYI = {"name": "rubin", "use": "rubin-simonyi", "urls": {"exchange": "file:too.db"}, "too": {"transport": "file", "labels": [{"policy": "rubin-test", "label": "GW_case_D"}]}}
AUXTEL = {"name": "rubin", "use": "rubin-auxtel", "urls": {"folder": "folder:blocks"}}


def engine_begin(home, when, facility, policy):
    os.makedirs(f"{home}/spool", exist_ok=True)
    json.dump(policy, open(f"{home}/policy.json", "w"))
    json.dump({"state": "state.db", "sources": [{"name": "spool", "type": "spool", "path": "spool"}], "clock": {"start": when, "rate": 60}, "facilities": [facility],
               "programmes": [{"name": "too", "facility": "rubin", "proposal": "ToO", "hours": {"TIME_CRITICAL": 40}}], "policies": ["policy.json"],
               "operator": {"socket": f"{home}/s"}}, open(f"{home}/night.json", "w"))
    return subprocess.Popen([slew, "run", f"{home}/night.json"], stdout=open(f"{home}/log", "w"), stderr=subprocess.STDOUT)


def engine_end(engine):
    engine.send_signal(signal.SIGTERM)
    try:
        engine.wait(30)
    except subprocess.TimeoutExpired:
        engine.kill()


def heard(home, alert):
    json.dump(alert, open(f"{home}/spool/1.tmp", "w"))
    waited(20, lambda: os.path.exists(f"{home}/s"))
    os.rename(f"{home}/spool/1.tmp", f"{home}/spool/1.json")


def log_end(home):
    return "\n# " + "\n# ".join(open(f"{home}/log").read().splitlines()[-15:])


def engine_config(name, facility):
    os.makedirs(f"{folder}/{name}/spool", exist_ok=True)
    path = f"{folder}/{name}/night.json"
    json.dump({"state": "state.db", "sources": [{"name": "spool", "type": "spool", "path": "spool"}], "facilities": [facility],
               "programmes": [{"name": "too", "facility": facility["name"], "proposal": "ToO", "hours": {"NORMAL": 4}}], "policies": ["tell-all"]}, open(path, "w"))
    return path


def waited(seconds, question):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.2)
    return None


def rows(path, sql):
    try:
        db = sqlite3.connect(path, timeout=5)
        db.row_factory = sqlite3.Row
        found = [dict(r) for r in db.execute(sql)]
        db.close()
        return found
    except sqlite3.Error:
        return []


def tonight():
    """An hour ago, and a map that is high over Cerro Pachon in the next night."""
    from astropy.time import Time

    when = Time(Time.now().unix - 3600, format="unix").isot[:19] + "Z"
    lst = Time(when.rstrip("Z"), scale="utc").sidereal_time("mean", "-70.7494d").deg
    night = next(h for h in range(24) if is_night(Time(when.rstrip("Z"), scale="utc"), h))
    return when, gaussian((lst + 15 * night + 30) % 360, -30.0, 4.0)


def engine_asks(surveys):
    """An alert dropped into a running engine becomes a row; Rubin's code reads it and observes; the engine reads the visits."""
    when, fits = tonight()
    engine = engine_begin(folder, when, SIMONYI, POLICY)
    try:
        heard(folder, alert_of("S261124zz", when, fits))
        found = waited(60, lambda: rows(f"{folder}/too.db", "SELECT * FROM too_alert"))
        ok(bool(found), "a running engine writes the record of an alert into the file" + ("" if found else log_end(folder)))
        if found:
            observed(surveys, found[0])
    finally:
        engine_end(engine)


def observer():
    """A running engine puts a block into the observer's folder, who takes it and is done."""
    home = f"{folder}/observer"
    os.makedirs(f"{home}/blocks/done")
    when, fits = tonight()
    policy = POLICY | {"targets": {"from": "fields", "footprint": "rubin-auxtel:LATISS", "top": 1}, "observe": [{"epoch": 1, "filters": ["SDSSr_65mm"], "exposure_s": 30, "min_moon_deg": 0}]}
    engine = engine_begin(home, when, AUXTEL, policy)
    try:
        heard(home, alert_of("S261124zz", when, fits))
        found = waited(60, lambda: [r for r in rows(f"{home}/state.db", "SELECT token FROM request WHERE state='accepted'")])
        files = glob.glob(f"{home}/blocks/*.yaml")
        ok(bool(found) and len(files) == 1 and found[0]["token"] in files[0], "a running engine puts a block into the observer's folder" + ("" if found else log_end(home)))
        if found and files:
            name = os.path.basename(files[0])
            open(f"{home}/blocks/done/{name[:-5]}.txt", "w").write("seq 17 to 18\n")
            os.rename(files[0], f"{home}/blocks/done/{name}")
            done = waited(40, lambda: rows(f"{home}/state.db", "SELECT words FROM request_change WHERE to_state='done'"))
            ok(bool(done) and done[0]["words"] == "seq 17 to 18", f"moved to done/, it is done: {done[0]['words'] if done else log_end(home)}")
    finally:
        engine_end(engine)


def is_night(start, hours):
    from astropy.coordinates import AltAz, EarthLocation, get_sun
    import astropy.units as u

    at = start + hours * u.hour
    place = EarthLocation(lat=-30.2446 * u.deg, lon=-70.7494 * u.deg, height=2663 * u.m)
    return get_sun(at).transform_to(AltAz(obstime=at, location=place)).alt.deg < -18


def observed(surveys, row):
    from rubin_scheduler.scheduler.utils import ObservationArray, SchemaConverter

    cells = np.frombuffer(row["reward_map"], np.uint8).astype(bool)
    ok(len(cells) == 12288 and cells.any() and row["reward_map_nside"] == 32 and row["source"] == "S261124zz" and row["is_test"] == 0, f"its map has {cells.sum()} cells")
    influx = Influx(f"{folder}/too.db")
    client_class = client_of(influx.port)
    ring = cells[hp.ring2nest(32, np.arange(12288))]
    if client_class is None:
        ok(True, "the real TooClient reads it", skip=f"no ts_scheduler in {ts_scheduler}")
    else:
        async def ask():
            client = client_class("lsst.scimma.too_alert", 691200, "summit_efd", db_name="lsst.scimma")
            first = dict(await client.get_too_alerts())
            again = dict(await client.get_too_alerts())
            await client.efd_client.influx_client.close()
            return first, again

        first, again = asyncio.run(ask())
        alert = first.get("S261124zz")
        ok(alert is not None and alert.alert_type == "GW_case_D" and np.array_equal(np.asarray(alert.reward_map, bool), ring) and len(again) == 1,
           f"the real TooClient reads it ({len(influx.asked)} questions): label, and the same {cells.sum()} cells in ring order")
        ring = np.asarray(alert.reward_map, bool) if alert is not None else ring
    influx.close()
    wanted = told(surveys, 1, ring, row["alert_type"], row["event_trigger_timestamp"])
    visits = wanted.get("ToO, GW_case_D_E")
    ok(visits is not None and len(wanted) == 1, f"ToO, GW_case_D_E asks for {0 if visits is None else len(visits)} visits of it")
    if visits is None:
        return
    early = visits[visits["mjd"] < visits["mjd"].min() + 0.5]
    done = ObservationArray(len(early))
    for name in ("RA", "dec", "exptime", "band", "scheduler_note", "target_name", "observation_reason", "nexp"):
        done[name] = early[name]
    done["mjd"] = early["mjd"] + 0.02
    done["visittime"] = 34.0
    done["ID"] = np.arange(len(early))
    converter = SchemaConverter()
    converter.obs2opsim(done, filename=f"{folder}/too.db", if_exists="append")
    back = converter.opsim2obs(f"{folder}/too.db")
    ok(len(back) == len(done) and np.allclose(back["RA"], done["RA"]) and list(back["scheduler_note"]) == list(done["scheduler_note"]),
       f"SchemaConverter writes {len(done)} visits into our table of {len(rows(f'{folder}/too.db', 'SELECT * FROM observations LIMIT 1')[0])} columns and reads them again")
    state = waited(40, lambda: [r for r in rows(f"{folder}/state.db", "SELECT state,memo FROM request") if r["state"] in ("running", "done")])
    memo = json.loads(state[0]["memo"]) if state else {}
    at = np.array(hp.ang2vec(np.degrees(done["RA"]), np.degrees(done["dec"]), lonlat=True))
    near = (at @ np.array(hp.pix2vec(32, np.nonzero(cells)[0], nest=True))).max(axis=1)
    touching = int((near >= np.cos(np.radians(1.75 + 1.91))).sum())
    ok(bool(state) and memo.get("visits") == touching >= 0.9 * len(done), f"the engine reads them: {memo.get('visits')} visits touch the region, the request is {state[0]['state'] if state else rows(f'{folder}/state.db', 'SELECT state FROM request')}")


alerts = sorted(p for p in glob.glob(f"{data}/alerts/igwn_json/*.json") if "schema" not in p)
alerts = [p for p in alerts if isinstance(json.load(open(p)), dict) and not str((json.load(open(p)).get("event") or {}).get("skymap", "")).endswith("...")]
readable = []
for p in alerts:
    try:
        reading.read(p)
        readable.append(p)
    except Exception as e:
        print(f"# {os.path.basename(p)} has no map that can be read: {type(e).__name__}")
lines = compare(readable, "LVK alerts as they are") if readable else {}
if not readable:
    ok(True, "LVK alerts as they are", skip=f"{data}/alerts is not there; SLEW_SHARED names the folder of shared data")
lines |= compare(variants(readable), "the same with other facts and maps")
surveys = scheduler_made()
chosen = {}
for name, line in lines.items():
    if "record" in line and line["label"] not in ("lensed_BNS_case_B", *(r["alert_type"] for r in chosen.values())): # 300 tilings of the one left out take minutes
        chosen[name] = line["record"]
visits_of(surveys, chosen)
engine_asks(surveys)
malformed()
block()
observer()
print(f"1..{count}")
print(f"{count - failed - skipped} passed, {failed} failed, {skipped} skipped")
sys.exit(failed > 0)
