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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::experiment::tests::{arm, experiment};
    use crate::engine::{InTrial, Outcome};
    use crate::store::conformance::fixture::{declined, row};
    use crate::store::conformance::script::Script;
    use crate::store::conformance::sqlite::File;

    /// The two campaigns of the script, each with an experiment of this limit.
    fn limited(s: &Script<File>, limit: Option<u32>) -> Vec<Arc<Campaign>> {
        let arms = vec![arm("b", 45, false), arm("champion", 45, false), arm("nobody", 10, true)];
        let limit = limit.map(Share::from_ppm);
        let experiment = Experiment { complaint_rate_above: limit, ..experiment("e1", arms) };
        let with = |campaign: &Arc<Campaign>| Campaign { experiment: Some(experiment.clone()), ..(**campaign).clone() };
        s.campaigns.iter().map(|campaign| Arc::new(with(campaign))).collect()
    }

    /// One call of the first campaign, in an arm, and whether the customer complained.
    async fn called(arm: &str, complaint: bool) -> Script<File> {
        let mut s = Script::<File>::new().await;
        s.import(0, &[row(1, &[1])]).await;
        s.import(1, &[row(2, &[2])]).await;
        let mut intent = s.intent(0, 0).await;
        let share = Share::from_ppm(450_000);
        intent.context.trial = Some(InTrial { experiment: "e1".into(), arm: arm.into(), share });
        assert_eq!(s.authorise(&intent).await, []);
        s.finish(Outcome { complaint, ..declined(&intent, s.now) }).await;
        s
    }

    async fn stop(s: &mut Script<File>, campaigns: &[Arc<Campaign>]) -> Vec<String> {
        let at = s.now.wall;
        stop_what_must(s.store(), campaigns, at).await.unwrap()
    }

    #[tokio::test]
    async fn a_complaint_too_many_pauses_the_campaign_once_and_no_other_and_a_restart_does_not_let_it_go_on() {
        for arm in ["b", "champion"] {
            let mut s = called(arm, true).await;
            let campaigns = limited(&s, Some(0));
            assert_eq!(stop(&mut s, &campaigns).await, ["spring"]);
            assert_eq!(stop(&mut s, &campaigns).await, [] as [&str; 0], "it is paused");
            s.crash().await;
            let paused = s.store().paused().await.unwrap();
            assert_eq!((paused.campaigns.len(), paused.holds(CampaignIx(0))), (1, true));
            let turned = s.store().last_turn(&SwitchOf::Campaign("spring".to_owned())).await.unwrap().unwrap().switch;
            assert_eq!((turned.who.as_str(), turned.paused, turned.hang_up), ("experiment", true, false));
            assert!(turned.reason.contains(&format!("more of arm {arm} complain than 0%")), "{}", turned.reason);
        }
    }

    #[tokio::test]
    async fn who_lets_it_go_on_with_the_same_experiment_sees_it_paused_again() {
        let mut s = called("b", true).await;
        let campaigns = limited(&s, Some(0));
        stop(&mut s, &campaigns).await;
        let of = SwitchOf::Campaign("spring".to_owned());
        let (who, reason, at) = ("somebody".to_owned(), String::new(), s.now.wall);
        s.store().turn(&Switch { of, paused: false, hang_up: false, who, reason, at }).await.unwrap();
        assert_eq!(stop(&mut s, &campaigns).await, ["spring"]);
    }

    #[tokio::test]
    async fn nobody_is_stopped_without_a_complaint_or_without_a_limit() {
        let mut s = called("b", false).await;
        let campaigns = limited(&s, Some(0));
        assert_eq!(stop(&mut s, &campaigns).await, [] as [&str; 0]);
        let mut s = called("b", true).await;
        for limit in [None, Some(900_000)] {
            let campaigns = limited(&s, limit);
            assert_eq!(stop(&mut s, &campaigns).await, [] as [&str; 0], "{limit:?}");
        }
    }

    #[tokio::test]
    async fn nobody_knows_of_the_successes_of_those_who_are_never_called() {
        let mut s = called("b", false).await;
        let campaigns = limited(&s, None);
        let experiment = campaigns[0].experiment.as_ref().unwrap();
        let experiment = Experiment { success: "declined".into(), ..experiment.clone() };
        let seen = figures(s.store(), CampaignIx(0), &experiment).await.unwrap();
        let seen: Vec<_> = seen.iter().map(|arm| (arm.contacts, arm.successes)).collect();
        assert_eq!(seen, [(1, Some(1)), (0, Some(0)), (0, None)]);
    }
}
