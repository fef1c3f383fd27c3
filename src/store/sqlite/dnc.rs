//! The do-not-call list: keyed by the blind index alone, strongest entry wins, removal leaves a trace.

use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{ContactId, PhoneId, Wall};
use crate::engine::{DncRequest, DncSubject};
use crate::gate::DncMark;
use crate::store::keys::{Sealed, Token};
use crate::store::{DncChange, DncEntry, DncFilter, DncSubjectKey, Keys, NewDnc, StoreError};

use super::sql::{self, Binds, Cells};
use super::{operate, pack, writing};

/// One row to be.
struct Entry<'a> {
    token: Token,
    kind: &'static str,
    sealed: Option<Vec<u8>>,
    until: Option<Wall>,
    reason: &'a str,
    source: &'a str,
    attempt: Option<[u8; 16]>,
    at: Wall,
}

/// In force at that moment.
pub(super) async fn entries(conn: &mut SqliteConnection, now: Wall) -> Result<u64, StoreError> {
    let mut binds = Binds::default();
    binds.int(now.0);
    let text = "SELECT count(*) FROM dnc WHERE removed_at IS NULL AND (until IS NULL OR until > ?)";
    let row = sql::row(conn, text, binds).await?;
    row.map_or(Ok(0), |row| Cells::of(&row).small())
}

/// Inside the caller's transaction. Returns the mark that now holds for each subject.
pub(super) async fn note(
    conn: &mut SqliteConnection,
    request: &DncRequest,
) -> Result<Vec<(DncSubject, DncMark)>, StoreError> {
    let mut marks = Vec::new();
    for (subject, token, sealed) in known_subjects(conn, request.subject).await? {
        let entry = Entry {
            token,
            kind: kind_of(subject),
            sealed,
            until: request.until,
            reason: &request.reason,
            source: request.source,
            attempt: request.attempt.map(crate::base::AttemptId::bytes),
            at: request.at,
        };
        marks.push((subject, put(conn, &entry).await?));
    }
    Ok(marks)
}

