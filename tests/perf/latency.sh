#!/bin/bash
# Alert bytes on the broker → first request accepted by the simulated portal, over many alerts at real time: each a merger of its own
# with a map of its own (about 200 kB), observable now. Prints the distribution by stage, the portal's own time, memory and load.
# LATENCY_ALERTS=200 LATENCY_EVERY=0.5 (seconds between alerts) LATENCY_SEED=1 LATENCY_KEEP=dir
set -u
slew=${SLEW:-$PWD/slew}
alerts=${LATENCY_ALERTS:-200}; every=${LATENCY_EVERY:-0.5}
dir=${LATENCY_KEEP:-$(mktemp -d "${TMPDIR:-/tmp}/slew-latencyXXXXXX")}
engine=; world=
trap '[ -n "$engine" ] && kill -9 $engine 2>/dev/null; [ -n "$world" ] && kill -9 $world 2>/dev/null; [ -n "${LATENCY_KEEP:-}" ] || rm -rf "$dir"' EXIT
fail() { echo "latency: $1" >&2; tail -n 5 "$dir.log" "$dir/engine.log" 2>/dev/null >&2; exit 1; }
mkdir -p "$dir"
"$slew" world "$dir" --seed "${LATENCY_SEED:-1}" --volley "$alerts" --every "$every" --rate 1 --clear --no-fault > "$dir/world.log" 2>&1 & world=$!
for _ in $(seq 2400); do [ -f "$dir/world.json" ] && break; kill -0 $world 2>/dev/null || fail "the world did not start: $(cat "$dir/world.log")"; sleep 0.05; done
"$slew" run "$dir/config.json" > "$dir/engine.log" 2>&1 & engine=$!
echo "$alerts alerts, one every $every s, on $(nproc) processors; load before: $(cut -d' ' -f1-3 /proc/loadavg)"
most=0; end=$(($(date +%s) + 7 + $(awk "BEGIN{print int($alerts * $every)}")))
while [ "$(date +%s)" -lt $end ]; do
	kib=$(awk '/^RssAnon/{a=$2} /^RssShmem/{s=$2} END{print a+s}' /proc/$engine/status 2>/dev/null) || fail "the engine ended"
	[ "${kib:-0}" -gt "$most" ] && most=$kib
	sleep 0.5
done
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg); slew run: RssAnon + RssShmem at most $most KiB, $(awk '{print ($14+$15)/100}' /proc/$engine/stat) s of processor time"
kill -TERM $engine; wait $engine || fail "the engine did not stop in order"; engine=
kill -TERM $world; wait $world 2>/dev/null; world=
"$slew" world latency "$dir"
"$slew" check --state "$dir/state.db" || exit 1
