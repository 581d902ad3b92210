#!/bin/sh
# Nights that failed once, by their kind, and a few with everything in them.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
for f in tests/night/regress/*.night tests/night/retracted.night tests/night/downgraded.night tests/night/restored.night; do
	[ -e "$f" ] && set -- "$@" "$f"
done
"${SLEW:-./slew}" sim "$@" --quiet > "$dir/out" 2>&1; rc=$?
grep -q 'good: ' "$dir/out" || rc=1
if [ $rc -eq 0 ]; then echo "ok 1 - $# kept nights"; else echo "not ok 1 - $# kept nights"; sed 's/^/# /' "$dir/out"; fi
echo 1..1
exit $rc
