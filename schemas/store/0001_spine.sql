-- The state of the engine: all of it. Times are UTC microseconds since 1970 (…_us) or ticks (…_tick_us, delays).
-- STRICT tables, CHECK on every state, UNIQUE does the idempotency. Migrations only go forward; PRAGMA user_version counts them.

CREATE TABLE store (                 -- one row: who this database is (STATE.lock remembers id and last sequence)
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  installation TEXT NOT NULL,        -- 8 hex digits, in every token
  clock_anchor_us INTEGER,           -- wall time at which a virtual clock's start holds
  created_us INTEGER NOT NULL
) STRICT;

-- inbox ------------------------------------------------------------------------------------------------------------------------
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE input (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('config','alert','reply','result','order','timer','clock','gap')),
  utc_us INTEGER NOT NULL,
  tick_us INTEGER NOT NULL,
  effect INTEGER,                    -- reply, result: which effect it answers
  source TEXT, topic TEXT, part INTEGER, next_offset INTEGER,
  turn INTEGER NOT NULL DEFAULT 0,   -- first seq of the turn it was decided in: replay keeps the turns
  meta TEXT,                         -- JSON: reply status and headers kept, uid/pid of an order, random bits, flags
  sha256 TEXT REFERENCES blob(sha256), -- body over 4 KiB
  body BLOB                          -- body up to 4 KiB
) STRICT;
CREATE INDEX input_effect ON input(effect) WHERE effect IS NOT NULL;
CREATE INDEX input_position ON input(source, topic, part, next_offset) WHERE kind='alert';

CREATE TABLE reject (seq INTEGER PRIMARY KEY REFERENCES input(seq), reason TEXT NOT NULL) STRICT;

CREATE TABLE duplicate (             -- an alert input that brought nothing new: which alert it repeats
  seq INTEGER PRIMARY KEY REFERENCES input(seq),
  alert INTEGER NOT NULL
) STRICT;

CREATE TABLE source_position (       -- same transaction as what the message caused; the broker's group offset is a courtesy
  source TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL,
  cluster TEXT NOT NULL DEFAULT '',
  next_offset INTEGER NOT NULL,
  timestamp_us INTEGER,
  PRIMARY KEY (source, topic, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE config (                -- each journalled configuration; the newest is in force
  seq INTEGER PRIMARY KEY REFERENCES input(seq),
  sha256 TEXT NOT NULL,
  catalog_sha256 TEXT,
  body TEXT NOT NULL
) STRICT;

-- what was heard ----------------------------------------------------------------------------------------------------------------
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  issuer TEXT NOT NULL,              -- closed list: lvk, slew, …
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('heard','triggered','watch','downgraded','retracted','closed')),
  is_test TEXT NOT NULL DEFAULT '[]',-- JSON array of reasons; sticks
  time_us INTEGER,
  first_seq INTEGER NOT NULL REFERENCES input(seq),
  latest_alert INTEGER,              -- alert.id of the newest revision by revision order
  generation_map INTEGER NOT NULL DEFAULT 0,
  generation_rank INTEGER NOT NULL DEFAULT 0,
  generation_plan INTEGER NOT NULL DEFAULT 0,
  by_person INTEGER NOT NULL DEFAULT 0 CHECK (by_person IN (0,1)), -- injected as real: approval is always the operator's
  changed_seq INTEGER NOT NULL,
  UNIQUE (issuer, name)
) STRICT;

CREATE TABLE alert (                 -- one row per distinct revision; duplicates only have their input row
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event(id),
  seq INTEGER NOT NULL REFERENCES input(seq),
  type TEXT NOT NULL CHECK (type IN ('EARLYWARNING','PRELIMINARY','INITIAL','UPDATE','RETRACTION')),
  type_rank INTEGER NOT NULL,
  time_created_us INTEGER NOT NULL,
  sha256 TEXT NOT NULL,              -- of the bytes heard
  received_us INTEGER NOT NULL,
  stream TEXT NOT NULL DEFAULT '',
  map_sha256 TEXT,                   -- blob of the FITS bytes
  normal TEXT NOT NULL,              -- normal JSON (slew decode)
  UNIQUE (event, time_created_us, type_rank, sha256)
) STRICT;

