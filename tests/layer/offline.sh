#!/bin/sh
# What never was touches no world: sim/ and all that it pulls in link without loop, broker, HTTP and sockets; and `slew sim` and
# `slew replay` have denied themselves the network before their first state is opened.
: "${BUILD:=build}" "${CC:=gcc}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ -z "$1" ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; printf '%s\n' "$1" | sed 's/^/# /'; bad=1; fi
}

# A program that uses every entry of sim/, linked with what science and state need, and nothing else.
{
	for f in sim/*.h; do [ "$f" = sim/portal_parts.h ] || printf '#include "%s"\n' "$f"; done
	echo '#include <stdio.h>'
	echo 'int main(void) { const void *p[] = {'
	nm --defined-only "$BUILD"/sim/*.o | awk '$2 == "T" { print $3 }' | grep -v '^portal_' | sort -u > "$dir/entries"
	sed 's/.*/	(const void *)\&&,/' "$dir/entries"
	printf '%s\n' '0}; printf("%p\n", p[0]); return 0; }'
} > "$dir/all.c"
said=$($CC -w -I. -I"$BUILD" -o "$dir/all" "$dir/all.c" "$BUILD/libslew.a" -Wl,-Map,"$dir/map" \
	$(pkg-config --cflags --libs sqlite3 jansson erfa cfitsio chealpix zlib libcrypto) -lm 2>&1) || said="$said
does not link without the network's libraries"
result "$said" "sim/ and all that it pulls in link without libuv, librdkafka, libcurl, libmicrohttpd ($(wc -l < "$dir/entries") entries)"
result "$([ -x "$dir/all" ] || echo "there is no such program"; nm -u "$dir/all" 2>&1 | awk '{ sub(/@.*/, "", $NF); print $NF }' |
	grep -xE 'socket(pair)?|connect|bind|listen|accept4?|send(to|msg|mmsg)?|recv(from|msg)?|getaddrinfo|gethostby.*|res_.*|curl_.*|rd_kafka_.*|uv_.*|MHD_.*|popen|system|exec.*|posix_spawn.*|syscall')" \
	"nothing of it asks for a socket, a name, a process"

# A library that stands before SQLite and tries the network at the moment when a state is opened.
cat > "$dir/try.c" << 'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int sqlite3_open_v2(const char *path, void **db, int flags, const char *vfs)
{
	int (*real)(const char *, void **, int, const char *) = (int (*)(const char *, void **, int, const char *))dlsym(RTLD_NEXT, "sqlite3_open_v2");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	fprintf(stderr, "TRIED %s\n", fd >= 0 ? "a socket was given" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return real(path, db, flags, vfs);
}
C
$CC -shared -fPIC -o "$dir/try.so" "$dir/try.c" -ldl 2> "$dir/err" || result "$(cat "$dir/err")" "the library that tries builds"
tried() # words, what the network must say, command…
{
	words=$1; want=$2; shift 2
	LD_PRELOAD="$dir/try.so" "$@" > "$dir/out" 2> "$dir/err"
	result "$(grep -q '^TRIED' "$dir/err" || echo 'no state was opened'; grep '^TRIED' "$dir/err" | grep -v "^TRIED $want")" "$words"
}
./slew sim --print --seed 3 > "$dir/a.night"
printf 'seed 7\n00:00 end\n' > "$dir/b.night"
tried "a command that may use the network gets a socket: the trial is a trial" 'a socket was given' ./slew check --state "$dir/none.db"
tried "slew sim NIGHT cannot open a socket" 'Operation not permitted' ./slew sim "$dir/b.night"
tried "slew sim --seeds, in the processes that it starts, neither" 'Operation not permitted' ./slew sim --seeds 1 --jobs 1 --keep "$dir"
tried "slew replay neither" 'Operation not permitted' ./slew replay "$dir/none.db"
echo "1..$n"
exit $bad
