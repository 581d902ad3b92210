#!/bin/sh
# The demo, faster: a made-up night with a real engine, a lost reply, a kill -9, a veto and a retraction; its own promises decide.
# alone: its instants are of the wall clock.
dir=$(mktemp -d)
out=$dir/story
trap 'rm -rf "$dir"' EXIT
DEMO_DIR=$dir/demo DEMO_RATE=1800 DEMO_SEED=1 tools/demo > "$out" 2>&1
rc=$?
n=0; bad=0
check() { # name, command…
	name=$1; shift; n=$((n + 1))
	if "$@" > /dev/null 2>&1; then echo "ok $n - $name"; else echo "not ok $n - $name"; bad=1; fi
}
check "the demo keeps its promises (exit 0)" [ $rc -eq 0 ]
check "early warning heard, later revisions believed" grep -q 'believed .*true (triggered)' "$out"
check "requests accepted" grep -qE 'accepted  first .* [1-9][0-9]* in all' "$out"
check "a lost reply was found, counted once" grep -q 'lost .*portal counted 1$' "$out"
check "the engine was killed and started again" grep -q 'restarted' "$out"
check "a veto reached the portal" grep -qE 'veto .*says the other [0-9]+ are CANCELED' "$out"
check "a retraction reached the portal" grep -qE 'retracted .*says the other [0-9]+ are CANCELED' "$out"
check "each request group was submitted once, nothing withdrawn lives" grep -qE 'promises  [1-9][0-9]* request groups, each submitted once .*nothing vetoed or retracted is alive$' "$out"
check "the truth is what was sealed" grep -q 'truth .*as sealed' "$out"
check "the report is one page that asks nothing from elsewhere" sh -c "grep -q '</html>' $dir/demo/report.html && ! grep -qE 'src=|href=' $dir/demo/report.html"
echo "1..$n"
[ $bad -eq 0 ] || sed 's/^/# /' "$out"
exit $bad
