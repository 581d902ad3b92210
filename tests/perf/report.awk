# samples of make bench → bench.json. First file: tests/perf/rows; then facts and samples. The table is made of the JSON: tests/perf/table.sql.
# -v quick=1: ratios are told, not judged.
function trim(s) { gsub(/^ +| +$/, "", s); return s }
function sorted(list, n, out,   i, j, t) {
	split(list, out, " ")
	for (i = 2; i <= n; i++) { t = out[i] + 0; for (j = i - 1; j > 0 && out[j] + 0 > t; j--) out[j + 1] = out[j]; out[j + 1] = t }
}
function stat(key,   a, n) {
	n = count[key]; sorted(list[key], n, a)
	least[key] = a[1]; most[key] = a[n]; middle[key] = n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function figures(key) { return key in count ? sprintf("{\"n\": %d, \"min\": %.6g, \"median\": %.6g, \"max\": %.6g}", count[key], least[key], middle[key], most[key]) : "null" }
function number(v, form) { return v == "" ? "null" : sprintf(form, v) }
function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/[\001-\037]/, " ", s); return "\"" s "\"" }
function said(yes) { return yes ? "true" : "false" }

FNR == NR { if ($0 ~ /^#/ || !NF) next
	k = split($0, f, "|"); name = trim(f[1]); order[++rows] = name; what[name] = trim(f[2]); unit[name] = trim(f[3]); limit[name] = trim(f[4]); asked[name] = trim(f[5]); next }
$1 == "fact" { key = $2; sub(/^fact [^ ]+ /, ""); if (!(key in fact)) facts[++nfacts] = key; fact[key] = $0; next }
$1 == "missing" { if (!($2 in missing)) absent[++nabsent] = $2; missing[$2] = $0; sub(/^missing [^ ]+ /, "", missing[$2]); next }
$1 == "version" { if (!($2 in version)) versions[++nversions] = $2; version[$2] = $3; next }
$1 == "equal" { sub(/^equal /, ""); equal[++equals] = $0; next }
NF == 3 { list[$1 " " $2] = list[$1 " " $2] " " $3; count[$1 " " $2]++ }

function line(name, peer, need,   ours, theirs, ratio, medians) {
	ours = name " ours"; theirs = name " " peer; ratio = medians = ""
	if (peer != "" && ours in count && theirs in count) { ratio = least[theirs] / most[ours]; medians = middle[theirs] / middle[ours] }
	printf "%s\n  {\"row\": %s, \"what\": %s, \"unit\": %s, \"ours\": %s", shown++ ? "," : "", text(name), text(what[name]), text(unit[name]), figures(ours)
	printf ", \"limit\": %s, \"limit_met\": %s", number(limit[name], "%s"), limit[name] != "" && ours in count ? said(most[ours] <= limit[name] + 0) : "null"
	printf ", \"peer\": %s, \"theirs\": %s, \"ratio\": %s, \"ratio_of_medians\": %s", peer == "" ? "null" : text(peer), figures(theirs), number(ratio, "%.4g"), number(medians, "%.4g")
	printf ", \"ratio_asked\": %s, \"ratio_met\": %s}", number(need, "%s"), need != "" && ratio != "" && !quick ? said(ratio >= need + 0) : "null"
}
END {
	for (key in count) stat(key)
	print "{"
	for (i = 1; i <= nfacts; i++) printf " %s: %s,\n", text(facts[i]), text(fact[facts[i]])
	printf " \"versions\": {"; for (i = 1; i <= nversions; i++) printf "%s%s: %s", (i > 1 ? ", " : ""), text(versions[i]), text(version[versions[i]])
	printf "},\n \"missing\": {"; for (i = 1; i <= nabsent; i++) printf "%s%s: %s", (i > 1 ? ", " : ""), text(absent[i]), text(missing[absent[i]])
	printf "},\n \"equality\": ["; for (i = 1; i <= equals; i++) printf "%s\n  %s", (i > 1 ? "," : ""), text(equal[i])
	printf "],\n \"rows\": ["
	for (r = 1; r <= rows; r++) {
		name = order[r]; n = split(asked[name], peers, " ")
		if (n == 0) line(name, "", "")
		for (p = 1; p <= n; p++) { split(peers[p], pair, ">="); line(name, pair[1], pair[2]) }
	}
	print "\n]}"
}
