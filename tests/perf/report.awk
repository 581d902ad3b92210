# samples of make bench → its table (form=table) or bench.json (form=json). First file: tests/perf/rows; then facts and samples.
# -v quick=1: ratios are shown, not judged.
function trim(s) { gsub(/^ +| +$/, "", s); return s }
function sorted(list, n, out,   i, j, t) {
	split(list, out, " ")
	for (i = 2; i <= n; i++) { t = out[i] + 0; for (j = i - 1; j > 0 && out[j] + 0 > t; j--) out[j + 1] = out[j]; out[j + 1] = t }
}
function stat(key,   a, n) {
	n = count[key]; sorted(list[key], n, a)
	least[key] = a[1]; most[key] = a[n]; middle[key] = n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
function short(v) { return v >= 1000 ? grouped(v) : v >= 100 ? sprintf("%.0f", v) : v >= 10 ? sprintf("%.1f", v) : sprintf("%.2f", v) }
function grouped(v,   s, t) { s = sprintf("%.0f", v); t = ""; while (length(s) > 3) { t = "," substr(s, length(s) - 2) t; s = substr(s, 1, length(s) - 3) } return s t }
function figures(key) { return key in count ? short(least[key]) " / " short(middle[key]) " / " short(most[key]) (count[key] != turns ? " (n = " count[key] ")" : "") : "–" }
function three(key) { return sprintf("{\"n\": %d, \"min\": %.6g, \"median\": %.6g, \"max\": %.6g}", count[key], least[key], middle[key], most[key]) }
function text(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }

FNR == NR { if ($0 ~ /^#/ || !NF) next
	k = split($0, f, "|"); name = trim(f[1]); order[++rows] = name; what[name] = trim(f[2]); unit[name] = trim(f[3]); limit[name] = trim(f[4]); asked[name] = trim(f[5]); next }
$1 == "fact" { key = $2; sub(/^fact [^ ]+ /, ""); if (!(key in fact)) facts[++nfacts] = key; fact[key] = $0; if (key == "turns") turns = $0; next }
$1 == "missing" { missing[$2] = $0; sub(/^missing [^ ]+ /, "", missing[$2]); next }
$1 == "version" { if (!($2 in version)) versions[++nversions] = $2; version[$2] = $3; next }
$1 == "equal" { sub(/^equal /, ""); equal[++equals] = $0; next }
NF == 3 { list[$1 " " $2] = list[$1 " " $2] " " $3; count[$1 " " $2]++ }

function verdict(name, peer, need,   ours) {
	ours = name " ours"
	if (!(ours in count)) return "not measured"
	if (peer != "" && !((name " " peer) in count)) return "peer missing"
	if (limit[name] != "" && most[ours] > limit[name] + 0) return "no"
	if (need != "" && least[name " " peer] / most[ours] < need) return quick ? "–" : "no"
	return limit[name] == "" && need == "" ? "–" : quick && need != "" ? "–" : "yes"
}
function line(name, peer, need, first,   ours, theirs, ratio, medians, met) {
	ours = name " ours"; theirs = name " " peer; met = verdict(name, peer, need)
	ratio = peer != "" && ours in count && theirs in count ? least[theirs] / most[ours] : ""
	medians = ratio != "" ? middle[theirs] / middle[ours] : ""
	if (form == "table")
		printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", first ? what[name] " [" unit[name] "]" : "", first ? figures(ours) : "", first ? (limit[name] == "" ? "–" : limit[name]) : "",
			peer == "" ? "–" : peer, peer == "" ? "–" : figures(theirs), ratio == "" ? "–" : short(ratio) " (" short(medians) ")", need == "" ? "–" : "≥ " need, met
	else {
		printf "%s\n  {\"row\": %s, \"what\": %s, \"unit\": %s, \"ours\": %s", shownrows++ ? "," : "", text(name), text(what[name]), text(unit[name]), ours in count ? three(ours) : "null"
		printf ", \"peer\": %s, \"theirs\": %s", peer == "" ? "null" : text(peer), theirs in count ? three(theirs) : "null"
		printf ", \"limit\": %s, \"ratio\": %s, \"ratio_of_medians\": %s, \"ratio_asked\": %s", limit[name] == "" ? "null" : limit[name], ratio == "" ? "null" : sprintf("%.4g", ratio),
			medians == "" ? "null" : sprintf("%.4g", medians), need == "" ? "null" : need
		printf ", \"met\": %s}", met == "yes" ? "true" : met == "no" ? "false" : "null"
	}
}
END {
	for (key in count) stat(key)
	if (form == "table") {
		printf "%s, commit %s, %s; %s; load %s at the start, %s at the end.", fact["date"], fact["commit"], fact["machine"], fact["compiler"], fact["load_start"], fact["load_end"]
		printf " %s galaxies; n = %s where nothing else is said; min / median / max.\n", grouped(fact["galaxies"]), turns
		for (i = 1; i <= nversions; i++) printf "%s%s %s", i == 1 ? "Peers: " : ", ", versions[i], version[versions[i]]
		for (key in missing) printf "%s%s not measured (%s)", nversions++ ? ", " : "Peers: ", key, missing[key]
		print (nversions ? ".\n" : "") "\n| work [unit] | slew | limit | peer | its time | ratio min/max (medians) | asked | met |\n|---|---|---|---|---|---|---|---|"
	} else {
		print "{"
		for (i = 1; i <= nfacts; i++) printf " %s: %s,\n", text(facts[i]), text(fact[facts[i]])
		printf " \"versions\": {"; for (i = 1; i <= nversions; i++) printf "%s%s: %s", (i > 1 ? ", " : ""), text(versions[i]), text(version[versions[i]])
		printf "},\n \"missing\": {"; for (key in missing) printf "%s%s: %s", m++ ? ", " : "", text(key), text(missing[key])
		printf "},\n \"equality\": ["; for (i = 1; i <= equals; i++) printf "%s\n  %s", (i > 1 ? "," : ""), text(equal[i])
		printf "],\n \"rows\": ["
	}
	for (r = 1; r <= rows; r++) {
		name = order[r]; n = split(asked[name], peers, " ")
		if (n == 0) line(name, "", "", 1)
		for (p = 1; p <= n; p++) { split(peers[p], pair, ">="); line(name, pair[1], pair[2], p == 1) }
	}
	if (form == "table") { if (equals) print ""; for (i = 1; i <= equals; i++) printf " - %s\n", equal[i] }
	else print "]\n}"
}
