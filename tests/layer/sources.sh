#!/bin/sh
# Rules that a search of the sources shows: SQL only with bound parameters, no dangerous calls, every embedded file in the table.
: "${BUILD:=build}"
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ -z "$1" ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; printf '%s\n' "$1" | sed 's/^/# /'; bad=1; fi
}
code() { grep -rnE "$1" --include='*.[ch]' engine facilities sim; }

result "$(code 'sqlite3_(exec|mprintf|vmprintf|snprintf|get_table)[[:space:]]*\(' | grep -v '^engine/base/query.c:')" \
	"sqlite3_exec and its like only in engine/base/query.c"
result "$(code '[^_a-z](query_script)[[:space:]]*\(' | grep -vE '^engine/(base/query\.[ch]|core/|cmd/)')" \
	"scripts without parameters only for migrations"
result "$(code '[^_a-z](strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|asctime|ctime|gmtime|strerror_r|tmpnam|mktemp)[[:space:]]*\(')" \
	"no call that cannot be bounded"
result "$(code 'fits_open_(file|data|table|image)[[:space:]]*\('; code 'fits_open_diskfile[[:space:]]*\(' | grep -v '^engine/target/catalog_build_fits.c:')" \
	"cfitsio opens only memory, and tables that a person named for a catalogue (fits_open_file's names are a language)"
result "$(code 'CURLOPT_SSL_VERIFY(PEER|HOST)[[:space:]]*,[[:space:]]*0')" \
	"certificates are always verified"
result "$(code '#[[:space:]]*include "\.\.?/')" \
	"includes are written from the top of the tree"

result "$(grep -rnoE '[A-Za-z_/]+\.md\b|\b(DESIGN|FORMATS|RELIABILITY|WALKTHROUGH)\b' --include='*.[ch]' --include='*.sql' --include='*.sh' --include='*.json' \
	engine facilities sim schemas policies tests/unit tests/lib | grep -v ':README\.md$')" "comments name no document that is not in the tree"

missing=$(find schemas policies facilities -type f ! -name '*.[cho]' 2> /dev/null | sort | while read -r f; do
	grep -qF "{\"$f\"," "$BUILD/embed.c" || echo "$f is not embedded (EMBED in the Makefile)"
	grep -qaF "$f" slew || echo "$f is not in ./slew"
done)
result "$missing" "every schema, policy and descriptor is embedded in the program"
echo "1..$n"
exit $bad
