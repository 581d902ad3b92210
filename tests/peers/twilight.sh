#!/bin/bash
# The nights of `slew visible --night` (twilight), or the windows of `slew visible` (windows), against astroplan, in a Python environment of its
# own under build/peers. What cannot be had is a skip, said aloud. usage: twilight.sh [twilight|windows]
: "${BUILD:=build}"
what=${1:-twilight}
venv=$(mkdir -p "$BUILD/peers" && cd "$BUILD/peers" && pwd)/venv-astroplan
skip()
{
	echo "ok 1 - $what against astroplan # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "missing: python3-venv; as root: apt-get install python3-venv"
if [ ! -e "$venv/made" ]; then
	echo "# installing astroplan into $venv (once, a minute)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'astroplan==0.10.1' && touch "$venv/made"; } > "$BUILD/peers/pip-astroplan.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install astroplan; see $BUILD/peers/pip-astroplan.log"; }
fi
exec "$venv/bin/python" "tests/peers/$what.py" ./slew
