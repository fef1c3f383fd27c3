//! The stop rule of experiments: a campaign is paused once more customers of an arm complain than may. Looked at every
//! minute, by evidence that may be looked at at any time (`model::trial`).

use std::sync::Arc;

use crate::base::{CampaignIx, Code, Share, Wall};
use crate::campaign::{Campaign, Experiment};
use crate::model::trial::{ArmFigures, Rules, Verdict, arms};
use crate::store::{Sqlite, Store as _, StoreError, Switch, SwitchOf};

/// What decides an experiment, as its campaign has it.
pub fn rules(experiment: &Experiment) -> Rules {
    Rules {
        alpha: experiment.alpha.fraction(),
        min_contacts: u64::from(experiment.min_contacts_per_arm),
        complaint_rate_above: experiment.complaint_rate_above.map(Share::fraction),
    }
}

/// Figures of all arms, in their order. Nobody knows of the successes of those who are never called.
pub async fn figures(
    store: &mut Sqlite,
    campaign: CampaignIx,
    experiment: &Experiment,
) -> Result<Vec<ArmFigures>, StoreError> {
    let seen = store.arms_seen(campaign, &experiment.id, &experiment.success).await?;
    let of = |arm: &crate::campaign::Arm| {
        let seen = seen.iter().find(|seen| *seen.arm == *arm.name);
        ArmFigures {
            name: arm.name.to_string(),
            contacts: seen.map_or(0, |seen| seen.contacts),
            reached: seen.map_or(0, |seen| seen.reached),
            successes: (!arm.held_out).then(|| seen.map_or(0, |seen| seen.successes)),
            complaints: seen.map_or(0, |seen| seen.complaints),
        }
    };
    Ok(experiment.arms.iter().map(of).collect())
}

/// Pauses every campaign whose experiment must stop, and returns their names. An operator who lets it go on with the same
/// experiment sees it paused again a minute later.
pub(super) async fn stop_what_must(
    store: &mut Sqlite,
    campaigns: &[Arc<Campaign>],
    at: Wall,
) -> Result<Vec<String>, StoreError> {
    let table = store.campaign_table().await?;
    let paused = store.paused().await?;
    let mut stopped = Vec::new();
    for campaign in campaigns {
        let Some(experiment) = campaign.experiment.as_ref().filter(|of| of.complaint_rate_above.is_some()) else {
            continue;
        };
        let Some((ix, _)) = table.iter().find(|(_, name)| *name == campaign.name) else { continue };
        if paused.campaigns.contains(ix) {
            continue;
        }
        let figures = figures(store, *ix, experiment).await?;
        let Verdict::Stop { arm, .. } = arms(Experiment::CHAMPION, &figures, &rules(experiment)).verdict else {
            continue;
        };
        let limit = experiment.complaint_rate_above.unwrap_or_default();
        let reason = format!("{}: more of arm {arm} complain than {limit} ({})", experiment.id, Code::TrialStopped);
        let reason: String = reason.chars().take(Switch::REASON_MAX).collect();
        let of = SwitchOf::Campaign(campaign.name.clone());
        store.turn(&Switch { of, paused: true, hang_up: false, who: "experiment".to_owned(), reason, at }).await?;
        stopped.push(campaign.name.clone());
    }
    Ok(stopped)
}
