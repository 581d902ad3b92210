#!/bin/sh
# Functions and files stay small enough to read: 70 lines and 500 are the aim (offenders are named), 100 and 600 the ceiling.
list=$(ls engine/*/*.c facilities/*.c sim/*.c 2> /dev/null)
functions=$(awk '
	FNR == 1 { open = 0 }
	/^[a-z].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^\{/ { open = FNR }
	/^\}/ && open { n = FNR - open + 1; if (n > 70) print n, FILENAME ":" open, name; open = 0 }' $list | sort -rn)
files=$(wc -l $list $(ls engine/*/*.h facilities/*.h sim/*.h 2> /dev/null) | awk '$2 != "total" && $1 > 500' | sort -rn)
[ -z "$functions" ] || printf '%s\n' "$functions" | sed 's/^/# lines of a function: /'
[ -z "$files" ] || printf '%s\n' "$files" | sed 's/^ */# lines of a file: /'
bad=0
if printf '%s\n' "$functions" | awk '$1 > 100 { exit 1 }'; then echo "ok 1 - no function above 100 lines"; else echo "not ok 1 - no function above 100 lines"; bad=1; fi
if printf '%s\n' "$files" | awk '$1 > 600 { exit 1 }'; then echo "ok 2 - no file above 600 lines"; else echo "not ok 2 - no file above 600 lines"; bad=1; fi
echo 1..2
exit $bad
