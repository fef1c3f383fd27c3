//! Labels that come back weeks later: each is a new revision of an outcome, and never a change of an old one.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, Wall};
use crate::engine::{Epoch, Marks};
use crate::store::keys::Sealed;
use crate::store::records::{Label, LabelTarget, Labelled, NewLabel, OutcomeRow, OutcomeSource};
use crate::store::{Keys, StoreError};

use super::sql::{self, Binds, Cells};
use super::write::{Finished, Writes};
use super::{export, operate, writing};

pub(super) async fn add(
    conn: &mut SqliteConnection,
    keys: &Keys,
    label: &NewLabel,
    now: Wall,
) -> Result<Option<Labelled>, StoreError> {
    let mut tx = writing(conn).await?;
    let Some(attempt) = target(&mut tx, keys, label).await? else { return Ok(None) };
    let revisions = export::of_attempt(&mut tx, keys, attempt).await?;
    if let Some(known) = revisions.iter().find(|row| says_the_same(row, label)) {
        return Ok(Some(Labelled { attempt, revision: known.outcome.revision, fresh: false }));
    }
    let Some(newest) = revisions.last() else { return Ok(None) };
    let mut outcome = newest.outcome.clone();
    outcome.revision = outcome.revision.checked_add(1).ok_or(StoreError::Exhausted("revisions"))?;
    if let Some(disposition) = &label.disposition {
        outcome.disposition = Some(Arc::from(disposition.as_str()));
    }
    outcome.outcome = label.outcome.unwrap_or(outcome.outcome);
    let now = now.max(operate::high_water(&mut tx).await?);
    let mut writes = Writes::new(Epoch::default());
    writes.finished.push(Finished {
        outcome: &outcome,
        source: OutcomeSource::Label,
        contact: outcome.contact,
        phone: outcome.phone,
        state: outcome.lead_state,
        marks: Marks::default(),
        label: Some(Label { at: label.at, amount: label.amount }),
    });
    writes.flush(&mut tx, now).await?;
    tx.commit().await?;
    Ok(Some(Labelled { attempt, revision: outcome.revision, fresh: true }))
}

async fn target(conn: &mut SqliteConnection, keys: &Keys, label: &NewLabel) -> Result<Option<AttemptId>, StoreError> {
    let (key, campaign) = match &label.target {
        LabelTarget::Attempt(attempt) => return Ok(Some(*attempt)),
        LabelTarget::Customer { key, campaign } => (key, campaign.as_deref()),
    };
    let mut binds = Binds::default();
    binds.blob(&keys.token(Sealed::Contact, key).0).int(label.at.0).maybe_text(campaign).maybe_text(campaign);
    let text = "SELECT a.id FROM contact_token x JOIN contact k ON k.id = x.id JOIN attempt a ON a.contact = k.id
            JOIN campaign c ON c.ix = a.campaign
        WHERE x.token = ? AND k.sealed IS NOT NULL AND a.state = 'done' AND a.at <= ? AND (? IS NULL OR c.name = ?)
        ORDER BY a.at DESC, a.id DESC LIMIT 1";
    let row = sql::row(conn, text, binds).await?;
    row.map(|row| Cells::of(&row).bytes().map(AttemptId::from_bytes)).transpose()
}

/// A file of labels that is loaded twice adds nothing.
fn says_the_same(row: &OutcomeRow, label: &NewLabel) -> bool {
    let same_disposition =
        label.disposition.is_none() || row.outcome.disposition.as_deref() == label.disposition.as_deref();
    row.source == OutcomeSource::Label
        && same_disposition
        && row.label.is_some_and(|known| known.at == label.at && known.amount == label.amount)
}
