//! Many rows in one step. A statement and a row each cost the driver a hop between two threads, far more than SQLite
//! needs for them; so rows go in as many at a time, and come out packed into one text.
//!
//! In: statements in a few sizes, each prepared once and then only bound. What is left of a size is bound as NULL, and
//! every statement is written so that a row of NULLs does nothing. Which rows are wanted is told by a JSON array.
//! Out: fields with [`FIELD`] between, records with [`RECORD`] between, blobs in hex. No text that we write holds either.

use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use crate::base::{push_hex, unhex};
use crate::store::StoreError;

/// One statement in every size.
#[derive(Debug)]
pub(super) struct Sizes {
    texts: Vec<(usize, Arc<str>)>,
}

/// Values for the placeholders, in order.
#[derive(Default)]
pub(super) struct Binds {
    args: SqliteArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

/// Reads one row, or one packed record, from left to right. In a record nothing and NULL are the same.
pub(super) struct Cells<'r> {
    source: Source<'r>,
    at: usize,
}

enum Source<'r> {
    Row(&'r SqliteRow),
    Packed(std::str::Split<'r, char>),
}

pub(super) const FIELD: char = '\u{1f}';
pub(super) const RECORD: char = '\u{1e}';

/// `SELECT` of one text with every record in it: the expressions `fields` of what follows.
pub(super) fn pack(fields: &[&str], from: &str) -> String {
    format!("SELECT group_concat({}, char(30)) {from}", record(fields))
}

/// As [`pack`], of rows that an `ORDER BY` or a `LIMIT` chooses.
pub(super) fn pack_some(fields: &[&str], from: &str) -> String {
    format!("SELECT group_concat(line, char(30)) FROM (SELECT {} AS line {from})", record(fields))
}

fn record(fields: &[&str]) -> String {
    let form = vec!["%s"; fields.len()].join("\u{1f}");
    format!("format('{form}', {})", fields.join(", "))
}

/// A number with all its digits, as a field.
pub(super) fn digits(real: &str) -> String {
    format!("iif({real} IS NULL, '', format('%!.17g', {real}))")
}

pub(super) fn records(text: &str) -> impl Iterator<Item = Cells<'_>> {
    let some = (!text.is_empty()).then(|| text.split(RECORD));
    some.into_iter().flatten().map(Cells::packed)
}

/// The parameter of `json_each`.
pub(super) fn json_ids(ids: impl IntoIterator<Item = u32>) -> String {
    let mut out = String::from("[");
    for id in ids {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&id.to_string());
    }
    out.push(']');
    out
}

/// Of blobs, to be read by `unhex(value)`.
pub(super) fn json_blobs<const N: usize>(blobs: impl IntoIterator<Item = [u8; N]>) -> String {
    let mut out = String::from("[");
    for blob in blobs {
        out.push_str(if out.len() > 1 { ",\"" } else { "\"" });
        push_hex(&blob, &mut out);
        out.push('"');
    }
    out.push(']');
    out
}

impl Sizes {
    /// Callers send at most so many rows in one statement.
    pub(super) const MAX: usize = 256;
    pub(super) const ALL: [usize; 12] = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, Self::MAX];

    /// `head`, then `row` as often as the size says with commas between, then `tail`.
    pub(super) fn new(head: &str, row: &str, tail: &str) -> Self {
        let text = |size: &usize| (*size, Arc::from(format!("{head}{}{tail}", vec![row; *size].join(","))));
        Self { texts: Self::ALL.iter().map(text).collect() }
    }

    /// An `INSERT` of rows with so many columns; the first must not be NULL. A violated constraint takes the whole
    /// transaction back, so that SQLite needs no journal for the statement alone.
    pub(super) fn insert(into: &str, columns: usize) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        Self::new(
            &format!("INSERT OR ROLLBACK INTO {into} SELECT * FROM (VALUES "),
            &row,
            ") WHERE column1 IS NOT NULL",
        )
    }

    /// Of the statement in one size.
    pub(super) fn text(&self, size: usize) -> &str {
        self.texts.iter().find(|(known, _)| *known == size).map_or("", |(_, text)| text)
    }

    /// The smallest size that holds so many rows.
    pub(super) fn class(rows: usize) -> Option<usize> {
        Self::ALL.into_iter().find(|size| *size >= rows)
    }

    /// The text for `rows` rows, at most [`Sizes::MAX`].
    fn fit(&self, rows: usize) -> Option<Arc<str>> {
        self.texts.iter().find(|(size, _)| *size >= rows).map(|(_, text)| Arc::clone(text))
    }
}

