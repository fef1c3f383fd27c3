//! What the API reads, against what the model knows: lists, attempts and entries, page by page.

use crate::base::{AttemptId, ListId, Pii, Wall};
use crate::contact::CallResult;
use crate::sim::ModelAttempt;
use crate::store::{
    AttemptRow, Browse as _, DncEntry, DncSubjectKey, ImportStart, LabelTarget, ListRow, NewLabel, Store as _,
};

use super::fixture::{DAY, HOUR, any_list, declined, key, no_answer, number, row};
use super::script::{Harness, Script};

/// Every page of `size`, in the order in which they come.
async fn attempts<H: Harness>(s: &mut Script<H>, size: usize) -> Vec<AttemptRow> {
    let mut found: Vec<AttemptRow> = Vec::new();
    loop {
        let before = found.last().map(|row| row.attempt);
        let page = s.store().attempts(before, size).await.unwrap();
        assert!(page.len() <= size);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

fn as_shown<H: Harness>(
    s: &Script<H>,
    id: AttemptId,
    attempt: &ModelAttempt,
    number: Option<Pii<String>>,
) -> AttemptRow {
    let newest = attempt.outcomes.last();
    AttemptRow {
        attempt: id,
        campaign: s.campaigns[usize::from(attempt.campaign.0)].name.clone(),
        authorised_at: attempt.at,
        trunk: attempt.trunk.clone(),
        number,
        result: newest.map(|outcome| outcome.result),
        disposition: newest.and_then(|outcome| outcome.disposition.as_deref().map(str::to_owned)),
        ended_at: newest.and_then(|outcome| outcome.times.ended),
        revisions: attempt.outcomes.len() as u16,
        golden: true,
        attempt_no: 1,
    }
}

/// Newest first; the numbers are those of the fixture, whose phone ids count from 1 as its numbers do.
fn expected<H: Harness>(s: &Script<H>) -> Vec<AttemptRow> {
    let all = s.model.attempts().iter().rev();
    all.map(|(id, attempt)| as_shown(s, *id, attempt, Some(number(attempt.phone.0)))).collect()
}

pub(super) async fn attempts_come_newest_first_and_each_once<H: Harness>(mut s: Script<H>) {
    assert_eq!(s.store().attempts(None, 5).await.unwrap(), []);
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    s.import(1, &[row(4, &[4])]).await;
    for (campaign, lead) in [(0, 0), (0, 1), (1, 0)] {
        let intent = s.intent(campaign, lead).await;
        s.authorise(&intent).await;
        s.wait(HOUR);
        let outcome = if lead == 1 { declined(&intent, s.now) } else { no_answer(&intent, s.now) };
        s.finish(outcome).await;
    }
    let under_way = s.intent(0, 1).await;
    s.authorise(&under_way).await;
    let expected = expected(&s);
    assert_eq!((expected.len(), expected[0].result), (4, None), "the last one is under way");
    for size in [1, 3, 10] {
        assert_eq!(attempts(&mut s, size).await, expected, "pages of {size}");
    }
    for row in expected {
        assert_eq!(s.store().attempt_row(row.attempt).await.unwrap(), Some(row));
    }
    assert_eq!(s.store().attempt_row(AttemptId(7)).await.unwrap(), None);
    assert_eq!(s.store().attempts(Some(AttemptId(0)), 5).await.unwrap(), []);
}

pub(super) async fn an_attempt_is_shown_by_its_newest_revision<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    s.finish(declined(&intent, s.now)).await;
    let now = s.now.plus(4 * DAY);
    let label = NewLabel {
        target: LabelTarget::Attempt(intent.attempt),
        disposition: Some("booked".into()),
        outcome: None,
        at: now.wall,
        amount: None,
    };
    s.store().add_label(&label, now).await.unwrap();
    let shown = s.store().attempt_row(intent.attempt).await.unwrap().unwrap();
    assert_eq!((shown.revisions, shown.disposition.as_deref()), (2, Some("booked")));
    assert_eq!(shown.result, Some(CallResult::Answered));
}

pub(super) async fn finished_attempts_come_once_with_their_newest_revision_and_nobodys_name<H: Harness>(
    mut s: Script<H>,
) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let mut ids = Vec::new();
    for last in [false, false, true] {
        // The first that is still open.
        let intent = s.intent(0, 0).await;
        s.authorise(&intent).await;
        s.wait(HOUR);
        ids.push((intent.attempt, s.model.attempts()[&intent.attempt].at));
        if !last {
            s.finish(declined(&intent, s.now)).await;
        }
    }
    let target = LabelTarget::Attempt(ids[0].0);
    let at = s.now.plus(4 * DAY);
    let label = NewLabel { target, disposition: Some("booked".into()), outcome: None, at: at.wall, amount: None };
    s.store().add_label(&label, at).await.unwrap();
    let always = Wall(0)..Wall(i64::MAX);
    let all = s.store().finished(AttemptId(0), always.clone(), 9).await.unwrap();
    let shown: Vec<_> = all.iter().map(|row| (row.outcome.attempt, row.outcome.revision)).collect();
    assert_eq!(shown, [(ids[0].0, 1), (ids[1].0, 0)], "the third is under way");
    assert_eq!(all[0].outcome.disposition.as_deref(), Some("booked"));
    assert!(all.iter().all(|row| row.customer_key.is_none() && row.columns.0.is_empty() && row.zones.is_empty()));
    let behind = s.store().finished(ids[0].0, always, 9).await.unwrap();
    assert_eq!(behind, all[1..]);
    let first_alone = s.store().finished(AttemptId(0), ids[0].1..ids[1].1, 9).await.unwrap();
    assert_eq!(first_alone, all[..1]);
    let page = s.store().finished(AttemptId(0), ids[0].1..Wall(i64::MAX), 1).await.unwrap();
    assert_eq!(page, all[..1]);
}

