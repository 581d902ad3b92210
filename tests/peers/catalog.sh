#!/bin/bash
# Catalogues against astropy, in a Python environment of its own under build/peers. What cannot be had is a skip, said aloud.
: "${BUILD:=build}"
venv=$(mkdir -p "$BUILD/peers" && cd "$BUILD/peers" && pwd)/venv-astropy
skip()
{
	echo "ok 1 - catalogues against astropy # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "missing: python3-venv; as root: apt-get install python3-venv"
if [ ! -e "$venv/made" ]; then
	echo "# installing astropy and scipy into $venv (once, a minute)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q 'astropy<9' scipy && touch "$venv/made"; } > "$BUILD/peers/pip-astropy.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install astropy; see $BUILD/peers/pip-astropy.log"; }
fi
exec "$venv/bin/python" tests/peers/catalog.py ./slew
