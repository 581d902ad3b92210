#!/bin/bash
# The daemon and its operator, on a spool source and a facility that nobody answers for: start, look, inject, veto, refuse, kill, stop.
set -u
slew=${SLEW:-$PWD/slew}
dir=$(mktemp -d /tmp/slew-runXXXXXX)
n=0; engine=
trap '[ -n "$engine" ] && kill -9 $engine 2>/dev/null; rm -rf "$dir"' EXIT

ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; tail -n 20 "$dir/log" 2>/dev/null | sed 's/^/# /'; fi; }
check() { local what=$1; shift; "$@" > "$dir/out" 2>&1; local rc=$?; [ $rc = 0 ] || sed 's/^/# /' "$dir/out"; ok $rc "$what"; }
exits() { local want=$1 what=$2; shift 2; "$@" > "$dir/out" 2>&1; local rc=$?; [ $rc = "$want" ] || { echo "# exit $rc"; sed 's/^/# /' "$dir/out"; }; [ $rc = "$want" ]; ok $? "$what"; }
ctl() { "$slew" ctl --socket "$dir/state.db.sock" "$@"; }
up() { "$slew" run "$dir/night.json" 2>> "$dir/log" & engine=$!
	for _ in $(seq 100); do ctl --json status > /dev/null 2>&1 && return 0; kill -0 $engine 2>/dev/null || return 1; sleep 0.05; done; return 1; }
down() { kill -TERM $engine; wait $engine; local rc=$?; engine=; return $rc; }

# a port of the loopback where nobody listens
cat > "$dir/night.json" <<END
{"state": "state.db",
 "sources": [{"name": "spool", "type": "spool", "path": "$dir/in"}],
 "facilities": [{"name": "lco", "use": "lco", "urls": {"portal": "http://127.0.0.1:9", "archive": "http://127.0.0.1:9"}, "secret": "portal-token", "accepts_tests": true}],
 "programmes": [{"name": "too-lco", "facility": "lco", "proposal": "ABC2026B-001", "hours": {"RAPID_RESPONSE": 5, "TIME_CRITICAL": 5, "NORMAL": 5}}],
 "policies": ["tell-all"], "credentials_dir": "$dir"}
END
printf 'canary-5f3a9c1e77aa\n' > "$dir/portal-token"; chmod 600 "$dir/portal-token"
cat > "$dir/alert.json" <<'END'
{"alert_type": "PRELIMINARY", "time_created": "2026-11-23T10:01:30Z", "superevent_id": "S261123a",
 "urls": {"gracedb": "https://gracedb.ligo.org/superevents/S261123a/view/"}, "external_coinc": null,
 "event": {"significant": true, "time": "2026-11-23T10:00:00.123Z", "far": 1e-12, "instruments": ["H1", "L1"], "group": "CBC",
  "pipeline": "gstlal", "search": "AllSky", "duration": null, "central_frequency": null,
  "properties": {"HasNS": 1.0, "HasRemnant": 1.0, "HasMassGap": 0.0, "HasSSM": 0.0},
  "classification": {"BNS": 0.99, "NSBH": 0.0, "BBH": 0.0, "Terrestrial": 0.01}, "skymap": null}}
END

check "starts and answers" up
check "status tells of the engine" ctl status
check "status as JSON names the process" sh -c "'$slew' ctl --socket '$dir/state.db.sock' --json status | grep -q '\"pid\":$engine'"
check "the engine is found by its configuration" "$slew" ctl --config "$dir/night.json" events
[ "$(stat -c %a "$dir/state.db.sock")" = 660 ]; ok $? "the socket is for user and group only"
[ "$(stat -c %a "$dir/state.db")" = 600 ]; ok $? "the state is for the user only"
exits 3 "a second engine on the same state refuses" "$slew" run "$dir/night.json"
grep -q "another engine" "$dir/out"; ok $? "and says why"

check "inject is answered when it is on disk" ctl inject "$dir/alert.json"
check "the event is there, as a test" sh -c "'$slew' ctl --socket '$dir/state.db.sock' --json events | grep -q S261123a"
exits 3 "what is no alert is refused with the reason" ctl inject "$dir/night.json"
sed 's/S261123a/S261123b/g' "$dir/alert.json" > "$dir/in/.b" && mv "$dir/in/.b" "$dir/in/b.json"
for _ in $(seq 60); do [ -e "$dir/in/done/b.json" ] && break; sleep 0.05; done
[ -e "$dir/in/done/b.json" ]; ok $? "a file in the spool is heard and moved away"
check "and its event is there" sh -c "'$slew' ctl --socket '$dir/state.db.sock' --json events | grep -q S261123b"
check "veto" ctl veto S261123b --why "glitch"
check "explain" ctl explain S261123b
check "hold all" ctl hold all --why "test"
check "resume all" ctl resume all
exits 3 "an order for an unknown event is refused" ctl veto S999999zz
exits 2 "a verb that does not exist" ctl dance
exits 2 "a verb without its argument" ctl veto
exits 1 "no engine there" "$slew" ctl --socket "$dir/nobody.sock" status