pub(super) async fn what_a_crash_left_is_shown_as_unknown_and_an_erased_number_not_at_all<H: Harness>(
    mut s: Script<H>,
) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    for lead in [0, 1] {
        let intent = s.intent(0, lead).await;
        s.authorise(&intent).await;
        s.wait(HOUR);
    }
    s.crash().await;
    let known = expected(&s);
    assert!(known.iter().all(|row| row.result == Some(CallResult::UnknownCounted)));
    assert_eq!(attempts(&mut s, 5).await, known);
    s.erase(1).await;
    let erased: Vec<Option<Pii<String>>> = attempts(&mut s, 5).await.into_iter().map(|row| row.number).collect();
    assert_eq!(erased, [Some(number(2)), None]);
}

pub(super) async fn lists_come_newest_first_once_they_are_published<H: Harness>(mut s: Script<H>) {
    assert_eq!(s.store().lists(None, 5).await.unwrap(), []);
    let mut expected = Vec::new();
    for (nth, campaign, rows) in [(1, 0, 2), (2, 1, 1), (3, 0, 3)] {
        s.wait(HOUR);
        let rows: Vec<_> = (1..=rows).map(|n| row(n, &[n])).collect();
        s.import(campaign, &rows).await;
        let shown = ListRow {
            list: ListId(u32::from(nth)),
            campaign: s.campaigns[usize::from(campaign)].name.clone(),
            name: format!("list-{nth}.csv"),
            sha256: [nth; 32],
            rows: rows.len() as u64,
            at: s.now.wall,
            expires: Some(s.now.wall + 30 * DAY),
        };
        expected.insert(0, shown);
    }
    let open = any_list();
    let now = s.now;
    assert!(matches!(s.store().import_begin(&open, now).await, Ok(ImportStart::Load(_))));
    assert_eq!(s.store().lists(None, 10).await.unwrap(), expected, "one that still loads is nobody's list yet");
    assert_eq!(s.store().list(ListId(4)).await.unwrap(), None);
    s.store().import_finish(false).await.unwrap();
    assert_eq!(s.store().lists(None, 2).await.unwrap(), expected[..2]);
    assert_eq!(s.store().lists(Some(ListId(2)), 2).await.unwrap(), expected[2..]);
    assert_eq!(s.store().lists(Some(ListId(1)), 2).await.unwrap(), []);
    for shown in expected {
        assert_eq!(s.store().list(shown.list).await.unwrap(), Some(shown));
    }
}

pub(super) async fn an_entry_is_shown_also_when_it_was_removed<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let (customer, phone) = (DncSubjectKey::Customer(key(1)), DncSubjectKey::Phone(number(1)));
    assert_eq!(s.store().dnc_entry(&customer).await.unwrap(), None);
    let (at, until) = (s.now.wall, Some(s.now.wall + DAY));
    s.dnc_add(customer.clone(), until).await;
    let entry = DncEntry {
        subject: Some(customer.clone()),
        reason: "asked".into(),
        source: "operator".into(),
        at,
        until,
        removed_at: None,
    };
    assert_eq!(s.store().dnc_entry(&customer).await.unwrap(), Some(entry.clone()));
    let theirs = s.store().dnc_entry(&phone).await.unwrap().unwrap();
    assert_eq!((theirs.subject, theirs.until), (Some(phone.clone()), until), "a customer brings their numbers");
    s.wait(2 * DAY);
    assert_eq!(s.store().dnc_entry(&customer).await.unwrap(), Some(entry.clone()), "it has ended, and was there");
    assert!(s.dnc_remove(customer.clone()).await);
    let removed = DncEntry { removed_at: Some(s.now.wall), ..entry };
    assert_eq!(s.store().dnc_entry(&customer).await.unwrap(), Some(removed));
    let stranger = DncSubjectKey::Phone(number(77));
    s.dnc_add(stranger.clone(), None).await;
    assert_eq!(s.store().dnc_entry(&stranger).await.unwrap().unwrap().until, None, "nobody needs to know them");
}
