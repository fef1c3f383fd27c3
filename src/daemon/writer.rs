//! The store writer: the one thread with the database. It groups what waits into one commit, and watches for what other
//! processes write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use crate::base::{CampaignIx, Clock, LeadId, Now, Tick};
use crate::campaign::{Campaign, Plan};
use crate::engine::{DncSubject, Input, OperatorCommand, StoreReply, StoreRequest};
use crate::http::{Check, Health};
use crate::obs::Metrics;
use crate::store::{LedgerCursor, Sqlite, Store, StoreError};

use super::pump::ToEngine;

/// What the writer is asked to do.
#[derive(Debug)]
pub enum ToWriter {
    Requests(Vec<StoreRequest>),
    /// A new plan: names get their places, and campaigns that changed bring their leads again.
    Plan(Arc<Plan>),
    /// Everything before it is committed, then the thread ends.
    Stop,
}

pub struct Writer {
    store: Sqlite,
    clock: Arc<dyn Clock>,
    inbox: Receiver<ToWriter>,
    engine: SyncSender<ToEngine>,
    metrics: Metrics,
    health: Health,
    /// Outcomes and do-not-call entries whose commit failed: written again before anything else.
    again: Vec<StoreRequest>,
    campaigns: BTreeMap<CampaignIx, Arc<Campaign>>,
    paused: BTreeMap<CampaignIx, bool>,
    changes: u64,
    looked_at: Tick,
    committed_at: Option<Tick>,
}

impl Writer {
    /// "The next batch is what arrived during the last commit", and no more than this.
    const BATCH_MAX: usize = 256;
    /// Commits begin this far apart, unless a full batch waits: what a commit costs by itself is shared by all it holds.
    /// After a quiet time nothing waits.
    const SPACING: Duration = Duration::from_millis(20);
    /// A pause or a do-not-call of another process is in force within twice this.
    const LOOK_EVERY: Duration = Duration::from_millis(400);
    const PAGE: usize = 2_000;
    const SEAL_MAX: usize = 2_000;

    pub fn new(
        store: Sqlite,
        clock: Arc<dyn Clock>,
        inbox: Receiver<ToWriter>,
        engine: SyncSender<ToEngine>,
        metrics: Metrics,
        health: Health,
    ) -> Self {
        Self {
            store,
            clock,
            inbox,
            engine,
            metrics,
            health,
            again: Vec::new(),
            campaigns: BTreeMap::new(),
            paused: BTreeMap::new(),
            changes: 0,
            looked_at: Tick(0),
            committed_at: None,
        }
    }

    /// Until `Stop`, or until everybody who could ask is gone.
    pub async fn run(mut self) {
        if let Err(error) = self.load_ledgers().await {
            self.complain(&error);
        }
        loop {
            let message = self.inbox.recv_timeout(Self::LOOK_EVERY / 2);
            match message {
                Ok(ToWriter::Requests(requests)) => {
                    if !self.write(requests).await {
                        break;
                    }
                }
                Ok(ToWriter::Plan(plan)) => {
                    if let Err(error) = self.take_plan(&plan).await {
                        self.complain(&error);
                    }
                }
                Ok(ToWriter::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if self.again.is_empty() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if !self.write(Vec::new()).await {
                        break;
                    }
                }
            }
            let now = self.clock.now();
            if now.tick.since(self.looked_at) >= Self::LOOK_EVERY {
                self.looked_at = now.tick;
                if let Err(error) = self.look_around(now).await {
                    self.complain(&error);
                }
            }
        }
        self.last_words().await;
    }

