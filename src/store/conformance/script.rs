//! A script drives two stores with the same operations and stops at the first answer that differs.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{CampaignIx, LeadId, Now, Rng, Split};
use crate::campaign::Campaign;
use crate::contact::{ClosedWhy, Row};
use crate::engine::{
    Committed, DncRequest, DncSubject, Intent, LeadRow, LedgerPage, Outcome, RecoveredAttempt, StoreReply, StoreRequest,
};
use crate::gate::{Rule, Verdict};
use crate::sim::{Fault, ModelCounts, ModelList, ModelStore, ModelSubject};
use crate::store::{
    Browse, DncSubjectKey, Erased, ImportCounts, ImportStart, LedgerCursor, ListInfo, ModelAlias, NewDnc, Store,
    StoreError, SwitchOf, Turned,
};

use super::fixture;

/// A database under test, which outlives its connections.
pub(crate) trait Harness: Sized {
    type Store: Store + Browse;
    async fn new() -> Self;
    /// A connection as a process has it. The ones before may have died without a word.
    async fn open(&mut self) -> Self::Store;
}

pub(crate) struct Script<H: Harness> {
    pub(super) harness: H,
    /// `None` only while it is being opened again.
    store: Option<H::Store>,
    pub(super) model: ModelStore,
    pub(crate) now: Now,
    pub(super) rng: Rng,
    /// Two of them, in the order of their index.
    pub(crate) campaigns: Vec<Arc<Campaign>>,
    lists: u8,
    /// Name and version of the model whose scores lists hold from now on.
    pub(super) scored_by: Option<(&'static str, &'static str)>,
}

impl<H: Harness> Script<H> {
    pub(crate) async fn new() -> Self {
        Self::seeded(1).await
    }

    pub(super) async fn seeded(seed: u64) -> Self {
        let mut harness = H::new().await;
        let store = Some(harness.open().await);
        let campaigns = vec![fixture::campaign("spring"), fixture::campaign("autumn-2")];
        let model = ModelStore::default();
        let now = fixture::tuesday();
        let mut script =
            Self { harness, store, model, now, rng: Rng::seeded(seed), campaigns, lists: 0, scored_by: None };
        let names: Vec<String> = script.campaigns.iter().map(|campaign| campaign.name.clone()).collect();
        let theirs = script.store().campaign_ix(&names).await.unwrap();
        let ours: Vec<CampaignIx> = names.iter().map(|name| script.model.campaign_ix(name)).collect();
        same("campaign_ix", &ours, &theirs);
        script.start().await;
        script
    }

    pub(crate) fn store(&mut self) -> &mut H::Store {
        self.store.as_mut().expect("open")
    }