CREATE INDEX alert_seq ON alert(seq);
CREATE INDEX alert_map ON alert(map_sha256) WHERE map_sha256 IS NOT NULL;

CREATE TABLE fact (                  -- one row per revision, frozen but for its map columns; names: engine/alert/fact.h
  alert INTEGER PRIMARY KEY REFERENCES alert(id),
  map_state TEXT NOT NULL CHECK (map_state IN ('none','wanted','ready','failed','late')),
  source TEXT, kind TEXT, alert_type TEXT, is_test REAL, significant REAL, age_s REAL, group_name TEXT, search TEXT,
  n_detectors REAL, far_hz REAL, far_per_year REAL, p_bns REAL, p_nsbh REAL, p_bbh REAL, p_massgap REAL, p_terrestrial REAL,
  has_ns REAL, has_remnant REAL, has_mass_gap REAL, has_ssm REAL, p_astro REAL, stream TEXT,
  area50_deg2 REAL, area90_deg2 REAL, dist_mean_mpc REAL, dist_std_mpc REAL, has_map REAL, is_3d REAL, ra_deg REAL, dec_deg REAL,
  error_deg REAL, gal_b_deg REAL, t90_s REAL, messenger TEXT, n_messengers REAL, joint_far_per_year REAL, revised REAL
) STRICT;

CREATE TABLE skymap (                -- what the map child and the summary said, once per distinct map
  sha256 TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('wanted','ready','failed')),
  summary TEXT,                      -- JSON of engine/core/compute.h
  error TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE target (                -- what can be pointed at: today the ranked galaxies of an event
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event(id),
  key TEXT NOT NULL,                 -- the catalogue's published name and id, never a row number
  kind TEXT NOT NULL CHECK (kind IN ('galaxy','field','candidate')),
  name TEXT NOT NULL,
  ra_deg REAL NOT NULL, dec_deg REAL NOT NULL,
  distance_mpc REAL, distance_err_mpc REAL,
  rank INTEGER, dpdv_per_mpc3 REAL, share REAL, cumulative_share REAL,
  generation INTEGER NOT NULL,       -- of the rank that last held it; an older one has dropped out
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0,1)),
  UNIQUE (event, key)
) STRICT;

CREATE TABLE candidate (             -- a possible counterpart; today nothing fills it (nor measurement)
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event(id),
  name TEXT NOT NULL, origin TEXT NOT NULL,
  ra_deg REAL NOT NULL, dec_deg REAL NOT NULL, error_deg REAL,
  state TEXT NOT NULL CHECK (state IN ('new','promoted','rejected')),
  seq INTEGER NOT NULL REFERENCES input(seq),
  detail TEXT NOT NULL DEFAULT '{}',
  UNIQUE (event, origin, name)
) STRICT;
CREATE TABLE measurement (
  id INTEGER PRIMARY KEY,
  candidate INTEGER NOT NULL REFERENCES candidate(id),
  utc_us INTEGER NOT NULL, band TEXT NOT NULL, value REAL, error REAL, unit TEXT NOT NULL, is_limit INTEGER NOT NULL CHECK (is_limit IN (0,1)),
  origin TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES input(seq),
  UNIQUE (candidate, utc_us, band, origin)
) STRICT;
CREATE TABLE association (           -- links events, never merges them
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event(id),
  other INTEGER NOT NULL REFERENCES event(id),
  role TEXT NOT NULL, method TEXT NOT NULL, value REAL,
  seq INTEGER NOT NULL REFERENCES input(seq),
  UNIQUE (event, other, role)
) STRICT;

-- rules -------------------------------------------------------------------------------------------------------------------------
CREATE TABLE policy (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES input(seq),
  current INTEGER NOT NULL CHECK (current IN (0,1)),
  UNIQUE (name, sha256)
) STRICT;
CREATE UNIQUE INDEX policy_current ON policy(name) WHERE current = 1;

