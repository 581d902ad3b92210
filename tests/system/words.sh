#!/bin/sh
# What a person sees of decode, policy and check: output, exit codes, and errors that name the place.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
# try CODE NAME PATTERN COMMAND…: exit code and a pattern (grep -E) in stdout and stderr together
try()
{
	code=$1; name=$2; pattern=$3; shift 3
	n=$((n + 1))
	out=$("$@" 2>&1 < "$dir/in"); got=$?
	if [ $got -eq "$code" ] && printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"; echo "# exit $got, wanted $code and \"$pattern\":"; printf '%s\n' "$out" | head -n 5 | sed 's/^/# /'; bad=1
	fi
}
echo '{"alert_type":"RETRACTION","time_created":"2026-06-05T13:01:00Z","superevent_id":"MS1","urls":{},"event":null}' > "$dir/in"
try 0 "decode reads standard input" '"event":"MS1".*"is_test":\["id prefix MS"\]' ./slew decode --compact -
try 0 "decode: a topic for tests is a sign" '"topic igwn.gwalert-test"' ./slew decode --compact --stream igwn.gwalert-test -
try 1 "decode: no such file" 'slew: .*/none: No such file' ./slew decode "$dir/none"
try 2 "decode: no file is a matter of usage" 'slew decode --help' ./slew decode
try 2 "decode: unknown option" '"--compct"' ./slew decode --compct -
try 0 "summary: a retraction is one sentence" '^This alert was retracted.$' ./slew summary -
try 0 "summary --json: a test goes to no channel" '"channels":\[\],"text":"MS1"' ./slew summary --json -
try 2 "summary: no file is a matter of usage" 'slew summary --help' ./slew summary
try 1 "summary: no such file" 'slew: .*/none: No such file' ./slew summary "$dir/none"
printf '{"alert_type":"RETRACTION","time_created":"2026-06-05T13:01:00Z","superevent_id":"S1","urls":{"a\177b":"x"},"event":null}' > "$dir/in"
try 0 "decode: control characters do not reach the terminal" '"a\\u007Fb"' ./slew decode -
echo '<html>502 Bad Gateway</html>' > "$dir/in"
try 1 "decode: says what it looks like" 'HTML page' ./slew decode -
try 0 "policy list" 'bns-near +asks telescopes' ./slew policy list
try 0 "policy facts" 'area90_deg2 +number +sky map' ./slew policy facts
try 0 "policy show gives a file to start from" '"name": "tell-all"' ./slew policy show tell-all
try 0 "policy check" 'nsbh-dark: good; tells only' ./slew policy check nsbh-dark
printf '{"name": "mine",\n "when": "p_bns > 0.5 AND has_remnent > 0"}\n' > "$dir/p.json"
try 1 "policy check: line and column" 'line 2: when, column 17: no fact "has_remnent"; did you mean has_remnant' ./slew policy check "$dir/p.json"
try 1 "policy: an unknown name" 'did you mean "tell-all"' ./slew policy show tell-al
try 2 "policy test wants a state" 'give POLICY and --state DB' ./slew policy test bns-near
try 1 "policy test: no state there" 'slew: ' ./slew policy test bns-near --state "$dir/none.db"
for f in "$dir/p.json" /dev/null; do
	try 1 "policy test: $(basename $f) is no state" 'is not a state of slew' ./slew policy test bns-near --state "$f"
	try 1 "report: $(basename $f) is no state" 'is not a state of slew' ./slew report "$f" -o "$dir/r.html"
	try 1 "check --state: $(basename $f) is no state" 'is not a state of slew' ./slew check --state "$f"
done
try 1 "replay: a file that is no state" 'is not a state of slew' ./slew replay "$dir/p.json"
try 1 "a full disk under the output is an error" 'output: cannot be written' sh -c './slew policy list > /dev/full'
try 1 "so is a closed output" 'output: cannot be written' sh -c './slew policy facts >&-'
mkdir "$dir/mine"; echo '{}' > "$dir/mine/config.json"
try 2 "world: writes over nothing of yours" 'holds config.json already' ./slew world "$dir/mine"
try 1 "rank: a directory is no catalogue" 'is a directory' ./slew catalog info "$dir"
try 2 "rank: one form at a time" 'not both' ./slew rank --json --csv --catalog x y
try 2 "rank: a part of a galaxy" 'whole number' ./slew rank --top 1.5 --catalog x y
mkdir -m 700 "$dir/keys"; echo hush-hush > "$dir/keys/lco"; chmod 600 "$dir/keys/lco"
cat > "$dir/c.json" << 'C'
{"state": "night.db", "credentials_dir": "keys",
 "sources": [{"name": "files", "type": "spool", "path": "."}],
 "facilities": [{"name": "lco", "use": "lco", "secret": "lco"}],
 "programmes": [], "policies": ["tell-all"]}
C
try 0 "check: a good configuration" 'ok +secret +of lco: file lco is private' ./slew check "$dir/c.json"
try 0 "check --print shows what was understood" '"state": "/.*/night.db"' ./slew check --print "$dir/c.json"
n=$((n + 1))
if ./slew check --print "$dir/c.json" | grep -q hush; then echo "not ok $n - no secret is shown"; bad=1; else echo "ok $n - no secret is shown"; fi
chmod 644 "$dir/keys/lco"
try 1 "check: a secret that others can read" 'WRONG +secret.*chmod 600' ./slew check "$dir/c.json"
sed 's/"programmes"/"progammes"/' "$dir/c.json" > "$dir/d.json"
try 1 "check: an unknown key has line and column" 'line 4 column 2 \(/progammes\).*did you mean "programmes"' ./slew check "$dir/d.json"
sed 's/"lco", "use": "lco"/"lco", "use": "lco", "urls": {"portal": "http:\/\/observe.example"}/' "$dir/c.json" > "$dir/d.json"
try 1 "check: plain http is refused" 'line 3 column .*plain http' ./slew check "$dir/d.json"
sed 's/"type": "spool", "path": "."/"type": "kafka", "brokers": "kafka.scimma.org:9092", "topics": ["igwn.gwalert"], "auth": {"kind": "scram", "user": "u", "secret": "lco"}/' "$dir/c.json" > "$dir/d.json"
chmod 600 "$dir/keys/lco"
try 0 "check: a log-in by SCRAM; an old librdkafka is warned of" '(ok +librdkafka +(2\.([6-9]|[1-9][0-9])|[3-9])|warn +librdkafka .*SCRAM before 2\.6)' ./slew check "$dir/d.json"
sed 's/"state": "night.db",/"state": "night.db", "catalog": "c.json",/' "$dir/c.json" > "$dir/d.json"
try 1 "check: a catalogue that is none" 'WRONG +catalog' ./slew check "$dir/d.json"
echo '[{"ra_deg": 10, "dec_deg": 20, "band": "r", "depth_mag": 22, "time": "2026-11-23T01:00:00Z"}, {"status": "planned"}]' > "$dir/others.json"
sed 's/^{/{"covered": "others.json", /' "$dir/c.json" > "$dir/d.json"
try 0 "check: what others have completed" 'ok +covered .*others.json: 2 pointings, of 1 a plan cannot tell' ./slew check "$dir/d.json"
echo '{}' > "$dir/others.json"
try 1 "check: what is no list of pointings" 'WRONG +covered .*no list of pointings' ./slew check "$dir/d.json"
try 1 "check --state: no state there" 'slew: ' ./slew check --state "$dir/none.db"
echo "1..$n"
exit $bad
