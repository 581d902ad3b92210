-- Rules of programmes as data (engine/request/programme.h).
ALTER TABLE programme ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';      -- JSON: what the configuration says beside facility, proposal, hours, triggers
ALTER TABLE programme ADD COLUMN rules_seq INTEGER NOT NULL DEFAULT 0;  -- the configuration that changed rules or triggers last
ALTER TABLE programme ADD COLUMN from_us INTEGER;                       -- visits that begin before are of another semester; NULL: all count
ALTER TABLE programme_hours ADD COLUMN triggers INTEGER NOT NULL DEFAULT 1 CHECK (triggers IN (0,1)); -- a request of that mode uses a trigger
UPDATE programme_hours SET triggers=0 WHERE mode='NORMAL';
UPDATE programme SET rules_seq=ifnull((SELECT max(seq) FROM (SELECT c.seq, json_extract(p.value,'$.triggers') AS now,
  lag(json_extract(p.value,'$.triggers')) OVER (ORDER BY c.seq) AS was, row_number() OVER (ORDER BY c.seq) AS n
  FROM config c, json_each(c.body, '$.config.programmes') p WHERE json_extract(p.value, '$.name')=programme.name) WHERE n>1 AND now IS NOT was), 0);
CREATE TABLE programme_blocked (     -- the blocked nights of each site, from noon to noon, as rows for the view below
  programme TEXT NOT NULL REFERENCES programme(name),
  site TEXT NOT NULL,
  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  PRIMARY KEY (programme, site, start_us, end_us)
) STRICT, WITHOUT ROWID;

-- What counts in the semester, and which of it uses a trigger: one for each event.
CREATE VIEW ledger_counted AS
SELECT l.request, l.programme, l.event, l.mode, l.seconds, l.state, ifnull(h.triggers, l.mode<>'NORMAL') AS triggers
FROM ledger l JOIN request r ON r.id=l.request JOIN programme p ON p.name=l.programme
LEFT JOIN programme_hours h ON h.programme=l.programme AND h.mode=l.mode
WHERE l.state<>'returned' AND (p.from_us IS NULL OR r.start_us>=p.from_us);

-- As before (0013), counted in the semester.
DROP VIEW check_programme_overspent;
CREATE VIEW check_programme_overspent AS
SELECT name, mode, hours, allowed FROM (
  SELECT p.name AS name, l.mode AS mode, sum(l.seconds)/3600.0 AS hours, ifnull(max(h.hours),0) AS allowed, max(p.rules_seq,ifnull(max(h.since_seq),0)) AS since
  FROM ledger_counted l JOIN programme p ON p.name=l.programme AND p.state='active' LEFT JOIN programme_hours h ON h.programme=p.name AND h.mode=l.mode
  GROUP BY p.name, l.mode HAVING sum(l.seconds)>3600.0*ifnull(max(h.hours),0)+1) o
WHERE EXISTS (SELECT 1 FROM ledger_counted k JOIN request_change x ON x.request=k.request AND x.to_state='asked' AND x.seq>=o.since
  WHERE k.programme=o.name AND k.mode=o.mode AND (SELECT total(m.seconds) FROM ledger_counted m
  WHERE m.programme=o.name AND m.mode=o.mode AND ((SELECT z.to_state FROM request_change z WHERE z.request=m.request AND z.id<=x.id
  ORDER BY z.id DESC LIMIT 1) IN ('asked','unsure','accepted','scheduled','running','cancelling','done')
  OR EXISTS (SELECT 1 FROM request_change z WHERE z.request=m.request AND z.id<=x.id AND z.to_state='running')))
  >3600.0*o.allowed+1);

-- [I16] No programme over its triggers: none was asked for an event that had none, when as many events as it has triggers had one in that
-- moment. What the facility showed or brought back only later was not there yet.
CREATE VIEW check_programme_triggers AS
SELECT name, used, allowed FROM (
  SELECT p.name AS name, count(DISTINCT l.event) AS used, p.triggers AS allowed, p.rules_seq AS since
  FROM ledger_counted l JOIN programme p ON p.name=l.programme AND p.state='active' AND p.triggers IS NOT NULL
  WHERE l.triggers GROUP BY p.name HAVING count(DISTINCT l.event)>p.triggers) o
WHERE EXISTS (SELECT 1 FROM ledger_counted k JOIN request_change x ON x.request=k.request AND x.to_state='asked' AND x.seq>=o.since
  WHERE k.programme=o.name AND k.triggers AND o.allowed<(SELECT count(DISTINCT m.event) FROM ledger_counted m WHERE m.programme=o.name AND m.triggers
  AND ((SELECT z.to_state FROM request_change z WHERE z.request=m.request AND z.id<=x.id ORDER BY z.id DESC LIMIT 1)
  IN ('asked','unsure','accepted','scheduled','running','cancelling','done')
  OR EXISTS (SELECT 1 FROM request_change z WHERE z.request=m.request AND z.id<=x.id AND z.to_state='running')))
  AND NOT EXISTS (SELECT 1 FROM ledger_counted m WHERE m.programme=o.name AND m.triggers AND m.event=k.event AND m.request<>k.request
  AND EXISTS (SELECT 1 FROM request_change z WHERE z.request=m.request AND z.id<x.id AND z.to_state IN ('asked','accepted','scheduled','running','done'))));

-- Nothing was asked for a night that was blocked by then, at whichever site of its facility.
CREATE VIEW check_asked_for_blocked_night AS
SELECT r.id AS request, r.token, r.programme FROM request r JOIN programme p ON p.name=r.programme AND p.state='active'
WHERE EXISTS (SELECT 1 FROM programme_blocked b WHERE b.programme=r.programme)
  AND NOT EXISTS (SELECT 1 FROM programme_blocked s WHERE s.programme=r.programme AND NOT EXISTS (SELECT 1 FROM programme_blocked b
  WHERE b.programme=s.programme AND b.site=s.site AND r.start_us<b.end_us AND r.end_us>=b.start_us))
  AND EXISTS (SELECT 1 FROM request_change x WHERE x.request=r.id AND x.to_state='asked' AND x.seq>=p.rules_seq);
