"""Another reading of the rules by which alerts become records for Rubin's scheduler, with numpy and astropy alone."""
import base64
import io
import json
import re

import numpy as np
from astropy.table import Table

STERADIAN_DEG2 = (180 / np.pi) ** 2


def map_of(fits):
    """Columns of a multi-order map, densest first (equal ones by cell), and its header."""
    table = Table.read(io.BytesIO(fits), format="fits")
    density, uniq = np.asarray(table["PROBDENSITY"], float), np.asarray(table["UNIQ"], np.int64)
    order = np.lexsort((uniq, -density))
    return density[order], uniq[order], table.meta


def cells(density, uniq, level):
    """How many of the densest cells hold the level: least (ties cut) and most (ties kept)."""
    order = np.floor(np.log2(uniq / 4) / 2).astype(int)
    area = np.pi / (3 * 4.0**order)
    total = np.cumsum(density * area)
    least = min(int(np.searchsorted(total, level)) + 1, len(total))
    most = int(np.searchsorted(-density, -density[least - 1], side="right"))
    return least, most, order, np.cumsum(area) * STERADIAN_DEG2


def mask(uniq, order, count, target=5):
    """Cells of order 5: a coarser one sets its children, a finer one its parent."""
    out = np.zeros(12 * 4**target, bool)
    for u, o in zip(uniq[:count], order[:count]):
        pixel = int(u) - (4 << (2 * int(o)))
        if o >= target:
            out[pixel >> (2 * (int(o) - target))] = True
        else:
            shift = 2 * (target - int(o))
            out[pixel << shift : (pixel + 1) << shift] = True
    return out


def label(alert, area90_deg2):
    """The strategy, by the producer's rules for LVK alerts; None: it is not followed. Masses are not in an alert: BBH_case_A is beyond it."""
    event = alert.get("event")
    if alert["alert_type"].upper() != "INITIAL" or not event:
        return None
    kind, have = event.get("classification") or {}, event.get("properties") or {}
    found = None
    neutron = kind.get("BNS", 0) + kind.get("NSBH", 0) >= 0.9 if "BNS" in kind else False
    far = event["far"] < 3.17e-8
    if neutron and far and area90_deg2 < 500 and have.get("HasNS", 0) >= 0.5 and have.get("HasRemnant", 0) >= 0.5:
        found = "GW_case_B" if area90_deg2 < 100 else "GW_case_D"
    if neutron and area90_deg2 >= 1000:
        found = "GW_case_large"
    if have.get("HasMassGap", 0) >= 0.9 and kind.get("NSBH", 1) < 0.1 and far and area90_deg2 < 900:
        found = "lensed_BNS_case_B" if area90_deg2 < 15 else "lensed_BNS_case_A"
    return found


def trigger(text):
    """2018-11-01T22:22:46.654Z"""
    date, time, fraction = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?Z?", text).groups()
    return f"{date}T{time}.{((fraction or '.') + '000')[1:4]}Z"


def read(path):
    """(alert, labels, (least, most) masks): two labels where an area is within a cell of a limit. Where a burst was seen with it, the combined map is the one that
    counts; the producer does not look at that."""
    alert = json.load(open(path))
    event, beside = alert.get("event"), alert.get("external_coinc") or {}
    if not event or not event.get("skymap"):
        return alert, {None}, None
    density, uniq, _ = map_of(base64.b64decode(beside.get("combined_skymap") or event["skymap"]))
    least, most, order, area = cells(density, uniq, 0.9)
    found = {label(alert, area[max(least - 2, 0)]), label(alert, area[least - 1])}
    least, most, order, _ = cells(density, uniq, 0.7)
    return alert, found, (mask(uniq, order, least), mask(uniq, order, most))