impl Binds {
    fn push<T: for<'t> sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.args.add(value) {
            self.failed = Some(error);
        }
        self
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.push(value)
    }

    pub(super) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        self.push(value)
    }

    pub(super) fn real(&mut self, value: f64) -> &mut Self {
        self.push(value)
    }

    pub(super) fn maybe_real(&mut self, value: Option<f64>) -> &mut Self {
        self.push(value)
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        if value.bytes().any(|byte| byte < b' ') {
            return self.push(Arc::<str>::from(clean(value)));
        }
        self.push(Arc::<str>::from(value))
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.maybe_int(None),
        }
    }

    pub(super) fn nulls(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            self.maybe_int(None);
        }
        self
    }

    pub(super) fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.push(value.to_vec())
    }

    pub(super) fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.push(value)
    }
}

impl<'r> Cells<'r> {
    pub(super) fn of(row: &'r SqliteRow) -> Self {
        Self { source: Source::Row(row), at: 0 }
    }

    fn packed(record: &'r str) -> Self {
        Self { source: Source::Packed(record.split(FIELD)), at: 0 }
    }

    /// `Ok(None)` for NULL; `parse` is for packed fields.
    fn next<T>(&mut self, parse: impl Fn(&'r str) -> Option<T>) -> Result<Option<T>, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let at = self.at;
        self.at += 1;
        match &mut self.source {
            Source::Row(row) => row.try_get_unchecked(at).map_err(StoreError::from),
            Source::Packed(fields) => match fields.next() {
                Some("") => Ok(None),
                Some(field) => parse(field).map(Some).ok_or_else(|| StoreError::Corrupt(format!("field {at}"))),
                None => Err(StoreError::Corrupt(format!("a record without field {at}"))),
            },
        }
    }

    fn some<T>(&self, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::Corrupt(format!("nothing in column {}", self.at)))
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        let value = self.maybe_int()?;
        self.some(value)
    }

    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        self.next(|field| field.parse().ok())
    }

    pub(super) fn real(&mut self) -> Result<f64, StoreError> {
        let value = self.maybe_real()?;
        self.some(value)
    }

    pub(super) fn maybe_real(&mut self) -> Result<Option<f64>, StoreError> {
        self.next(|field| field.parse().ok())
    }

    /// Of a packed field, empty for NULL.
    pub(super) fn text(&mut self) -> Result<&'r str, StoreError> {
        Ok(self.maybe_text()?.unwrap_or(""))
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        self.next(Some)
    }

    pub(super) fn maybe_blob(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.next(unhex)
    }

    /// A number that the house keeps smaller than SQLite does.
    pub(super) fn small<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let value = self.int()?;
        T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is out of range in column {}", self.at)))
    }

    pub(super) fn maybe_small<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, StoreError> {
        let Some(value) = self.maybe_int()? else { return Ok(None) };
        let small = T::try_from(value);
        small.map(Some).map_err(|_| StoreError::Corrupt(format!("{value} is out of range in column {}", self.at)))
    }

    pub(super) fn yes(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    /// A word of one of our closed lists.
    pub(super) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text()?;
        parse(text).ok_or_else(|| StoreError::Corrupt(format!("the word `{text}` in column {}", self.at)))
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let blob = self.maybe_blob()?;
        let blob = self.some(blob)?;
        <[u8; N]>::try_from(blob)
            .map_err(|_| StoreError::Corrupt(format!("a blob of another size in column {}", self.at)))
    }
}

/// Runs one statement; returns how many rows it changed.
pub(super) async fn run(conn: &mut SqliteConnection, sql: &'static str, binds: Binds) -> Result<u64, StoreError> {
    let args = binds.done()?;
    Ok(sqlx::query_with(sql, args).execute(conn).await?.rows_affected())
}

pub(super) async fn rows(
    conn: &mut SqliteConnection,
    sql: &'static str,
    binds: Binds,
) -> Result<Vec<SqliteRow>, StoreError> {
    let args = binds.done()?;
    Ok(sqlx::query_with(sql, args).fetch_all(conn).await?)
}

