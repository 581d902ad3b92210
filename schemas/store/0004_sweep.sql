-- After each start every facility shows all that has our names: what a restored copy has forgotten becomes rows.

CREATE TABLE sweep (                 -- the newest sweep of each facility
  facility TEXT PRIMARY KEY REFERENCES facility(name),
  since_us INTEGER,                  -- what was made there since; NULL: all
  restored INTEGER NOT NULL CHECK (restored IN (0,1)), -- of a restored copy: strays are taken over
  state TEXT NOT NULL CHECK (state IN ('open','done','cannot')), -- cannot: the facility cannot be searched
  started_seq INTEGER NOT NULL REFERENCES input(seq),
  done_seq INTEGER REFERENCES input(seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE stray (                 -- shown by an open sweep, unknown here: judged when its last page is read
  facility TEXT NOT NULL REFERENCES facility(name),
  remote_id TEXT NOT NULL,
  token TEXT NOT NULL,
  signal TEXT NOT NULL,              -- how it stands there
  seconds REAL,
  words TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '{}', -- facilities/facility.h: what a sweep tells about it
  PRIMARY KEY (facility, remote_id)
) STRICT, WITHOUT ROWID;

-- [I15] The gate of a restored copy stays shut until its facility has been read to the end, or a person has opened it.
CREATE VIEW check_restore_forgotten AS
SELECT g.id AS gate, g.facility FROM gate g LEFT JOIN sweep s ON s.facility=g.facility
WHERE g.kind='restore' AND g.lifted_seq IS NULL AND (s.facility IS NULL OR s.restored=0);
