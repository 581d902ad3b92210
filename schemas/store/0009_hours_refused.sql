-- A facility that has refused a mode for want of time is not asked for it again, galaxy after galaxy, until time is known to have come back.
CREATE TABLE hours_refused (
  programme TEXT NOT NULL REFERENCES programme(name),
  mode TEXT NOT NULL,
  seconds REAL NOT NULL,             -- what was asked for: less may still be had
  left_h REAL,                       -- what its status said was left at that moment; NULL: nothing
  words TEXT NOT NULL,               -- the facility's own
  tick_us INTEGER NOT NULL,          -- after a day it is asked anew
  seq INTEGER NOT NULL REFERENCES input(seq),
  PRIMARY KEY (programme, mode)
) STRICT, WITHOUT ROWID;
