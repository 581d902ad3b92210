#!/bin/sh
# slew replay on the command line: a night again, from a copy, and with another policy; the state is never written.
slew=${SLEW:-./slew}; : "${BUILD:=build}"; dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
ok() { n=$((n + 1)); if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out" | tail -n 20; bad=1; fi; }
try() # exit code, words, pattern that the output must have, command…
{
	want=$1; words=$2; pattern=$3; shift 3
	"$@" > "$dir/out" 2>&1; rc=$?
	[ $rc -eq "$want" ] && grep -q -- "$pattern" "$dir/out"; ok $? "$words"
}
NIGHT=hold.night NIGHT_KEEP=$dir/state.db "$BUILD/tests/night/nights" > "$dir/out" 2>&1; ok $? "a night is kept"
before=$(sha256sum < "$dir/state.db")
try 0 "the same rows again" 'the same, to the last bit' "$slew" replay "$dir/state.db"
sqlite3 "$dir/state.db" "VACUUM INTO '$dir/bad.db'"
sqlite3 "$dir/bad.db" "UPDATE effect SET outcome='x' WHERE id=(SELECT max(id) FROM effect WHERE verb='offer')"
try 1 "what differs is named with its input" 'table effect, row [0-9]*, outcome: was x; is .*; input [0-9]* (2026-11-24T.*Z, ' "$slew" replay "$dir/bad.db"
try 1 "every row on demand" '^  effect [0-9]*, outcome$' "$slew" replay --all "$dir/bad.db"
"$slew" replay --json "$dir/bad.db" 2> /dev/null > "$dir/j"
[ "$(sqlite3 :memory: "SELECT json_extract(readfile('$dir/j'),'$.first.table')")" = effect ]; ok $? "and as JSON"
try 0 "from a copy: only what came later" '^0 inputs in 0 turns.*after those of the earlier copy' "$slew" replay --from "$dir/state.db" "$dir/state.db"
head -c 70000 "$dir/state.db" > "$dir/cut.db"
"$slew" replay "$dir/cut.db" > "$dir/out" 2>&1; rc=$?
[ $rc -ne 0 ] && [ $rc -lt 128 ] && grep -q '^slew: ' "$dir/out"; ok $? "a state cut short is an error in words"
try 0 "another policy: then and now" 'now *0 *0 *0.00 *0' "$slew" replay --policy tell-all "$dir/state.db"
try 0 "by its name" 'simulated facility' "$slew" replay --policy bns-near=bns-near --keep "$dir/what.db" "$dir/state.db"
try 1 "a name that the night does not know" 'has a policy far' "$slew" replay --policy far=tell-all "$dir/state.db"
sed 's/too-lco/nobody/' policies/bns-near.json > "$dir/nobody.json"
try 1 "a programme that the night does not know" 'that night has no programme "nobody"' "$slew" replay --policy "$dir/nobody.json" "$dir/state.db"
sed 's/"facility": "lco"/"facility": "afar"/' policies/bns-near.json > "$dir/afar.json"
try 1 "a facility that the night does not know" 'that night has no facility "afar"' "$slew" replay --policy "$dir/afar.json" "$dir/state.db"
try 1 "one name twice" 'is replaced already' "$slew" replay --policy bns-near=bns-near --policy bns-near=tell-all "$dir/state.db"
try 1 "a catalogue that is none" 'is not a FITS file' "$slew" replay --policy bns-near --catalog policies/bns-near.json "$dir/state.db"
try 1 "no such policy" 'policies' "$slew" replay --policy nonsense "$dir/state.db"
try 1 "nothing is overwritten" 'is there already' "$slew" replay --policy tell-all --keep "$dir/state.db" "$dir/state.db"
try 2 "two policies without names" 'see .slew replay --help' "$slew" replay --from "$dir/state.db" --policy tell-all "$dir/state.db"
try 0 "what it leads to is a state like any" 'ok' "$slew" check --state "$dir/what.db"
"$slew" replay --policy tell-all --json "$dir/state.db" > "$dir/j" 2> /dev/null
[ "$(sqlite3 :memory: "SELECT json_extract(readfile('$dir/j'),'$.events[0].now.requests')")" = 0 ]
ok $? "then and now as JSON"
[ "$before" = "$(sha256sum < "$dir/state.db")" ] && [ ! -s "$dir/state.db-wal" ]; ok $? "the state was not written"
echo "1..$n"
exit $bad
