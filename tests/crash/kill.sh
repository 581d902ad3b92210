#!/bin/bash
# kill -9 at twenty (KILLS=n) instants of short nights (5 s of wall time) against the simulated world, the engine started again each time: at
# start-up, among the first submits, right after a retraction was heard, anywhere, and once more just after the start. No alert lost
# (each message sent is one input, byte for byte), nothing submitted twice by the portal's own count, everything of the retracted
# event cancelled there and at rest here, the rows consistent in every state that a kill left.
# CRASH_SEED= other instants (printed), CRASH_KEEP=1 leaves the directories.
# alone: its instants are of the wall clock.
set -u
slew=${SLEW:-$PWD/slew}
seed=${CRASH_SEED:-1}; nights=$(((${KILLS:-20} + 4) / 5)); rate=${CRASH_RATE:-5040}
RANDOM=$seed
worlds=(5 1 2 6 4) # skies in which the event that will be retracted can be observed
dir=$(mktemp -d /tmp/slew-crashXXXXXX)
n=0; engine=; world=; air=0
trap '[ -n "$engine" ] && kill -9 $engine 2>/dev/null; [ -n "$world" ] && kill -9 $world 2>/dev/null; [ -n "${CRASH_KEEP:-}" ] || rm -rf "$dir"' EXIT
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out" 2>/dev/null | tail -n 20; fi; }
ms() { local s=${EPOCHREALTIME/[.,]/}; echo $((s / 1000)); }
nap() { [ "$1" -gt 0 ] && sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
count() { grep -c -- "$1" "$d/engine.log"; }

up() { "$slew" run "$d/config.json" >> "$d/engine.log" 2>&1 & engine=$!; started=$(ms); }
ready() { # until the engine that was just started says so: 10 s at most
	for _ in $(seq 1000); do
		[ "$(count ' ready: ')" -gt "$1" ] && return 0
		kill -0 $engine 2> /dev/null || return 1
		sleep 0.01
	done
	return 1
}
heard() { # WORDS: until the log tells of it once more than before; 8 s at most
	local before; before=$(count "$1")
	for _ in $(seq 800); do [ "$(count "$1")" -gt "$before" ] && return 0; sleep 0.003; done
	return 1
}
crash() { # WHAT [again]: kill, look at the dead state, start; "again": once more before it can have done much
	local at=$(($(ms) - begun)) before good=0 second= # before the first "ready" there may be no state yet: the next engine must cope
	kill -9 $engine; wait $engine 2> /dev/null
	[ "$(count ' ready: ')" -gt 0 ] && { "$slew" check --state "$d/state.db" > "$dir/out" 2>&1 || good=1; }
	if [ "${2:-}" = again ]; then
		up; second=$((RANDOM % 120)); nap $second
		kill -9 $engine; wait $engine 2> /dev/null
		"$slew" check --state "$d/state.db" > "$dir/out" 2>&1 || good=1
		second=" and again ${second} ms after the start"
	fi
	before=$(count ' ready: ')
	up
	[ $good = 0 ] && { ready "$before" || { good=1; tail -n 20 "$d/engine.log" > "$dir/out"; }; }
	ok $good "night $night killed at $at ms ($1)$second: the dead state holds its invariants, the next engine was ready in $(($(ms) - started)) ms"
}

play() { # one night with five points
	up
	nap $((RANDOM % 150)); crash "start-up"
	heard 'chosen: offered → asked'; nap $((RANDOM % 25)); crash "among the first submits"
	nap $((RANDOM % 500)); crash "anywhere" again
	heard ' alert RETRACTION '; nap $((RANDOM % 20)); crash "right after the retraction was heard"
	nap $((RANDOM % 700)); crash "after it"
}
judge() {
	local c told=1
	"$slew" world wait "$d" 100000 > /dev/null 2>&1
	for _ in $(seq 10); do sleep 0.3; "$slew" world end "$d" > "$dir/out" 2>&1 && break; done # the last answers come in
	kill -TERM $engine; wait $engine; left=$?; engine=
	kill -TERM $world; wait $world 2> /dev/null; world=
	tail -n 20 "$d/engine.log" > "$dir/out"
	[ "$left" = 0 ]; ok $? "night $night: the last engine stops in order"
	"$slew" world end "$d" > "$dir/out" 2>&1; ok $? "night $night: each of $(grep -c '"sent_us"' "$d/ledger.json") messages sent is one input, byte for byte, with one fate; each request submitted once; nothing of the retracted event alive there or here"
	air=$((air + $(sed -n 's/.*in doubt  \([0-9]*\) submits.*/\1/p' "$dir/out" | head -n 1) + 0))
	cp "$d/ledger.json" "$dir/out"
	grep -q '"duplicates": 0' "$d/ledger.json"; ok $? "night $night: the portal counts no duplicate among $(sed -n 's/^ *"submissions": \([0-9]*\).*/\1/p' "$d/ledger.json") submissions"
	c=$(sed -n 's/.*"C": "\([^"]*\)".*/\1/p' "$d/world.json")
	cancels=$(sed -n 's/^ *"cancels": \([0-9]*\).*/\1/p' "$d/ledger.json")
	grep -q " $c request .*: accepted: " "$d/engine.log" && [ "${cancels:-0}" -gt 0 ] && told=0
	cp "$d/engine.log" "$dir/out"
	ok $told "night $night: the retracted $c had requests at the portal, $cancels were cancelled (or this night would prove nothing)"
	"$slew" check --state "$d/state.db" > "$dir/out" 2>&1; ok $? "night $night: the invariants hold at the end"
}

echo "# CRASH_SEED=$seed; $nights nights, $((nights * 5)) points"
for night in $(seq "$nights"); do
	d=$dir/$night; mkdir "$d"
	"$slew" world "$d" --seed "${worlds[$(((night - 1) % 5))]}" --rate "$rate" --lead 0.5 --alone --retract 150 --think 40 > "$d/world.log" 2>&1 & world=$!
	for _ in $(seq 400); do [ -f "$d/world.json" ] && break; sleep 0.05; done
	[ -f "$d/world.json" ] || { cp "$d/world.log" "$dir/out"; ok 1 "night $night: the world starts"; break; }
	begun=$(ms)
	play
	judge
done
[ $air -gt 0 ]; ok $? "$air submits were in the air at a kill (without one this would prove little)"
echo "1..$n"
