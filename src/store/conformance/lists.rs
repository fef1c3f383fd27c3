//! Lists in: counts, newer lists, the same file twice, dry runs, loads that nobody finished.

use crate::base::{ListId, Wall};
use crate::contact::{ClosedWhy, LeadState};
use crate::store::{ImportCounts, ImportStart, Store as _, StoreError};

use super::fixture::{HOUR, any_list, closed, key, no_answer, row};
use super::script::{Harness, Script, unsplit};

pub(super) async fn the_same_file_twice_changes_nothing<H: Harness>(mut s: Script<H>) {
    let rows = [row(1, &[1]), row(2, &[2])];
    let counts = s.import_digest(0, 9, &rows).await.unwrap();
    assert_eq!((counts.rows, counts.new_leads), (2, 2));
    let before = s.leads(0).await;
    let changes = s.model.changes();
    s.wait(HOUR);
    assert_eq!(s.import_digest(0, 9, &rows).await, None);
    assert_eq!(s.leads(0).await, before);
    assert_eq!(s.model.changes(), changes);
    // Another campaign is another matter.
    assert!(s.import_digest(1, 9, &rows).await.is_some());
}

pub(super) async fn a_newer_list_updates_what_it_names<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let mut better = row(2, &[2, 5]);
    better.score = 0.75;
    let counts = s.import(0, &[row(1, &[1]), better, row(4, &[4]), row(1, &[6])]).await;
    let expected = ImportCounts {
        rows: 4,
        new_contacts: 1,
        new_leads: 1,
        updated_leads: 1,
        unchanged: 1,
        repeated: 1,
        ..ImportCounts::default()
    };
    assert_eq!(counts, expected);
    let leads = s.leads(0).await;
    let lists: Vec<ListId> = leads.iter().map(|lead| lead.list).collect();
    assert_eq!(lists, [ListId(2), ListId(2), ListId(1), ListId(2)]);
    assert_eq!((leads[1].score, leads[1].phones.len()), (0.75, 2));
    s.compare().await;
}

pub(super) async fn a_newer_list_reopens_only_exhausted_and_expired<H: Harness>(mut s: Script<H>) {
    let rows: Vec<_> = (1..=8).map(|n| row(n, &[n])).collect();
    s.import(0, &rows).await;
    let mut ends: Vec<Option<ClosedWhy>> = ClosedWhy::ALL.iter().copied().map(Some).collect();
    ends.push(None);
    let mut intents = Vec::new();
    for lead in 0..ends.len() {
        intents.push(s.intent(0, lead).await);
    }
    for (intent, end) in intents.iter().zip(&ends) {
        s.authorise(intent).await;
        let outcome = no_answer(intent, s.now);
        s.finish(match end {
            Some(why) => closed(outcome, *why),
            None => outcome,
        })
        .await;
    }
    assert_eq!(s.leads(0).await.len(), 1);
    let counts = s.import(0, &rows[..7]).await;
    assert_eq!((counts.reopened, counts.unchanged), (2, 7));
    let open: Vec<_> = s.leads(0).await.into_iter().map(|lead| (lead.contact, lead.state)).collect();
    let at_once = LeadState::Waiting { until: Wall(0) };
    let later = LeadState::Waiting { until: s.now.wall + HOUR };
    assert_eq!(open, [(intents[4].contact, at_once), (intents[5].contact, at_once), (intents[7].contact, later)]);
    s.compare().await;
}

pub(super) async fn a_dry_run_leaves_nothing_behind<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let list = any_list();
    let rows = [row(1, &[1]), row(2, &[2, 3]), row(3, &[2])];
    for _ in 0..2 {
        let now = s.now;
        assert!(matches!(s.store().import_begin(&list, now).await, Ok(ImportStart::Load(_))));
        s.store().import_rows(&rows).await.unwrap();
        let counts = s.store().import_finish(false).await.unwrap();
        assert_eq!((counts.new_contacts, counts.new_leads, counts.unchanged, counts.shared_phones), (2, 2, 1, 1));
        s.compare().await;
    }
    assert_eq!(s.store().find_contact(&key(2)).await.unwrap(), None);
    let counts = s.import(0, &rows).await;
    assert_eq!(counts.new_contacts, 2);
    s.compare().await;
}

pub(super) async fn a_load_that_dies_is_never_seen<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let list = any_list();
    let now = s.now;
    assert!(matches!(s.store().import_begin(&list, now).await, Ok(ImportStart::Load(_))));
    let mut changed = row(1, &[1]);
    changed.score = 0.9;
    s.store().import_rows(&[changed, row(2, &[2])]).await.unwrap();
    s.leads(0).await;
    s.crash().await;
    s.compare().await;
    assert!(matches!(s.store().import_rows(&[row(3, &[3])]).await, Err(StoreError::NoImport)));
    let counts = s.import(0, &[row(2, &[2])]).await;
    assert_eq!((counts.new_contacts, counts.new_leads), (1, 1));
    s.compare().await;
}

pub(super) async fn contacts_are_found_by_key_and_shown_with_all_leads<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    s.import(1, &[row(1, &[1]), row(2, &[2])]).await;
    let contact = s.store().find_contact(&key(1)).await.unwrap().unwrap();
    assert_eq!(s.model.find_contact(&key(1)), Some(contact));
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    s.finish(closed(no_answer(&intent, s.now), ClosedWhy::Success)).await;
    let theirs = s.store().leads_of(contact).await.unwrap();
    assert_eq!(unsplit(theirs.clone()), unsplit(s.model.leads_of(contact)));
    assert_eq!(theirs[0].state, LeadState::Closed(ClosedWhy::Success));
    let unknown = crate::base::ContactId(77);
    let keys = s.store().customer_keys(&[unknown, contact]).await.unwrap();
    assert_eq!(keys, [None, Some(key(1))]);
}

pub(super) async fn published_lists_are_told_in_order<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let given_up = any_list();
    let now = s.now;
    s.store().import_begin(&given_up, now).await.unwrap();
    assert_eq!(s.store().lists_since(ListId(1)).await.unwrap(), [], "it is not published yet");
    s.store().import_finish(false).await.unwrap();
    s.import(1, &[row(1, &[1])]).await;
    let all = s.store().lists_since(ListId(0)).await.unwrap();
    assert_eq!(all.iter().map(|(_, campaign)| campaign.0).collect::<Vec<_>>(), [0, 1]);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(s.store().lists_since(all[0].0).await.unwrap(), all[1..]);
}

pub(super) async fn leads_of_one_list_are_read_in_spans<H: Harness>(mut s: Script<H>) {
    let rows: Vec<_> = (1..=7).map(|n| row(n, &[n])).collect();
    s.import(0, &rows).await;
    let mut better: Vec<_> = [2, 5, 6].map(|n| row(n, &[n])).to_vec();
    better[0].score = 0.99;
    s.import(0, &better).await;
    let all = s.leads(0).await;
    let (mut after, mut found) = (Some(crate::base::LeadId(0)), Vec::new());
    while let Some(from) = after {
        let (rows, next) = s.store().leads_of_list(ListId(2), from, 2).await.unwrap();
        assert!(rows.len() <= 2);
        found.extend(rows);
        after = next;
    }
    let expected: Vec<_> = all.into_iter().filter(|lead| lead.list == ListId(2)).collect();
    assert_eq!((found.len(), &found), (3, &expected));
    // What a newer list says of a lead is not this one's to tell.
    let (of_first, _) = s.store().leads_of_list(ListId(1), crate::base::LeadId(0), 100).await.unwrap();
    assert_eq!(of_first.len(), 4);
}
