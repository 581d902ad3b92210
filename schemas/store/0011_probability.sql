-- The chance of each target to be the host, and of a host that the catalogue does not hold (engine/target/probability.h), as the newest ranking
-- says; NULL: an older ranking, or it cannot be known (a map without distances).
ALTER TABLE target ADD COLUMN probability REAL;
ALTER TABLE event ADD COLUMN outside REAL;
