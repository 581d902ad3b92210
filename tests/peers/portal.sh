#!/bin/bash
# The adapter, then the whole engine, against a real Observation Portal on loopback: makes and starts one in a folder of its own, runs
# ocs_real and engine.sh, stops what it started. Needs ../shared/portal (or SLEW_SHARED), PostgreSQL, Python 3.11 with venv, a Fortran compiler for one of the portal's
# Python packages. What is missing is installed when we are root; what cannot be had is a skip, said aloud.
: "${BUILD:=build}"
source_dir=${SLEW_SHARED:-../shared}/portal
venv=$(mkdir -p "$BUILD/peers" && cd "$BUILD/peers" && pwd)/venv
skip()
{
	echo "ok 1 - real observation portal # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
say() { echo "# $*"; }

[ -r "$source_dir/portal.sh" ] || skip "$source_dir/portal.sh is not there; SLEW_SHARED names the folder of shared data"
[ -x "$BUILD/tests/peers/ocs_real" ] && [ -x "$BUILD/tests/peers/ocs_profiles" ] && [ -x "$BUILD/tests/peers/merger" ] || { echo "portal.sh: the programs of $BUILD/tests/peers are not built; run make peers" >&2; exit 1; }

# 1 what the system must have
wanted=
ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || wanted="$wanted postgresql"
python3 -c 'import ensurepip, venv' 2> /dev/null || wanted="$wanted python3-venv"
command -v curl > /dev/null || wanted="$wanted curl"
if [ ! -x "$venv/bin/gunicorn" ]; then
	command -v gfortran > /dev/null || wanted="$wanted gfortran"
	[ -e "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))' 2> /dev/null)/Python.h" ] || wanted="$wanted python3-dev"
fi
if [ -n "$wanted" ]; then
	[ "$(id -u)" = 0 ] || skip "missing:$wanted; as root: apt-get install$wanted"
	say "installing$wanted"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q $wanted > "$BUILD/peers/apt.log" 2>&1 ||
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $wanted; } > "$BUILD/peers/apt.log" 2>&1 ||
		skip "apt could not install$wanted; see $BUILD/peers/apt.log"
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || skip "the portal needs Python 3.11 or newer, here is $(python3 --version)"

# 2 the portal's packages, once
if [ ! -x "$venv/bin/gunicorn" ]; then
	say "installing the portal's Python packages into $venv (once, a minute or two)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'django-ocs-observation-portal==4.18.10' gunicorn; } > "$BUILD/peers/pip.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install the portal; see $BUILD/peers/pip.log"; }
fi

# 3 a portal of its own: fresh folder, fresh database, free ports
dir=$(mktemp -d "${TMPDIR:-/tmp}/slew-peers-XXXXXX") || exit 1
stop()
{
	bash "$dir/portal/portal.sh" stop "$dir/run" > /dev/null 2>&1
	data=$(cat "$dir/run/pgdir" 2> /dev/null)
	case $data in /tmp/portal-pg-*) rm -rf "$data" ;; esac
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM
cp -r "$source_dir" "$dir/portal" && chmod -R u+w "$dir/portal" && mkdir "$dir/run" && ln -s "$venv" "$dir/run/venv"
chmod 755 "$dir" # the static files are served by another process of ours
read -r PORTAL_PORT PORTAL_WWW_PORT PORTAL_DB_PORT << EOF
$(python3 -c 'import socket
s = [socket.socket() for _ in range(3)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])')
EOF
export PORTAL_PORT PORTAL_WWW_PORT PORTAL_DB_PORT
base=$(timeout 180 bash "$dir/portal/portal.sh" start "$dir/run" 2> "$dir/start.log" < /dev/null | tail -1)
case $base in
http://*) say "portal at $base" ;;
*) sed 's/^/# /' "$dir/start.log"; tail -5 "$dir/run/portal.log" 2> /dev/null | sed 's/^/# /'; echo "not ok 1 - the portal starts"; echo "0 passed, 1 failed, 0 skipped"; exit 1 ;;
esac

# 4 the adapter alone, then the whole engine with a kill -9 in the middle
"$BUILD/tests/peers/ocs_real" "$base" too-token-0001 too-staff-0001 rival-token-0001 TOO2026B | tee "$dir/tap"
status=${PIPESTATUS[0]}
say "every instrument of every descriptor"
BUILD=$BUILD tests/peers/profiles.sh "$base" too-token-0001 TOO2026B | tee -a "$dir/tap"
mkdir "$dir/engine"
say "the engine, a spool and the same portal"
BUILD=$BUILD tests/peers/engine.sh "$base" too-token-0001 TOO2026B "$dir/engine" | tee -a "$dir/tap"
passed=$(grep -c '^ok' "$dir/tap"); failed=$(grep -c '^not ok' "$dir/tap")
[ "$status" -le 1 ] || { echo "# ocs_real ended with $status"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
