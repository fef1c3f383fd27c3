//! SQLite in trouble: full, locked, killed, tampered with, opened by the wrong hands.

use std::sync::Arc;

use crate::store::{Keys, KeysError, Sqlite, Store as _, StoreError};

use super::fixture::{any_list, closed, key, no_answer, number, row};
use super::script::{Harness as _, Script, try_commit};
use super::sqlite::File;
use crate::contact::ClosedWhy;
use crate::engine::{StoreReply, StoreRequest};
use crate::gate::{Rule, Verdict};

#[tokio::test]
async fn a_full_disk_writes_nothing_and_the_store_goes_on_afterwards() {
    let mut s = Script::<File>::new().await;
    let rows: Vec<_> = (1..=200).map(|n| row(n, &[n])).collect();
    s.import(0, &rows).await;
    let leads = s.leads(0).await;
    let campaign = Arc::clone(&s.campaigns[0]);
    let batch: Vec<StoreRequest> = leads
        .iter()
        .map(|lead| StoreRequest::Authorise(Box::new(super::fixture::intent(&mut s.rng, s.now, &campaign, lead, 0))))
        .collect();
    let now = s.now;
    s.store().raw("PRAGMA max_page_count = 1").await.unwrap();
    assert!(matches!(s.store().commit(now, &batch).await, Err(StoreError::Full)));
    assert_eq!(s.store().stats().await.unwrap().attempts, 0);
    s.compare().await;
    s.store().raw("PRAGMA max_page_count = 1000000").await.unwrap();
    s.commit(&batch).await;
    assert_eq!(s.store().stats().await.unwrap().live, 200);
    s.compare().await;
}

#[tokio::test]
async fn a_number_that_does_not_open_is_refused_alone() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let intents = [s.intent(0, 0).await, s.intent(0, 1).await, s.intent(0, 2).await];
    // One is damaged, one was sealed with a key that nobody has.
    let damage = "UPDATE phone SET sealed = zeroblob(length(sealed)) WHERE id = 1;
        UPDATE phone SET sealed = unhex('ff') || substr(sealed, 2) WHERE id = 3";
    s.store().raw(damage).await.unwrap();
    let batch: Vec<StoreRequest> = intents.iter().cloned().map(Box::new).map(StoreRequest::Authorise).collect();
    let now = s.now;
    let committed = s.store().commit(now, &batch).await.unwrap();
    let [first, second, third] = intents.each_ref().map(|intent| intent.attempt);
    for (reply, attempt) in [(&committed.replies[0], first), (&committed.replies[2], third)] {
        let StoreReply::Refused { attempt: refused, verdict: Verdict::Refuse { reasons, until: None } } = reply else {
            panic!("{reply:?}")
        };
        assert_eq!((*refused, reasons[0].rule), (attempt, Rule::Number));
    }
    assert_eq!(committed.replies[1], StoreReply::Authorised { attempt: second });
    assert_eq!(committed.unopened, [intents[0].phone, intents[2].phone]);
    assert_eq!(committed.numbers.len(), 1);
    assert_eq!(s.store().stats().await.unwrap().attempts, 1);
}

#[tokio::test]
async fn a_locked_database_is_an_error_and_nothing_is_written() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    let mut other = s.harness.open().await;
    other.raw("BEGIN IMMEDIATE").await.unwrap();
    s.store().raw("PRAGMA busy_timeout = 20").await.unwrap();
    let now = s.now;
    assert!(matches!(try_commit(s.store(), now, &intent).await, Err(StoreError::Busy)));
    other.raw("ROLLBACK").await.unwrap();
    assert_eq!(s.authorise(&intent).await, []);
    s.compare().await;
}

#[tokio::test]
async fn committed_batches_survive_a_process_that_closes_nothing() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let (first, second) = (s.intent(0, 0).await, s.intent(0, 1).await);
    s.authorise(&first).await;
    s.finish(closed(no_answer(&first, s.now), ClosedWhy::Success)).await;
    s.authorise(&second).await;
    // A transaction that was open when the process died.
    s.store().raw("BEGIN IMMEDIATE; UPDATE lead SET state = 'success'").await.unwrap();
    assert_eq!(s.crash().await.len(), 1);
    s.compare().await;
}

