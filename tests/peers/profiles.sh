#!/bin/bash
# Every instrument of every descriptor before a real Observation Portal: what the adapter would ask is judged by its dry run.
#   profiles.sh BASE TOKEN PROPOSAL    (portal.sh runs it). Prints TAP; an instrument that the portal does not have is a skip, said aloud.
: "${BUILD:=build}"
base=$1 token=$2 proposal=$3 n=0 judged=0
there=$(curl -sS --noproxy '*' "$base/api/instruments/" -H "Authorization: Token $token") || exit 1
while IFS=$'\t' read -r facility instrument mode filter body; do
	n=$((n + 1))
	case $there in
	*"\"$instrument\":"*) ;;
	*) echo "ok $n - $facility: $instrument $filter # SKIP the portal has no $instrument"; continue ;;
	esac
	answer=$(curl -sS --noproxy '*' -X POST "$base/api/requestgroups/validate/" -H "Authorization: Token $token" -H 'Content-Type: application/json' --data-binary "$body")
	judged=$((judged + 1))
	case $answer in
	*'"errors":{}'*) echo "ok $n - $facility: $instrument $filter, $mode: $(expr "$answer" : '.*"duration":\([0-9]*\)') s" ;;
	*) echo "not ok $n - $facility: $instrument $filter, $mode: ${answer:0:400}" ;;
	esac
done < <("$BUILD/tests/peers/ocs_profiles" "$proposal" || echo "-	-	-	-	ocs_profiles failed")
[ "$judged" -ge 20 ] && echo "ok $((n + 1)) - $judged bodies judged" || echo "not ok $((n + 1)) - only $judged bodies judged"
