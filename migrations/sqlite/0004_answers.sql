-- What the answer model learns from, so that a new process knows what the last one knew.

-- How easily the person was reached before, in steps of log-odds: part of the decision's context.
ALTER TABLE attempt ADD COLUMN reachability INTEGER NOT NULL DEFAULT 0;
-- Names of the campaign's segments in the order of `attempt.segment`, with blanks between. NULL in versions from before.
ALTER TABLE plan_version ADD COLUMN segments TEXT;

-- What each half hour had to offer and what was made of it, by what the answer model looks at. Append-only.
CREATE TABLE slot_count(
    seq INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    plan_version INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    -- Of the draw by chance.
    chance REAL NOT NULL,
    segment TEXT NOT NULL,
    slot_weekday INTEGER NOT NULL,
    slot_half_hour INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    same_slot_fails INTEGER NOT NULL,
    reachability INTEGER NOT NULL,
    eligible INTEGER NOT NULL,
    dialled INTEGER NOT NULL,
    drawn INTEGER NOT NULL
);
CREATE TRIGGER slot_count_is_never_changed BEFORE UPDATE ON slot_count BEGIN
    SELECT RAISE(ABORT, 'slot_count is append-only');
END;
CREATE TRIGGER slot_count_is_never_deleted BEFORE DELETE ON slot_count BEGIN
    SELECT RAISE(ABORT, 'slot_count is append-only');
END;
