#!/bin/sh
# No include climbs: each room includes only what stands below it, and foreign libraries only where they belong.
# room: rooms it may include
rooms='
engine/base: engine/base
engine/alert: engine/base engine/alert
engine/target: engine/base engine/target
engine/request: engine/base engine/target engine/request engine/alert/fact.h engine/alert/alert.h
engine/observation: engine/base engine/observation
engine/report: engine/base engine/target engine/request engine/observation engine/alert engine/report
facilities: engine/base facilities
engine/core: engine/base engine/alert engine/target engine/request engine/observation engine/report facilities engine/core
sim: engine/base engine/alert engine/target engine/request engine/observation engine/report engine/core facilities sim
engine/io: engine facilities
engine/cmd: engine facilities sim
'
# header: rooms that may include it
libraries='
uv.h: engine/io engine/cmd
librdkafka/: engine/io engine/cmd
curl/: engine/io engine/cmd
microhttpd.h: engine/io engine/cmd
seccomp.h: engine/io
sys/socket.h: engine/io engine/cmd
pthread.h: engine/io engine/cmd
fitsio.h: engine/target sim
openssl/: engine/base engine/io
sqlite3.h: engine/base engine/request engine/report engine/core engine/io engine/cmd sim
'
n=0; bad=0
result() # ok|"" name
{
	n=$((n + 1))
	if [ -z "$1" ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; printf '%s\n' "$1" | sed 's/^/# /'; bad=1; fi
}

while IFS=: read -r room may; do
	[ -n "$room" ] && [ -d "$room" ] || continue
	climbs=$(grep -nE '^[[:space:]]*#[[:space:]]*include "' "$room"/*.[ch] /dev/null 2> /dev/null | while IFS= read -r line; do
		header=$(printf '%s' "$line" | sed 's/.*include "\([^"]*\)".*/\1/')
		fine=no
		for m in $may; do
			case $header in "$m" | "$m"/*) fine=yes ;; esac
		done
		[ $fine = yes ] || echo "$line"
	done)
	result "$climbs" "$room includes only what stands below it"
done <<END
$rooms
END

while IFS=: read -r header may; do
	[ -n "$header" ] || continue
	strays=$(grep -rnE "^[[:space:]]*#[[:space:]]*include <$header" --include='*.[ch]' engine facilities sim | while IFS= read -r line; do
		fine=no
		for m in $may; do
			case $line in "$m"/*) fine=yes ;; esac
		done
		[ $fine = yes ] || echo "$line"
	done)
	result "$strays" "<$header> is included only in: $may"
done <<END
$libraries
END

new=$(for d in engine/*/ facilities/ sim/; do
	case $rooms in *"
${d%/}:"*) ;; *) echo "${d%/} has no line in tests/layer/includes.sh" ;; esac
done)
result "$new" "every room is known"
echo "1..$n"
exit $bad
