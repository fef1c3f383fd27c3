//! The store writer: the one thread with the database. It groups what waits into one commit, and watches for what other
//! processes write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use crate::base::{CampaignIx, Clock, Code, ListId, Now, Tick};
use crate::campaign::{Campaign, Plan};
use crate::engine::{Committed, DncSubject, Input, OperatorCommand, StoreReply, StoreRequest};
use crate::http::{Check, Health};
use crate::obs::Metrics;
use crate::rank::Tally;
use crate::store::{LedgerCursor, Sqlite, Store, StoreError};

use super::pump::ToEngine;
use super::reading::Reading;
use super::stubborn::{Stubborn, name_of};
use super::switches::{Switches, said};

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
    stubborn: Stubborn,
    /// Not in force yet, because the store failed when it came.
    plan: Option<Arc<Plan>>,
    campaigns: BTreeMap<CampaignIx, Arc<Campaign>>,
    switches: Switches,
    reading: Reading,
    changes: u64,
    /// The newest published list that was read, or whose leads came with their campaigns.
    lists: ListId,
    looked_at: Tick,
    dnc_counted_at: Tick,
    committed_at: Option<Tick>,
    /// After a failure the store is left alone until then, but for what has to be written.
    rest_until: Tick,
    complained: Option<(Code, Tick)>,
    is_unwell: bool,
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
    /// Entries of the do-not-call list that end are uncounted within this; what is added or taken away counts at once.
    const COUNT_EVERY: Duration = Duration::from_mins(1);
    /// A failure that lasts is logged again this often.
    const COMPLAIN_EVERY: Duration = Duration::from_secs(30);

    pub fn new(
        store: Sqlite,
        clock: Arc<dyn Clock>,
        inbox: Receiver<ToWriter>,
        engine: SyncSender<ToEngine>,
        metrics: Metrics,
        health: Health,
        switches: Switches,
    ) -> Self {
        Self {
            store,
            clock,
            inbox,
            engine,
            metrics,
            health,
            again: Vec::new(),
            stubborn: Stubborn::default(),
            plan: None,
            campaigns: BTreeMap::new(),
            switches,
            reading: Reading::default(),
            changes: 0,
            lists: ListId(0),
            looked_at: Tick(0),
            dnc_counted_at: Tick(0),
            committed_at: None,
            rest_until: Tick(0),
            complained: None,
            is_unwell: false,
        }
    }

    /// Until `Stop`, or until everybody who could ask is gone.
    pub async fn run(mut self) {
        if let Err(error) = self.load_ledgers().await {
            self.complain(&error);
        }
        loop {
            match self.inbox.recv_timeout(self.wait()) {
                Ok(ToWriter::Requests(requests)) => {
                    if !self.write(requests).await {
                        break;
                    }
                }
                Ok(ToWriter::Plan(plan)) => self.plan = Some(plan),
                Ok(ToWriter::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if self.again.is_empty() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if !self.write(Vec::new()).await {
                        break;
                    }
                }
            }
            let now = self.clock.now();
            if now.tick < self.rest_until {
                continue;
            }
            match self.go_on(now).await {
                // Where nobody dials there is no commit that could say so.
                Ok(()) if self.is_unwell && self.again.is_empty() && self.stubborn.is_empty() => {
                    self.is_unwell = false;
                    self.health.ready(Check::Store);
                }
                Ok(()) => {}
                Err(error) => {
                    self.complain(&error);
                    self.rest_until = self.clock.now().tick + Self::LOOK_EVERY;
                }
            }
        }
        self.last_words().await;
    }

    /// Nothing, while there is something to read.
    fn wait(&self) -> Duration {
        let busy = self.plan.is_some() || !self.reading.is_empty();
        if busy && self.clock.now().tick >= self.rest_until { Duration::ZERO } else { Self::LOOK_EVERY / 2 }
    }

    /// What is not asked for by requests: a new plan, what others wrote, leads.
    async fn go_on(&mut self, now: Now) -> Result<(), StoreError> {
        if let Some(plan) = self.plan.clone() {
            self.take_plan(&plan).await?;
            self.plan = None;
        }
        if now.tick.since(self.looked_at) >= Self::LOOK_EVERY {
            self.looked_at = now.tick;
            self.look_around(now).await?;
        }
        if let Some(input) = self.reading.step(&mut self.store).await? {
            self.tell(ToEngine::Input(Box::new(input)));
        }
        Ok(())
    }

    /// Commits what it was given together with what waits already. False once `Stop` was among it.
    async fn write(&mut self, requests: Vec<StoreRequest>) -> bool {
        let mut waiting = std::mem::take(&mut self.again);
        waiting.extend(requests);
        if waiting.len() < Self::BATCH_MAX {
            self.gather();
        }
        let mut stop = false;
        while waiting.len() < Self::BATCH_MAX && !stop {
            match self.inbox.try_recv() {
                Ok(ToWriter::Requests(more)) => waiting.extend(more),
                Ok(ToWriter::Plan(plan)) => self.plan = Some(plan),
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
        self.show_unwritten();
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
                self.say_unopened(&committed);
                self.tell(ToEngine::Stored(committed));
                false
            }
            Err(error) => {
                self.complain(&error);
                self.rest_until = self.clock.now().tick + Self::LOOK_EVERY / 2;
                let kept = self.set_aside(batch);
                if error.is_about_rows() {
                    self.one_by_one(kept).await;
                } else {
                    self.again.extend(kept);
                }
                true
            }
        }
    }

    /// One of them cannot be written: the others must not wait for it.
    async fn one_by_one(&mut self, requests: Vec<StoreRequest>) {
        for request in requests {
            self.alone(request, 0).await;
        }
    }

    async fn alone(&mut self, request: StoreRequest, tries: u32) {
        let now = self.clock.now();
        let batch = [request];
        let result = self.store.commit(now, &batch).await;
        let [request] = batch;
        match result {
            Ok(committed) => self.tell(ToEngine::Stored(committed)),
            Err(error) => {
                // Nothing but the time it is: does the store take anything at all?
                let works = self.store.commit(now, &[]).await.is_ok();
                if let Some(request) = self.stubborn.failed(request, tries, works) {
                    self.give_up(&request, &error);
                }
            }
        }
    }

    /// The attempt stays open in the database: nobody calls that person again before the next start has recovered it.
    fn give_up(&mut self, request: &StoreRequest, error: &StoreError) {
        let (kind, attempt) = name_of(request);
        let attempt_id = attempt.map(|id| id.to_string());
        self.metrics.store_given_up.add([], 1);
        tracing::error!(code = %error.code(), %error, kind, attempt_id, "given up: the store refuses to write this");
        let reply = match request {
            StoreRequest::Finish(outcome) => StoreReply::Finished { attempt: outcome.attempt, fresh: false },
            StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) => {
                StoreReply::Doubt { attempt: intent.attempt }
            }
            StoreRequest::Dnc(_) | StoreRequest::Slot(_) => StoreReply::Noted,
        };
        self.tell(ToEngine::Stored(Committed { replies: vec![reply], ..Committed::default() }));
    }

    /// Answers authorisations with doubt, and returns what has to be written all the same.
    fn set_aside(&mut self, batch: Vec<StoreRequest>) -> Vec<StoreRequest> {
        let mut replies = Vec::new();
        let mut kept = Vec::new();
        for request in batch {
            match request {
                StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) => {
                    replies.push(StoreReply::Doubt { attempt: intent.attempt });
                }
                StoreRequest::Finish(_) | StoreRequest::Dnc(_) | StoreRequest::Slot(_) => kept.push(request),
            }
        }
        if !replies.is_empty() {
            self.tell(ToEngine::Stored(Committed { replies, ..Committed::default() }));
        }
        kept
    }

    /// An opt-out that waits here is in force in this process alone.
    fn show_unwritten(&self) {
        let dnc = self.again.iter().filter(|request| matches!(request, StoreRequest::Dnc(_))).count();
        self.metrics.store_unwritten.set(["dnc"], dnc as f64);
        self.metrics.store_unwritten.set(["outcome"], (self.again.len() - dnc) as f64);
    }

    async fn load_ledgers(&mut self) -> Result<(), StoreError> {
        self.changes = self.store.changes().await?;
        self.lists = self.store.lists_since(ListId(0)).await?.last().map_or(self.lists, |(list, _)| *list);
        self.count_dnc(self.clock.now()).await?;
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
            if known.is_none() {
                let since = self.clock.now().wall - Duration::from_hours(24 * Tally::DAYS as u64);
                let heard = self.store.heard_since(ix, since).await?;
                self.tell(ToEngine::Input(Box::new(Input::Heard(ix, heard))));
            }
            if known.is_none_or(|known| !known.judges_as(&campaign)) {
                self.reading.campaign(ix);
            }
        }
        self.look_at_pauses().await
    }

    /// What other processes wrote meanwhile, the most urgent first, and what this one has to seal.
    async fn look_around(&mut self, now: Now) -> Result<(), StoreError> {
        let changes = self.store.changes().await?;
        let changed = changes != self.changes;
        if changed {
            self.look_at_pauses().await?;
            self.look_at_turns(changes).await?;
            self.look_at_dnc().await?;
            for (list, campaign) in self.store.lists_since(self.lists).await? {
                self.lists = list;
                if self.campaigns.contains_key(&campaign) {
                    self.reading.list(list);
                }
            }
            self.changes = changes;
        }
        for (request, tries) in self.stubborn.take() {
            self.alone(request, tries).await;
        }
        self.store.seal(now, Self::SEAL_MAX).await?;
        self.metrics.export_lag_rows.set([], self.store.not_exported().await? as f64);
        if changed || now.tick.since(self.dnc_counted_at) >= Self::COUNT_EVERY {
            self.count_dnc(now).await?;
        }
        Ok(())
    }

    async fn look_at_dnc(&mut self) -> Result<(), StoreError> {
        let mut since = self.changes;
        loop {
            let changes = self.store.dnc_since(since, Self::PAGE).await?;
            let Some(last) = changes.last().map(|change| change.change) else { return Ok(()) };
            since = last;
            for change in changes {
                let command = match change.subject {
                    DncSubject::Contact(contact) => OperatorCommand::DncContact(contact, change.mark),
                    DncSubject::Phone(phone) => OperatorCommand::DncPhone(phone, change.mark),
                };
                self.tell(ToEngine::Input(Box::new(Input::Command(command))));
            }
        }
    }

    /// A walk over the whole list, which may be millions long.
    async fn count_dnc(&mut self, now: Now) -> Result<(), StoreError> {
        self.metrics.dnc_entries.set([], self.store.dnc_entries(now).await? as f64);
        self.dnc_counted_at = now.tick;
        Ok(())
    }

    async fn look_at_pauses(&mut self) -> Result<(), StoreError> {
        let paused = self.store.paused().await?;
        for command in self.switches.news(&paused, self.campaigns.keys().copied()) {
            self.tell(ToEngine::Input(Box::new(Input::Command(command))));
        }
        Ok(())
    }

    /// Who turned what meanwhile, and calls that are to end with it: after the stop itself, so that none follows them.
    async fn look_at_turns(&mut self, changes: u64) -> Result<(), StoreError> {
        let turns = self.store.turned_since(self.changes, Self::PAGE).await?;
        // What came after the counter was read comes again at the next look.
        for turned in turns.into_iter().filter(|turned| turned.change <= changes) {
            let (who, reason) = (turned.switch.who.as_str(), turned.switch.reason.as_str());
            tracing::warn!(who, reason, "{}", said(&turned));
            if let Some(command) = self.switches.hang_up(&turned, &self.campaigns) {
                self.tell(ToEngine::Input(Box::new(Input::Command(command))));
            }
        }
        Ok(())
    }

    /// Whatever is still unwritten is tried once more; what stays behind is found by the next start's recovery.
    async fn last_words(&mut self) {
        let left = std::mem::take(&mut self.again);
        let failed = !left.is_empty() && self.commit(left).await;
        if failed || !self.stubborn.is_empty() {
            tracing::error!(
                outcomes = self.again.len() + self.stubborn.len(),
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

    /// A failure that goes on is counted each time, and logged now and then.
    /// The leads wait, blocked by the rule `number`, until the next start; each is said once.
    fn say_unopened(&self, committed: &Committed) {
        for phone in &committed.unopened {
            self.metrics.store_unopened.add([], 1);
            tracing::error!(
                code = %Code::StoreCorrupt,
                %phone,
                "a stored number does not open with the keys at hand and is not dialled: restore the keys file and the \
                 database from one backup"
            );
        }
    }

    fn complain(&mut self, error: &StoreError) {
        self.metrics.store_failures.add([], 1);
        self.is_unwell = true;
        self.health.not_ready(Check::Store, error.to_string());
        let now = self.clock.now().tick;
        let said = |(code, at): (Code, Tick)| code == error.code() && now.since(at) < Self::COMPLAIN_EVERY;
        if !self.complained.is_some_and(said) {
            self.complained = Some((error.code(), now));
            tracing::error!(code = %error.code(), %error, "the store failed; nothing is dialled from this batch");
        }
    }
}
