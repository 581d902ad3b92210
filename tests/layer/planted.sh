#!/bin/sh
# The layer checks find what is planted for them: a check that cannot fail proves nothing.
here=$(pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/engine/alert" "$dir/engine/core" "$dir/facilities" "$dir/sim" "$dir/build/engine/alert"
cat > "$dir/engine/alert/planted.c" <<'END'
/* Planted: an include that climbs, a clock, a file, state that changes. */
#include "engine/core/core.h"
#include <curl/curl.h>
#include <time.h>
#include <stdio.h>
static int counter;
long planted(void);
long planted(void) { char b[9]; sprintf(b, "%d", counter++); return time(0) + (fopen(b, "r") != 0) + counter; }
END
: > "$dir/engine/core/core.h"
{ sed 1,3d "$dir/engine/alert/planted.c"; } | ${CC:-gcc} -x c -c -o "$dir/build/engine/alert/planted.o" - || exit 1
{
	printf '/* Planted: a function that never ends. */\nint longest(void)\n{\n'
	yes '	longest();' | head -n 120
	printf '}\n'
} > "$dir/engine/core/long.c"
cd "$dir" || exit 1
n=0; bad=0
finds() # script, what it must say
{
	n=$((n + 1))
	out=$(BUILD=build "$here/tests/layer/$1.sh" 2>&1); rc=$?
	if [ $rc -ne 0 ] && printf '%s' "$out" | grep -q "$2"; then
		echo "ok $n - $1 finds: $2"
	else
		echo "not ok $n - $1 does not find: $2"; bad=1
	fi
}
finds includes 'planted.c:2:#include "engine/core/core.h"'
finds includes 'planted.c:3:#include <curl/curl.h>'
finds symbols 'planted.c calls time'
finds symbols 'planted.c calls fopen'
finds symbols 'planted.c: 4 bytes in .bss'
finds size 'lines of a function: 122 engine/core/long.c:3 longest'
finds sources 'planted.c:8:.*sprintf'
echo "1..$n"
exit $bad
