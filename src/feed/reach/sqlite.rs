//! Rows of a view of an SQLite file, opened for reading only.

use std::io;
use std::path::Path;
use std::pin::pin;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
use tokio::time::timeout;

use super::sql::{Lines, copy, late, quoted, refused};
use super::{SILENCE_MAX, WHOLE_MAX};

pub async fn read(path: &Path, view: &str, lines: &mut Lines) -> io::Result<()> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(SILENCE_MAX);
    let opened = options.disable_statement_logging().connect().await;
    let mut conn = opened.map_err(|error| refused(&path.display().to_string(), &error))?;
    timeout(WHOLE_MAX, rows(&mut conn, view, lines)).await.map_err(|_| late(view))??;
    // Everything is read: whether the handle closes well concerns nobody.
    let _closed = conn.close().await;
    Ok(())
}

async fn rows(conn: &mut sqlx::SqliteConnection, view: &str, lines: &mut Lines) -> io::Result<()> {
    let text = format!("SELECT * FROM {}", quoted(view));
    let rows = pin!(sqlx::query(AssertSqlSafe(text)).fetch(conn));
    copy(rows, view, lines, cell).await
}

/// SQLite itself would cut a real number to 15 digits.
fn cell(row: &SqliteRow, at: usize) -> Result<String, sqlx::Error> {
    let kind = row.try_get_raw(at)?;
    if kind.is_null() {
        return Ok(String::new());
    }
    match kind.type_info().name() {
        "REAL" => row.try_get_unchecked::<f64, _>(at).map(|n| n.to_string()),
        "BLOB" => Err(sqlx::Error::Protocol("a column of bytes".to_owned())),
        _ => row.try_get_unchecked::<String, _>(at),
    }
}