timeout 5 "$slew" ctl --socket "$dir/state.db.sock" tail > "$dir/tail" 2>&1 & tail=$!
sleep 0.3
sed 's/S261123a/S261123c/g' "$dir/alert.json" > "$dir/c.json"; ctl inject "$dir/c.json" > /dev/null 2>&1
for _ in $(seq 60); do grep -q S261123c "$dir/tail" && break; sleep 0.05; done
grep -q S261123c "$dir/tail"; ok $? "tail shows what is heard"
kill $tail 2>/dev/null; wait $tail 2>/dev/null

# an unknown key: the whole reload is refused, the engine goes on
cp "$dir/night.json" "$dir/good.json"
sed -i 's/"state":/"stat":/' "$dir/night.json"
exits 3 "a wrong configuration is refused whole by reload" ctl reload
cp "$dir/good.json" "$dir/night.json"
check "a good one is taken" ctl reload
before=$(grep -c "is in force" "$dir/log"); kill -HUP $engine
for _ in $(seq 60); do [ "$(grep -c "is in force" "$dir/log")" -gt "$before" ] && break; sleep 0.05; done
[ "$(grep -c "is in force" "$dir/log")" -gt "$before" ]; ok $? "SIGHUP reloads too"

# another catalogue without a stop: named anew, the same name with other rows, one that is broken
printf 'name,ra,dec,dist\na,10,20,30\nb,11,20,30\n' > "$dir/two.csv"; printf 'name,ra,dec,dist\na,10,20,30\nb,11,20,30\nc,12,20,30\n' > "$dir/three.csv"
"$slew" catalog build "$dir/two.csv" -o "$dir/cat.fits" > /dev/null 2>&1
sed -i "s#\"state\":#\"catalog\": \"$dir/cat.fits\", \"state\":#" "$dir/night.json"
check "a configuration that names a catalogue is taken" ctl reload
grep -q "catalogue [0-9a-f]* is in force: 2 galaxies" "$dir/log"; ok $? "its two galaxies are in force"
"$slew" catalog build "$dir/three.csv" -o "$dir/cat.fits" > /dev/null 2>&1
before=$(grep -c "configuration.*is in force" "$dir/log"); kill -HUP $engine
for _ in $(seq 60); do [ "$(grep -c "configuration.*is in force" "$dir/log")" -gt "$before" ] && break; sleep 0.05; done
grep -q "catalogue [0-9a-f]* is in force: 3 galaxies" "$dir/log"; ok $? "a new file of the same name is in force after SIGHUP"
check "a reload without a new one is taken" ctl reload
[ "$(grep -c "catalogue .* is in force" "$dir/log")" = 2 ]; ok $? "and changes no catalogue"
"$slew" catalog info "$dir/cat.fits" | sed -n 's/^digest *//p' > "$dir/digest"
mv "$dir/cat.fits" "$dir/whole.fits"; head -c 100000 "$dir/whole.fits" > "$dir/cat.fits"
exits 3 "a broken catalogue refuses the reload" ctl reload
check "and the engine goes on with the old one" ctl status
mv "$dir/whole.fits" "$dir/cat.fits"

# what is read at the start is in force until the end: a reload that names another file would only seem to be
cp "$dir/night.json" "$dir/good.json"; echo '[]' > "$dir/pointings.json"
sed -i "s#\"state\":#\"covered\": \"$dir/pointings.json\", \"state\":#" "$dir/night.json"
exits 3 "a reload with another file of what others completed is refused" ctl reload
cp "$dir/good.json" "$dir/night.json"

# kill -9: what was answered is there
kill -9 $engine; wait $engine 2>/dev/null; engine=
check "starts again after kill -9" up
check "all three events are there" sh -c "'$slew' ctl --socket '$dir/state.db.sock' --json events > '$dir/events'; grep -q S261123a '$dir/events' && grep -q S261123b '$dir/events' && grep -q S261123c '$dir/events'"
check "the veto is there" sh -c "'$slew' ctl --socket '$dir/state.db.sock' --json explain S261123b | grep -qi veto"
check "stops in order on SIGTERM" down
[ ! -e "$dir/state.db.sock" ]; ok $? "the socket is gone"
grep -q "stopped: seq=" "$dir/log"; ok $? "and the log says so"
! grep -rqa canary-5f3a9c1e77aa "$dir/log" "$dir/state.db" "$dir"/state.db-wal "$dir/tail" 2>/dev/null; ok $? "the secret is nowhere"

sed -i 's/"state":/"stat":/' "$dir/night.json"
exits 1 "a wrong configuration: exit 1" "$slew" run "$dir/night.json"
grep -q "stat" "$dir/out"; ok $? "with the key that is wrong"
cp "$dir/good.json" "$dir/night.json"
chmod 644 "$dir/portal-token"
"$slew" run "$dir/night.json" > "$dir/out" 2>&1; [ $? != 0 ]; ok $? "a secret that others can read: it does not start"
chmod 600 "$dir/portal-token"
exits 2 "no configuration: usage" "$slew" run

# a copy without its lock's memory is a restored one
rm -f "$dir/state.db.lock"; : > "$dir/log"
check "a restored copy starts" up
grep -q "restored copy" "$dir/log"; ok $? "and a person is told"
check "nothing new is submitted until a person says so" ctl resume all
down
# a state that cannot be used
printf 'this is not a database, it only has its name and is long enough to be looked at' > "$dir/bad.db"
sed 's/"state.db"/"bad.db"/' "$dir/good.json" > "$dir/night.json"
exits 75 "a file that is no database: exit 75" "$slew" run "$dir/night.json"
echo "1..$n"