    /// Commits what it was given together with what waits already. False once `Stop` was among it.
    async fn write(&mut self, requests: Vec<StoreRequest>) -> bool {
        let mut waiting = std::mem::take(&mut self.again);
        waiting.extend(requests);
        if waiting.len() < Self::BATCH_MAX {
            self.gather();
        }
        let mut plans = Vec::new();
        let mut stop = false;
        while waiting.len() < Self::BATCH_MAX && !stop {
            match self.inbox.try_recv() {
                Ok(ToWriter::Requests(more)) => waiting.extend(more),
                Ok(ToWriter::Plan(plan)) => plans.push(plan),
                Ok(ToWriter::Stop) => stop = true,
                Err(_) => break,
            }
        }
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(Self::BATCH_MAX));
            let failed = self.commit(waiting).await;
            waiting = rest;
            if failed {
                // Authorisations behind a failure are answered at once too: their permits are running out.
                waiting = self.set_aside(waiting);
                break;
            }
        }
        self.again.append(&mut waiting);
        for plan in plans {
            if let Err(error) = self.take_plan(&plan).await {
                self.complain(&error);
            }
        }
        !stop
    }

    /// Lets requests come together where commits follow each other closely.
    #[expect(
        clippy::disallowed_methods,
        reason = "a pause of this thread alone; being woken for each request is what it saves"
    )]
    fn gather(&self) {
        let since = self.committed_at.map(|at| self.clock.now().tick.since(at));
        if let Some(rest) = since.and_then(|since| Self::SPACING.checked_sub(since)) {
            std::thread::sleep(rest);
        }
    }

    /// True if it failed; what must not be lost is kept for the next time.
    async fn commit(&mut self, batch: Vec<StoreRequest>) -> bool {
        let before = self.clock.now();
        self.committed_at = Some(before.tick);
        self.metrics.store_batch_size.observe([], batch.len() as f64);
        let result = self.store.commit(before, &batch).await;
        let took = self.clock.now().tick.since(before.tick);
        self.metrics.store_commit_seconds.observe([], took.as_secs_f64());
        match result {
            Ok(committed) => {
                self.health.ready(Check::Store);
                self.tell(ToEngine::Stored(committed));
                false
            }
            Err(error) => {
                self.complain(&error);
                let kept = self.set_aside(batch);
                self.again.extend(kept);
                true
            }
        }
    }

    /// Answers authorisations with doubt, and returns what has to be written all the same.
    fn set_aside(&mut self, batch: Vec<StoreRequest>) -> Vec<StoreRequest> {
        let mut replies = Vec::new();
        let mut kept = Vec::new();
        for request in batch {
            match request {
                StoreRequest::Authorise(intent) => replies.push(StoreReply::Doubt { attempt: intent.attempt }),
                StoreRequest::Finish(_) | StoreRequest::Dnc(_) => kept.push(request),
            }
        }
        if !replies.is_empty() {
            self.tell(ToEngine::Stored(crate::engine::Committed { replies, numbers: Vec::new() }));
        }
        kept
    }

    async fn load_ledgers(&mut self) -> Result<(), StoreError> {
        self.changes = self.store.changes().await?;
        self.count_backlog(self.clock.now()).await?;
        let mut cursor = LedgerCursor::default();
        loop {
            let (page, next) = self.store.ledgers(cursor, Self::PAGE, self.clock.now()).await?;
            self.tell(ToEngine::Input(Box::new(Input::Ledgers(page))));
            match next {
                Some(next) => cursor = next,
                None => return Ok(()),
            }
        }
    }

    async fn take_plan(&mut self, plan: &Plan) -> Result<(), StoreError> {
        let names: Vec<String> = plan.campaigns.iter().map(|campaign| campaign.name.clone()).collect();
        let places = self.store.campaign_ix(&names).await?;
        let campaigns: Vec<_> = places.into_iter().zip(plan.campaigns.iter().map(Arc::clone)).collect();
        self.tell(ToEngine::Input(Box::new(Input::Plan(campaigns.clone(), plan.zones.clone()))));
        for (ix, campaign) in campaigns {
            let known = self.campaigns.insert(ix, Arc::clone(&campaign));
            if known.is_none_or(|known| known.hash != campaign.hash) {
                self.load_leads(ix).await?;
            }
        }
        self.look_at_pauses().await
    }

    async fn load_leads(&mut self, campaign: CampaignIx) -> Result<(), StoreError> {
        let mut after = LeadId(0);
        loop {
            let rows = self.store.leads(campaign, after, Self::PAGE).await?;
            let Some(last) = rows.last().map(|row| row.lead) else { return Ok(()) };
            after = last;
            self.tell(ToEngine::Input(Box::new(Input::Leads(rows))));
        }
    }

    /// What other processes wrote meanwhile, and what this one has to seal.
    async fn look_around(&mut self, now: Now) -> Result<(), StoreError> {
        self.store.seal(now, Self::SEAL_MAX).await?;
        self.count_backlog(now).await?;
        let changes = self.store.changes().await?;
        if changes == self.changes {
            return Ok(());
        }
        let since = std::mem::replace(&mut self.changes, changes);
        for change in self.store.dnc_since(since, usize::MAX).await? {
            let command = match change.subject {
                DncSubject::Contact(contact) => OperatorCommand::DncContact(contact, change.mark),
                DncSubject::Phone(phone) => OperatorCommand::DncPhone(phone, change.mark),
            };
            self.tell(ToEngine::Input(Box::new(Input::Command(command))));
        }
        self.look_at_pauses().await?;
        for ix in self.campaigns.keys().copied().collect::<Vec<_>>() {
            self.load_leads(ix).await?;
        }
        Ok(())
    }

    async fn count_backlog(&mut self, now: Now) -> Result<(), StoreError> {
        let backlog = self.store.backlog(now).await?;
        self.metrics.dnc_entries.set([], backlog.dnc_entries as f64);
        self.metrics.export_lag_rows.set([], backlog.not_exported as f64);
        Ok(())
    }

    async fn look_at_pauses(&mut self) -> Result<(), StoreError> {
        let paused = self.store.paused().await?;
        for ix in self.campaigns.keys().copied().collect::<Vec<_>>() {
            let is_paused = paused.all || paused.campaigns.contains(&ix);
            if self.paused.insert(ix, is_paused).unwrap_or(false) != is_paused {
                let command = if is_paused { OperatorCommand::Pause(ix) } else { OperatorCommand::Resume(ix) };
                self.tell(ToEngine::Input(Box::new(Input::Command(command))));
            }
        }
        Ok(())
    }

    /// Whatever is still unwritten is tried once more; what stays behind is found by the next start's recovery.
    async fn last_words(&mut self) {
        let left = std::mem::take(&mut self.again);
        if !left.is_empty() && self.commit(left).await {
            tracing::error!(
                outcomes = self.again.len(),
                "not written at shutdown; the next start recovers these attempts"
            );
        }
        if let Err(error) = self.store.seal(self.clock.now(), usize::MAX).await {
            self.complain(&error);
        }
    }

    fn tell(&mut self, message: ToEngine) {
        // The engine never waits for us (see Pump), so this cannot deadlock; it fails only at shutdown.
        if self.engine.send(message).is_err() {
            tracing::debug!("the engine has gone");
        }
    }

    fn complain(&mut self, error: &StoreError) {
        self.metrics.store_failures.add([], 1);
        self.health.not_ready(Check::Store, error.to_string());
        tracing::error!(code = %error.code(), %error, "the store failed; nothing is dialled from this batch");
    }
}
