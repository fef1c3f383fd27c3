//! A person is taken out: what is gone, what stays, and that nobody dials them.

use crate::contact::{ClosedWhy, Columns, LeadState};
use crate::engine::LeadRow;
use crate::gate::Rule;
use crate::store::{DncFilter, Erased, Store as _};

use super::fixture::{HOUR, any_list, key, no_answer, number, row};
use super::script::{Harness, Script};

pub(super) async fn an_erased_person_is_gone_and_attempts_stay<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1, 2]), row(2, &[3])]).await;
    s.import(1, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    s.finish(no_answer(&intent, s.now)).await;
    let now = s.now;
    assert_eq!(s.store().seal(now, 10).await.unwrap(), 1);
    let erased = s.erase(1).await;
    assert_eq!(erased, Some(Erased { numbers: 2, shared_numbers: 0, leads: 2, attempts: 1 }));
    s.compare().await;
    assert_eq!(s.store().find_contact(&key(1)).await.unwrap(), None);
    assert_eq!(s.store().find_phone(&number(1)).await.unwrap(), None);
    assert_eq!(s.store().customer_keys(&[intent.contact]).await.unwrap(), [None]);
    let leads = s.store().leads_of(intent.contact).await.unwrap();
    assert_eq!(leads.len(), 2);
    for lead in leads {
        assert_eq!((lead.state, lead.columns), (LeadState::Closed(ClosedWhy::Dnc), Columns::default()));
    }
    let outcomes = s.store().attempt(intent.attempt).await.unwrap();
    let [outcome] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((&outcome.customer_key, &outcome.language, outcome.tags.len()), (&None, &None, 0));
    assert_eq!(outcome.columns, Columns::default());
    assert_eq!(s.store().verify(0, 10).await.unwrap(), 1, "the chain holds");
    let entries = s.store().dnc_list(DncFilter::InForce, 10).await.unwrap();
    assert!(entries.len() == 1 && entries[0].subject.is_none(), "{entries:?}");
    assert_eq!(s.erase(1).await, None, "there is nobody any more");
    assert_eq!(s.erase(7).await, None, "nor ever was");
}

pub(super) async fn an_erased_person_is_never_dialled<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let waiting = s.intent(0, 0).await;
    let under_way = s.intent(0, 1).await;
    s.authorise(&under_way).await;
    let before = s.store().changes().await.unwrap();
    s.erase(1).await;
    s.erase(2).await;
    assert!(s.authorise(&waiting).await.contains(&Rule::Number));
    let news = s.store().dnc_since(before, 10).await.unwrap();
    assert_eq!(news.len(), 2, "a running daemon hears of it: {news:?}");
    // What was under way ends, and leaves the lead closed.
    assert!(s.finish(no_answer(&under_way, s.now)).await);
    s.compare().await;
    assert_eq!(s.leads(0).await, []);
    s.crash().await;
    s.compare().await;
}

pub(super) async fn a_number_that_others_have_stays_theirs<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1, 2]), row(2, &[1]), row(3, &[1])]).await;
    let erased = s.erase(1).await.unwrap();
    assert_eq!((erased.numbers, erased.shared_numbers), (1, 1));
    let theirs = s.intent(0, 0).await;
    assert_eq!(s.authorise(&theirs).await, []);
    s.finish(no_answer(&theirs, s.now)).await;
    let counts = s.import(0, &[row(2, &[1]), row(3, &[1])]).await;
    assert_eq!(counts.shared_phones, 1);
    s.erase(2).await;
    let counts = s.import(0, &[row(3, &[1])]).await;
    assert_eq!(counts.shared_phones, 0, "one person has it now");
    s.compare().await;
}

pub(super) async fn a_later_list_brings_the_data_back_and_nobody_dials<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    s.erase(1).await;
    s.wait(HOUR);
    s.import(0, &[row(1, &[1])]).await;
    s.import(1, &[row(1, &[1])]).await;
    assert!(s.store().find_contact(&key(1)).await.unwrap().is_some());
    assert_eq!(s.leads(0).await, [], "closed is closed");
    let intent = s.intent(1, 0).await;
    assert!(s.authorise(&intent).await.contains(&Rule::Dnc));
    // Only the operator lifts it.
    assert!(s.dnc_remove(crate::store::DncSubjectKey::Customer(key(1))).await);
    let intent = s.intent(1, 0).await;
    assert_eq!(s.authorise(&intent).await, []);
    s.compare().await;
}

pub(super) async fn a_list_that_was_given_up_brings_nobody_back<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    s.erase(1).await;
    let list = any_list();
    let now = s.now;
    s.store().import_begin(&list, now).await.unwrap();
    s.store().import_rows(&[row(1, &[1]), row(2, &[2])]).await.unwrap();
    s.store().import_finish(false).await.unwrap();
    assert_eq!(s.store().find_contact(&key(1)).await.unwrap(), None);
    assert_eq!(s.store().find_phone(&number(1)).await.unwrap(), None);
    assert!(s.store().find_phone(&number(2)).await.unwrap().is_some());
    s.compare().await;
}

/// A customer stays in the arm of an experiment, whatever list brings them, before and after an erasure.
pub(super) async fn a_customer_falls_in_one_place_for_ever<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let before = s.leads(0).await;
    assert_ne!(before[0].split, before[1].split);
    // Another list of another campaign, in another order, with another number.
    s.import(1, &[row(3, &[4]), row(2, &[2]), row(1, &[5])]).await;
    let other = s.leads(1).await;
    let split =
        |leads: &[LeadRow], like: &LeadRow| leads.iter().find(|lead| lead.contact == like.contact).unwrap().split;
    assert_eq!(split(&other, &before[0]), before[0].split);
    assert_eq!(split(&other, &before[1]), before[1].split);
    s.erase(1).await;
    s.import(0, &[row(1, &[6])]).await;
    assert!(s.store().find_contact(&key(1)).await.unwrap().is_some(), "they are back");
    let back = s.store().leads_of(before[0].contact).await.unwrap();
    assert!(!back.is_empty() && back.iter().all(|lead| lead.split == before[0].split));
}
