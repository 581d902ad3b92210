#!/bin/sh
# Every header compiles alone, and says in its first line what it is for; so does every source.
flags="-std=gnu11 -Wall -I. $(pkg-config --cflags libuv rdkafka sqlite3 cfitsio chealpix libcurl jansson erfa libmicrohttpd libseccomp cmocka)"
out=$(for h in engine/*/*.h facilities/*.h sim/*.h tests/lib/*.h; do
	[ -f "$h" ] || continue
	echo "$h"
done | xargs -P 2 -n 1 sh -c '
	words=$(${CC:-gcc} '"$flags"' -fsyntax-only -Werror -x c "$1" 2>&1) || printf "# %s: %s\n" "$1" "$(printf "%s" "$words" | head -n 1)"' sh)
if [ -z "$out" ]; then echo "ok 1 - every header compiles alone"; else echo "not ok 1 - every header compiles alone"; echo "$out"; fi

mute=$(for f in engine/*/*.[ch] facilities/*.[ch] sim/*.[ch] tests/*/*.[ch]; do
	[ -f "$f" ] || continue
	head -n 1 "$f" | grep -qE '^/\*.{10,}' || echo "# $f"
done)
if [ -z "$mute" ]; then echo "ok 2 - every file says in its first line what it is for"; else echo "not ok 2 - every file says in its first line what it is for"; echo "$mute"; fi
echo 1..2
[ -z "$out$mute" ]