    pub(crate) fn wait(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// Begins and recovers.
    async fn start(&mut self) -> Vec<RecoveredAttempt> {
        let trunks = ["gw-a".to_owned()];
        let now = self.now;
        let theirs = self.store().begin("node", &trunks, now).await.unwrap();
        same("begin", &self.model.begin(&trunks, now), &theirs);
        let theirs = self.store().recover(now).await.unwrap();
        let ours = self.model.recover(now).unwrap();
        same("recover", &ours, &theirs);
        ours
    }

    /// The process dies without closing anything, and comes back.
    pub(crate) async fn crash(&mut self) -> Vec<RecoveredAttempt> {
        self.model.crash();
        self.store = None;
        self.store = Some(self.harness.open().await);
        self.start().await
    }

    pub(super) async fn commit(&mut self, batch: &[StoreRequest]) -> Committed {
        let now = self.now;
        let theirs = self.store().commit(now, batch).await.unwrap();
        let ours = self.model.commit(now, batch, Fault::None).unwrap();
        same("commit", &ours, &theirs);
        ours
    }

    /// Commits one authorisation; the rules that refused it, none if it may dial.
    pub(crate) async fn authorise(&mut self, intent: &Intent) -> Vec<Rule> {
        let committed = self.commit(&[StoreRequest::Authorise(Box::new(intent.clone()))]).await;
        rules(committed.replies.first().unwrap())
    }

    pub(crate) async fn finish(&mut self, outcome: Outcome) -> bool {
        let committed = self.commit(&[StoreRequest::Finish(Box::new(outcome))]).await;
        matches!(committed.replies[..], [StoreReply::Finished { fresh: true, .. }])
    }

    pub(super) async fn dnc(&mut self, subject: DncSubject, until: Option<crate::base::Wall>) {
        let request = self.dnc_request(subject, until);
        self.commit(&[request]).await;
    }

    pub(super) fn dnc_request(&self, subject: DncSubject, until: Option<crate::base::Wall>) -> StoreRequest {
        let (source, reason) = ("flow", "pressed 9".to_owned());
        StoreRequest::Dnc(DncRequest { subject, source, reason, attempt: None, at: self.now.wall, until })
    }

    pub(super) async fn dnc_add(&mut self, subject: DncSubjectKey, until: Option<crate::base::Wall>) {
        let entry =
            NewDnc { subject: subject.clone(), reason: "asked".into(), source: "operator", until, at: self.now.wall };
        self.store().dnc_add(&entry).await.unwrap();
        self.model.dnc_add(model_subject(&subject), until);
        self.same_changes().await;
    }

    pub(super) async fn dnc_remove(&mut self, subject: DncSubjectKey) -> bool {
        let now = self.now;
        let theirs = self.store().dnc_remove(&subject, now).await.unwrap();
        same("dnc_remove", &self.model.dnc_remove(&model_subject(&subject)), &theirs);
        self.same_changes().await;
        theirs
    }

    pub(super) async fn erase(&mut self, n: u32) -> Option<Erased> {
        let now = self.now;
        let theirs = self.store().erase(&fixture::key(n), now).await.unwrap();
        let ours = self.model.erase(&fixture::key(n)).map(|ours| Erased {
            numbers: ours.numbers,
            shared_numbers: ours.shared_numbers,
            leads: ours.leads,
            attempts: ours.attempts,
        });
        same("erase", &ours, &theirs);
        self.same_changes().await;
        theirs
    }

    /// The model and the store alike, and what the store keeps of it.
    pub(super) async fn stop_trunk(&mut self, name: &str, stopped: bool) {
        let switch = fixture::switch(SwitchOf::Trunk(name.to_owned()), stopped, self.now);
        let before = self.model.changes();
        self.store().turn(&switch).await.unwrap();
        self.model.stop_trunk(name, stopped);
        let kept = Turned { change: before + 1, switch };
        assert_eq!(self.store().last_turn(&kept.switch.of).await.unwrap().as_ref(), Some(&kept));
        assert_eq!(self.store().turned_since(before, 9).await.unwrap(), [kept]);
        let theirs = self.store().paused().await.unwrap();
        same("stopped", &self.model.stopped_trunks(), &theirs.trunks);
        self.same_changes().await;
    }

    pub(super) async fn set_paused(&mut self, campaign: Option<u16>, paused: bool) {
        let name = campaign.map(|ix| self.campaigns[usize::from(ix)].name.clone());
        let of = name.map_or(SwitchOf::Everything, SwitchOf::Campaign);
        let switch = fixture::switch(of, paused, self.now);
        self.store().turn(&switch).await.unwrap();
        self.model.set_paused(campaign.map(CampaignIx), paused);
        let theirs = self.store().paused().await.unwrap();
        for ix in [CampaignIx(0), CampaignIx(1)] {
            same("paused", &self.model.is_paused(ix), &theirs.holds(ix));
        }
        self.same_changes().await;
    }

    /// A list that was never seen before.
    pub(crate) async fn import(&mut self, campaign: u16, rows: &[Row]) -> ImportCounts {
        self.lists += 1;
        self.import_digest(campaign, self.lists, rows).await.expect("a new list")
    }

    /// `None` if this digest was loaded before.
    pub(super) async fn import_digest(&mut self, campaign: u16, digest: u8, rows: &[Row]) -> Option<ImportCounts> {
        self.lists = self.lists.max(digest);
        let expires_after = Some(30 * fixture::DAY);
        let list = ListInfo {
            campaign: self.campaigns[usize::from(campaign)].name.clone(),
            name: format!("list-{digest}.csv"),
            sha256: [digest; 32],
            expires_after,
            model_id: self.scored_by.map(|(id, _)| id.to_owned()),
            model_version: self.scored_by.map(|(_, version)| version.to_owned()),
            model_alias: self.scored_by.map_or(ModelAlias::Champion, |_| ModelAlias::Challenger),
        };
        let now = self.now;
        let expires = Some(now.wall + 30 * fixture::DAY);
        let ours = self.model.import(ModelList { campaign: CampaignIx(campaign), digest: [digest; 32], expires }, rows);
        let theirs = match self.store().import_begin(&list, now).await.unwrap() {
            ImportStart::Already { .. } => None,
            ImportStart::Load(_) => {
                for batch in rows.chunks(3) {
                    self.store().import_rows(batch).await.unwrap();
                }
                Some(self.store().import_finish(true).await.unwrap())
            }
        };
        same("import", &ours.map(counts), &theirs);
        self.same_changes().await;
        theirs
    }

    pub(super) async fn leads(&mut self, campaign: u16) -> Vec<LeadRow> {
        let ix = CampaignIx(campaign);
        let mut theirs = Vec::new();
        loop {
            let after = theirs.last().map_or(LeadId(0), |row: &LeadRow| row.lead);
            let page = self.store().leads(ix, after, 3).await.unwrap();
            if page.is_empty() {
                break;
            }
            theirs.extend(page);
        }
        same("leads", &unsplit(self.model.leads(ix, LeadId(0), usize::MAX)), &unsplit(theirs.clone()));
        theirs
    }

    pub(super) async fn ledgers(&mut self) -> LedgerPage {
        let now = self.now;
        let (mut contacts, mut phones) = (BTreeMap::new(), BTreeMap::new());
        let mut cursor = Some(LedgerCursor::default());
        while let Some(after) = cursor {
            let (page, next) = self.store().ledgers(after, 2, now).await.unwrap();
            contacts.extend(page.contacts);
            phones.extend(page.phones);
            cursor = next;
        }
        // Someone whose only attempt was void has a history, and an empty ledger.
        contacts.retain(|_, ledger| *ledger != crate::gate::Ledger::default());
        phones.retain(|_, ledger| *ledger != crate::gate::Ledger::default());
        let theirs = LedgerPage { contacts: contacts.into_iter().collect(), phones: phones.into_iter().collect() };
        same("ledgers", &self.model.ledgers(now), &theirs);
        theirs
    }

    pub(super) async fn shown_since(&mut self, ago: Duration) -> Vec<(String, u32)> {
        let since = self.now.wall - ago;
        let theirs = self.store().shown_since(since).await.unwrap();
        same("shown_since", &self.model.shown_since(since), &theirs);
        theirs
    }

    pub(super) async fn slots(&mut self, after: u64) -> Vec<crate::engine::SlotRow> {
        let theirs = self.store().slots(after, 100).await.unwrap();
        same("slots", &self.model.slots(after, 100), &theirs);
        theirs
    }

    pub(super) async fn heard_since(&mut self, campaign: u16, ago: Duration) -> Vec<crate::engine::Heard> {
        let (campaign, since) = (CampaignIx(campaign), self.now.wall - ago);
        let theirs = self.store().heard_since(campaign, since).await.unwrap();
        same("heard_since", &self.model.heard_since(campaign, since), &theirs);
        theirs
    }

    pub(super) async fn talked_since(&mut self, ago: Duration) -> Vec<crate::engine::Talked> {
        let since = self.now.wall - ago;
        let theirs = self.store().talked_since(since).await.unwrap();
        same("talked_since", &self.model.talked_since(since), &theirs);
        theirs
    }

    /// Everything that can be read without changing it.
    pub(super) async fn compare(&mut self) {
        for campaign in [0, 1] {
            self.leads(campaign).await;
            let theirs = self.store().lead_counts(CampaignIx(campaign)).await.unwrap();
            let (waiting, dialling, closed) = self.model.lead_counts(CampaignIx(campaign));
            same("waiting", &waiting, &theirs.waiting);
            same("dialling", &dialling, &theirs.dialling);
            let closed: Vec<(ClosedWhy, u64)> =
                ClosedWhy::ALL.iter().map(|why| (*why, closed.get(why).copied().unwrap_or(0))).collect();
            same("closed", &closed, &theirs.closed);
        }
        self.ledgers().await;
        self.same_changes().await;
        let theirs = self.store().high_water().await.unwrap();
        same("high_water", &self.model.high_water(), &theirs);
    }

    async fn same_changes(&mut self) {
        let theirs = self.store().changes().await.unwrap();
        same("changes", &self.model.changes(), &theirs);
    }

    /// The n-th lead of a campaign, dialled on its first phone.
    pub(crate) async fn intent(&mut self, campaign: u16, lead: usize) -> Intent {
        let leads = self.leads(campaign).await;
        let now = self.now;
        fixture::intent(&mut self.rng, now, &self.campaigns[usize::from(campaign)], &leads[lead], 0)
    }
}

#[track_caller]
fn same<T: PartialEq + Debug>(what: &str, model: &T, store: &T) {
    assert!(model == store, "{what}: the model says\n{model:#?}\nthe store says\n{store:#?}");
}

/// Each rule once, though it may have several reasons.
pub(super) fn rules(reply: &StoreReply) -> Vec<Rule> {
    match reply {
        StoreReply::Refused { verdict: Verdict::Refuse { reasons, .. }, .. } => {
            let mut rules: Vec<Rule> = reasons.iter().map(|reason| reason.rule).collect();
            rules.dedup();
            rules
        }
        StoreReply::Authorised { .. } => Vec::new(),
        other @ (StoreReply::Refused { .. }
        | StoreReply::Doubt { .. }
        | StoreReply::Finished { .. }
        | StoreReply::Noted) => panic!("{other:?}"),
    }
}

fn model_subject(subject: &DncSubjectKey) -> ModelSubject {
    match subject {
        DncSubjectKey::Phone(number) => ModelSubject::Phone(number.clone()),
        DncSubjectKey::Customer(key) => ModelSubject::Customer(key.clone()),
    }
}

fn counts(counts: ModelCounts) -> ImportCounts {
    ImportCounts {
        rows: counts.rows,
        new_contacts: counts.new_contacts,
        new_leads: counts.new_leads,
        updated_leads: counts.updated_leads,
        unchanged: counts.unchanged,
        repeated: counts.repeated,
        shared_phones: counts.shared_phones,
        reopened: counts.reopened,
    }
}

/// For tests of failure: what a commit answered.
pub(super) async fn try_commit(store: &mut impl Store, now: Now, intent: &Intent) -> Result<Committed, StoreError> {
    store.commit(now, &[StoreRequest::Authorise(Box::new(intent.clone()))]).await
}

/// The model has no keys, so it splits otherwise.
pub(super) fn unsplit(rows: Vec<LeadRow>) -> Vec<LeadRow> {
    rows.into_iter().map(|row| LeadRow { split: Split::default(), ..row }).collect()
}
