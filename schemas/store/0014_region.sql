-- Of a target that is a part of the sky (policy: targets.from "region"): its cells as IVOA coverage, as the newest ranking has them.
ALTER TABLE target ADD COLUMN region TEXT;