pub(super) async fn add(conn: &mut SqliteConnection, keys: &Keys, entry: &NewDnc) -> Result<(), StoreError> {
    let mut tx = writing(conn).await?;
    let (kind, value) = match &entry.subject {
        DncSubjectKey::Phone(number) => (Sealed::Phone, number),
        DncSubjectKey::Customer(key) => (Sealed::Contact, key),
    };
    let new = |token, kind, sealed| Entry {
        token,
        kind,
        sealed,
        until: entry.until,
        reason: &entry.reason,
        source: entry.source,
        attempt: None,
        at: entry.at,
    };
    let token = keys.token(kind, value);
    let kind_word = if kind == Sealed::Phone { "phone" } else { "contact" };
    put(&mut tx, &new(token, kind_word, Some(keys.seal(kind, value)?))).await?;
    if kind == Sealed::Contact {
        for (subject, token, sealed) in phones_of(&mut tx, token).await? {
            put(&mut tx, &new(token, kind_of(subject), sealed)).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

pub(super) async fn remove(
    conn: &mut SqliteConnection,
    keys: &Keys,
    subject: &DncSubjectKey,
    now: Wall,
) -> Result<bool, StoreError> {
    let mut tx = writing(conn).await?;
    let token = match subject {
        DncSubjectKey::Phone(number) => keys.token(Sealed::Phone, number),
        DncSubjectKey::Customer(key) => keys.token(Sealed::Contact, key),
    };
    let change = operate::bump(&mut tx).await?;
    let mut binds = Binds::default();
    binds.int(now.0).int(change).blob(&token.0);
    let text = "UPDATE dnc SET removed_at = ?, change = ? WHERE token = ? AND removed_at IS NULL";
    let removed = sql::run(&mut tx, text, binds).await? > 0;
    tx.commit().await?;
    Ok(removed)
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    keys: &Keys,
    filter: DncFilter,
    limit: usize,
) -> Result<Vec<DncEntry>, StoreError> {
    let text = match filter {
        DncFilter::InForce => {
            "SELECT kind, sealed, reason, source, at, until, removed_at FROM dnc WHERE removed_at IS NULL
                ORDER BY at DESC, change DESC LIMIT ?"
        }
        DncFilter::All => {
            "SELECT kind, sealed, reason, source, at, until, removed_at FROM dnc ORDER BY at DESC, change DESC LIMIT ?"
        }
    };
    let mut binds = Binds::default();
    binds.int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql::rows(conn, text, binds).await?.iter().map(|row| read(row, keys)).collect()
}

pub(super) async fn entry(
    conn: &mut SqliteConnection,
    keys: &Keys,
    subject: &DncSubjectKey,
) -> Result<Option<DncEntry>, StoreError> {
    let token = match subject {
        DncSubjectKey::Phone(number) => keys.token(Sealed::Phone, number),
        DncSubjectKey::Customer(key) => keys.token(Sealed::Contact, key),
    };
    let mut binds = Binds::default();
    binds.blob(&token.0);
    let text = "SELECT kind, sealed, reason, source, at, until, removed_at FROM dnc WHERE token = ?";
    sql::row(conn, text, binds).await?.map(|row| read(&row, keys)).transpose()
}

/// `kind, sealed, reason, source, at, until, removed_at`
fn read(row: &sqlx::sqlite::SqliteRow, keys: &Keys) -> Result<DncEntry, StoreError> {
    let mut cells = Cells::of(row);
    let is_phone = cells.text()? == "phone";
    let open = |sealed: Vec<u8>| {
        if is_phone {
            keys.open(Sealed::Phone, &sealed).map(DncSubjectKey::Phone)
        } else {
            keys.open(Sealed::Contact, &sealed).map(DncSubjectKey::Customer)
        }
    };
    Ok(DncEntry {
        subject: cells.maybe_blob()?.and_then(open),
        reason: cells.text()?.to_owned(),
        source: cells.text()?.to_owned(),
        at: Wall(cells.int()?),
        until: cells.maybe_int()?.map(Wall),
        removed_at: cells.maybe_int()?.map(Wall),
    })
}

pub(super) async fn since(
    conn: &mut SqliteConnection,
    change: u64,
    limit: usize,
) -> Result<Vec<DncChange>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::try_from(change).unwrap_or(i64::MAX)).int(i64::try_from(limit).unwrap_or(i64::MAX));
    let text = "SELECT d.change, c.id, p.id, d.removed_at IS NOT NULL, d.until FROM dnc d
            LEFT JOIN contact_token c ON c.token = d.token LEFT JOIN phone_token p ON p.token = d.token
        WHERE d.change > ? AND (c.id IS NOT NULL OR p.id IS NOT NULL) ORDER BY d.change LIMIT ?";
    let mut out = Vec::new();
    for row in sql::rows(conn, text, binds).await? {
        let mut cells = Cells::of(&row);
        let change = cells.small()?;
        let contact = cells.maybe_small()?.map(|id| DncSubject::Contact(ContactId(id)));
        let phone = cells.maybe_small()?.map(|id| DncSubject::Phone(PhoneId(id)));
        let removed = cells.yes()?;
        let until = cells.maybe_int()?.map(Wall);
        let mark = (!removed).then_some(DncMark { until });
        out.extend(contact.or(phone).map(|subject| DncChange { change, subject, mark }));
    }
    Ok(out)
}

/// Nobody calls an erased person again, whatever list names them. The entry tells nobody who they were.
pub(super) async fn note_erased(conn: &mut SqliteConnection, token: Token, now: Wall) -> Result<(), StoreError> {
    let entry = Entry {
        token,
        kind: "contact",
        sealed: None,
        until: None,
        reason: "erased",
        source: "operator",
        attempt: None,
        at: now,
    };
    put(conn, &entry).await?;
    // Also where an entry without end was there before: readers of changes hear of it.
    surface(conn, token).await?;
    forget_subject(conn, token).await
}

pub(super) async fn forget_subject(conn: &mut SqliteConnection, token: Token) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.blob(&token.0);
    sql::run(conn, "UPDATE dnc SET sealed = NULL WHERE token = ?", binds).await?;
    Ok(())
}

/// Entries that were made before their subject was known become news for those who read changes.
pub(super) async fn surface(conn: &mut SqliteConnection, token: Token) -> Result<(), StoreError> {
    let change = operate::bump(conn).await?;
    let mut binds = Binds::default();
    binds.int(change).blob(&token.0);
    sql::run(conn, "UPDATE dnc SET change = ? WHERE token = ?", binds).await?;
    Ok(())
}

/// As [`surface`], of those among `tokens` that are listed. They come sorted, and no more than [`pack::ROWS`].
pub(super) async fn surface_all(conn: &mut SqliteConnection, tokens: &[Token]) -> Result<(), StoreError> {
    let mut listed = match between(conn, tokens).await? {
        Some(few) => few.into_iter().filter(|token| tokens.binary_search(token).is_ok()).collect(),
        None => among(conn, tokens).await?,
    };
    listed.dedup();
    if listed.is_empty() {
        return Ok(());
    }
    let count = listed.len() as i64;
    let mut binds = Binds::default();
    binds.int(count);
    let text = "UPDATE meta SET v = v + ? WHERE k = 'changes' RETURNING v";
    let last = sql::number(conn, text, binds).await?;
    let mut binds = Binds::default();
    binds.int(last - count + 1).bytes(listed.iter().flat_map(|token| token.0).collect()).int(count);
    sql::run_text(conn, &SURFACE, binds).await
}

/// Every entry has a change of its own: readers go on behind the last one they have seen.
static SURFACE: LazyLock<Arc<str>> = LazyLock::new(|| {
    let token = pack::fixed(2, 16);
    Arc::from(format!("UPDATE dnc SET change = ?1 + i FROM nth WHERE i < ?3 AND dnc.token = {token}"))
});

static BETWEEN: LazyLock<Arc<str>> = LazyLock::new(|| {
    Arc::from(sql::pack_some(&["hex(token)"], "FROM dnc WHERE token BETWEEN ? AND ? ORDER BY token LIMIT ?"))
});

