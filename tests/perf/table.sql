-- bench.json (named by :json) as README's table: sqlite3 -batch :memory: ".param set :json \"'FILE'\"" ".read tests/perf/table.sql"
CREATE TABLE bench AS SELECT readfile(:json) AS j;
CREATE VIEW line AS
SELECT key AS n, value ->> 'row' AS row, value ->> 'what' AS what, value ->> 'unit' AS unit, value -> 'ours' AS ours, value ->> 'limit' AS "limit",
	value ->> 'limit_met' AS limit_met, value ->> 'peer' AS peer, value -> 'theirs' AS theirs, value ->> 'ratio' AS ratio,
	value ->> 'ratio_of_medians' AS medians, value ->> 'ratio_asked' AS asked, value ->> 'ratio_met' AS ratio_met,
	row_number() OVER (PARTITION BY value ->> 'row' ORDER BY key) AS k
FROM bench, json_each(j, '$.rows');
-- one line a thing that is promised: a limit, or a ratio
CREATE VIEW verdict AS
SELECT n, 0 AS part, row, limit_met AS met, printf('%s: %s %s, at most %g', row, CASE WHEN ours ->> 'max' >= 1000 THEN printf('%,d', CAST(round(ours ->> 'max') AS INTEGER)) ELSE printf('%.3g', ours ->> 'max') END, unit, "limit") AS words FROM line WHERE k = 1 AND "limit" IS NOT NULL
UNION ALL
SELECT n, 1, row, ratio_met, printf('%s: %.3g × quicker or smaller than %s, at least %g', row, ratio, peer, asked) FROM line WHERE asked IS NOT NULL;
-- numbers of three figures
CREATE TABLE digits(least REAL, form TEXT);
INSERT INTO digits VALUES (1000, '%,d'), (100, '%.0f'), (10, '%.1f'), (-1, '%.2f');
CREATE VIEW figure AS
SELECT n, side, group_concat(printf((SELECT form FROM digits WHERE abs(v) >= least ORDER BY least DESC LIMIT 1), CASE WHEN v >= 1000 THEN CAST(round(v) AS INTEGER) ELSE v END), ' / ') AS words
FROM (SELECT n, 'ours' AS side, ours ->> value AS v FROM line, json_each('["min","median","max"]') WHERE ours <> 'null'
	UNION ALL SELECT n, 'theirs', theirs ->> value FROM line, json_each('["min","median","max"]') WHERE theirs <> 'null'
	UNION ALL SELECT n, 'ratio', ratio FROM line WHERE ratio IS NOT NULL UNION ALL SELECT n, 'medians', medians FROM line WHERE medians IS NOT NULL)
GROUP BY n, side;
CREATE VIEW runs AS
SELECT n, iif(ours ->> 'n' = CAST(j ->> 'turns' AS INTEGER), '', ' (n = ' || (ours ->> 'n') || ')') AS ours, iif(theirs ->> 'n' = CAST(j ->> 'turns' AS INTEGER), '', ' (n = ' || (theirs ->> 'n') || ')') AS theirs
FROM line, bench;

SELECT printf('%s, commit %s, %s; %s; load %s at the start, %s at the end; %s minutes. %,d galaxies; n = %s where nothing else is said; min / median / max.%s', j ->> 'date',
	j ->> 'commit', j ->> 'machine', j ->> 'compiler', j ->> 'load_start', j ->> 'load_end', j ->> 'minutes', CAST(j ->> 'galaxies' AS INTEGER), j ->> 'turns',
	iif(j ->> 'quick' = '0', '', ' **A quick run: its ratios are not judged.**')) FROM bench;
SELECT 'Peers: ' || group_concat(words, ', ') || '.' FROM (SELECT key || ' ' || value AS words FROM bench, json_each(j, '$.versions')
	UNION ALL SELECT key || ' not measured (' || value || ')' FROM bench, json_each(j, '$.missing')) HAVING count(*) > 0;
SELECT printf('Of %d limits and ratios %d are met, %d fall short, %d are not measured%s.', count(*), count(*) FILTER (WHERE met), count(*) FILTER (WHERE NOT met),
	count(*) FILTER (WHERE met IS NULL), iif(max(j ->> 'quick') = '0', '', ' or not judged')) FROM verdict, bench;
SELECT char(10) || '| work [unit] | slew | limit | | peer | its figure | ratio min/max (medians) | asked | |' || char(10) || '|---|---|---|---|---|---|---|---|---|';
SELECT printf('| %s | %s | %s | %s | %s | %s | %s | %s | %s |', iif(k = 1, what || ' [' || unit || '] <sub>' || row || '</sub>', ''),
	iif(k = 1, ifnull((SELECT words FROM figure f WHERE f.n = l.n AND side = 'ours') || (SELECT ours FROM runs r WHERE r.n = l.n), 'not measured'), ''),
	iif(k = 1, ifnull("limit", '–'), ''), iif(k > 1 OR "limit" IS NULL, '', CASE limit_met WHEN 1 THEN 'met' WHEN 0 THEN '**falls short**' ELSE '' END),
	ifnull(peer, '–'), iif(peer IS NULL, '–', ifnull((SELECT words FROM figure f WHERE f.n = l.n AND side = 'theirs') || (SELECT theirs FROM runs r WHERE r.n = l.n), 'not measured')),
	ifnull((SELECT words FROM figure f WHERE f.n = l.n AND side = 'ratio') || ' (' || (SELECT words FROM figure f WHERE f.n = l.n AND side = 'medians') || ')', '–'),
	ifnull('≥ ' || asked, '–'), CASE ratio_met WHEN 1 THEN 'met' WHEN 0 THEN '**falls short**' ELSE '' END)
FROM line l ORDER BY n;
SELECT iif(row_number() OVER (ORDER BY n, part) = 1, char(10) || 'What falls short:' || char(10) || char(10), '') || ' - ' || words FROM verdict WHERE met = 0 ORDER BY n, part;
SELECT iif(key = 0, char(10) || 'The same answers:' || char(10) || char(10), '') || ' - ' || value FROM bench, json_each(j, '$.equality') ORDER BY key;
