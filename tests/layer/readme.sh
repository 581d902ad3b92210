#!/bin/sh
# What the README and the help say is so: the reference is current, examples are valid, every command explains itself.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ -z "$1" ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; printf '%s\n' "$1" | sed 's/^/# /'; bad=1; fi
}

result "$(tools/config-reference --check 2>&1)" "the configuration reference is made from the schemas as they are"

result "$(tools/bench check 2>&1)" "the table of times is made of the figures that are kept"

lost=$(grep -oE '`(engine|facilities|policies|schemas|sim|tests|tools|\.ci)/[A-Za-z0-9_./*-]*`' README.md | tr -d '\140' | sort -u | while read -r f; do
	ls -d $f > /dev/null 2>&1 || echo "$f"
done)
result "$lost" "files that the README names are there"

grep -E '^##+ ' README.md | sed 's/^##* //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-' | sort > "$dir/headings"
lost=$(grep -oE '\]\(#[^)]*\)' README.md | sed 's/^](#//; s/)$//' | sort -u | comm -23 - "$dir/headings")
result "$lost" "its links lead to its headings"

awk -v dir="$dir" '/^```json$/ { n++; open = 1; next } /^```$/ { open = 0 } open { print > (dir "/" n ".json") }' README.md
wrong=$(for f in "$dir"/*.json; do
	sqlite3 -batch :memory: "SELECT json_valid(readfile('$f'))" | grep -qx 1 || echo "example $f is not JSON"
done)
result "$wrong" "the README's examples are JSON"

./slew check "$dir/1.json" > "$dir/out" 2>&1
wrong=$(grep -q '^ok *config .*valid' "$dir/out" && grep -q '^ok *policy ' "$dir/out" || cat "$dir/out")
result "$wrong" "the README's configuration is valid"

unsaid=$(./slew help | sed -n 's/^  slew \([a-z]*\) .*/\1/p' | while read -r c; do
	./slew "$c" --help > "$dir/help" 2>&1 && grep -q "^usage: slew $c" "$dir/help" && [ "$(wc -l < "$dir/help")" -ge 4 ] || echo "slew $c --help says too little"
	./slew help "$c" | cmp -s - "$dir/help" || echo "slew help $c differs from slew $c --help"
	./slew "$c" --no-such-option > /dev/null 2>&1 < /dev/null
	[ $? -eq 2 ] || echo "slew $c --no-such-option does not exit with 2"
done)
result "$unsaid" "every command explains itself, and refuses an unknown option"

strays=$(./slew rnak > "$dir/out" 2>&1; [ $? -eq 2 ] || echo "an unknown command does not exit with 2"; grep -q '"rnak"; did you mean rank' "$dir/out" || echo "it is not named")
result "$strays" "an unknown command is named"

make -s help > "$dir/help"
none=$(grep -oE '`make [a-z-]+' README.md | sed 's/.*make //' | sort -u | while read -r t; do
	grep -q "make $t " "$dir/help" || grep -qE "^$t:" Makefile tests/tests.mk || echo "make $t"
done)
result "$none" "make targets that the README names are there"
echo "1..$n"
exit $bad
