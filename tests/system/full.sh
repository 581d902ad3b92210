#!/bin/bash
# The disk fills: the ballast is freed, only what stops telescopes is taken, the rest is refused or waits; with room again all goes on.
set -u
slew=${SLEW:-$PWD/slew}
if [ "${1:-}" != inside ]; then
	unshare -rm true 2> /dev/null && exec unshare -rm "$0" inside
	[ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null && exec unshare -m "$0" inside
	echo "ok 1 - a full disk # SKIP no mount namespace here"; echo "1..1"; exit 0
fi
dir=$(mktemp -d /tmp/slew-fullXXXXXX)
n=0; engine=
trap '[ -n "$engine" ] && kill -9 $engine 2>/dev/null; umount "$dir" 2>/dev/null; rm -rf "$dir"' EXIT
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; tail -n 10 "$dir/log" 2>/dev/null | cut -c1-200 | sed 's/^/# /'; fi; }
ctl() { timeout 10 "$slew" ctl --socket "$dir/state.db.sock" "$@"; }
mount -t tmpfs -o size=32m none "$dir" || { echo "ok 1 - a full disk # SKIP no tmpfs here"; echo "1..1"; exit 0; }

# alert NUMBER BYTES: one event with a sky map of random bytes
alert() {
	local map; map=$(head -c "$2" /dev/urandom | base64 -w0)
	printf '{"alert_type":"PRELIMINARY","time_created":"2026-11-23T10:01:30Z","superevent_id":"S261123%s","urls":{"gracedb":"https://gracedb.ligo.org/"},"external_coinc":null,"event":{"significant":true,"time":"2026-11-23T10:00:00.123Z","far":1e-12,"instruments":["H1","L1"],"group":"CBC","pipeline":"gstlal","search":"AllSky","duration":null,"central_frequency":null,"properties":{"HasNS":1.0,"HasRemnant":1.0,"HasMassGap":0.0,"HasSSM":0.0},"classification":{"BNS":0.99,"NSBH":0.0,"BBH":0.0,"Terrestrial":0.01},"skymap":"%s"}}' "$1" "$map"
}
echo '{"state": "state.db", "sources": [{"name": "spool", "type": "spool", "path": "in"}], "facilities": [], "programmes": [], "policies": ["tell-all"]}' > "$dir/night.json"
"$slew" run "$dir/night.json" 2> "$dir/log" & engine=$!
for _ in $(seq 100); do ctl status > /dev/null 2>&1 && break; sleep 0.05; done
[ "$(stat -c %s "$dir/state.db.ballast")" = 8388608 ]; ok $? "the ballast is there"
taken=0
for i in a b c d e f g h i j k l; do
	alert $i 1500000 > /dev/shm/slew-full.$$ 2>/dev/null
	ctl inject /dev/shm/slew-full.$$ > /dev/null 2> /dev/shm/slew-full-err.$$ && taken=$((taken + 1)) || break
done
grep -q "the disk is full" /dev/shm/slew-full-err.$$; ok $? "an alert that does not fit is refused with the reason (after $taken)"
rm -f /dev/shm/slew-full.$$ /dev/shm/slew-full-err.$$
[ "$taken" -gt 0 ] && [ ! -e "$dir/state.db.ballast" ]; ok $? "the ballast is freed"
grep -q "alarm.*disk is full" "$dir/log"; ok $? "a person is told"
ctl veto S261123a --why "full" > /dev/null; ok $? "a veto is taken"
ctl hold all > /dev/null; ok $? "a hold is taken"
ctl resume all > /dev/null 2>&1; [ $? = 3 ]; ok $? "resume is not"
ctl status > /dev/null; ok $? "views go on"
alert x 100 > "$dir/in/.x" && mv "$dir/in/.x" "$dir/in/x.json"; sleep 0.8
[ -e "$dir/in/x.json" ]; ok $? "a file in the spool waits"
mount -o remount,size=128m "$dir"
for _ in $(seq 100); do [ -e "$dir/in/done/x.json" ] && break; sleep 0.05; done
[ -e "$dir/in/done/x.json" ]; ok $? "and is heard when there is room again"
[ -e "$dir/state.db.ballast" ]; ok $? "the ballast is back"
ctl --json events > "$dir/events"
[ "$(grep -o 'S261123[a-l]"' "$dir/events" | sort -u | wc -l)" = "$taken" ]; ok $? "every alert that was answered is there"
kill -TERM $engine; wait $engine; ok $? "stops in order"
engine=
echo "1..$n"
