//! Each version of a campaign and its policy is written down once; attempts point to it.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;

use crate::base::CampaignIx;
use crate::campaign::Campaign;
use crate::store::{PlanVersion, StoreError};

use super::sql::{self, Binds};

/// Row numbers already known, so that an authorisation asks the database only for a new version.
#[derive(Debug, Default)]
pub(super) struct Versions {
    known: HashMap<(CampaignIx, String, String), i64>,
}

impl Versions {
    /// Reloads that nobody counts on would pile up; past this the table is asked again.
    const KEEP: usize = 1_024;

    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    pub(super) async fn of(
        &mut self,
        conn: &mut SqliteConnection,
        ix: CampaignIx,
        campaign: &Campaign,
    ) -> Result<i64, StoreError> {
        let key = (ix, campaign.hash.clone(), campaign.policy.hash.clone());
        if let Some(id) = self.known.get(&key) {
            return Ok(*id);
        }
        let id = note(conn, ix, campaign).await?;
        if self.known.len() >= Self::KEEP {
            self.forget();
        }
        self.known.insert(key, id);
        Ok(id)
    }
}

async fn note(conn: &mut SqliteConnection, ix: CampaignIx, campaign: &Campaign) -> Result<i64, StoreError> {
    let plan = PlanVersion::of(ix, campaign);
    let mut binds = Binds::default();
    binds
        .int(i64::from(ix.0))
        .text(&plan.campaign_hash)
        .text(&plan.policy)
        .text(&plan.policy_hash)
        .text(&plan.scenario)
        .text(&plan.purpose)
        .text(&plan.rank_by)
        .text(&plan.pacing)
        .int(i64::try_from(plan.ring_ms).unwrap_or(i64::MAX))
        .maybe_text(plan.model_id.as_deref())
        .maybe_text(plan.model_version.as_deref())
        .text(&segments(campaign));
    sql::run(
        conn,
        "INSERT OR IGNORE INTO plan_version(campaign, campaign_hash, policy, policy_hash, scenario, purpose, rank_by,
            pacing, ring_ms, model_id, model_version, segments) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        binds,
    )
    .await?;
    let mut binds = Binds::default();
    binds.int(i64::from(ix.0)).text(&campaign.hash).text(&campaign.policy.hash);
    let find = "SELECT id FROM plan_version WHERE campaign = ? AND campaign_hash = ? AND policy_hash = ?";
    sql::number(conn, find, binds).await
}

/// With blanks between: names have none.
fn segments(campaign: &Campaign) -> String {
    let names: Vec<&str> = campaign.segments.iter().map(|segment| segment.name.as_str()).collect();
    names.join(" ")
}