CREATE TABLE decision (              -- what a policy makes of an event now (one row each), by its newest revision that could be judged
  event INTEGER NOT NULL REFERENCES event(id),
  policy TEXT NOT NULL,              -- policy.name
  alert INTEGER NOT NULL REFERENCES alert(id),
  outcome TEXT NOT NULL CHECK (outcome IN ('true','false','unknown','waiting')),
  state TEXT NOT NULL CHECK (state IN ('idle','warm','triggered','downgraded')),
  missing TEXT,                      -- facts that were not known
  approved INTEGER NOT NULL DEFAULT 0 CHECK (approved IN (0,1)),
  approved_h REAL,
  approved_by TEXT NOT NULL DEFAULT '[]', -- uids, where a policy wants more than one person
  stale_plans INTEGER NOT NULL DEFAULT 0, -- in a row; the third is applied
  changed_seq INTEGER NOT NULL,
  PRIMARY KEY (event, policy)
) STRICT, WITHOUT ROWID;

CREATE TABLE facility (
  name TEXT PRIMARY KEY,
  adapter TEXT NOT NULL,             -- registry name
  state TEXT NOT NULL CHECK (state IN ('unknown','open','closed','gone')),
  accepts_tests INTEGER NOT NULL CHECK (accepts_tests IN (0,1)),
  descriptor TEXT NOT NULL,          -- JSON
  memo TEXT NOT NULL DEFAULT '{}',   -- the adapter's notes, feed cursor
  detail TEXT NOT NULL DEFAULT '{}', -- last status answer
  failures INTEGER NOT NULL DEFAULT 0, -- in a row; back-off grows with it
  checked_us INTEGER,
  changed_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE programme (
  name TEXT PRIMARY KEY,
  facility TEXT NOT NULL REFERENCES facility(name),
  proposal TEXT NOT NULL,
  hours TEXT NOT NULL,               -- JSON {"NORMAL":h,…}
  triggers INTEGER,
  state TEXT NOT NULL CHECK (state IN ('active','gone'))
) STRICT, WITHOUT ROWID;

CREATE TABLE programme_hours (       -- the same hours as rows: a view may not use JSON functions (trusted_schema is off)
  programme TEXT NOT NULL REFERENCES programme(name),
  mode TEXT NOT NULL,
  hours REAL NOT NULL,
  PRIMARY KEY (programme, mode)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (                -- what a request costs its programme; unsure counts as spent
  request INTEGER PRIMARY KEY REFERENCES request(id),
  programme TEXT NOT NULL REFERENCES programme(name),
  event INTEGER NOT NULL REFERENCES event(id),
  mode TEXT NOT NULL,
  seconds REAL NOT NULL CHECK (seconds >= 0),
  state TEXT NOT NULL CHECK (state IN ('held','spent','returned')),
  seq INTEGER NOT NULL
) STRICT;

-- what is asked -----------------------------------------------------------------------------------------------------------------
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,        -- slew- 8 hex (installation) - 20 hex (engine/core/requests.c)
  event INTEGER NOT NULL REFERENCES event(id),
  target INTEGER NOT NULL REFERENCES target(id),
  facility TEXT NOT NULL REFERENCES facility(name),
  programme TEXT NOT NULL REFERENCES programme(name),
  policy INTEGER NOT NULL REFERENCES policy(id),
  purpose TEXT NOT NULL CHECK (purpose IN ('search','reference','vet','spectrum','monitor')),
  epoch INTEGER NOT NULL,
  variant INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('planned','offered','held','asked','unsure','accepted','scheduled','running','cancelling',
                                       'done','declined','cancelled','expired','failed')),
  unwanted INTEGER NOT NULL DEFAULT 0 CHECK (unwanted IN (0,1)),
  unwanted_why TEXT,
  refused_stem TEXT, refused_words TEXT, refused_ipp_max REAL, -- of the last refusal: what the ladder has to change, and the facility's own words
  reserve INTEGER NOT NULL DEFAULT 0 CHECK (reserve IN (0,1)),
  parallel INTEGER NOT NULL DEFAULT 0 CHECK (parallel IN (0,1)),
  mode TEXT NOT NULL,
  body TEXT NOT NULL,                -- JSON of the plan's request: filters, exposure_s, count, ipp, max_airmass, min_moon_deg, site, value …
  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
  promised_us INTEGER,               -- must have started by then, or the reserve is asked
  seconds REAL,                      -- with overheads, once offered
  remote_id TEXT,
  memo TEXT,                         -- the adapter's notes
  absences INTEGER NOT NULL DEFAULT 0, -- complete finds without it since the last doubt
  doubt_tick_us INTEGER, absent_tick_us INTEGER,
  cancels INTEGER NOT NULL DEFAULT 0,-- cancels answered while the facility does not confirm
  submits INTEGER NOT NULL DEFAULT 0,-- how often a submit of this token was released
  void_submits INTEGER NOT NULL DEFAULT 0, -- of these, proven to have created nothing (not sent, refused, absent twice)
  created_us INTEGER NOT NULL,
  created_seq INTEGER NOT NULL,
  changed_seq INTEGER NOT NULL,
  written_seq INTEGER NOT NULL DEFAULT 0, -- when its last submit, cancel or find was answered: effects released before are ignored
  UNIQUE (event, target, facility, epoch, variant)
) STRICT;
CREATE UNIQUE INDEX request_remote ON request(facility, remote_id) WHERE remote_id IS NOT NULL;
CREATE UNIQUE INDEX request_one_live ON request(event, target, epoch)
  WHERE parallel = 0 AND state IN ('asked','unsure','accepted','scheduled','running','cancelling');