static AMONG: LazyLock<Arc<str>> = LazyLock::new(|| {
    let token = pack::fixed(1, 16);
    Arc::from(sql::pack_some(
        &["hex(d.token)"],
        &format!("FROM nth CROSS JOIN dnc d ON d.token = {token} WHERE i < ?2 ORDER BY i"),
    ))
});

/// All entries between the first token and the last; `None` if they are more than the tokens.
async fn between(conn: &mut SqliteConnection, tokens: &[Token]) -> Result<Option<Vec<Token>>, StoreError> {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Ok(Some(Vec::new())) };
    let mut binds = Binds::default();
    binds.blob(&first.0).blob(&last.0).int(tokens.len() as i64 + 1);
    let [packed] = sql::texts(conn, &BETWEEN, binds).await?;
    let found = sql::records(&packed).map(|mut cells| cells.bytes().map(Token)).collect::<Result<Vec<_>, _>>()?;
    Ok((found.len() <= tokens.len()).then_some(found))
}

async fn among(conn: &mut SqliteConnection, tokens: &[Token]) -> Result<Vec<Token>, StoreError> {
    let mut binds = Binds::default();
    binds.bytes(tokens.iter().flat_map(|token| token.0).collect()).int(tokens.len() as i64);
    let [packed] = sql::texts(conn, &AMONG, binds).await?;
    sql::records(&packed).map(|mut cells| cells.bytes().map(Token)).collect()
}

/// The stronger entry holds; the mark that holds afterwards is returned.
async fn put(conn: &mut SqliteConnection, entry: &Entry<'_>) -> Result<DncMark, StoreError> {
    let change = operate::bump(conn).await?;
    let mut binds = Binds::default();
    binds.blob(&entry.token.0).text(entry.kind);
    match &entry.sealed {
        Some(sealed) => binds.blob(sealed),
        None => binds.maybe_int(None),
    };
    binds.maybe_int(entry.until.map(|at| at.0)).text(entry.reason).text(entry.source);
    match &entry.attempt {
        Some(attempt) => binds.blob(attempt),
        None => binds.maybe_int(None),
    };
    binds.int(entry.at.0).int(change);
    let text = "INSERT INTO dnc(token, kind, sealed, until, reason, source, attempt, at, change)
            VALUES (?,?,?,?,?,?,?,?,?)
        ON CONFLICT(token) DO UPDATE SET sealed = coalesce(excluded.sealed, sealed), until = excluded.until,
            reason = excluded.reason, source = excluded.source, attempt = excluded.attempt, at = excluded.at,
            removed_at = NULL, change = excluded.change
        WHERE removed_at IS NOT NULL OR (until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > until))";
    sql::run(conn, text, binds).await?;
    let mut binds = Binds::default();
    binds.blob(&entry.token.0);
    let row = sql::row(conn, "SELECT until FROM dnc WHERE token = ?", binds).await?;
    let until = match &row {
        Some(row) => Cells::of(row).maybe_int()?.map(Wall),
        None => entry.until,
    };
    Ok(DncMark { until })
}

async fn known_subjects(
    conn: &mut SqliteConnection,
    subject: DncSubject,
) -> Result<Vec<(DncSubject, Token, Option<Vec<u8>>)>, StoreError> {
    let (text, id) = match subject {
        DncSubject::Contact(ContactId(id)) => ("SELECT id, token, sealed FROM contact WHERE id = ?", id),
        DncSubject::Phone(PhoneId(id)) => ("SELECT id, token, sealed FROM phone WHERE id = ?", id),
    };
    let mut binds = Binds::default();
    binds.int(i64::from(id));
    let Some(row) = sql::row(conn, text, binds).await? else { return Ok(Vec::new()) };
    let mut cells = Cells::of(&row);
    cells.int()?;
    let token = Token(cells.bytes()?);
    let mut out = vec![(subject, token, cells.maybe_blob()?)];
    if matches!(subject, DncSubject::Contact(_)) {
        out.extend(phones_of(conn, token).await?);
    }
    Ok(out)
}

async fn phones_of(
    conn: &mut SqliteConnection,
    contact: Token,
) -> Result<Vec<(DncSubject, Token, Option<Vec<u8>>)>, StoreError> {
    let mut binds = Binds::default();
    binds.blob(&contact.0);
    let text = "SELECT p.id, p.token, p.sealed FROM contact_token c JOIN contact_phone x ON x.contact = c.id
        JOIN phone p ON p.id = x.phone WHERE c.token = ? ORDER BY p.id";
    let mut out = Vec::new();
    for row in sql::rows(conn, text, binds).await? {
        let mut cells = Cells::of(&row);
        let phone = DncSubject::Phone(PhoneId(cells.small()?));
        out.push((phone, Token(cells.bytes()?), cells.maybe_blob()?));
    }
    Ok(out)
}

const fn kind_of(subject: DncSubject) -> &'static str {
    match subject {
        DncSubject::Phone(_) => "phone",
        DncSubject::Contact(_) => "contact",
    }
}
