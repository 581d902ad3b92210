-- Without a rowid a row is its own index entry: each comparison on the way to a digest read whole maps of megabytes, each look at a facility's
-- memo its descriptor. Now the keys have a small index, and what is large stands last.
CREATE TABLE blob_before (sha256, size, body);
INSERT INTO blob_before SELECT sha256, size, body FROM blob ORDER BY sha256;
DROP TABLE blob;
CREATE TABLE blob (sha256 TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
INSERT INTO blob SELECT sha256, size, body FROM blob_before ORDER BY rowid;
DROP TABLE blob_before;

CREATE TABLE facility_before (name, adapter, state, accepts_tests, memo, detail, failures, checked_us, changed_seq, descriptor);
INSERT INTO facility_before SELECT name, adapter, state, accepts_tests, memo, detail, failures, checked_us, changed_seq, descriptor
  FROM facility ORDER BY name;
DROP TABLE facility;
CREATE TABLE facility (
  name TEXT NOT NULL PRIMARY KEY,
  adapter TEXT NOT NULL,             -- registry name
  state TEXT NOT NULL CHECK (state IN ('unknown','open','closed','gone')),
  accepts_tests INTEGER NOT NULL CHECK (accepts_tests IN (0,1)),
  memo TEXT NOT NULL DEFAULT '{}',   -- the adapter's notes, feed cursor
  detail TEXT NOT NULL DEFAULT '{}', -- last status answer
  failures INTEGER NOT NULL DEFAULT 0, -- in a row; back-off grows with it
  checked_us INTEGER,
  changed_seq INTEGER NOT NULL,
  descriptor TEXT NOT NULL           -- JSON
) STRICT;
INSERT INTO facility SELECT * FROM facility_before ORDER BY rowid;
DROP TABLE facility_before;
