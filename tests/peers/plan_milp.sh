#!/bin/sh
# The plan of 20 nights against the exact optimum of an integer programme (HiGHS through scipy), in a Python environment made once under build/.
# Usage: tests/peers/plan_milp.sh  (make peers-plan). Skips aloud where Python or its packages cannot be had.
: "${BUILD:=build}"
venv=$(mkdir -p "$BUILD/peers" && cd "$BUILD/peers" && pwd)/plan-venv
skip()
{
	echo "ok 1 - plan against the exact optimum # SKIP $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
[ -x "$BUILD/tests/peers/plan_nights" ] || { echo "plan_milp.sh: $BUILD/tests/peers/plan_nights is not built; run make peers-plan" >&2; exit 1; }
python3 -c 'import ensurepip, venv' 2> /dev/null || skip "python3-venv is missing; as root: apt-get install python3-venv"
if ! "$venv/bin/python" -c 'import scipy.optimize' 2> /dev/null; then
	echo "# installing scipy into $venv (once)"
	{ python3 -m venv "$venv" && "$venv/bin/pip" install -q scipy; } > "$BUILD/peers/plan-pip.log" 2>&1 ||
		{ rm -rf "$venv"; skip "pip could not install scipy; see $BUILD/peers/plan-pip.log"; }
fi
"$BUILD/tests/peers/plan_nights" | "$venv/bin/python" tests/peers/plan_milp.py
