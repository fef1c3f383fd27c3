//! A store in memory for the tests of this room: lists, outcomes and labels, and a cursor that can fail.

use std::collections::BTreeMap;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, Now, PhoneId, Pii, Wall};
use crate::contact::Row;
use crate::engine::{Committed, Epoch, Heard, LeadRow, LedgerPage, RecoveredAttempt, SlotRow, StoreRequest, Talked};
use crate::store::{
    DncChange, DncEntry, DncFilter, DncSubjectKey, Erased, ImportCounts, ImportStart, LabelTarget, Labelled,
    LeadCounts, LedgerCursor, ListInfo, NewDnc, NewLabel, OutcomeRow, Paused, Stats, Store, StoreError, Switch,
    SwitchOf, Turned,
};

use super::fixture;

#[derive(Debug, Default)]
pub struct Fake {
    /// Published, newest last.
    pub lists: Vec<(ListInfo, Vec<Row>)>,
    pub open: Option<(ListInfo, Vec<Row>)>,
    pub outcomes: Vec<OutcomeRow>,
    pub slots: Vec<SlotRow>,
    pub cursors: BTreeMap<String, u64>,
    pub cursor_fails: bool,
    pub labels: Vec<NewLabel>,
}

impl Fake {
    pub fn with_outcomes(count: u64) -> Self {
        Self { outcomes: (1..=count).map(fixture::outcome).collect(), ..Self::default() }
    }

    fn find(&self, target: &LabelTarget) -> Option<AttemptId> {
        let matches = |row: &&OutcomeRow| match target {
            LabelTarget::Attempt(attempt) => row.outcome.attempt == *attempt,
            LabelTarget::Customer { key, .. } => row.customer_key.as_ref() == Some(key),
        };
        self.outcomes.iter().rev().find(matches).map(|row| row.outcome.attempt)
    }
}

const ELSEWHERE: StoreError = StoreError::Fenced;

impl Store for Fake {
    async fn import_begin(&mut self, list: &ListInfo, _: Now) -> Result<ImportStart, StoreError> {
        let same = |known: &&(ListInfo, Vec<Row>)| known.0.sha256 == list.sha256 && known.0.campaign == list.campaign;
        if let Some((_, rows)) = self.lists.iter().find(same) {
            return Ok(ImportStart::Already { list: ListId(0), rows: rows.len() as u64 });
        }
        self.open = Some((list.clone(), Vec::new()));
        Ok(ImportStart::Load(ListId(0)))
    }

