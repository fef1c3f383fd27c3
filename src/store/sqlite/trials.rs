//! What came of the arms of an experiment, counted over customers, and of predictions, call by call.

use crate::base::CampaignIx;
use crate::contact::{CallResult, ContactKind, OutcomeKind};
use crate::store::{ArmSeen, CallSeen, StoreError};

use super::Sqlite;
use super::sql::{self, Binds, Cells};

/// By the newest revision of each attempt, so that labels count. A void attempt was never dialled.
const ARMS: &str = "SELECT a.arm, count(DISTINCT a.contact),
        count(DISTINCT CASE WHEN o.contact_kind = 'right_party' THEN a.contact END),
        count(DISTINCT CASE WHEN o.disposition = ? THEN a.contact END),
        count(DISTINCT CASE WHEN o.complaint THEN a.contact END)
    FROM attempt a LEFT JOIN outcome o ON o.attempt = a.id AND o.revision = a.revisions - 1
    WHERE a.experiment = ? AND a.campaign = ? AND coalesce(a.result, '') <> ? GROUP BY a.arm ORDER BY a.arm";

/// Ids of attempts sort by time.
const CALLS: &str = "SELECT a.p_answer, a.score, a.result, o.contact_kind, o.outcome
    FROM attempt a JOIN outcome o ON o.attempt = a.id AND o.revision = a.revisions - 1
    WHERE a.campaign = ? AND a.state = 'done' ORDER BY a.id DESC LIMIT ?";

/// `listed` is ordered by lead, and has the lines of all lists.
const HISTOGRAM: &str =
    "SELECT min(?, CAST(r.score * ? AS INTEGER)), count(*) FROM lead l JOIN listed r ON r.lead = l.id
        AND r.list = (SELECT id FROM list WHERE campaign = ? AND state = 1 ORDER BY id DESC LIMIT 1 OFFSET ?)
    WHERE l.campaign = ? GROUP BY 1";

impl Sqlite {
    /// Scores of a published list of the campaign in `bins` equal parts of `[0, 1]`: of the newest, or of one so many lists
    /// older. All zero without one.
    pub async fn score_histogram(
        &mut self,
        campaign: CampaignIx,
        older: u32,
        bins: u32,
    ) -> Result<Vec<u64>, StoreError> {
        let mut binds = Binds::default();
        binds.int(i64::from(bins) - 1).real(f64::from(bins)).int(i64::from(campaign.0)).int(i64::from(older));
        binds.int(i64::from(campaign.0));
        let mut out = vec![0; bins as usize];
        for row in sql::rows(&mut self.conn, HISTOGRAM, binds).await? {
            let mut cells = Cells::of(&row);
            let (at, count): (u32, u64) = (cells.small()?, cells.small()?);
            if let Some(bin) = out.get_mut(at as usize) {
                *bin = count;
            }
        }
        Ok(out)
    }

    /// Arms that called somebody, by name. It walks the attempts of the experiment.
    pub async fn arms_seen(
        &mut self,
        campaign: CampaignIx,
        experiment: &str,
        success: &str,
    ) -> Result<Vec<ArmSeen>, StoreError> {
        let mut binds = Binds::default();
        binds.text(success).text(experiment).int(i64::from(campaign.0)).text(CallResult::Void.as_str());
        let rows = sql::rows(&mut self.conn, ARMS, binds).await?;
        let read = |row| {
            let mut cells = Cells::of(row);
            Ok(ArmSeen {
                arm: cells.text()?.to_owned(),
                contacts: cells.small()?,
                reached: cells.small()?,
                successes: cells.small()?,
                complaints: cells.small()?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The newest finished calls of a campaign, at most `limit`, oldest first: what was predicted and what came.
    pub async fn calls_seen(&mut self, campaign: CampaignIx, limit: u32) -> Result<Vec<CallSeen>, StoreError> {
        let mut binds = Binds::default();
        binds.int(i64::from(campaign.0)).int(i64::from(limit));
        let mut calls = Vec::new();
        for row in sql::rows(&mut self.conn, CALLS, binds).await? {
            let mut cells = Cells::of(&row);
            let (p_answer, score) = (cells.real()?, cells.real()?);
            let result = cells.word(CallResult::parse)?;
            let right_party = cells.text()? == ContactKind::RightParty.as_str();
            let success = cells.text()? == OutcomeKind::Success.as_str();
            calls.push(CallSeen { p_answer, score, result, right_party, success });
        }
        calls.reverse();
        Ok(calls)
    }
}
