-- [I16] What is being cancelled is still there, and may yet be observed: it counts until the facility confirms, also when only a report brought
-- it to life (a restored copy's sweep shows what is vetoed by now).
INSERT INTO ledger(request,programme,event,mode,seconds,state,seq)
SELECT id, programme, event, mode, ifnull(seconds,0), 'held', changed_seq FROM request WHERE state='cancelling'
ON CONFLICT(request) DO UPDATE SET state='held', seq=excluded.seq WHERE state='returned';
DROP VIEW check_live_without_ledger;
CREATE VIEW check_live_without_ledger AS
SELECT r.id AS request, r.state FROM request r LEFT JOIN ledger l ON l.request=r.id
WHERE r.state IN ('asked','unsure','accepted','scheduled','running','cancelling','done') AND (l.request IS NULL OR l.state='returned');

-- A programme is overspent when something was asked although what lived or was done in that moment, with it, was over its hours. What the
-- facility showed or brought back only later was not there yet.
DROP VIEW check_programme_overspent;
CREATE VIEW check_programme_overspent AS
SELECT name, mode, hours, allowed FROM (
  SELECT p.name AS name, l.mode AS mode, sum(l.seconds)/3600.0 AS hours, ifnull(max(h.hours),0) AS allowed, ifnull(max(h.since_seq),0) AS since FROM ledger l
  JOIN programme p ON p.name=l.programme AND p.state='active' LEFT JOIN programme_hours h ON h.programme=p.name AND h.mode=l.mode
  WHERE l.state<>'returned' GROUP BY p.name, l.mode HAVING sum(l.seconds)>3600.0*ifnull(max(h.hours),0)+1) o
WHERE EXISTS (SELECT 1 FROM ledger k JOIN request_change x ON x.request=k.request AND x.to_state='asked' AND x.seq>=o.since
  WHERE k.programme=o.name AND k.mode=o.mode AND k.state<>'returned' AND (SELECT total(m.seconds) FROM ledger m
  WHERE m.programme=o.name AND m.mode=o.mode AND m.state<>'returned' AND ((SELECT z.to_state FROM request_change z WHERE z.request=m.request AND z.id<=x.id
  ORDER BY z.id DESC LIMIT 1) IN ('asked','unsure','accepted','scheduled','running','cancelling','done')
  OR EXISTS (SELECT 1 FROM request_change z WHERE z.request=m.request AND z.id<=x.id AND z.to_state='running')))
  >3600.0*o.allowed+1);