    async fn import_rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let Some((_, open)) = &mut self.open else { return Err(StoreError::NoImport) };
        open.extend_from_slice(rows);
        Ok(())
    }

    async fn import_finish(&mut self, publish: bool) -> Result<ImportCounts, StoreError> {
        let Some(list) = self.open.take() else { return Err(StoreError::NoImport) };
        let rows = list.1.len() as u64;
        if publish {
            self.lists.push(list);
        }
        Ok(ImportCounts { rows, new_contacts: rows, new_leads: rows, ..ImportCounts::default() })
    }

    async fn seal(&mut self, _: Now, _: usize) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn outcomes(&mut self, after: u64, limit: usize) -> Result<Vec<OutcomeRow>, StoreError> {
        Ok(self.outcomes.iter().filter(|row| row.seal > after).take(limit).cloned().collect())
    }

    async fn attempt(&mut self, attempt: AttemptId) -> Result<Vec<OutcomeRow>, StoreError> {
        Ok(self.outcomes.iter().filter(|row| row.outcome.attempt == attempt).cloned().collect())
    }

    async fn cursor(&mut self, consumer: &str) -> Result<u64, StoreError> {
        Ok(self.cursors.get(consumer).copied().unwrap_or(0))
    }

    async fn set_cursor(&mut self, consumer: &str, seal: u64) -> Result<(), StoreError> {
        if self.cursor_fails {
            return Err(StoreError::Busy);
        }
        self.cursors.insert(consumer.to_owned(), seal);
        Ok(())
    }

    async fn add_label(&mut self, label: &NewLabel, _: Now) -> Result<Option<Labelled>, StoreError> {
        let Some(attempt) = self.find(&label.target) else { return Ok(None) };
        let fresh = !self.labels.contains(label);
        if fresh {
            self.labels.push(label.clone());
        }
        Ok(Some(Labelled { attempt, revision: self.labels.len() as u16, fresh }))
    }

    async fn score_bins(&mut self, campaign: &str, bins: u32) -> Result<Vec<u64>, StoreError> {
        let newest = self.lists.iter().rfind(|(info, _)| info.campaign == campaign);
        let mut out = vec![0; bins as usize];
        for row in newest.into_iter().flat_map(|(_, rows)| rows) {
            out[((row.score * f64::from(bins)) as usize).min(bins as usize - 1)] += 1;
        }
        Ok(out)
    }

    // Nothing in this room asks for the rest.

    async fn begin(&mut self, _: &str, _: &[String], _: Now) -> Result<Epoch, StoreError> {
        Err(ELSEWHERE)
    }
    async fn recover(&mut self, _: Now) -> Result<Vec<RecoveredAttempt>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn recovered_since(&mut self, _: Wall) -> Result<Vec<RecoveredAttempt>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn commit(&mut self, _: Now, _: &[StoreRequest]) -> Result<Committed, StoreError> {
        Err(ELSEWHERE)
    }
    async fn campaign_ix(&mut self, _: &[String]) -> Result<Vec<CampaignIx>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn leads(&mut self, _: CampaignIx, _: LeadId, _: usize) -> Result<Vec<LeadRow>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn lists_since(&mut self, _: ListId) -> Result<Vec<(ListId, CampaignIx)>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn leads_of_list(
        &mut self,
        _: ListId,
        _: LeadId,
        _: u32,
    ) -> Result<(Vec<LeadRow>, Option<LeadId>), StoreError> {
        Err(ELSEWHERE)
    }
    async fn ledgers(
        &mut self,
        _: LedgerCursor,
        _: usize,
        _: Now,
    ) -> Result<(LedgerPage, Option<LedgerCursor>), StoreError> {
        Err(ELSEWHERE)
    }
    async fn changes(&mut self) -> Result<u64, StoreError> {
        Err(ELSEWHERE)
    }
    async fn dnc_since(&mut self, _: u64, _: usize) -> Result<Vec<DncChange>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn paused(&mut self) -> Result<Paused, StoreError> {
        Err(ELSEWHERE)
    }
    async fn high_water(&mut self) -> Result<Wall, StoreError> {
        Err(ELSEWHERE)
    }
    async fn shown_since(&mut self, _: Wall) -> Result<Vec<(String, u32)>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn heard_since(&mut self, _: CampaignIx, _: Wall) -> Result<Vec<Heard>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn slots(&mut self, after: u64, limit: usize) -> Result<Vec<SlotRow>, StoreError> {
        Ok(self.slots.iter().skip(after as usize).take(limit).cloned().collect())
    }
    async fn talked_since(&mut self, _: Wall) -> Result<Vec<Talked>, StoreError> {
        Err(ELSEWHERE)
    }

    async fn turn(&mut self, _: &Switch) -> Result<(), StoreError> {
        Err(ELSEWHERE)
    }

    async fn turned_since(&mut self, _: u64, _: usize) -> Result<Vec<Turned>, StoreError> {
        Err(ELSEWHERE)
    }

    async fn last_turn(&mut self, _: &SwitchOf) -> Result<Option<Turned>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn dnc_add(&mut self, _: &NewDnc) -> Result<(), StoreError> {
        Err(ELSEWHERE)
    }
    async fn dnc_remove(&mut self, _: &DncSubjectKey, _: Now) -> Result<bool, StoreError> {
        Err(ELSEWHERE)
    }
    async fn dnc_list(&mut self, _: DncFilter, _: usize) -> Result<Vec<DncEntry>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn erase(&mut self, _: &Pii<String>, _: Now) -> Result<Option<Erased>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn lead_counts(&mut self, _: CampaignIx) -> Result<LeadCounts, StoreError> {
        Err(ELSEWHERE)
    }
    async fn dnc_entries(&mut self, _: Now) -> Result<u64, StoreError> {
        Err(ELSEWHERE)
    }
    async fn not_exported(&mut self) -> Result<u64, StoreError> {
        Err(ELSEWHERE)
    }
    async fn stats(&mut self) -> Result<Stats, StoreError> {
        Err(ELSEWHERE)
    }
    async fn find_contact(&mut self, _: &Pii<String>) -> Result<Option<ContactId>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn find_phone(&mut self, _: &Pii<String>) -> Result<Option<PhoneId>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn leads_of(&mut self, _: ContactId) -> Result<Vec<LeadRow>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn customer_keys(&mut self, _: &[ContactId]) -> Result<Vec<Option<Pii<String>>>, StoreError> {
        Err(ELSEWHERE)
    }
    async fn verify(&mut self, _: u64, _: usize) -> Result<u64, StoreError> {
        Err(ELSEWHERE)
    }
}
