#!/bin/sh
# The table and the JSON that make bench ends with: least, median and most, ratios that err against us, limits kept and missed, what is missing.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ "$1" = "$2" ]; then echo "ok $n - $3"; else echo "not ok $n - $3"; echo "# wanted $2"; echo "# got    $1"; bad=1; fi
}
cat > "$dir/rows" <<'END'
# comment
kept | kept [both] | ms | 20 | slow>=100 absent>=5 shown
missed | over its limit, which is no text | ms | 60 |
near | ratio missed by the slowest of ours | ms | 1000 | slow>=100
none | not run | ms | 5 | slow>=2
END
cat > "$dir/samples" <<'END'
missing absent no "network"
fact turns 3
fact galaxies 22500000
kept ours 9
kept ours 10.5
kept ours 11
kept slow 3000
kept slow 1200
kept slow 2000
kept shown 5
missed ours 221
near ours 10
near ours 100
near slow 5000
equal lists: the same: ok
END
report() { awk -v form="$1" -v quick="$2" -f tests/perf/report.awk "$dir/rows" "$dir/samples" > "$dir/$1"; }
report table ''
report json ''
result "$(grep -c 'absent not measured (no "network")' "$dir/table")" 1 "a missing peer is named with the reason"
result "$(grep '^| kept ' "$dir/table")" '| kept [both] [ms] | 9.00 / 10.5 / 11.0 | 20 | slow | 1,200 / 2,000 / 3,000 | 109 (190) | ≥ 100 | yes |' "the peer's least to the most of ours; medians beside"
result "$(grep '| absent ' "$dir/table")" '|  |  |  | absent | – | – | ≥ 5 | peer missing |' "no figure stands in for a missing peer"
result "$(grep '| shown ' "$dir/table")" '|  |  |  | shown | 5.00 / 5.00 / 5.00 (n = 1) | 0.45 (0.48) | – | yes |' "a ratio that is not asked is shown; other counts are said"
result "$(grep -o '221 (n = 1) .*' "$dir/table")" '221 (n = 1) | 60 | – | – | – | – | no |' "a limit is a number"
result "$(grep -o '≥ 100 | no |' "$dir/table")" '≥ 100 | no |' "a ratio missed is said"
result "$(grep -o '≥ 2 | not measured |' "$dir/table")" '≥ 2 | not measured |' "what did not run is said"
result "$(sqlite3 :memory: "SELECT group_concat(coalesce(json_extract(value, '\$.met'), 'null')) FROM json_each(readfile('$dir/json'), '\$.rows')")" '1,null,1,0,0,null' "JSON tells the same"
result "$(sqlite3 :memory: "SELECT json_extract(readfile('$dir/json'), '\$.missing.absent')")" 'no "network"' "JSON is quoted"
report table 1
result "$(grep -o '≥ 100 | [^ ]* |' "$dir/table" | tr '\n' ' ')" '≥ 100 | – | ≥ 100 | – | ' "a quick run judges no ratio"
echo "1..$n"
exit $bad
