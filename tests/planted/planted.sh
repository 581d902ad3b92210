#!/bin/bash
# Bugs that somebody could have written, one patch each: is each found, by what, after how much? The tree is copied to
# build/planted/NAME, the patch applied, the program built, and the machine that the patch names set on it: `nights` (random nights
# until one breaks, at most PLANTED_NIGHTS, 500) or `points` (the crash points of a canonical night). One that survives fails.
# planted.sh [NAME…]; `planted.sh --applies` only asks whether the patches still apply (TAP).
set -u
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$here" || exit 1
build=${BUILD:-build}; most=${PLANTED_NIGHTS:-500}
read -ra cc <<< "${CC:-gcc}"
if [ ${#cc[@]} -eq 1 ] && command -v ccache > /dev/null; then cc=(ccache "${cc[@]}"); fi
export CCACHE_NOHASHDIR=1
unset MAKEFLAGS MFLAGS MAKELEVEL

names() { if [ $# -gt 0 ]; then printf '%s\n' "$@"; else for p in tests/planted/*.patch; do basename "$p" .patch; done; fi; }

if [ "${1:-}" = --applies ]; then
	n=0; bad=0
	for name in $(names); do
		n=$((n + 1))
		if patch -p1 --dry-run -f --no-backup-if-mismatch < "tests/planted/$name.patch" > /dev/null 2>&1; then echo "ok $n - $name applies"
		else echo "not ok $n - $name does not apply to the sources any more: write the same bug into what they are now"; bad=1; fi
	done
	echo "1..$n"
	exit $bad
fi

# A tree of its own; times are kept, so that only what the patch touches is built when the objects are there already.
tree() { # NAME
	local to=$build/planted/$1
	rm -rf "$to"; mkdir -p "$to"
	cp -rp Makefile engine facilities policies schemas sim tests tools README.md "$to" || return 1
	mkdir "$to/build" && cp -rp "$build"/engine "$build"/facilities "$build"/sim "$build"/embed.? "$build"/flags "$to/build" 2> /dev/null
	patch -d "$to" -p1 -f --no-backup-if-mismatch < "tests/planted/$1.patch" > "$to/patch.log" 2>&1
}

# Ten nights at a time, each with its seed, until one breaks: "seed N: KIND: …".
nights() {
	local first=1
	while [ "$first" -le "$most" ]; do
		./slew sim --seeds 10 --seed "$first" --jobs 2 --keep . --quiet > sim.log 2>&1
		seed=$(sed -n 's/^seed \([0-9]*\): .*/\1/p' sim.log | sort -n | head -n 1)
		if [ -n "$seed" ]; then
			found=$(sed -n "s/^seed $seed: \([^:]*\): .*/\1/p" sim.log | head -n 1); after="$seed nights"
			return 0
		fi
		first=$((first + 10))
	done
	after="$most nights"
	return 1
}

points() {
	make -s CC="${cc[*]}" build/tests/crash/points > make.log 2>&1 || return 2
	CMOCKA_MESSAGE_OUTPUT=TAP build/tests/crash/points > points.log 2>&1 && { after="its points"; return 1; }
	found="crash points"; after=$(sed -n 's/^# died at operation \([0-9]*\).*/operation \1/p' points.log | head -n 1)
}

bad=0; total=0; began=$(date +%s)
printf '%-28s %-28s %-24s %s\n' "planted" "found by" "after" "seconds"
for name in $(names "$@"); do
	total=$((total + 1)); found=; after=
	if ! tree "$name"; then
		echo "$name: the patch does not apply any more; write the same bug into what the sources are now"; sed 's/^/  /' "$build/planted/$name/patch.log"
		bad=$((bad + 1)); continue
	fi
	if ! make -s -C "$build/planted/$name" CC="${cc[*]}" slew > "$build/planted/$name/make.log" 2>&1; then
		echo "$name: does not build"; tail -n 5 "$build/planted/$name/make.log"; bad=$((bad + 1)); continue
	fi
	start=$(date +%s%N); machine=$(sed -n 's/^Found by: //p' "tests/planted/$name.patch")
	cd "$build/planted/$name" || exit 1
	"$machine"; rc=$?
	cd "$here" || exit 1
	[ $rc -eq 0 ] || { found="NOT FOUND"; bad=$((bad + 1)); }
	ms=$((($(date +%s%N) - start) / 1000000))
	printf '%-28s %-28s %-24s %d.%d\n' "$name" "$found" "$after" $((ms / 1000)) $((ms % 1000 / 100))
	[ $rc -eq 0 ] && rm -rf "${build:?}/planted/$name"
done
echo "planted: $((total - bad)) of $total found, $(($(date +%s) - began)) s"
[ $bad -eq 0 ]
