//! Switches, counters and small facts of the whole house.

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, Wall};
use crate::contact::ClosedWhy;
use crate::store::{LeadCounts, Paused, Stats, StoreError};

use super::sql::{self, Binds, Cells};
use super::writing;

/// What a transaction must know before it decides anything.
pub(super) struct Standing {
    pub(super) epoch: u64,
    pub(super) high_water: Wall,
    pub(super) paused: Paused,
}

/// One text for [`read_standing`].
pub(super) const STANDING: &str = "SELECT group_concat(k || char(31) || v, char(30)) FROM (SELECT k, v FROM meta
    UNION ALL SELECT 'paused', ix FROM campaign WHERE paused
    UNION ALL SELECT 'stopped', name FROM stopped_trunk)";

pub(super) fn read_standing(packed: &str) -> Result<Standing, StoreError> {
    let mut standing = Standing { epoch: 0, high_water: Wall::default(), paused: Paused::default() };
    for mut cells in sql::records(packed) {
        match cells.text()? {
            "epoch" => standing.epoch = cells.small()?,
            "high_water" => standing.high_water = Wall(cells.int()?),
            "paused_all" => standing.paused.all = cells.yes()?,
            "paused" => standing.paused.campaigns.push(CampaignIx(cells.small()?)),
            "stopped" => standing.paused.trunks.push(cells.text()?.to_owned()),
            _ => {}
        }
    }
    standing.paused.campaigns.sort_unstable();
    standing.paused.trunks.sort_unstable();
    Ok(standing)
}

pub(super) async fn standing(conn: &mut SqliteConnection) -> Result<Standing, StoreError> {
    let row = sql::row(conn, STANDING, Binds::default()).await?;
    match &row {
        Some(row) => read_standing(Cells::of(row).text()?),
        None => read_standing(""),
    }
}

pub(super) async fn paused(conn: &mut SqliteConnection) -> Result<Paused, StoreError> {
    Ok(standing(conn).await?.paused)
}

pub(super) async fn meta(conn: &mut SqliteConnection, name: &str) -> Result<u64, StoreError> {
    let mut binds = Binds::default();
    binds.text(name);
    let value = sql::number(conn, "SELECT v FROM meta WHERE k = ?", binds).await?;
    Ok(u64::try_from(value).unwrap_or(0))
}

pub(super) async fn high_water(conn: &mut SqliteConnection) -> Result<Wall, StoreError> {
    sql::number(conn, "SELECT v FROM meta WHERE k = 'high_water'", Binds::default()).await.map(Wall)
}

pub(super) async fn set_high_water(conn: &mut SqliteConnection, at: Wall) -> Result<(), StoreError> {
    let mut binds = Binds::default();
    binds.int(at.0).int(at.0);
    sql::run(conn, "UPDATE meta SET v = ? WHERE k = 'high_water' AND v < ?", binds).await?;
    Ok(())
}

/// Once noted it stays: nobody can tell afterwards which attempts were made by which clock.
pub(super) async fn note_trial_clock(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sql::run(conn, "INSERT INTO meta VALUES ('trial_clock', 1) ON CONFLICT(k) DO NOTHING", Binds::default()).await?;
    Ok(())
}

pub(super) async fn is_of_a_trial_clock(conn: &mut SqliteConnection) -> Result<bool, StoreError> {
    let noted = "SELECT count(*) FROM meta WHERE k = 'trial_clock'";
    Ok(sql::number(conn, noted, Binds::default()).await? > 0)
}

/// The next number of the change counter.
pub(super) async fn bump(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    sql::number(conn, "UPDATE meta SET v = v + 1 WHERE k = 'changes' RETURNING v", Binds::default()).await
}

pub(super) async fn campaign_ix(conn: &mut SqliteConnection, names: &[String]) -> Result<Vec<CampaignIx>, StoreError> {
    let mut tx = writing(conn).await?;
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        out.push(index_of(&mut tx, name).await?);
    }
    tx.commit().await?;
    Ok(out)
}

/// Inside a transaction. Indexes count from 0, without gaps.
pub(super) async fn index_of(conn: &mut SqliteConnection, name: &str) -> Result<CampaignIx, StoreError> {
    let mut binds = Binds::default();
    binds.text(name);
    let known = sql::row(conn, "SELECT ix FROM campaign WHERE name = ?", binds).await?;
    let row = if let Some(row) = known {
        row
    } else {
        let mut binds = Binds::default();
        binds.text(name);
        let add = "INSERT INTO campaign(ix, name) SELECT coalesce(max(ix) + 1, 0), ? FROM campaign RETURNING ix";
        sql::row(conn, add, binds).await?.ok_or(StoreError::Exhausted("campaigns"))?
    };
    let ix = u16::try_from(Cells::of(&row).int()?).map_err(|_| StoreError::Exhausted("campaigns"))?;
    Ok(CampaignIx(ix))
}

/// Leads that no published list has are not counted: they belong to a load under way.
pub(super) async fn lead_counts(conn: &mut SqliteConnection, campaign: CampaignIx) -> Result<LeadCounts, StoreError> {
    let text = "SELECT l.state, count(*),
            count(*) FILTER (WHERE EXISTS (SELECT 1 FROM attempt a
                WHERE a.contact = l.contact AND a.state <> 'done' AND a.lead = l.id))
        FROM lead l WHERE l.campaign = ? AND EXISTS (SELECT 1 FROM listed r JOIN list i ON i.id = r.list
            WHERE r.lead = l.id AND i.state = 1)
        GROUP BY l.state";
    let mut binds = Binds::default();
    binds.int(i64::from(campaign.0));
    let mut counts = LeadCounts { closed: ClosedWhy::ALL.iter().map(|why| (*why, 0)).collect(), ..Default::default() };
    for row in sql::rows(conn, text, binds).await? {
        let mut cells = Cells::of(&row);
        let state = cells.text()?;
        let (all, live) = (cells.small::<u64>()?, cells.small::<u64>()?);
        counts.dialling += live;
        let rest = all.saturating_sub(live);
        match counts.closed.iter_mut().find(|(why, _)| why.as_str() == state) {
            Some((_, count)) => *count += rest,
            None => counts.waiting += rest,
        }
    }
    Ok(counts)
}

pub(super) async fn stats(conn: &mut SqliteConnection) -> Result<Stats, StoreError> {
    let text = "SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM phone), (SELECT count(*) FROM lead),
        (SELECT count(*) FROM attempt), (SELECT count(*) FROM attempt WHERE state <> 'done'),
        (SELECT count(*) FROM outcome), (SELECT count(*) FROM seal),
        (SELECT count(*) FROM dnc WHERE removed_at IS NULL)";
    let Some(row) = sql::row(conn, text, Binds::default()).await? else { return Ok(Stats::default()) };
    let mut cells = Cells::of(&row);
    Ok(Stats {
        contacts: cells.small()?,
        phones: cells.small()?,
        leads: cells.small()?,
        attempts: cells.small()?,
        live: cells.small()?,
        outcomes: cells.small()?,
        sealed: cells.small()?,
        dnc: cells.small()?,
    })
}
