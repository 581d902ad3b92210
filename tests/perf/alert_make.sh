#!/bin/sh
# Writes an LVK alert (igwn.gwalert, JSON) with a map in it, of a test event. usage: alert_make.sh MAP.fits NUMBER > ALERT.json (NUMBER 0 … 19)
letter=$(echo abcdefghijklmnopqrst | cut -c $(($2 + 1)))
minute=$(printf %02d "$2")
cat << END
{"alert_type": "INITIAL", "time_created": "2026-04-14T20:$minute:30Z", "superevent_id": "MS260414$letter",
 "urls": {"gracedb": "https://example.org/superevents/MS260414$letter/view/"},
 "event": {"time": "2026-04-14T20:$minute:00.000Z", "far": 1e-13, "significant": true, "instruments": ["H1", "L1", "V1"], "group": "CBC",
  "pipeline": "gstlal", "search": "MDC", "properties": {"HasNS": 0.95, "HasRemnant": 0.91, "HasMassGap": 0.01},
  "classification": {"BNS": 0.95, "NSBH": 0.01, "BBH": 0.03, "Terrestrial": 0.01}, "duration": null, "central_frequency": null,
  "skymap": "$(base64 -w 0 "$1")"},
 "external_coinc": null}
END