#[tokio::test]
async fn numbers_and_keys_do_not_stand_in_the_files() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(7, &[123_456_789])]).await;
    s.dnc_add(crate::store::DncSubjectKey::Phone(number(987_654_321)), None).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    let mut read = 0;
    for entry in std::fs::read_dir(s.harness.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        read += bytes.len();
        let canaries = ["123456789", "987654321", key(7).reveal().as_str()].map(str::as_bytes).map(<[u8]>::to_vec);
        for canary in canaries {
            assert!(
                !bytes.windows(canary.len()).any(|window| window == canary),
                "{}",
                String::from_utf8_lossy(&canary)
            );
        }
        let tells = bytes.windows(9).any(|window| window == b"list-1.cs");
        read += usize::from(tells) << 32;
    }
    assert!(read > 1 << 32, "the search finds what is there");
}

#[tokio::test]
async fn the_log_cannot_be_rewritten_and_tampering_breaks_the_chain() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    for lead in [0, 1] {
        let intent = s.intent(0, lead).await;
        s.authorise(&intent).await;
        s.finish(no_answer(&intent, s.now)).await;
    }
    let now = s.now;
    s.store().seal(now, 10).await.unwrap();
    assert!(s.store().raw("UPDATE outcome SET result = 'busy'").await.is_err());
    assert!(s.store().raw("DELETE FROM outcome").await.is_err());
    assert!(s.store().raw("DELETE FROM seal").await.is_err());
    assert_eq!(s.store().verify(0, 10).await.unwrap(), 2);
    let tamper = "DROP TRIGGER outcome_is_never_changed; UPDATE outcome SET result = 'busy' WHERE seq = 2";
    s.store().raw(tamper).await.unwrap();
    assert!(matches!(s.store().verify(0, 10).await, Err(StoreError::Chain { seal: 2 })));
}

#[tokio::test]
async fn indexes_hold_even_against_our_own_mistakes() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1, 2])]).await;
    let intent = s.intent(0, 0).await;
    s.authorise(&intent).await;
    let copy = "INSERT INTO attempt SELECT zeroblob(16), state, revisions, result, contacted, free, callback, epoch, at, decided,
        lead, contact, 2, campaign, plan_version, trunk, caller_id, list, score, value, p_answer, index_value,
        propensity, explore, segment, slot_weekday, slot_half_hour, golden, attempt_no, same_slot_fails, since_last,
        reachability, experiment, arm, arm_share FROM attempt";
    let error = s.store().raw(copy).await.unwrap_err();
    assert!(error.to_string().contains("attempt.contact"), "{error}");
}

#[tokio::test]
async fn two_diallers_and_two_loads_keep_each_other_out() {
    let mut s = Script::<File>::new().await;
    let mut second = s.harness.open().await;
    let now = s.now;
    assert!(matches!(second.begin("other", &[], now).await, Err(StoreError::Held { .. })));
    let list = any_list();
    second.import_begin(&list, now).await.unwrap();
    assert!(matches!(s.store().import_begin(&list, now).await, Err(StoreError::Held { .. })));
    drop(second);
    assert!(s.store().import_begin(&list, now).await.is_ok());
}

#[tokio::test]
async fn other_keys_and_newer_schemas_are_refused() {
    let mut s = Script::<File>::new().await;
    s.import(0, &[row(1, &[1])]).await;
    let other = Keys::load_or_create(&s.harness.folder.path().join("other-keys")).unwrap();
    let mut store = Sqlite::open(&s.harness.url(), Arc::new(other)).await.unwrap();
    assert!(matches!(store.migrate().await, Err(StoreError::Keys(KeysError::Other))));
    s.store().raw("PRAGMA user_version = 99").await.unwrap();
    assert!(matches!(s.store().migrate().await, Err(StoreError::Version(_))));
}

#[tokio::test]
async fn urls_that_are_not_files_are_refused() {
    let s = Script::<File>::new().await;
    for url in ["postgres://x", "sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro"] {
        let keys = Keys::load_or_create(&s.harness.folder.path().join("keys")).unwrap();
        assert!(matches!(Sqlite::open(url, Arc::new(keys)).await, Err(StoreError::Open { .. })), "{url}");
    }
}

#[tokio::test]
async fn numbers_listed_before_they_are_known_are_news_once_each_however_long_the_list() {
    let mut s = Script::<File>::new().await;
    for n in 1..=60 {
        s.dnc_add(crate::store::DncSubjectKey::Phone(number(n)), None).await;
    }
    let before = s.store().changes().await.unwrap();
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let news = s.store().dnc_since(before, 100).await.unwrap();
    assert_eq!(news.len(), 3);
    assert!(news.windows(2).all(|pair| pair[0].change < pair[1].change), "readers go on behind the last one");
    s.compare().await;
}
