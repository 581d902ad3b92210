#!/bin/sh
# What the objects of the deciding rooms call (nm) and keep (size): no loop, broker, HTTP, clock, chance, file or socket; no mutable
# static state outside engine/io and engine/cmd.
: "${BUILD:=build}"
rooms='engine/base engine/alert engine/target engine/request engine/observation engine/report engine/core facilities sim'
forbidden='uv_.*|rd_kafka_.*|curl_.*|MHD_.*|seccomp_.*|RAND_.*'
forbidden="$forbidden|clock_gettime|clock_getres|clock|time|gettimeofday|timespec_get|times|ftime|localtime(_r)?|mktime|sleep|usleep|nanosleep"
forbidden="$forbidden|s?rand(om)?|rand_r|random_r|[dlmje]rand48|arc4random.*|getrandom|getentropy"
forbidden="$forbidden|socket|socketpair|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo|gethostby.*"
forbidden="$forbidden|open(at)?(64)?|creat(64)?|fopen(64)?|freopen(64)?|opendir|unlink(at)?|rename(at)?|mkdir|remove|stat(64)?|lstat(64)?|access"
forbidden="$forbidden|fork|vfork|exec[vl].*|posix_spawnp?|system|popen|pthread_create|getenv|secure_getenv|setlocale|exit|_exit"
# object|symbols|why it may
excepted='
engine/base/err.o|_exit|memory has ended: nothing can be undone or told properly
engine/base/json.o|fopen|reads a file that a person named on the command line (configuration, policies)
engine/target/catalog.o|open|the catalogue: a path that a person gave, mapped read-only
engine/target/catalog_build.o|open|slew catalog build: reads the tables that a person named
engine/target/catalog_write.o|unlink rename stat|the same: writes the catalogue that a person named, and never in the place of a device
engine/target/catalog_sort.o|open unlink|the same: rows that memory should not hold, in a file without a name
'
n=0; bad=0
for room in $rooms; do
	[ -d "$room" ] || continue
	calls=; kept=
	for source in "$room"/*.c; do
		object=$BUILD/${source%.c}.o
		[ -f "$object" ] || continue
		may=$(printf '%s\n' "$excepted" | awk -F'|' -v o="${source%.c}.o" '$1 == o { print $2 }')
		for symbol in $(nm -u "$object" | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -xE "$forbidden"); do
			case " $may " in *" $symbol "*) ;; *) calls="$calls# $source calls $symbol
" ;; esac
		done
		kept="$kept$(size -A "$object" | awk -v s="$source" '$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
			print "# " s ": " $2 " bytes in " $1 }')"
	done
	n=$((n + 1))
	if [ -z "$calls" ]; then echo "ok $n - $room calls no loop, broker, clock, chance, file or socket"
	else echo "not ok $n - $room calls what only engine/io may"; printf '%s' "$calls"; bad=1; fi
	n=$((n + 1))
	if [ -z "$kept" ]; then echo "ok $n - $room keeps no mutable static state"
	else echo "not ok $n - $room keeps mutable static state"; printf '%s\n' "$kept"; bad=1; fi
done
echo "1..$n"
exit $bad
