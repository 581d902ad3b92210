-- Invariants: each view must be empty (slew check --state DB runs them, on a live state too).

-- [I1] Every alert that was heard is a revision, a repetition or a rejection with its reason.
CREATE VIEW check_alert_lost AS
SELECT i.seq FROM input i WHERE i.kind='alert' AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.seq=i.seq)
  AND NOT EXISTS (SELECT 1 FROM duplicate d WHERE d.seq=i.seq) AND NOT EXISTS (SELECT 1 FROM reject r WHERE r.seq=i.seq);

-- [I2] No position is ahead of the inputs that it stands for.
CREATE VIEW check_position_ahead AS
SELECT p.source, p.topic, p.part, p.next_offset FROM source_position p WHERE p.next_offset>0 AND NOT EXISTS
  (SELECT 1 FROM input i WHERE i.kind='alert' AND i.source=p.source AND i.topic=p.topic AND i.part=p.part AND i.next_offset>=p.next_offset);

-- [I3] One live request per (event, target, epoch) unless the policy says parallel.
CREATE VIEW check_two_live AS
SELECT min(id) AS request, event, target, epoch, count(*) AS live FROM request
WHERE parallel=0 AND state IN ('asked','unsure','accepted','scheduled','running','cancelling')
GROUP BY event, target, epoch HAVING count(*)>1;

-- [I3] A second submit of a token only after proof that the one before created nothing.
CREATE VIEW check_submitted_twice AS
SELECT id AS request, token, submits, void_submits FROM request WHERE submits>1+void_submits;

-- [I3] A submit that is on its way belongs to a request that is asked.
CREATE VIEW check_submit_astray AS
SELECT r.id AS request, f.id AS effect, r.state FROM effect f JOIN request r ON r.id=f.request
WHERE f.verb='submit' AND f.state='released' AND r.state NOT IN ('asked','accepted','scheduled','running','cancelling','done','failed','expired','cancelled');

-- [I3] Unsure is left by a find only: a find is on its way, or due, or a person was told.
CREATE VIEW check_unsure_forgotten AS
SELECT r.id AS request, r.token FROM request r WHERE r.state='unsure'
  AND NOT EXISTS (SELECT 1 FROM effect f WHERE f.request=r.id AND f.verb='find' AND f.state IN ('waiting','released'))
  AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.key='find:'||r.id)
  AND NOT EXISTS (SELECT 1 FROM alarm a WHERE a.subject=r.token AND a.cleared_seq IS NULL);

-- [I4, I5] Nothing that a veto, retraction, downgrade, hold or late sign of a test covers was released after it and before it was lifted.
CREATE VIEW check_released_through_gate AS
SELECT r.id AS request, f.id AS effect, f.verb, g.id AS gate, g.kind FROM effect f JOIN request r ON r.id=f.request
JOIN policy y ON y.id=r.policy JOIN gate g ON (g.event IS NULL OR g.event=r.event) AND (g.facility IS NULL OR g.facility=r.facility)
  AND (g.target IS NULL OR g.target=r.target) AND (g.policy IS NULL OR g.policy=y.name)
WHERE (f.verb='offer' OR (f.verb='submit' AND f.step=0)) AND f.released_seq IS NOT NULL AND f.released_seq>=g.opened_seq
  AND (g.lifted_seq IS NULL OR f.released_seq<g.lifted_seq)
  AND (g.kind IN ('veto','hold','watch','clock','restore') OR (g.kind IN ('retracted','test') AND r.purpose IN ('search','reference','vet'))
  OR (g.kind='downgraded' AND r.purpose IN ('search','reference')));

-- [I4] What lives and is not wanted gets its cancel until the facility confirms, or a person was told.
CREATE VIEW check_unwanted_lives AS
SELECT r.id AS request, r.token, r.state FROM request r WHERE r.unwanted=1 AND (r.state IN ('planned','offered','held','accepted','scheduled')
  OR (r.state='cancelling'
    AND NOT EXISTS (SELECT 1 FROM effect f WHERE f.request=r.id AND f.verb IN ('cancel','poll') AND f.state IN ('waiting','released'))
    AND NOT EXISTS (SELECT 1 FROM timer t WHERE t.key='cancel:'||r.id)
    AND NOT EXISTS (SELECT 1 FROM alarm a WHERE a.subject=r.token AND a.cleared_seq IS NULL)));

-- [I6] No effect without the input that caused it, none released without a body.
CREATE VIEW check_effect_without_cause AS
SELECT f.id FROM effect f LEFT JOIN input i ON i.seq=f.seq WHERE i.seq IS NULL
  OR (f.state='released' AND (f.body IS NULL OR f.released_seq IS NULL OR f.released_seq<f.seq));

-- [I9] At most four transfers at a facility at once.
CREATE VIEW check_too_many_transfers AS
SELECT facility, count(*) AS transfers FROM effect WHERE kind='call' AND state='released' GROUP BY facility HAVING count(*)>4;

-- [I3] What was accepted can be polled and cancelled: its number is known.
CREATE VIEW check_accepted_without_number AS
SELECT id AS request, token, state FROM request WHERE state IN ('accepted','scheduled','running') AND remote_id IS NULL;

-- [I16] No programme over its hours, none over its triggers; live and spent requests are in the ledger.
CREATE VIEW check_programme_overspent AS
SELECT p.name, l.mode, sum(l.seconds)/3600.0 AS hours, ifnull(max(h.hours),0) AS allowed FROM ledger l
JOIN programme p ON p.name=l.programme AND p.state='active' LEFT JOIN programme_hours h ON h.programme=p.name AND h.mode=l.mode
WHERE l.state<>'returned' GROUP BY p.name, l.mode HAVING sum(l.seconds)>3600.0*ifnull(max(h.hours),0)+1;
CREATE VIEW check_live_without_ledger AS
SELECT r.id AS request, r.state FROM request r LEFT JOIN ledger l ON l.request=r.id
WHERE r.state IN ('asked','unsure','accepted','scheduled','running','done') AND (l.request IS NULL OR l.state='returned');

-- [I12] Every target has a verdict; every event that no policy acts on has a reason.
CREATE VIEW check_target_without_verdict AS
SELECT t.id, t.event, t.key FROM target t WHERE NOT EXISTS (SELECT 1 FROM verdict v WHERE v.target=t.id);
CREATE VIEW check_event_without_reason AS
SELECT e.id, e.name FROM event e WHERE e.issuer<>'slew' AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.event=e.id AND d.state='triggered')
  AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.event=e.id AND v.target IS NULL);

-- [I8] An event's newest revision is the newest by (time created, kind, digest).
CREATE VIEW check_newest_revision AS
SELECT e.id, e.name FROM event e JOIN alert l ON l.id=e.latest_alert JOIN alert a ON a.event=e.id AND a.type<>'RETRACTION'
WHERE (a.time_created_us, a.type_rank, a.sha256)>(l.time_created_us, l.type_rank, l.sha256);

-- A retracted event stays retracted, and its gate stays closed.
CREATE VIEW check_retracted AS
SELECT e.id, e.name FROM event e WHERE EXISTS (SELECT 1 FROM alert a WHERE a.event=e.id AND a.type='RETRACTION')
  AND (e.state<>'retracted' OR NOT EXISTS (SELECT 1 FROM gate g WHERE g.kind='retracted' AND g.event=e.id AND g.lifted_seq IS NULL));
