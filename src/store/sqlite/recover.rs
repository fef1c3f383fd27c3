//! Taking the database for dialling, and closing what a dead process left alive.

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, Now, PhoneId, Wall};
use crate::engine::{Epoch, Marks, Outcome, RecoveredAttempt};
use crate::store::keys::Sealed;
use crate::store::records::OutcomeSource;
use crate::store::{Keys, StoreError};

use super::sql::{self, Binds, Cells};
use super::write::{Finished, Writes};
use super::{operate, writing};

pub(super) async fn begin(conn: &mut SqliteConnection, node: &str, now: Now) -> Result<Epoch, StoreError> {
    let mut tx = writing(conn).await?;
    let next = "UPDATE meta SET v = v + 1 WHERE k = 'epoch' RETURNING v";
    let epoch = sql::number(&mut tx, next, Binds::default()).await?;
    let mut binds = Binds::default();
    binds.int(epoch).text(node).int(now.wall.0);
    sql::run(&mut tx, "INSERT INTO epoch(id, node, began) VALUES (?, ?, ?)", binds).await?;
    operate::set_high_water(&mut tx, now.wall).await?;
    tx.commit().await?;
    Ok(Epoch(epoch as u64))
}

/// What was authorised may have rung: it becomes unknown, and, as no gateway's records are there to tell, is counted at
/// once. The outcome is the recovery's; a late one of the dead process finds revision 0 taken.
pub(super) async fn recover(
    conn: &mut SqliteConnection,
    keys: &Keys,
    epoch: Epoch,
    now: Now,
) -> Result<Vec<RecoveredAttempt>, StoreError> {
    let mut tx = writing(conn).await?;
    let standing = operate::standing(&mut tx).await?;
    if standing.epoch != epoch.0 {
        return Err(StoreError::Fenced);
    }
    let now = now.wall.max(standing.high_water);
    let mut binds = Binds::default();
    binds.int(epoch.0 as i64);
    let left = "SELECT a.id, a.lead, a.contact, a.phone, a.campaign, a.trunk, a.caller_id, a.at, p.sealed, a.free,
            l.next_phone
        FROM attempt a JOIN phone p ON p.id = a.phone JOIN lead l ON l.id = a.lead
        WHERE a.state <> 'done' AND a.epoch <> ? ORDER BY a.id";
    let mut recovered = Vec::new();
    let mut outcomes = Vec::new();
    for row in sql::rows(&mut tx, left, binds).await? {
        let mut cells = Cells::of(&row);
        let attempt = attempt(&mut cells, keys)?;
        let (free, next_phone) = (cells.yes()?, cells.small()?);
        outcomes.push(Outcome::unknown_counted(&attempt, now, free, next_phone));
        recovered.push(attempt);
    }
    let mut writes = Writes::new(epoch);
    writes.finished.extend(outcomes.iter().map(|outcome| Finished {
        outcome,
        source: OutcomeSource::Recovery,
        contact: outcome.contact,
        phone: outcome.phone,
        state: outcome.lead_state,
        marks: Marks::default(),
        label: None,
    }));
    writes.flush(&mut tx, now).await?;
    operate::set_high_water(&mut tx, now).await?;
    tx.commit().await?;
    Ok(recovered)
}

/// Outcomes that the newest ones are looked for among: a table of millions is not walked at every start.
const NEWEST: i64 = 100_000;

/// Closed by a recovery since then.
pub(super) async fn lately(
    conn: &mut SqliteConnection,
    keys: &Keys,
    since: Wall,
) -> Result<Vec<RecoveredAttempt>, StoreError> {
    let mut binds = Binds::default();
    binds.int(NEWEST).int(since.0);
    let closed = "SELECT a.id, a.lead, a.contact, a.phone, a.campaign, a.trunk, a.caller_id, a.at, p.sealed
        FROM outcome o JOIN attempt a ON a.id = o.attempt JOIN phone p ON p.id = a.phone
        WHERE o.seq > (SELECT coalesce(max(seq), 0) FROM outcome) - ? AND o.recorded >= ?
            AND o.source = 'recovery' AND o.revision = 0 ORDER BY a.id";
    sql::rows(conn, closed, binds).await?.iter().map(|row| attempt(&mut Cells::of(row), keys)).collect()
}

fn attempt(cells: &mut Cells<'_>, keys: &Keys) -> Result<RecoveredAttempt, StoreError> {
    Ok(RecoveredAttempt {
        attempt: AttemptId::from_bytes(cells.bytes()?),
        lead: LeadId(cells.small()?),
        contact: ContactId(cells.small()?),
        phone: PhoneId(cells.small()?),
        campaign_ix: CampaignIx(cells.small()?),
        trunk: cells.text()?.to_owned(),
        caller_id: cells.text()?.to_owned(),
        authorised_at: Wall(cells.int()?),
        number: cells.maybe_blob()?.and_then(|sealed| keys.open(Sealed::Phone, &sealed)),
    })
}
