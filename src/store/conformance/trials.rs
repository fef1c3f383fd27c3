//! What is counted for experiments and for drift. Only SQLite counts it.

use crate::base::{CampaignIx, Share};
use crate::contact::{CallResult, ContactKind, OutcomeKind};
use crate::engine::{InTrial, Intent, Outcome};
use crate::store::{ArmSeen, CallSeen, LabelTarget, NewLabel, Store as _};

use super::fixture::{DAY, HOUR, no_answer, row};
use super::script::Script;
use super::sqlite::File;

const SPRING: CampaignIx = CampaignIx(0);

/// A half of all customers are in the arm.
fn in_trial(experiment: &str, arm: &str) -> InTrial {
    InTrial { experiment: experiment.into(), arm: arm.into(), share: Share::from_ppm(500_000) }
}

/// The lead is called, and that is over.
async fn call(s: &mut Script<File>, campaign: u16, lead: usize, trial: (&str, &str)) -> Intent {
    let mut intent = s.intent(campaign, lead).await;
    intent.context.trial = Some(in_trial(trial.0, trial.1));
    assert_eq!(s.authorise(&intent).await, []);
    s.finish(no_answer(&intent, s.now)).await;
    intent
}

async fn label(s: &mut Script<File>, of: &Intent, disposition: &str, outcome: OutcomeKind) {
    let at = of.decided.wall + DAY;
    let target = LabelTarget::Attempt(of.attempt);
    let label = NewLabel { target, disposition: Some(disposition.into()), outcome: Some(outcome), at, amount: None };
    let now = s.now;
    s.store().add_label(&label, now).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_arm_counts_its_customers_each_once_by_the_newest_revision_of_what_they_did() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    for _ in 0..2 {
        let mut intent = s.intent(0, 0).await;
        intent.context.trial = Some(in_trial("e1", "b"));
        assert_eq!(s.authorise(&intent).await, []);
        let contact_kind = ContactKind::RightParty;
        s.finish(Outcome { complaint: true, contact_kind, ..no_answer(&intent, s.now) }).await;
        label(&mut s, &intent, "booked", OutcomeKind::Success).await;
        s.wait(HOUR);
    }
    let taken_back = call(&mut s, 0, 1, ("e1", "b")).await;
    label(&mut s, &taken_back, "booked", OutcomeKind::Success).await;
    label(&mut s, &taken_back, "returned", OutcomeKind::Failure).await;
    let mut void = s.intent(0, 2).await;
    void.context.trial = Some(in_trial("e1", "b"));
    assert_eq!(s.authorise(&void).await, []);
    s.finish(Outcome { result: CallResult::Void, ..no_answer(&void, s.now) }).await;
    let seen = s.store().arms_seen(SPRING, "e1", "booked").await.unwrap();
    assert_eq!(seen, [ArmSeen { arm: "b".into(), contacts: 2, reached: 1, successes: 1, complaints: 1 }]);
}

#[tokio::test]
async fn an_arm_is_of_its_campaign_and_of_its_experiment() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    s.import(1, &[row(3, &[3])]).await;
    call(&mut s, 0, 0, ("e1", "b")).await;
    call(&mut s, 0, 1, ("e0", "b")).await;
    call(&mut s, 1, 0, ("e1", "b")).await;
    for (campaign, experiment, contacts) in [(0, "e1", 1), (0, "e0", 1), (1, "e1", 1)] {
        let seen = s.store().arms_seen(CampaignIx(campaign), experiment, "booked").await.unwrap();
        assert_eq!(seen.iter().map(|arm| arm.contacts).collect::<Vec<_>>(), [contacts]);
    }
    assert_eq!(s.store().arms_seen(CampaignIx(1), "e0", "booked").await.unwrap(), []);
}

#[tokio::test]
async fn calls_are_those_of_the_campaign_oldest_first_as_their_newest_revision_has_them() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    s.import(1, &[row(3, &[3])]).await;
    let booked = call(&mut s, 0, 0, ("e1", "b")).await;
    s.wait(HOUR);
    call(&mut s, 0, 1, ("e1", "b")).await;
    call(&mut s, 1, 0, ("e1", "b")).await;
    label(&mut s, &booked, "booked", OutcomeKind::Success).await;
    let successes = |calls: Vec<CallSeen>| calls.iter().map(|call| call.success).collect::<Vec<_>>();
    assert_eq!(successes(s.store().calls_seen(SPRING, 10).await.unwrap()), [true, false]);
    assert_eq!(successes(s.store().calls_seen(SPRING, 1).await.unwrap()), [false], "the newest of them");
}

#[tokio::test]
async fn scores_are_those_of_the_campaigns_newest_list_and_a_sure_one_is_in_the_last_bin() {
    let mut s = Script::<File>::new().await;
    let scored = |n: u32, score: f64| crate::contact::Row { score, ..row(n, &[n]) };
    s.import(0, &[scored(1, 0.1), scored(2, 0.1)]).await;
    s.import(0, &[scored(1, 1.0), scored(2, 0.3), scored(3, 0.3)]).await;
    s.import(1, &[scored(4, 0.9)]).await;
    let bins = |of: [u64; 4]| of.to_vec();
    assert_eq!(s.store().score_histogram(SPRING, 0, 4).await.unwrap(), bins([0, 2, 0, 1]));
    assert_eq!(s.store().score_histogram(SPRING, 1, 4).await.unwrap(), bins([2, 0, 0, 0]));
    assert_eq!(s.store().score_histogram(CampaignIx(1), 0, 4).await.unwrap(), bins([0, 0, 0, 1]));
    assert_eq!(s.store().score_histogram(CampaignIx(1), 1, 4).await.unwrap(), bins([0, 0, 0, 0]));
}
