-- What the answer model learns from, so that a new process knows what the last one knew.

-- How easily the person was reached before, in steps of log-odds: part of the decision's context.
ALTER TABLE attempt ADD COLUMN reachability INTEGER NOT NULL DEFAULT 0;
-- Names of the campaign's segments in the order of `attempt.segment`, a line each. NULL in versions from before.
ALTER TABLE plan_version ADD COLUMN segments TEXT;
