#!/bin/bash
# Dry runs of real nights: told in words, as data, as a page; the same seed is the same night; wrong input is told clearly.
slew=${SLEW:-./slew}; dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
ok() # what, command…
{
	local what=$1; shift; n=$((n + 1))
	if "$@" > "$dir/why" 2>&1; then echo "ok $n - $what"; else echo "not ok $n - $what"; sed 's/^/# /' "$dir/why" | head -20; bad=1; fi
}
# refused EXIT WORDS options…: the exit code and what standard error says
refused()
{
	local want=$1 words=$2 rc; shift 2
	"$slew" sim --real "$@" > "$dir/out" 2> "$dir/err"; rc=$?
	[ $rc -eq "$want" ] && [ ! -s "$dir/out" ] && [ "$(wc -l < "$dir/err")" -eq 1 ] && grep -q "$words" "$dir/err" || { echo "exit $rc"; cat "$dir/err"; return 1; }
}
night="--start 2026-11-24T00:00:00Z --hours 11 --seed 12"

ok "a drawn night runs and replays" sh -c "'$slew' sim --real $night -o '$dir/a.html' --json '$dir/a.json' --state '$dir/a.db' > '$dir/a.txt' && '$slew' replay '$dir/a.db'"
ok "the story in words" sh -c "grep -q 'Nothing is sent' '$dir/a.txt' && grep -q '  heard S261124ek PRELIMINARY' '$dir/a.txt' && grep -q 'S261124ek: [0-9]* requests\\? done at elp' '$dir/a.txt' &&
	grep -q 'true host, SIM 233741-164901 at 129 Mpc, ranked 1: first in a frame' '$dir/a.txt' && grep -q 'noise, no merger, retracted' '$dir/a.txt' && grep -q 'RAPID_RESPONSE' '$dir/a.txt'"
ok "twilight, Moon and weather of every site" sh -c "grep -q 'coj .*24. 09:4[0-9]-11:00' '$dir/a.txt' && grep -q 'Moon is 99 % full' '$dir/a.txt' && grep -q 'elp .*01:52-11:00' '$dir/a.txt'"
ok "one page with its pictures, nothing from elsewhere" sh -c "for p in 'whole sky' 'aria-label=\"sites\"' 'probability covered' 'aria-label=\"altitudes\"' 'aria-label=\"timeline\"' 'Hours by programme' 'true host'; do
	grep -q \"\$p\" '$dir/a.html' || { echo \"no \$p\"; exit 1; }; done; ! grep -qE '<script|src=|[^e;]nan|[> ]inf[^o]' '$dir/a.html'"
