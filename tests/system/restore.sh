#!/bin/bash
# A restored copy: a night runs, a copy of its state is laid aside, the night goes on, the copy is put back. Nothing is submitted before
# the portal has shown all that it has of ours; all of it becomes requests; the portal counts no double.
set -u
slew=${SLEW:-$PWD/slew}
dir=$(mktemp -d /tmp/slew-restoreXXXXXX)
n=0; engine=; world=
trap 'for p in $engine $world; do kill -9 $p 2>/dev/null; done; rm -rf "$dir"' EXIT
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; tail -n 12 "$dir/log" "$dir/status" 2>/dev/null | cut -c1-300 | sed 's/^/# /'; fi; }
ctl() { timeout 10 "$slew" ctl --config "$dir/w/config.json" "$@"; }
up() { "$slew" run "$dir/w/config.json" 2>> "$dir/log" & engine=$!
	for _ in $(seq 200); do ctl --json status > "$dir/status" 2>/dev/null && return 0; kill -0 $engine 2>/dev/null || return 1; sleep 0.02; done; return 1; }
down() { kill -TERM $engine; wait $engine; local rc=$?; engine=; return $rc; }
number() { sed -n 's/.*"'"$1"'": *\([0-9]*\).*/\1/p' "$dir/w/ledger.json" | head -1; }
submissions() { local s; s=$(number submissions); echo "${s:-0}"; }
tokens() { grep -o '"slew-[0-9a-f]\{8\}-[0-9a-f]\{20\}"' "$1" | sort -u; }
# wait_for SECONDS COMMAND…: until it is true
wait_for() { local end=$(($(date +%s) + $1)); shift; until "$@"; do [ "$(date +%s)" -lt "$end" ] || return 1; sleep 0.05; done; }
more_than() { [ "$(submissions)" -gt "$1" ]; }

"$slew" world "$dir/w" --seed 1 --rate 120 --alone --clear --no-fault > "$dir/world.log" 2>&1 & world=$!
wait_for 40 test -f "$dir/w/world.json"; ok $? "a world to observe"
up; ok $? "the engine starts"
wait_for 90 more_than 0; ok $? "it submits"
down; ok $? "it stops in order"
cp "$dir/w/state.db" "$dir/copy.db"; [ -e "$dir/w/state.db-wal" ] && cp "$dir/w/state.db-wal" "$dir/copy.db-wal"
before=$(submissions)
up; ok $? "and goes on"
wait_for 90 more_than $((before + 2)); ok $? "it submits more, which the copy does not know"
sleep 1
down
rm -f "$dir"/w/state.db "$dir"/w/state.db-wal "$dir"/w/state.db-shm
cp "$dir/copy.db" "$dir/w/state.db"; [ -e "$dir/copy.db-wal" ] && cp "$dir/copy.db-wal" "$dir/w/state.db-wal"
sleep 0.5; stopped=$(submissions); : > "$dir/log"
up; ok $? "the copy starts"
grep -q "restored copy" "$dir/log"; ok $? "and a person is told"
gate() { ctl --json status > "$dir/status" 2>&1; grep -q '"kind": *"restore"' "$dir/status"; }
wait_for 5 gate; ok $? "its gate is shut"
gone() { ctl --json status > "$dir/status" 2>&1 && ! grep -q '"kind": *"restore"' "$dir/status"; }
wait_for 20 gone; ok $? "and lifts by itself"
sleep 2; tokens "$dir/w/ledger.json" > "$dir/there"
ctl --json requests > "$dir/requests"; tokens "$dir/requests" > "$dir/known"
[ -s "$dir/there" ] && [ -z "$(comm -23 "$dir/there" "$dir/known")" ]; ok $? "all that the portal has is known here ($(wc -l < "$dir/there") groups, $stopped before the copy was put back)"
[ "$(number duplicates)" = 0 ]; ok $? "the portal counts no double"
down; ok $? "it stops in order"
"$slew" check --state "$dir/w/state.db" > "$dir/status" 2>&1; ok $? "the state is well"
"$slew" replay "$dir/w/state.db" > "$dir/status" 2>&1; ok $? "its journal gives the same rows again"
kill -TERM $world; wait $world 2>/dev/null; world=
echo "1..$n"