CREATE INDEX request_state ON request(state);
CREATE INDEX request_changed ON request(changed_seq);

CREATE TABLE request_change (        -- every transition, for explain and the night report
  id INTEGER PRIMARY KEY,
  request INTEGER NOT NULL REFERENCES request(id),
  seq INTEGER NOT NULL REFERENCES input(seq),
  utc_us INTEGER NOT NULL,
  signal TEXT NOT NULL, from_state TEXT NOT NULL, to_state TEXT NOT NULL,
  words TEXT
) STRICT;
CREATE INDEX request_change_request ON request_change(request);
CREATE INDEX request_change_seq ON request_change(seq);

CREATE TABLE ignored_signal (        -- cells of the life-cycle table without a change, counted
  state TEXT NOT NULL, signal TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (state, signal)
) STRICT, WITHOUT ROWID;

CREATE TABLE offer (
  id INTEGER PRIMARY KEY,
  request INTEGER NOT NULL REFERENCES request(id),
  seq INTEGER NOT NULL REFERENCES input(seq),
  outcome TEXT NOT NULL CHECK (outcome IN ('accepted','declined','countered','unknown')),
  seconds REAL, field TEXT, stem TEXT, words TEXT, price TEXT,
  chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0,1))
) STRICT;
CREATE INDEX offer_request ON offer(request);

CREATE TABLE observation (           -- what a telescope does with an accepted request; ids are disposable before running
  id INTEGER PRIMARY KEY,
  request INTEGER NOT NULL REFERENCES request(id),
  facility TEXT NOT NULL,
  remote_id TEXT NOT NULL,
  site TEXT, telescope TEXT,
  state TEXT NOT NULL CHECK (state IN ('scheduled','running','done','failed','cancelled')),
  start_us INTEGER, end_us INTEGER,
  words TEXT,
  seq INTEGER NOT NULL,
  UNIQUE (facility, remote_id)
) STRICT;

CREATE TABLE data_product (
  id INTEGER PRIMARY KEY,
  facility TEXT NOT NULL,
  request INTEGER NOT NULL REFERENCES request(id),
  basename TEXT NOT NULL, level TEXT NOT NULL,
  version TEXT, detail TEXT NOT NULL DEFAULT '{}',
  seq INTEGER NOT NULL,
  UNIQUE (facility, request, basename, level)
) STRICT;

