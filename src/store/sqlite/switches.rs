//! Turning switches, and who turned them.

use sqlx::sqlite::SqliteConnection;

use crate::base::Wall;
use crate::store::{StoreError, Switch, SwitchOf, Turned};

use super::operate::bump;
use super::sql::{self, Binds, Cells};
use super::writing;

/// In `meta`, in the campaign's row, or in the table of stopped trunks; and in the history.
pub(super) async fn turn(conn: &mut SqliteConnection, switch: &Switch) -> Result<(), StoreError> {
    let mut tx = writing(conn).await?;
    let mut binds = Binds::default();
    match &switch.of {
        SwitchOf::Everything => {
            binds.int(i64::from(switch.paused));
            sql::run(&mut tx, "UPDATE meta SET v = ? WHERE k = 'paused_all'", binds).await?;
        }
        SwitchOf::Campaign(name) => {
            binds.int(i64::from(switch.paused)).text(name);
            if sql::run(&mut tx, "UPDATE campaign SET paused = ? WHERE name = ?", binds).await? == 0 {
                return Err(StoreError::UnknownCampaign(name.clone()));
            }
        }
        SwitchOf::Trunk(name) => {
            binds.text(name);
            let text = if switch.paused {
                "INSERT OR IGNORE INTO stopped_trunk VALUES (?)"
            } else {
                "DELETE FROM stopped_trunk WHERE name = ?"
            };
            sql::run(&mut tx, text, binds).await?;
        }
    }
    let change = bump(&mut tx).await?;
    let (kind, name) = switch.of.stored();
    let mut binds = Binds::default();
    binds.text(kind).text(name).int(i64::from(switch.paused)).int(i64::from(switch.hang_up));
    binds.text(&switch.who).text(&switch.reason).int(switch.at.0).int(change);
    let text =
        "INSERT INTO switch(kind, name, paused, hang_up, who, reason, at, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    sql::run(&mut tx, text, binds).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn since(conn: &mut SqliteConnection, change: u64, limit: usize) -> Result<Vec<Turned>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::try_from(change).unwrap_or(i64::MAX)).int(i64::try_from(limit).unwrap_or(i64::MAX));
    let text = "SELECT change, kind, name, paused, hang_up, who, reason, at FROM switch WHERE change > ?
        ORDER BY seq LIMIT ?";
    let rows = sql::rows(conn, text, binds).await?;
    rows.iter().map(|row| read(&mut Cells::of(row))).collect()
}

pub(super) async fn newest(conn: &mut SqliteConnection, of: &SwitchOf) -> Result<Option<Turned>, StoreError> {
    let (kind, name) = of.stored();
    let mut binds = Binds::default();
    binds.text(kind).text(name);
    let text = "SELECT change, kind, name, paused, hang_up, who, reason, at FROM switch WHERE kind = ? AND name = ?
        ORDER BY seq DESC LIMIT 1";
    let row = sql::row(conn, text, binds).await?;
    row.map(|row| read(&mut Cells::of(&row))).transpose()
}

fn read(cells: &mut Cells<'_>) -> Result<Turned, StoreError> {
    let change = cells.small()?;
    let (kind, name) = (cells.text()?, cells.text()?);
    let of = SwitchOf::read(kind, name).ok_or_else(|| StoreError::Corrupt(format!("a switch of `{kind}`")))?;
    let (paused, hang_up) = (cells.yes()?, cells.yes()?);
    let (who, reason) = (cells.text()?.to_owned(), cells.text()?.to_owned());
    Ok(Turned { change, switch: Switch { of, paused, hang_up, who, reason, at: Wall(cells.int()?) } })
}
