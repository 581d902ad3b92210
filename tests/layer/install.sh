#!/bin/sh
# What `make install` leaves works on its own: embedded policies, descriptors and schemas, the sandboxed child, unit and completion.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
check() # exit code, name
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out" | head -n 20; bad=1; fi
}
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -o slew install PREFIX=/opt/slew DESTDIR="$dir" > "$dir/out" 2>&1
check $? "make install PREFIX=/opt/slew DESTDIR=…"
at=$dir/opt/slew
cmp -s slew "$at/bin/slew" && [ -x "$at/bin/slew" ]
check $? "the program is what was built"
grep -q '^ExecStart=/opt/slew/bin/slew run ' "$at/lib/systemd/system/slew.service" && ! grep -q /usr/local "$at/lib/systemd/system/slew.service"
check $? "the unit names the program where it is"
if command -v systemd-analyze > /dev/null; then
	sed 's#/opt/slew/bin/slew#/bin/true#; s/^User=.*/User=root/; s/^Group=.*/Group=root/; /^Documentation/d' "$at/lib/systemd/system/slew.service" > "$dir/slew.service"
	systemd-analyze verify "$dir/slew.service" > "$dir/out" 2>&1 && ! grep -q 'slew.service:' "$dir/out"
	check $? "systemd takes the unit"
else
	n=$((n + 1)); echo "ok $n - systemd takes the unit # SKIP systemd-analyze is not there"
fi
bash -n "$at/share/bash-completion/completions/slew" > "$dir/out" 2>&1
check $? "bash takes the completion"

cat > "$dir/night.json" <<END
{"state": "s.db", "sources": [{"name": "dir", "type": "spool", "path": "$dir"}],
 "facilities": [{"name": "lco", "use": "lco", "urls": {"portal": "http://127.0.0.1:1", "archive": "http://127.0.0.1:1"}}],
 "programmes": [{"name": "too-lco", "facility": "lco", "proposal": "P", "hours": {"NORMAL": 1}}], "policies": ["tell-all"]}
END
cd /
env -i "$at/bin/slew" check "$dir/night.json" > "$dir/out" 2>&1
check $? "it finds its schemas, policies and descriptors without the source tree"
sed -i 's/"policies"/"polices"/' "$dir/night.json"
env -i "$at/bin/slew" check "$dir/night.json" > "$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'polices' "$dir/out" && grep -qE ':[0-9]+:[0-9]+|line [0-9]+' "$dir/out"
check $? "an unknown key is an error with line and column"
printf '<html>no map</html>' > "$dir/map.fits"
env -i "$at/bin/slew" area "$dir/map.fits" > "$dir/out" 2>&1
[ $? -eq 1 ] && grep -q '^slew: ' "$dir/out"
check $? "a web page in place of a map is refused in a sentence"
echo "1..$n"
exit $bad
