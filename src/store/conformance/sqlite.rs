//! The suite against SQLite files.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::store::{Keys, Sqlite};

use super::script::Harness;
use super::suite;

/// Memory where the machine has such a place: the suite commits thousands of times.
pub(crate) struct File {
    pub(super) folder: TempDir,
}

impl File {
    pub(super) fn url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("test.db").display())
    }
}

impl Harness for File {
    type Store = Sqlite;

    async fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap() }
    }

    async fn open(&mut self) -> Sqlite {
        let keys = Keys::load_or_create(&self.folder.path().join("keys")).unwrap();
        let mut store = Sqlite::open(&self.url(), Arc::new(keys)).await.unwrap();
        store.migrate().await.unwrap();
        store
    }
}

suite! { File:
    requests::{
        an_authorised_attempt_gets_its_number,
        an_attempt_goes_over_another_trunk_while_it_is_under_way,
        over_another_trunk_the_gate_is_asked_again,
        caps_count_across_campaigns,
        what_the_engine_saw_on_the_wall_counts_though_no_commit_did,
        a_shared_number_is_capped_and_live_once,
        a_live_attempt_blocks_the_person_in_every_campaign,
        intents_of_one_batch_see_each_other,
        do_not_call_wins_every_race,
        a_late_do_not_call_closes_the_lead,
        the_stronger_entry_holds,
        a_second_outcome_is_dropped,
        a_void_attempt_counts_for_nothing,
        a_refusal_keeps_everybody_quiet,
        a_dead_number_is_dead_for_everybody,
        a_pause_is_in_force_at_the_next_batch,
        a_stopped_trunk_takes_nobody_and_who_stopped_it_is_kept,
        a_number_that_the_trunk_does_not_let_out_is_not_authorised,
        numbers_that_were_shown_are_counted_and_void_ones_are_not,
        talk_time_is_counted_by_trunk_and_calls_alike_go_together,
        what_attempts_told_of_answers_is_counted_by_what_the_model_looks_at,
    what_a_slot_had_to_offer_is_kept_in_order,
    a_clock_that_jumps_back_opens_nothing,
        an_intent_with_a_foreign_lead_or_phone_is_refused,
        many_requests_in_one_batch_keep_their_order,
        who_asked_to_be_called_back_is,
    },
    lists::{
        the_same_file_twice_changes_nothing,
        a_newer_list_updates_what_it_names,
        a_newer_list_reopens_only_exhausted_and_expired,
        a_dry_run_leaves_nothing_behind,
        a_load_that_dies_is_never_seen,
        contacts_are_found_by_key_and_shown_with_all_leads,
        published_lists_are_told_in_order,
        leads_of_one_list_are_read_in_spans,
    },
    erasure::{
        an_erased_person_is_gone_and_attempts_stay,
        an_erased_person_is_never_dialled,
        a_number_that_others_have_stays_theirs,
        a_later_list_brings_the_data_back_and_nobody_dials,
        a_list_that_was_given_up_brings_nobody_back,
        a_customer_falls_in_one_place_for_ever,
    },
    crashes::{
        what_was_live_is_unknown_and_counts,
        what_was_on_its_way_over_another_trunk_is_found_there,
        recovery_does_its_work_once,
        an_attempt_in_doubt_is_found_or_was_never_written,
        nobody_commits_without_begin,
    },
    outcomes::{
        only_sealed_rows_are_exported_in_order,
        a_row_tells_everything_as_of_the_dial,
        an_attempt_tells_whose_scores_its_list_held,
        the_arm_of_an_experiment_is_kept_and_sealed,
        a_label_is_a_new_revision_once,
    },
    browse::{
        attempts_come_newest_first_and_each_once,
        an_attempt_is_shown_by_its_newest_revision,
        finished_attempts_come_once_with_their_newest_revision_and_nobodys_name,
        what_a_crash_left_is_shown_as_unknown_and_an_erased_number_not_at_all,
        lists_come_newest_first_once_they_are_published,
        an_entry_is_shown_also_when_it_was_removed,
    },
}

#[tokio::test]
async fn random_scripts_agree_reply_by_reply() {
    super::random::scripts::<File>(0, 100, 50).await;
}

#[tokio::test]
async fn more_random_scripts_agree_reply_by_reply() {
    super::random::scripts::<File>(100, 200, 50).await;
}

#[tokio::test]
async fn a_clock_of_a_trial_is_remembered_by_the_file() {
    use crate::store::Browse as _;
    let mut file = File::new().await;
    let mut store = file.open().await;
    assert!(!store.is_of_a_trial_clock().await.unwrap());
    for _again in 0..2 {
        store.note_trial_clock().await.unwrap();
    }
    drop(store);
    assert!(file.open().await.is_of_a_trial_clock().await.unwrap());
}

#[tokio::test]
async fn what_was_erased_is_not_in_the_file_any_more() {
    use crate::store::Store as _;
    let mut script = super::script::Script::<File>::new().await;
    let mut row = super::fixture::row(1, &[1]);
    row.tags = vec!["planted-canary".to_owned()];
    script.import(0, &[row]).await;
    let path = script.harness.folder.path().join("test.db");
    let holds = |path: &Path| {
        let logged = path.with_extension("db-wal");
        [path, &logged].iter().any(|file| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes.windows(14).any(|part| part == b"planted-canary")
        })
    };
    assert!(holds(&path));
    script.erase(1).await;
    assert!(!holds(&path));
    assert!(script.store().stats().await.is_ok());
}
