#!/bin/sh
# What make bench concludes from its samples: ratios of the peer's least to our most, verdicts of limits and ratios apart, what is not there
# told as not measured.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0; bad=0
result()
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; printf '# %s\n# instead of %s\n' "$2" "$3"; bad=1; fi
}
cat > "$dir/rows" << 'END'
# NAME | what | unit | limit | peers
quick | quick work | ms | 20 | this>=100 that>=1000 gone>=2
slow | slow work | s | 20 |
never | never done | ms | 5 |
END
cat > "$dir/samples" << 'END'
fact date 2026-11-24T00:00:00Z
fact turns 3
fact galaxies 22500000
fact quick 0
version this 1.0
missing gone pip could not "install" it
quick ours 10
quick this 2600
quick that 9000
quick ours 9
quick this 1100
quick that 8000
quick ours 8
quick this 1200
quick that 8500
slow ours 19
slow ours 1234.4
equal this: all the same: ok
END
table() { awk -v quick="$1" -f tests/perf/report.awk "$dir/rows" "$dir/samples" > "$dir/bench.json" && sqlite3 -batch :memory: ".param set :json \"'$dir/bench.json'\"" ".read tests/perf/table.sql" > "$dir/table"; }
cell() { awk -F ' *[|] *' -v r="$1" -v c="$2" 'index($0, r) && $1 == "" { print $(c + 1); exit }' "$dir/table"; }

table ""
result "the figures are a JSON document" "$(sqlite3 -batch :memory: "SELECT json_valid(readfile('$dir/bench.json'))")" 1
result "least, median and most of ours" "$(cell 'quick work' 2)" "8.00 / 9.00 / 10.0"
result "a limit holds for the most" "$(cell 'quick work' 4) $(cell 'slow work' 4)" "met **falls short**"
result "a ratio is the peer's least to our most" "$(cell 'quick work' 7)" "110 (133)"
result "each peer has its verdict" "$(cell '| this |' 9) $(cell '| that |' 9)" "met **falls short**"
result "fewer turns are told" "$(cell 'slow work' 2)" "19.0 / 627 / 1,234 (n = 2)"
result "what was not measured has no verdict" "$(cell 'never done' 2)$(cell 'never done' 4) $(cell '| gone |' 6)$(cell '| gone |' 9)" "not measured not measured"
result "the sum" "$(grep '^Of ' "$dir/table")" "Of 6 limits and ratios 2 are met, 2 fall short, 2 are not measured."
result "a missing peer is named" "$(grep -c 'gone not measured (pip could not "install" it)' "$dir/table")" 1
result "what falls short is listed" "$(grep '^ - [qs]' "$dir/table")" " - quick: 800 × quicker or smaller than that, at least 1000
 - slow: 1,234 s, at most 20"
table 1
result "a quick run judges no ratio" "$(cell '| this |' 9)$(cell '| that |' 9)" ""
echo "1..$n"
exit $bad
