-- [I16] Hours that a configuration takes away were not overspent: what was asked before they were lowered stays spent. A programme is overspent
-- when something was asked since, although what there was by then was over its hours already; what the facility itself brought back later, or
-- showed to a restored copy, was not there yet.
ALTER TABLE programme_hours ADD COLUMN since_seq INTEGER NOT NULL DEFAULT 0; -- the configuration that lowered them last
UPDATE programme_hours SET since_seq=ifnull((SELECT max(seq) FROM (SELECT c.seq, h.value AS now, lag(h.value) OVER (ORDER BY c.seq) AS was
  FROM config c, json_each(c.body, '$.config.programmes') p, json_each(p.value, '$.hours') h
  WHERE json_extract(p.value, '$.name')=programme_hours.programme AND h.key=programme_hours.mode) WHERE now<was), 0);
DROP VIEW check_programme_overspent;
CREATE VIEW check_programme_overspent AS
SELECT name, mode, hours, allowed FROM (
  SELECT p.name AS name, l.mode AS mode, sum(l.seconds)/3600.0 AS hours, ifnull(max(h.hours),0) AS allowed, ifnull(max(h.since_seq),0) AS since FROM ledger l
  JOIN programme p ON p.name=l.programme AND p.state='active' LEFT JOIN programme_hours h ON h.programme=p.name AND h.mode=l.mode
  WHERE l.state<>'returned' GROUP BY p.name, l.mode HAVING sum(l.seconds)>3600.0*ifnull(max(h.hours),0)+1) o
WHERE EXISTS (SELECT 1 FROM ledger k JOIN request_change x ON x.request=k.request AND x.to_state='asked' AND x.seq>=o.since
  WHERE k.programme=o.name AND k.mode=o.mode AND k.state<>'returned' AND (SELECT total(m.seconds) FROM ledger m JOIN request r ON r.id=m.request
  WHERE m.programme=o.name AND m.mode=o.mode AND m.state<>'returned' AND r.created_seq<=x.seq
  AND NOT EXISTS (SELECT 1 FROM request_change z WHERE z.request=m.request AND z.seq>x.seq AND z.from_state IN ('declined','cancelled','expired','failed')))
  >3600.0*o.allowed+1);
