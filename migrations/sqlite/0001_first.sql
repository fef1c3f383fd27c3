-- Facts of the house. Times are UTC microseconds; numbers and customer keys are sealed (one byte of key id, nonce,
-- AES-256-GCM) and found by a 16-byte blind index (HMAC-SHA256). Ids of attempts are UUIDv7, so they sort by time.

-- epoch, high_water (the latest wall clock that a commit saw), changes, paused_all
CREATE TABLE meta(
    k TEXT PRIMARY KEY,
    v INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', 0), ('high_water', 0), ('changes', 0), ('paused_all', 0);

-- Who has opened the database to dial, and when: the history of epochs.
CREATE TABLE epoch(
    id INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    began INTEGER NOT NULL
);

-- The stable table of campaign names.
CREATE TABLE campaign(
    ix INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    paused INTEGER NOT NULL DEFAULT 0
);

-- What an attempt was decided under: one row per version of campaign and policy.
CREATE TABLE plan_version(
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign(ix),
    campaign_hash TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    scenario TEXT NOT NULL,
    purpose TEXT NOT NULL,
    rank_by TEXT NOT NULL,
    pacing TEXT NOT NULL,
    ring_ms INTEGER NOT NULL,
    model_id TEXT,
    model_version TEXT,
    UNIQUE(campaign, campaign_hash, policy_hash)
);

-- Tokens are random, and an index of random keys costs more than all the rest of a row once it outgrows the cache. So
-- `contact` and `phone` are written in the order of their ids, and the tables that find them by token are written by the
-- importer in runs of up to a million sorted entries, the last one before the list is published.
CREATE TABLE contact(
    id INTEGER PRIMARY KEY,
    token BLOB NOT NULL,
    -- The customer key; NULL once erased.
    sealed BLOB,
    refused_at INTEGER,
    complained_at INTEGER,
    abandoned_at INTEGER
);

CREATE TABLE contact_token(
    token BLOB PRIMARY KEY,
    id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE phone(
    id INTEGER PRIMARY KEY,
    token BLOB NOT NULL,
    sealed BLOB,
    is_test INTEGER NOT NULL,
    -- The first contact that came with it; `shared` once another one did.
    owner INTEGER NOT NULL,
    shared INTEGER NOT NULL DEFAULT 0,
    dead_at INTEGER,
    refused_at INTEGER,
    complained_at INTEGER,
    abandoned_at INTEGER
);

CREATE TABLE phone_token(
    token BLOB PRIMARY KEY,
    id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE contact_phone(
    contact INTEGER NOT NULL REFERENCES contact(id),
    phone INTEGER NOT NULL REFERENCES phone(id),
    PRIMARY KEY(contact, phone)
) WITHOUT ROWID;

-- Everybody behind a number that more than one person has, or has had.
CREATE TABLE shared_phone(
    phone INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    PRIMARY KEY(phone, contact)
) WITHOUT ROWID;

-- A file loaded, one at a time. `state`: 0 loading, 1 published. What an unpublished list says is not visible anywhere.
CREATE TABLE list(
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign(ix),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER,
    rows INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL,
    -- What the load made first, to take it back if it is given up.
    first_contact INTEGER NOT NULL,
    first_phone INTEGER NOT NULL,
    first_lead INTEGER NOT NULL
);
CREATE UNIQUE INDEX list_once ON list(campaign, sha256) WHERE state = 1;

-- `state`: waiting, or why it is closed. That a lead is being dialled is told by its live attempt.
CREATE TABLE lead(
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign(ix),
    contact INTEGER NOT NULL REFERENCES contact(id),
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK(state IN ('waiting', 'success', 'refused', 'dnc', 'invalid', 'exhausted', 'expired', 'unknown_counted')),
    until INTEGER NOT NULL DEFAULT 0,
    next_phone INTEGER NOT NULL DEFAULT 0,
    next_free INTEGER NOT NULL DEFAULT 0,
    UNIQUE(contact, campaign)
);
CREATE INDEX lead_of_campaign ON lead(campaign);
-- What a newer list may reopen, found without a walk over all leads.
CREATE INDEX lead_run_out ON lead(campaign) WHERE state IN ('exhausted', 'expired');

-- What a list says of a lead. The newest published one holds; older ones stay, for attributes as of the dial.
CREATE TABLE listed(
    lead INTEGER NOT NULL REFERENCES lead(id),
    list INTEGER NOT NULL REFERENCES list(id),
    score REAL NOT NULL,
    value REAL NOT NULL,
    consent INTEGER,
    attempts_used INTEGER NOT NULL,
    language TEXT,
    -- JSON array, IANA names with blanks between, tagged JSON (src/store/columns.rs)
    tags TEXT,
    zones TEXT NOT NULL,
    columns TEXT NOT NULL,
    -- In dial order.
    phone0 INTEGER NOT NULL,
    phone1 INTEGER,
    phone2 INTEGER,
    phone3 INTEGER,
    PRIMARY KEY(lead, list)
) WITHOUT ROWID;

-- One try at a lead. `result`, `contacted`, `free` and `callback` repeat what the newest outcome says, for the ledgers.
CREATE TABLE attempt(
    id BLOB PRIMARY KEY,
    state TEXT NOT NULL CHECK(state IN ('authorised', 'unknown', 'done')),
    -- How many outcomes there are: the next one has this revision.
    revisions INTEGER NOT NULL DEFAULT 0,
    result TEXT,
    contacted INTEGER NOT NULL DEFAULT 0,
    free INTEGER NOT NULL,
    -- It ended with the wish to be called back.
    callback INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    lead INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    phone INTEGER NOT NULL,
    campaign INTEGER NOT NULL,
    plan_version INTEGER NOT NULL,
    trunk TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    list INTEGER NOT NULL,
    score REAL NOT NULL,
    value REAL NOT NULL,
    p_answer REAL NOT NULL,
    index_value REAL NOT NULL,
    propensity REAL NOT NULL,
    explore INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    slot_weekday INTEGER NOT NULL,
    slot_half_hour INTEGER NOT NULL,
    golden INTEGER NOT NULL,
    attempt_no INTEGER NOT NULL,
    same_slot_fails INTEGER NOT NULL,
    since_last INTEGER
) WITHOUT ROWID;
-- A number's attempts are found through the people who have it: an index less to write for every attempt.
CREATE INDEX attempt_of_contact ON attempt(contact);
-- Never twice: one live attempt per person and per number, whatever the code above does.
CREATE UNIQUE INDEX one_live_per_contact ON attempt(contact) WHERE state <> 'done';
CREATE UNIQUE INDEX one_live_per_phone ON attempt(phone) WHERE state <> 'done';

-- Append-only. `seq` follows the order of commits.
CREATE TABLE outcome(
    seq INTEGER PRIMARY KEY,
    attempt BLOB NOT NULL,
    revision INTEGER NOT NULL,
    -- engine, recovery, label
    source TEXT NOT NULL,
    recorded INTEGER NOT NULL,
    result TEXT NOT NULL,
    disposition TEXT,
    outcome TEXT NOT NULL,
    contact_kind TEXT NOT NULL,
    complaint INTEGER NOT NULL,
    t_queued INTEGER,
    t_authorised INTEGER,
    t_sent INTEGER,
    t_ringing INTEGER,
    t_answered INTEGER,
    t_connected INTEGER,
    t_ended INTEGER,
    t_wrap_ended INTEGER,
    sip_status INTEGER,
    q850 INTEGER,
    released_by TEXT,
    digits TEXT NOT NULL,
    callback_at INTEGER,
    free INTEGER NOT NULL,
    phone_dead INTEGER NOT NULL,
    lead_state TEXT NOT NULL,
    lead_until INTEGER NOT NULL,
    next_phone INTEGER NOT NULL,
    next_free INTEGER NOT NULL,
    label_at INTEGER,
    label_amount REAL,
    UNIQUE(attempt, revision)
);
CREATE TRIGGER outcome_is_never_changed BEFORE UPDATE ON outcome BEGIN
    SELECT RAISE(ABORT, 'outcome is append-only');
END;
CREATE TRIGGER outcome_is_never_deleted BEFORE DELETE ON outcome BEGIN
    SELECT RAISE(ABORT, 'outcome is append-only');
END;

-- Gap-free numbers and a SHA-256 chain over outcomes: h = SHA-256(previous h || canonical bytes).
CREATE TABLE seal(
    seq INTEGER PRIMARY KEY,
    outcome INTEGER NOT NULL UNIQUE REFERENCES outcome(seq),
    at INTEGER NOT NULL,
    h BLOB NOT NULL
);
CREATE TRIGGER seal_is_never_changed BEFORE UPDATE ON seal BEGIN
    SELECT RAISE(ABORT, 'seal is append-only');
END;
CREATE TRIGGER seal_is_never_deleted BEFORE DELETE ON seal BEGIN
    SELECT RAISE(ABORT, 'seal is append-only');
END;

CREATE TABLE export_cursor(
    consumer TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;

-- Keyed by the blind index alone, so that it survives the erasure of the person. A removed entry stays, with its end.
CREATE TABLE dnc(
    token BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK(kind IN ('phone', 'contact')),
    -- The number or key, for the operator's list; NULL once erased.
    sealed BLOB,
    until INTEGER,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    attempt BLOB,
    at INTEGER NOT NULL,
    removed_at INTEGER,
    -- The change counter as of this entry: readers ask for what is newer than they know.
    change INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX dnc_by_change ON dnc(change);
