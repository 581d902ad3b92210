#!/bin/bash
# kill -9 at random instants of short nights against the simulated world: no alert lost, nothing submitted twice by the portal's own
# count, everything retracted or vetoed cancelled, the rows consistent. CRASH_SEED= other instants, CRASH_NIGHTS= more nights.
set -u
slew=${SLEW:-$PWD/slew}
nights=${CRASH_NIGHTS:-2}; kills=${CRASH_KILLS:-10}; rate=${CRASH_RATE:-5000}
RANDOM=${CRASH_SEED:-1}
dir=$(mktemp -d /tmp/slew-crashXXXXXX)
n=0; engine=; world=
trap '[ -n "$engine" ] && kill -9 $engine 2>/dev/null; [ -n "$world" ] && kill -9 $world 2>/dev/null; rm -rf "$dir"' EXIT
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out" 2>/dev/null | tail -n 20; fi; }
up() { "$slew" run "$d/config.json" >> "$d/engine.log" 2>&1 & engine=$!; }

for night in $(seq "$nights"); do
	d=$dir/$night; mkdir "$d"
	"$slew" world "$d" --seed "$((night + ${CRASH_SEED:-1} - 1))" --rate "$rate" > "$d/world.log" 2>&1 & world=$!
	for _ in $(seq 400); do [ -f "$d/world.json" ] && break; sleep 0.05; done
	up
	at=
	for _ in $(seq "$kills"); do
		ms=$((60 + RANDOM % 900)); at="$at +${ms}ms"
		sleep "$(printf '0.%03d' "$ms")"
		kill -9 $engine; wait $engine 2> /dev/null
		up
	done
	"$slew" world wait "$d" 100000 > /dev/null 2>&1
	sleep 0.5
	kill -TERM $engine; wait $engine; left=$?; engine=
	kill -TERM $world; wait $world 2> /dev/null; world=
	cp "$d/engine.log" "$dir/out"
	[ "$left" = 0 ]; ok $? "night $night, killed at$at: the last engine stops in order"
	"$slew" world end "$d" > "$dir/out" 2>&1; ok $? "night $night: every alert is a row, each request submitted once, nothing unwanted alive"
	submitted=$(sed -n 's/^ *"submissions": \([0-9]*\).*/\1/p' "$d/ledger.json")
	[ "${submitted:-0}" -ge 5 ]; ok $? "night $night: the portal counts ${submitted:-no} submissions (an idle night would prove nothing)"
	grep -q '"duplicates": 0' "$d/ledger.json"; ok $? "night $night: the portal counts no duplicate"
	"$slew" check --state "$d/state.db" > "$dir/out" 2>&1; ok $? "night $night: the invariants hold"
done
echo "1..$n"
