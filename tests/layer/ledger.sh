#!/bin/sh
# README's table of promises is that of the ledger, and what is said to hold a mended bug is there.
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ -z "$1" ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; printf '%s\n' "$1" | sed 's/^/# /'; bad=1; fi
}
result "$(tools/ledger check 2>&1)" "README's table of promises is made from tests/LEDGER, FOUND and PROMISES as they are"
result "$(awk -F ' *[|] *' '!/^#/ && NF { print $5 }' tests/FOUND | tr ' ' '\n' | while read -r f; do [ -e "$f" ] || echo "$f"; done)" "each mended bug is held by a test that is there"
result "$(awk -F ' *[|] *' '/^#/ || !NF { next } FILENAME ~ /PROMISES/ { key[$1] = 1; next } { k = split($2, w, " "); for (i = 1; i <= k; i++) if (!(w[i] in key)) print FILENAME ": no promise " w[i] }
	NF != 5 { print FILENAME ": not five fields: " $0 }' tests/PROMISES tests/FOUND)" "tests/FOUND names promises"
result "$(awk -F '[|]' '/^#/ || !NF { next } NF != 7 || $1 !~ /^20[0-9][0-9]-[01][0-9]-[0-3][0-9] $/ || $4 !~ /^ [0-9]+ $/ || $6 !~ /^ [0-9]+ $/ { print }' tests/LEDGER)" "each line of tests/LEDGER has its seven fields"
echo "1..$n"
exit $bad
