//! Rows of a view of a PostgreSQL database, in a session that can change nothing.

use std::io;
use std::pin::pin;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};
use tokio::time::timeout;

use super::sql::{Lines, copy, late, quoted, refused};
use super::{Hidden, SILENCE_MAX, WHOLE_MAX};

pub async fn read(url: &str, password: Option<&Hidden>, view: &str, lines: &mut Lines) -> io::Result<()> {
    let what = "the PostgreSQL server";
    let mut options = PgConnectOptions::from_str(url).map_err(|error| refused(what, &error))?;
    if let Some(password) = password {
        options = options.password(password.reveal());
    }
    let options = options
        .application_name("goldenhour list")
        .options([("default_transaction_read_only", "on"), ("timezone", "UTC"), ("datestyle", "ISO")])
        .disable_statement_logging();
    let opened = timeout(SILENCE_MAX, options.connect()).await.map_err(|_| late(view))?;
    let mut conn = opened.map_err(|error| refused(what, &error))?;
    timeout(WHOLE_MAX, rows(&mut conn, view, lines)).await.map_err(|_| late(view))??;
    // Everything is read: whether the session closes well concerns nobody.
    let _closed = conn.close().await;
    Ok(())
}

/// The simple protocol sends every type as text.
async fn rows(conn: &mut sqlx::PgConnection, view: &str, lines: &mut Lines) -> io::Result<()> {
    let text = format!("SELECT * FROM {}", quoted(view));
    let rows = pin!(sqlx::raw_sql(AssertSqlSafe(text)).fetch(conn));
    copy(rows, view, lines, cell).await
}

fn cell(row: &PgRow, at: usize) -> Result<String, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(String::new());
    }
    let text = raw.as_str().map_err(sqlx::Error::Decode)?;
    Ok(shown(raw.type_info().name(), text))
}

/// As lists write it: `t` is `true`, and an instant has a `T` in the middle and a `Z` at its end. A time without a zone
/// stays one, and is refused where an instant is wanted.
fn shown(kind: &str, text: &str) -> String {
    match (kind, text) {
        ("BOOL", "t") => "true".to_owned(),
        ("BOOL", "f") => "false".to_owned(),
        ("TIMESTAMPTZ", _) => {
            let utc = text.strip_suffix("+00").map_or_else(|| text.to_owned(), |at| format!("{at}Z"));
            utc.replacen(' ', "T", 1)
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_and_instants_read_as_lists_write_them() {
        assert_eq!(shown("BOOL", "t"), "true");
        assert_eq!(shown("TIMESTAMPTZ", "2026-12-01 01:30:00.5+00"), "2026-12-01T01:30:00.5Z");
        assert_eq!(shown("TIMESTAMP", "2026-12-01 01:30:00"), "2026-12-01 01:30:00");
        assert_eq!(shown("TEXT", "t"), "t");
    }
}
