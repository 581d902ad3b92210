#!/bin/bash
# The whole engine against a running portal, `engine.sh BASE TOKEN PROPOSAL DIR`: an alert in the spool becomes request groups there,
# a kill -9 loses and doubles none, a retraction cancels them all. Prints TAP.
base=$1 token=$2 proposal=$3 dir=$4
: "${BUILD:=build}"
n=0 bad=0 engine=
trap '[ -n "$engine" ] && kill -9 $engine 2> /dev/null' EXIT
ok()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; tail -n 15 "$dir/log" 2> /dev/null | cut -c1-240 | sed 's/^/#   /'; fi
}
# groups of ours on the portal: "count state,state,… duplicates"
groups()
{
	curl -sS --noproxy '*' -H "Authorization: Token $token" "$base/api/requestgroups/?name=slew-$id-&limit=500" | python3 -c '
import json, sys, collections
rows = json.load(sys.stdin)["results"]
names = collections.Counter(r["name"] for r in rows)
print(len(rows), ",".join(sorted({r["state"] for r in rows})) or "-", sum(c - 1 for c in names.values()))'
}
up()
{
	./slew run "$dir/night.json" 2>> "$dir/log" & engine=$!
	for _ in $(seq 100); do ./slew ctl --config "$dir/night.json" --json status > /dev/null 2>&1 && return 0; kill -0 $engine 2> /dev/null || return 1; sleep 0.1; done
	return 1
}

event=$("$BUILD/tests/peers/merger" "$dir") && ./slew catalog build "$dir/galaxies.csv" -o "$dir/galaxies.fits" > "$dir/log" 2>&1
ok $? "a merger of this hour is made up: $event"
mkdir -p "$dir/in" && printf '%s\n' "$token" > "$dir/portal-token" && chmod 600 "$dir/portal-token"
cat > "$dir/night.json" << END
{"state": "state.db", "catalog": "galaxies.fits", "credentials_dir": "$dir",
 "sources": [{"name": "spool", "type": "spool", "path": "$dir/in"}],
 "facilities": [{"name": "lco", "use": "lco", "urls": {"portal": "$base", "archive": "$base"}, "secret": "portal-token", "accepts_tests": false}],
 "programmes": [{"name": "too-lco", "facility": "lco", "proposal": "$proposal", "hours": {"RAPID_RESPONSE": 2, "TIME_CRITICAL": 2, "NORMAL": 5}}],
 "policies": ["bns-near"]}
END
up
ok $? "the engine starts"
cp "$dir/alert.json" "$dir/in/.alert" && mv "$dir/in/.alert" "$dir/in/alert.json"
id= had="0 - 0"
for _ in $(seq 120); do
	[ -n "$id" ] || id=$(./slew ctl --config "$dir/night.json" --json requests 2> /dev/null | grep -o 'slew-[0-9a-f]\{8\}-' | head -1 | cut -c6-13)
	[ -n "$id" ] && had=$(groups) && [ "${had%% *}" -ge 3 ] && break
	sleep 0.5
done
[ "${had%% *}" -ge 3 ]; ok $? "the alert became request groups on the portal ($had)"
kill -9 $engine; wait $engine 2> /dev/null; engine=
up; ok $? "killed with -9 in the middle, it starts again"
last=
for _ in $(seq 60); do sleep 1; had=$(groups); [ "$had" = "$last" ] && same=$((same + 1)) || same=0; last=$had; [ "$same" -ge 8 ] && break; done
[ "${had##* }" = 0 ] && [ "${had%% *}" -ge 3 ]; ok $? "no group was submitted twice ($had)"
cp "$dir/retraction.json" "$dir/in/.over" && mv "$dir/in/.over" "$dir/in/over.json"
for _ in $(seq 90); do sleep 1; had=$(groups); case $had in *PENDING*) ;; *) break ;; esac; done
case $had in *" CANCELED 0") true ;; *) false ;; esac; ok $? "the retraction cancelled every one ($had)"
sleep 3
states=$(./slew ctl --config "$dir/night.json" --json requests | grep -o '"state":"[a-z]*"' | sort | uniq -c | tr -s ' \n' ' ')
case $states in *accepted*|*asked*|*cancelling*|*unsure*|*scheduled*) false ;; *) true ;; esac; ok $? "the engine's own list agrees:$states"
kill -TERM $engine; wait $engine; ok $? "it stops in order"
engine=
sweep=$(python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("SELECT state, (SELECT count(*) FROM alarm WHERE what = '"'unknown'"') FROM sweep").fetchone())' "$dir/state.db")
[ "$sweep" = "done 0" ]; ok $? "at its start it read all groups of ours to the last page and knew every one ($sweep)"
exit $bad
