-- Which arm of which experiment an attempt belongs to, and the chance of a customer to be in it, in parts per million; all
-- NULL where the campaign had none.
ALTER TABLE attempt ADD COLUMN experiment TEXT;
ALTER TABLE attempt ADD COLUMN arm TEXT;
ALTER TABLE attempt ADD COLUMN arm_share INTEGER;
CREATE INDEX attempt_of_experiment ON attempt(experiment, arm) WHERE experiment IS NOT NULL;
