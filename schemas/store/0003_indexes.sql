-- One partial index for each half of the outbox: an index WHERE state IN (…) does not serve state='released' (SQLite does not see that
-- the one implies the other), and every turn counted the transfers of a facility by reading all effects ever made.
CREATE INDEX effect_waiting ON effect(due_tick_us) WHERE state='waiting';
CREATE INDEX effect_released ON effect(facility, kind) WHERE state='released';
