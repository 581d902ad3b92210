#!/bin/sh
# tools/setup under a PATH made for it: says what is missing, asks root or sudo, fetches stale lists first, and does nothing twice.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
check() # condition's exit code, name, output to show
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out"; bad=1; fi
}
has() { grep -qE -e "$1" "$dir/out"; }
tool() # name: a real tool
{
	ln -sf "$(command -v "$1")" "$dir/bin/$1"
}
fake() # name, body
{
	rm -f "$dir/bin/$1"
	printf '#!/bin/sh\n%s\n' "$2" > "$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}
run() { env -i PATH="$dir/bin" SLEW_APT_LISTS="$dir/lists" /bin/sh tools/setup "$@" > "$dir/out" 2>&1; }

mkdir "$dir/bin" "$dir/lists"
for t in sh env sed find head ls cat rm; do tool $t; done

fake id 'echo 1000'
fake pkg-config 'exit 1'
run --print; rc=$?
rm "$dir/bin/pkg-config"
[ $rc -eq 1 ] && has 'librdkafka-dev' && has 'no apt-get'
check $? "without apt-get: names the libraries and fails"

fake apt-get 'echo "apt-get $*" >> '"$dir"'/did; exit 0'
fake dpkg-query 'exit 1'
run --print; rc=$?
[ $rc -eq 0 ] && has '^sudo apt-get .*update$' && has '^sudo env DEBIAN_FRONTEND=noninteractive apt-get .*install -y .* make gcc .*libcmocka-dev' && [ ! -e "$dir/did" ]
check $? "--print shows the commands, with sudo and fresh lists, and runs nothing"

run; rc=$?
[ $rc -eq 1 ] && has 'no sudo' && [ ! -e "$dir/did" ]
check $? "an ordinary user without sudo is told what to do"

: > "$dir/lists/mirror_Packages.lz4"
fake id 'echo 0'
run --print; rc=$?
[ $rc -eq 0 ] && ! has 'update' && has '^env DEBIAN_FRONTEND' && ! has sudo
check $? "root with fresh lists: no update, no sudo"

fake apt-get 'echo "apt-get $*" >> '"$dir"'/did
case "$*" in *install*) grep -q update '"$dir"'/did || exit 100 ;; esac'
tool grep
run; rc=$?
[ "$(grep -c install "$dir/did")" -eq 2 ] && grep -q update "$dir/did" && [ $rc -eq 1 ] && has 'still missing'
check $? "an installation that fails is tried once more after an update, and its result is looked at"

fake apt-get 'exit 100'
run; rc=$?
[ $rc -eq 1 ] && has 'failed: the reason stands above'
check $? "a package manager that fails is not called success"

for t in make gcc curl sqlite3; do fake $t 'exit 0'; done
fake pkg-config 'exit 0'
run; rc=$?
[ $rc -eq 0 ] && [ "$(cat "$dir/out")" = "setup: everything is there" ]
check $? "everything there: one line, nothing done"

fake pkg-config 'case $* in "--exists libuv") exit 1 ;; *libuv*) exit 1 ;; esac'
run --print; rc=$?
[ $rc -eq 0 ] && has 'install -y --no-install-recommends libuv1-dev$'
check $? "only what is missing is installed"

run --harder; rc=$?
[ $rc -eq 1 ] && has 'unknown argument "--harder"'
check $? "an unknown argument is an error"
echo "1..$n"
exit $bad
