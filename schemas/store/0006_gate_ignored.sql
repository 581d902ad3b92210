-- [I4, I5] What lives although a veto, a retraction or a late sign of a test covers it is unwanted: on its way out, or a person's.
CREATE VIEW check_gate_ignored AS
SELECT r.id AS request, r.token, r.state, g.id AS gate, g.kind FROM request r JOIN gate g ON g.lifted_seq IS NULL
  AND (g.event IS NULL OR g.event=r.event) AND (g.facility IS NULL OR g.facility=r.facility) AND (g.target IS NULL OR g.target=r.target)
WHERE r.unwanted=0 AND r.state IN ('asked','unsure','accepted','scheduled','running')
  AND (g.kind='veto' OR (g.kind IN ('retracted','test') AND r.purpose IN ('search','reference','vet')));