ok "the data agree with the state" sh -c "
	q() { sqlite3 -readonly '$dir/a.db' \"\$1\"; }
	j() { sqlite3 :memory: \"SELECT json_extract(readfile('$dir/a.json'), '\$1')\"; }
	[ \"\$(j '\$.schema')\" = 'slew dry run/1' ] && [ \"\$(j '\$.events[0].exposed')\" = \"\$(q \"SELECT count(*) FROM request WHERE state='done' AND event=1\")\" ] &&
	[ \"\$(sqlite3 :memory: \"SELECT count(*) FROM json_each(readfile('$dir/a.json'), '\$.requests')\")\" = \"\$(q 'SELECT count(*) FROM request')\" ] &&
	[ \"\$(j '\$.events[0].host.rank')\" = 1 ] && [ \"\$(j '\$.events[1].kind')\" = noise ]"
ok "the same seed, the same night" sh -c "'$slew' sim --real $night --json | sed 's/, *\$//' > '$dir/b.json' && sed 's/, *\$//' '$dir/a.json' | cmp - '$dir/b.json'"

# The alert it heard, as a file of one's own: at its own time, and on another night, under two policies.
sqlite3 -readonly "$dir/a.db" "SELECT writefile('$dir/mine.json', b.body) FROM alert a JOIN blob b ON b.sha256=a.sha256 WHERE a.id=1" > /dev/null
ok "an alert of one's own, at its own time" sh -c "'$slew' sim --real --alert '$dir/mine.json' --hours 3 --clear --quiet > '$dir/out' && grep -q 'A dry run: 2026-11-24T00:0' '$dir/out' &&
	grep -q 'S261124ek, as given' '$dir/out' && grep -q 'the galaxies are made up, the alert is not' '$dir/out'"
ok "the same alert on another night, two policies" sh -c "'$slew' sim --real --alert '$dir/mine.json' --start 2027-03-01T08:00:00Z --hours 3 --policy tell-all --policy bns-near > '$dir/out' &&
	grep -q 'policies tell-all, bns-near' '$dir/out' && grep -q '2027-03-01' '$dir/out' && grep -q 'policy tell-all: true' '$dir/out'"

echo '{"schema": "no alert"}' > "$dir/no.json"
ok "a policy that is not there" refused 1 'nosuch.*bns-near' --policy nosuch
ok "an alert that cannot be read" refused 1 'no.json: .*formats read' --alert "$dir/no.json"
ok "an alert that is not there" refused 1 'nowhere.json: No such file' --alert "$dir/nowhere.json"
ok "a catalogue that is not there" refused 1 'catalogue .*cat.fits: No such file.*slew catalog build' --catalog "$dir/cat.fits"
ok "a start that is no time" refused 2 'yesterday: not a time; write 2026' --start yesterday
ok "no site is dark" refused 1 'no site of lco is dark between 2026-12-20T18:30:00Z' --start 2026-12-20T18:30:00Z --hours 0.2
ok "a number that is none" refused 2 'hours many: not a number from' --hours many
ok "a state that is there already" refused 1 'there is a file already' --state "$dir/a.db" $night
ok "a page that cannot be written is told at once" refused 1 'nowhere/a.html: cannot be written' -o "$dir/nowhere/a.html"

# A configuration: two facilities, of which only the second has hours.
sed 's/"name": "lco"/"name": "two"/; s/"code": "elp"/"code": "mcd"/' facilities/lco.json > "$dir/two.json"
sed 's/"name": "bns-near"/"name": "pair"/; s/{"programme": "too-lco", "facility": "lco", "mode": "RAPID_RESPONSE", "count": 1, "ipp": 1.0},/&{"programme": "too-two", "facility": "two", "mode": "RAPID_RESPONSE"},/' \
	policies/bns-near.json > "$dir/pair.json"
cat > "$dir/c.json" <<-END
	{"state": "x.db", "sources": [], "facilities": [{"name": "lco", "use": "lco"}, {"name": "two", "use": "./two.json"}], "policies": ["./pair.json"],
	 "programmes": [{"name": "too-lco", "facility": "lco", "proposal": "P1", "hours": {"RAPID_RESPONSE": 0}},
	                {"name": "too-two", "facility": "two", "proposal": "P2", "hours": {"RAPID_RESPONSE": 1.5}}]}
END
ok "programmes, hours and policies of a configuration; two facilities" sh -c "'$slew' sim --real --config '$dir/c.json' --start 2026-11-24T00:00:00Z --hours 3 --seed 12 --json '$dir/c.out' > '$dir/out' &&
	grep -q 'lco, two, seed' '$dir/out' && grep -q 'requests\? done at mcd' '$dir/out' && ! grep -q 'done at elp' '$dir/out' && grep -q 'too-two .*1.5 ' '$dir/out'"
sed 's/too-lco/mine/; s/pair.json/tell.json/' "$dir/c.json" > "$dir/d.json"; cp policies/tell-all.json "$dir/tell.json"
ok "a policy whose programme is not in the configuration" refused 1 'bns-near at /ladder/.*no programme' --config "$dir/d.json" --policy bns-near

# Ensembles: the same nights under two policies, whatever the number of processes; pair by pair.
sed 's/"name": "bns-near"/"name": "bold"/; s/"auto_budget_h": 3,/"auto_budget_h": 30,/' policies/bns-near.json > "$dir/bold.json"
many="--nights 3 --hours 4 --seed 21 --policy bns-near --policy $dir/bold.json"
ok "an ensemble of nights, a table and its data" sh -c "'$slew' sim --real $many --jobs 2 --json '$dir/e.json' > '$dir/out' && grep -q 'bns-near  *bold' '$dir/out' &&
	grep -q 'true host observed .*of 3 ' '$dir/out' && grep -q 'requests wasted' '$dir/out' && [ \"\$(sqlite3 :memory: \"SELECT count(*)||'/'||count(DISTINCT json_extract(value,'\$.digest')) FROM
	json_each(readfile('$dir/e.json'),'\$.policies[1].nights')\")\" = 3/3 ]"
ok "the same with one process" sh -c "'$slew' sim --real $many --json > '$dir/e1.json' && cmp '$dir/e.json' '$dir/e1.json'"
ok "two policies on the same nights" sh -c "'$slew' sim --compare '$dir/e.json#bns-near' '$dir/e.json#bold' > '$dir/out' && grep -q 'The same 3 nights' '$dir/out' && grep -q 'true host observed .*p = ' '$dir/out' &&
	grep -q 'telescope hours a night .* 3 pairs' '$dir/out'"
compare() { local words=$1; shift; ! "$slew" sim --compare "$@" > "$dir/out" 2> "$dir/err" && [ ! -s "$dir/out" ] && grep -q "$words" "$dir/err" || { cat "$dir/err"; return 1; }; }
"$slew" sim --real --nights 3 --hours 0.2 --seed 22 --clear --json "$dir/f.json" > /dev/null
ok "nights that are not the same are not compared" compare 'not of the same nights: number 1 is seed 21 of .* seed 22' "$dir/e.json#bold" "$dir/f.json"
ok "a file of several policies wants a name" compare 'holds the policies bns-near, bold; say which' "$dir/e.json" "$dir/f.json"
ok "a file that is no ensemble" compare 'is no ensemble of nights' "$dir/a.json" "$dir/f.json"
ok "what is for one night is refused with many" refused 2 'state is for one night' --nights 2 --state "$dir/x.db"
echo "1..$n"
exit $bad