CREATE TABLE verdict (               -- why not (or: that it was); one per target, and one per event and policy (target NULL)
  id INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES event(id),
  policy TEXT NOT NULL DEFAULT '',
  target INTEGER REFERENCES target(id),
  facility TEXT,
  code TEXT NOT NULL,                -- engine/request/plan.h VERDICTS
  detail TEXT NOT NULL DEFAULT '',
  seq INTEGER NOT NULL REFERENCES input(seq)
) STRICT;
CREATE INDEX verdict_target ON verdict(target) WHERE target IS NOT NULL;
CREATE UNIQUE INDEX verdict_one ON verdict(event, policy, ifnull(target, 0));

-- people ------------------------------------------------------------------------------------------------------------------------
CREATE TABLE operator_order (
  seq INTEGER PRIMARY KEY REFERENCES input(seq),
  uid INTEGER NOT NULL, pid INTEGER NOT NULL,
  verb TEXT NOT NULL, body TEXT NOT NULL, why TEXT NOT NULL DEFAULT '',
  answer TEXT NOT NULL
) STRICT;

CREATE TABLE gate (                  -- open row = closed gate: asked at release for offers and submits
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('veto','retracted','test','downgraded','watch','hold','approval','budget','clock','restore','disk')),
  event INTEGER REFERENCES event(id),
  facility TEXT,
  target INTEGER REFERENCES target(id),
  policy TEXT,
  reason TEXT NOT NULL DEFAULT '',
  due_us INTEGER,                    -- downgraded: when it bites; watch: when it closes
  opened_seq INTEGER NOT NULL REFERENCES input(seq),
  lifted_seq INTEGER REFERENCES input(seq)
) STRICT;
CREATE UNIQUE INDEX gate_one ON gate(kind, ifnull(event, 0), ifnull(facility, ''), ifnull(target, 0), ifnull(policy, ''))
  WHERE lifted_seq IS NULL;

CREATE TABLE alarm (                 -- a person is needed
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES input(seq),
  utc_us INTEGER NOT NULL,
  subject TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  times INTEGER NOT NULL DEFAULT 1,  -- the same alarm again, while it is not cleared
  cleared_seq INTEGER
) STRICT;
CREATE UNIQUE INDEX alarm_one ON alarm(subject, what) WHERE cleared_seq IS NULL;

-- outbox ------------------------------------------------------------------------------------------------------------------------
CREATE TABLE effect (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES input(seq),   -- the input that caused it
  kind TEXT NOT NULL CHECK (kind IN ('call','compute','message')),
  state TEXT NOT NULL CHECK (state IN ('waiting','released','done','doubtful','dropped')),
  once INTEGER NOT NULL CHECK (once IN (0,1)),
  facility TEXT, verb TEXT, step INTEGER NOT NULL DEFAULT 0,
  request INTEGER REFERENCES request(id),
  event INTEGER REFERENCES event(id),
  policy TEXT,                                  -- plan: of which policy
  compute TEXT CHECK (compute IN ('map','rank','plan')), generation INTEGER,
  due_utc_us INTEGER, due_tick_us INTEGER,      -- not before
  attempts INTEGER NOT NULL DEFAULT 0,
  body TEXT,                                    -- rendered when released (call), or the job
  released_seq INTEGER, released_utc_us INTEGER, released_tick_us INTEGER, done_seq INTEGER,
  outcome TEXT
) STRICT;
CREATE INDEX effect_open ON effect(state) WHERE state IN ('waiting','released');
CREATE INDEX effect_request ON effect(request);
CREATE INDEX effect_event ON effect(event) WHERE event IS NOT NULL;

CREATE TABLE timer (
  key TEXT PRIMARY KEY,              -- "find:12", "status:lco", …
  generation INTEGER NOT NULL,
  due_utc_us INTEGER, due_tick_us INTEGER,
  what TEXT NOT NULL, subject INTEGER, detail TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_utc ON timer(due_utc_us);
CREATE INDEX timer_tick ON timer(due_tick_us);

CREATE TABLE message_out (           -- words for people: log and socket
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES input(seq),
  event INTEGER REFERENCES event(id),
  sink TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting','sent','failed')),
  UNIQUE (sink, kind, event, seq)
) STRICT;
