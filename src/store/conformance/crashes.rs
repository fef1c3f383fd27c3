//! What a dead process leaves behind, and what becomes of it.

use crate::base::TrunkIx;
use crate::contact::{CallResult, ClosedWhy};
use crate::engine::{Intent, StoreRequest};
use crate::gate::Rule;
use crate::store::{OutcomeSource, Store as _, StoreError, SwitchOf};

use super::fixture::{HOUR, no_answer, number, row, switch};
use super::script::{Harness, Script, try_commit};

pub(super) async fn what_was_live_is_unknown_and_counts<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    s.import(1, &[row(1, &[1])]).await;
    let (lost, done) = (s.intent(0, 0).await, s.intent(0, 1).await);
    s.authorise(&lost).await;
    s.authorise(&done).await;
    s.finish(no_answer(&done, s.now)).await;
    s.wait(HOUR);
    let recovered = s.crash().await;
    assert_eq!(recovered.len(), 1);
    let left = &recovered[0];
    assert_eq!((left.attempt, left.trunk.as_str(), left.number.clone()), (lost.attempt, "gw-a", Some(number(1))));
    assert_eq!(left.caller_id, *lost.caller_id);
    // The lead is closed, the person is free for others, and the dial counts.
    assert_eq!(s.leads(0).await.len(), 1);
    let again = crate::engine::Intent { attempt: crate::base::AttemptId(7), ..lost.clone() };
    assert_eq!(s.authorise(&again).await, [Rule::Attempts]);
    let other = s.intent(1, 0).await;
    assert_eq!(s.authorise(&other).await, []);
    let ledgers = s.ledgers().await;
    assert_eq!(ledgers.contacts[0].1.dials[0].result, Some(CallResult::UnknownCounted));
    // The outcome of the dead process comes too late; the record says who wrote it.
    assert!(!s.finish(no_answer(&lost, s.now)).await);
    let rows = s.store().attempt(lost.attempt).await.unwrap();
    assert_eq!((rows.len(), rows[0].source), (1, OutcomeSource::Recovery));
    assert_eq!(s.model.lead_counts(crate::base::CampaignIx(0)).2.get(&ClosedWhy::UnknownCounted), Some(&1));
    s.compare().await;
}

pub(super) async fn what_was_on_its_way_over_another_trunk_is_found_there<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let (first, second) = (s.intent(0, 0).await, s.intent(0, 1).await);
    let over = |intent: &Intent| Intent { trunk: TrunkIx(1), caller_id: "+999000000002".into(), ..intent.clone() };
    let reroute = |intent: &Intent| StoreRequest::Reroute(Box::new(over(intent)));
    s.authorise(&first).await;
    s.commit(&[reroute(&first)]).await;
    // Nobody does so within one batch, and it would be the same.
    s.commit(&[StoreRequest::Authorise(Box::new(second.clone())), reroute(&second)]).await;
    let recovered = s.crash().await;
    let places: Vec<_> = recovered.iter().map(|left| (left.trunk.as_str(), left.caller_id.as_str())).collect();
    assert_eq!(places, [("trunk-1", "+999000000002"); 2]);
    s.compare().await;
}

pub(super) async fn recovery_does_its_work_once<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let lost = s.intent(0, 0).await;
    s.authorise(&lost).await;
    // Our own live attempts are not a dead process's.
    let now = s.now;
    assert!(s.store().recover(now).await.unwrap().is_empty());
    assert_eq!(s.model.recover(now).unwrap(), []);
    assert_eq!(s.crash().await.len(), 1);
    assert_eq!(s.crash().await, []);
    s.compare().await;
}

pub(super) async fn an_attempt_in_doubt_is_found_or_was_never_written<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let doubtful = s.intent(0, 0).await;
    // Its reply got lost: whoever never dialled may void it, and learns what was written.
    s.authorise(&doubtful).await;
    let void = crate::engine::Outcome { result: CallResult::Void, ..no_answer(&doubtful, s.now) };
    assert!(s.finish(void.clone()).await);
    assert!(!s.finish(void).await);
    assert_eq!(s.crash().await, []);
    let next = s.intent(0, 0).await;
    assert_eq!(s.authorise(&next).await, []);
}

pub(super) async fn nobody_commits_without_begin<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    let mut second = s.harness.open().await;
    assert!(matches!(try_commit(&mut second, s.now, &intent).await, Err(StoreError::Fenced)));
    // The second may read and operate beside the first.
    second.turn(&switch(SwitchOf::Everything, true, s.now)).await.unwrap();
    s.model.set_paused(None, true);
    assert_eq!(s.authorise(&intent).await, [Rule::CampaignState]);
    let now = s.now;
    assert!(s.store().commit(now, &[] as &[StoreRequest]).await.unwrap().replies.is_empty());
    s.model.commit(now, &[], crate::sim::Fault::None).unwrap();
    s.compare().await;
}
