#!/bin/bash
# What the tab key gives: tools/slew.bash asked as bash asks it. Its lists come from the program, so they are held to what the program says.
set -u
slew=$(realpath "${SLEW:-./slew}")
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
ln -s "$slew" "$dir/slew"; PATH=$dir:$PATH
. tools/slew.bash
cd "$dir" && touch GLADE+.txt
n=0; bad=0
gives() # WHAT WANTED… -- WORDS…: the words that must be among what is offered after the words (the last is being typed)
{
	local what=$1 wanted=() w; shift
	while [ "$1" != -- ]; do wanted+=("$1"); shift; done; shift
	COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _slew
	n=$((n + 1))
	for w in "${wanted[@]}"; do
		printf '%s\n' "${COMPREPLY[@]}" | grep -Fxq -- "$w" && continue
		echo "not ok $n - $what"; echo "# no $w among: ${COMPREPLY[*]}"; bad=1; return
	done
	echo "ok $n - $what"
}

gives "every command" $(slew help | sed -n 's/^  slew \([a-z]*\) .*/\1/p') help --version -- slew ''
gives "catalog: what it does" build info get -- slew catalog ''
gives "catalog get: every catalogue that is known" $(slew catalog get | sed -n 's/^\([^ ]*\) .*;.*/\1/p') -- slew catalog get ''
gives "one that is begun" ned-lvs ned-list -- slew catalog get ned
gives "--format: the same, and generic" glade+ openngc generic -- slew catalog build x --format ''
gives "options that the help names" --merge --photo-z-below --progress --map -- slew catalog build --
gives "--verify: a file" GLADE+.txt -- slew catalog get glade+ --verify GL
gives "build: a file" GLADE+.txt -- slew catalog build GL
gives "rank: weights" none luminosity mass -- slew rank --weight ''
gives "fields: cameras that the program knows" decam sinistro muscat -- slew fields --footprint ''
gives "fields: what for" galaxies fields both -- slew fields --from ''
gives "fields: options" --footprint --moc --level -- slew fields --
gives "policies that the program has" bns-near -- slew sim --policy bns
gives "orders" veto reload explain -- slew ctl ''
[ "$(slew catalog get | grep -c ';')" = 7 ] && [ "$(slew help | grep -c '^  slew [a-z]')" -gt 15 ] || { bad=1; n=$((n + 1)); echo "not ok $n - the lists that it is held to are empty"; }
echo "1..$n"
exit $bad
