#!/bin/sh
# 25 random nights (SEEDS=n SEED=first).
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"${SLEW:-./slew}" sim --seeds "${SEEDS:-25}" --seed "${SEED:-1}" --jobs "$(nproc)" --replay 5 --keep "$dir" > "$dir/out" 2>&1; rc=$?
if [ $rc -eq 0 ]; then echo "ok 1 - $(tail -n 1 "$dir/out")"; else echo "not ok 1 - random nights"; sed 's/^/# /' "$dir/out"; fi
echo 1..1
exit $rc
