-- One partial index for each half of the outbox: an index WHERE state IN (…) does not serve state='released' (SQLite does not see that
-- the one implies the other), and every turn counted the transfers of a facility by reading all effects ever made. The rest are those
-- that an older state does not have.
DROP INDEX IF EXISTS effect_waiting;
DROP INDEX IF EXISTS effect_released;
CREATE INDEX effect_waiting ON effect(due_tick_us) WHERE state='waiting';
CREATE INDEX effect_released ON effect(facility, kind) WHERE state='released';
CREATE INDEX IF NOT EXISTS request_change_seq ON request_change(seq);
CREATE INDEX IF NOT EXISTS timer_utc ON timer(due_utc_us);
CREATE INDEX IF NOT EXISTS timer_tick ON timer(due_tick_us);
