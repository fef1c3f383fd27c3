//! What slots had to offer and what was made of it.

use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;

use crate::base::Wall;
use crate::engine::{SlotLog, SlotRow};
use crate::rank::{Past, Reachability, Slot};
use crate::store::StoreError;

use super::sql::{self, Binds, Cells, Sizes};

static NEW: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::insert(
        "slot_count(campaign, plan_version, from_at, to_at, chance, segment, slot_weekday, slot_half_hour, attempts,
            same_slot_fails, reachability, eligible, dialled, drawn)",
        14,
    )
});

/// In the batch's transaction.
pub(super) async fn note(conn: &mut SqliteConnection, log: &SlotLog, version: i64) -> Result<(), StoreError> {
    sql::run_all(conn, &NEW, &SlotRow::of(log, 0), |binds, row| {
        binds
            .int(i64::from(log.campaign_ix.0))
            .int(version)
            .int(row.from.0)
            .int(row.to.0)
            .real(row.chance)
            .text(&row.segment)
            .int(i64::from(row.slot.weekday()))
            .int(i64::from(row.slot.minute() / Slot::MINUTES))
            .int(i64::from(row.past.attempts))
            .int(i64::from(row.past.same_hour_fails))
            .int(i64::from(row.past.reachability.steps()))
            .int(i64::from(row.eligible))
            .int(i64::from(row.dialled))
            .int(i64::from(row.drawn));
    })
    .await?;
    Ok(())
}

static PAGE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT s.seq, c.name, v.campaign_hash, s.from_at, s.to_at, {}, s.segment, s.slot_weekday, s.slot_half_hour,
            s.attempts, s.same_slot_fails, s.reachability, s.eligible, s.dialled, s.drawn
        FROM slot_count s JOIN campaign c ON c.ix = s.campaign JOIN plan_version v ON v.id = s.plan_version
        WHERE s.seq > ? ORDER BY s.seq LIMIT ?",
        sql::digits("s.chance")
    )
});

pub(super) async fn after(conn: &mut SqliteConnection, seq: u64, limit: usize) -> Result<Vec<SlotRow>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::try_from(seq).unwrap_or(i64::MAX)).int(i64::try_from(limit).unwrap_or(i64::MAX));
    sql::rows(conn, &PAGE, binds).await?.iter().map(|row| read(&mut Cells::of(row))).collect()
}

fn read(cells: &mut Cells) -> Result<SlotRow, StoreError> {
    Ok(SlotRow {
        seq: cells.small()?,
        campaign: cells.text()?.into(),
        campaign_hash: cells.text()?.into(),
        from: Wall(cells.int()?),
        to: Wall(cells.int()?),
        chance: cells.real()?,
        segment: cells.text()?.into(),
        slot: Slot::new(cells.small()?, cells.small::<u16>()? * Slot::MINUTES),
        past: Past {
            attempts: cells.small()?,
            same_hour_fails: cells.small()?,
            reachability: Reachability::from_steps(i8::try_from(cells.int()?).unwrap_or(0)),
        },
        eligible: cells.small()?,
        dialled: cells.small()?,
        drawn: cells.small()?,
    })
}
