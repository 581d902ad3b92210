-- [I4, I5] Nothing that a gate covers was released after it was closed and before it was lifted: now also of a full disk. An approval's gate is
-- closed by a release that asks it, so what left in the same turn before it is no breach.
DROP VIEW check_released_through_gate;
CREATE VIEW check_released_through_gate AS
SELECT r.id AS request, f.id AS effect, f.verb, g.id AS gate, g.kind FROM effect f JOIN request r ON r.id=f.request
JOIN policy y ON y.id=r.policy JOIN gate g ON (g.event IS NULL OR g.event=r.event) AND (g.facility IS NULL OR g.facility=r.facility)
  AND (g.target IS NULL OR g.target=r.target) AND (g.policy IS NULL OR g.policy=y.name)
WHERE (f.verb='offer' OR (f.verb='submit' AND f.step=0)) AND f.released_seq IS NOT NULL AND f.released_seq>=g.opened_seq
  AND (g.lifted_seq IS NULL OR f.released_seq<g.lifted_seq)
  AND (g.kind IN ('veto','hold','watch','clock','restore','disk') OR (g.kind IN ('retracted','test') AND r.purpose IN ('search','reference','vet'))
  OR (g.kind='downgraded' AND r.purpose IN ('search','reference')) OR (g.kind='approval' AND f.released_seq>g.opened_seq));
