-- What operators stop and let go on. The switches themselves stand in `meta` (everything), `campaign` and here.

-- Trunks that are stopped, by the name in the configuration, whether it has one of that name or not.
CREATE TABLE stopped_trunk(
    name TEXT PRIMARY KEY
) WITHOUT ROWID;

-- Who turned a switch, when and why. `kind`: all, campaign, trunk. `hang_up`: calls under way were ended too.
CREATE TABLE switch(
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK(kind IN ('all', 'campaign', 'trunk')),
    name TEXT NOT NULL,
    paused INTEGER NOT NULL,
    hang_up INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- The change counter as of this turn: a daemon asks for what is newer than it knows.
    change INTEGER NOT NULL
);
CREATE INDEX switch_by_change ON switch(change);
CREATE TRIGGER switch_is_never_changed BEFORE UPDATE ON switch BEGIN
    SELECT RAISE(ABORT, 'switch is append-only');
END;
CREATE TRIGGER switch_is_never_deleted BEFORE DELETE ON switch BEGIN
    SELECT RAISE(ABORT, 'switch is append-only');
END;