pub(super) async fn row(
    conn: &mut SqliteConnection,
    sql: &'static str,
    binds: Binds,
) -> Result<Option<SqliteRow>, StoreError> {
    let args = binds.done()?;
    Ok(sqlx::query_with(sql, args).fetch_optional(conn).await?)
}

/// One number of a row that always comes.
pub(super) async fn number(conn: &mut SqliteConnection, sql: &'static str, binds: Binds) -> Result<i64, StoreError> {
    match row(conn, sql, binds).await? {
        Some(row) => Cells::of(&row).int(),
        None => Err(StoreError::Corrupt(format!("no row for `{sql}`"))),
    }
}

/// Runs a many-row statement over `items`, in chunks; returns how many rows it changed.
pub(super) async fn run_all<T: Sync>(
    conn: &mut SqliteConnection,
    sizes: &Sizes,
    items: &[T],
    bind: impl Fn(&mut Binds, &T) + Send,
) -> Result<u64, StoreError> {
    let mut changed = 0;
    for chunk in items.chunks(Sizes::MAX) {
        let Some(text) = sizes.fit(chunk.len()) else { continue };
        let mut binds = Binds::default();
        for item in chunk {
            bind(&mut binds, item);
        }
        let done = sqlx::query_with(AssertSqlSafe(text), binds.done()?).execute(&mut *conn).await?;
        changed += done.rows_affected();
    }
    Ok(changed)
}

/// The columns of the last row of what may be several statements; NULL is empty.
pub(super) async fn texts<const N: usize>(
    conn: &mut SqliteConnection,
    text: &Arc<str>,
    binds: Binds,
) -> Result<[String; N], StoreError> {
    let found = sqlx::query_with(AssertSqlSafe(Arc::clone(text)), binds.done()?).fetch_all(conn).await?;
    let mut out = [const { String::new() }; N];
    if let Some(row) = found.last() {
        let mut cells = Cells::of(row);
        for text in &mut out {
            cells.text()?.clone_into(text);
        }
    }
    Ok(out)
}

/// Runs what may be several statements.
pub(super) async fn run_text(conn: &mut SqliteConnection, text: &Arc<str>, binds: Binds) -> Result<(), StoreError> {
    sqlx::query_with(AssertSqlSafe(Arc::clone(text)), binds.done()?).execute(conn).await?;
    Ok(())
}

/// Control characters, which nobody means, become spaces: records are packed with them.
pub(super) fn clean(text: &str) -> String {
    text.replace(|c: char| c < ' ', " ")
}

impl Binds {
    fn done(self) -> Result<SqliteArguments, StoreError> {
        match self.failed {
            Some(error) => Err(StoreError::Database(sqlx::Error::Encode(error))),
            None => Ok(self.args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_size_that_holds_all_rows_is_taken() {
        let sizes = Sizes::new("IN (", "?", ")");
        assert_eq!(sizes.fit(1).as_deref(), Some("IN (?)"));
        assert_eq!(sizes.fit(3).as_deref(), Some("IN (?,?,?,?)"));
        assert!(sizes.fit(Sizes::MAX).is_some());
        assert_eq!(sizes.fit(Sizes::MAX + 1), None);
    }

    #[test]
    fn packed_records_read_like_rows() {
        let text = format!("7{FIELD}{FIELD}4a6B{FIELD}0.1{RECORD}8{FIELD}x{FIELD}{FIELD}");
        let mut all = records(&text);
        let mut first = all.next().unwrap();
        assert_eq!((first.int().unwrap(), first.maybe_text().unwrap()), (7, None));
        assert_eq!(first.bytes::<2>().unwrap(), *b"Jk");
        assert_eq!(first.real().unwrap().to_bits(), 0.1f64.to_bits());
        assert!(first.int().is_err(), "there is no fifth field");
        let mut second = all.next().unwrap();
        assert_eq!((second.int().unwrap(), second.text().unwrap(), second.maybe_blob().unwrap()), (8, "x", None));
        assert!(second.real().is_err(), "nothing is not a number");
        assert_eq!(records("").count(), 0);
    }

    #[test]
    fn lists_of_ids_are_json() {
        assert_eq!(json_ids([]), "[]");
        assert_eq!(json_ids([1, 22]), "[1,22]");
        assert_eq!(json_blobs([[0xab_u8, 1], [2, 3]]), "[\"ab01\",\"0203\"]");
    }
}
