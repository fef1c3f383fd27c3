//! Outcomes out and labels in: sealed rows with their context, a chain that holds, late labels as new revisions.

use crate::base::Share;
use crate::contact::{ColumnValue, OutcomeKind};
use crate::engine::InTrial;
use crate::store::{Label, LabelTarget, NewLabel, OutcomeSource, Store as _};

use super::fixture::{DAY, HOUR, declined, key, no_answer, row};
use super::script::{Harness, Script};

pub(super) async fn only_sealed_rows_are_exported_in_order<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let mut intents = Vec::new();
    for lead in [2, 0, 1] {
        let intent = s.intent(0, lead).await;
        s.authorise(&intent).await;
        s.finish(no_answer(&intent, s.now)).await;
        intents.push(intent);
    }
    let now = s.now;
    assert!(s.store().outcomes(0, 10).await.unwrap().is_empty());
    assert_eq!(s.store().seal(now, 2).await.unwrap(), 2);
    assert_eq!(s.store().seal(now, 10).await.unwrap(), 1);
    assert_eq!(s.store().seal(now, 10).await.unwrap(), 0);
    let rows = s.store().outcomes(0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seal).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(rows.iter().zip(&intents).all(|(row, intent)| row.outcome.attempt == intent.attempt));
    assert_eq!(s.store().outcomes(2, 10).await.unwrap().len(), 1);
    assert_eq!(s.store().verify(0, 10).await.unwrap(), 3);
    assert_eq!(s.store().verify(1, 1).await.unwrap(), 2);
    assert_eq!(s.store().cursor("lake").await.unwrap(), 0);
    s.store().set_cursor("lake", 3).await.unwrap();
    assert_eq!(s.store().cursor("lake").await.unwrap(), 3);
}

pub(super) async fn a_row_tells_everything_as_of_the_dial<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    // A newer list says something else by the time it ends.
    let mut newer = row(1, &[1]);
    newer.columns.0.insert("age".into(), ColumnValue::Integer(41));
    s.import(0, &[newer]).await;
    s.wait(HOUR);
    let outcome = declined(&intent, s.now);
    s.finish(outcome.clone()).await;
    let now = s.now;
    s.store().seal(now, 10).await.unwrap();
    let rows = s.store().outcomes(0, 10).await.unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.outcome, outcome);
    assert_eq!(row.context, intent.context);
    assert_eq!((row.source, row.label), (OutcomeSource::Engine, None));
    assert_eq!(row.customer_key, Some(key(1)));
    assert_eq!(row.columns.get("age"), Some(&ColumnValue::Integer(40)));
    assert_eq!((row.trunk.as_str(), row.caller_id.as_str()), ("gw-a", "+999000000001"));
    assert_eq!((row.campaign.as_str(), row.list_name.as_str()), ("spring", "list-1.csv"));
    assert_eq!(row.plan.policy, "mild@1");
    assert_eq!(row.plan.campaign_hash, intent.campaign.hash);
    assert_eq!((row.plan.model_version.as_deref(), row.plan.model_alias.as_str()), (Some("3"), "champion"));
    assert_eq!((row.tags.clone(), row.zones.len()), (vec!["gold".to_owned()], 2));
    assert_eq!(row.authorised_at, intent.decided.wall);
    assert_eq!(row.recorded_at, now.wall);
}

/// The campaign's file says `m 3`; a list that a model scored knows better, and a later list does not change what was.
pub(super) async fn an_attempt_tells_whose_scores_its_list_held<H: Harness>(mut s: Script<H>) {
    s.scored_by = Some(("termdep", "2026-12"));
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    s.scored_by = Some(("termdep", "2027-01"));
    s.import(0, &[row(1, &[1])]).await;
    s.finish(no_answer(&intent, s.now)).await;
    let now = s.now;
    s.store().seal(now, 10).await.unwrap();
    let rows = s.store().outcomes(0, 10).await.unwrap();
    let plan = &rows[0].plan;
    assert_eq!((plan.model_id.as_deref(), plan.model_version.as_deref()), (Some("termdep"), Some("2026-12")));
    assert_eq!(plan.model_alias, "challenger");
}

pub(super) async fn a_label_is_a_new_revision_once<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let intent = s.intent(0, 0).await;
    let label = |target| NewLabel {
        target,
        disposition: Some("booked".into()),
        outcome: Some(OutcomeKind::Success),
        at: intent.decided.wall + 3 * DAY,
        amount: Some(1_250.5),
    };
    let by_attempt = label(LabelTarget::Attempt(intent.attempt));
    let now = s.now.plus(4 * DAY);
    assert_eq!(s.store().add_label(&by_attempt, now).await.unwrap(), None, "nothing to label yet");
    s.authorise(&intent).await;
    assert_eq!(s.store().add_label(&by_attempt, now).await.unwrap(), None, "it is not finished");
    s.finish(declined(&intent, s.now)).await;
    let first = s.store().add_label(&by_attempt, now).await.unwrap().unwrap();
    assert_eq!((first.attempt, first.revision, first.fresh), (intent.attempt, 1, true));
    let by_key = label(LabelTarget::Customer { key: key(1), campaign: Some("spring".into()) });
    let again = s.store().add_label(&by_key, now).await.unwrap().unwrap();
    assert_eq!((again.attempt, again.revision, again.fresh), (intent.attempt, 1, false));
    let elsewhere = label(LabelTarget::Customer { key: key(1), campaign: Some("autumn-2".into()) });
    assert_eq!(s.store().add_label(&elsewhere, now).await.unwrap(), None);
    let nobody = label(LabelTarget::Customer { key: key(2), campaign: None });
    assert_eq!(s.store().add_label(&nobody, now).await.unwrap(), None);
    s.store().seal(now, 10).await.unwrap();
    let rows = s.store().outcomes(0, 10).await.unwrap();
    let [old, new] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(old.outcome.disposition.as_deref(), Some("declined"));
    assert_eq!((new.outcome.revision, new.outcome.outcome), (1, OutcomeKind::Success));
    assert_eq!(new.outcome.disposition.as_deref(), Some("booked"));
    assert_eq!(new.label, Some(Label { at: by_attempt.at, amount: by_attempt.amount }));
    assert_eq!(new.source, OutcomeSource::Label);
    assert_eq!(s.store().verify(0, 10).await.unwrap(), 2);
}

pub(super) async fn the_arm_of_an_experiment_is_kept_and_sealed<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let mut intent = s.intent(0, 0).await;
    let trial = InTrial { experiment: "e1".into(), arm: "challenger".into(), share: Share::from_ppm(200_000) };
    intent.context.trial = Some(trial.clone());
    s.authorise(&intent).await;
    s.finish(declined(&intent, s.now)).await;
    let now = s.now;
    s.store().seal(now, 10).await.unwrap();
    let rows = s.store().outcomes(0, 10).await.unwrap();
    assert_eq!(rows[0].context.trial, Some(trial));
    assert_eq!(s.store().verify(0, 10).await.unwrap(), 1);
}
