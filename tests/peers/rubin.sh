#!/bin/bash
# Records for Rubin's scheduler against an independent reading of its producer's rules, and against its own code: rubin-scheduler and lsst-efd-client from
# the package index, in a Python environment of their own (600 MB, once); ts_scheduler's client from a checkout (TS_SCHEDULER=folder, else cloned). What
# cannot be had is a skip, said aloud.
: "${BUILD:=build}"
here=$(mkdir -p "$BUILD/peers" && cd "$BUILD/peers" && pwd)
venv=$here/venv-rubin
skip()
{
	echo "ok 1 - records against Rubin's code # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "missing: python3-venv; as root: apt-get install python3-venv"
if [ ! -e "$venv/made" ]; then
	echo "# installing rubin-scheduler and lsst-efd-client into $venv (once, some minutes)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'rubin-scheduler==4.6.0' 'lsst-efd-client==0.12.0' 'aioinflux==0.9.0' && touch "$venv/made"; } > "$here/pip-rubin.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install rubin-scheduler; see $here/pip-rubin.log"; }
fi
: "${TS_SCHEDULER:=$here/ts_scheduler}"
if [ ! -d "$TS_SCHEDULER/python" ] && [ "$TS_SCHEDULER" = "$here/ts_scheduler" ]; then
	timeout 60 git clone -q --depth 1 https://github.com/lsst-ts/ts_scheduler "$TS_SCHEDULER" > "$here/clone-rubin.log" 2>&1 || rm -rf "$TS_SCHEDULER"
fi
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
PYTHONPATH=tests/peers exec "$venv/bin/python" -W ignore tests/peers/rubin.py ./slew "$BUILD/tests/peers/rubin_record" "$t" "${SLEW_SHARED:-../shared}/data" "$TS_SCHEDULER"
