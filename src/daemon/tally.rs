//! From what the engine counts to metrics, and to the view that people look at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::base::{CampaignIx, Now, Tick, TrunkIx};
use crate::call::TrunkState;
use crate::contact::{CallResult, OutcomeKind};
use crate::engine::{CampaignView, Counted, Engine};
use crate::gate::Rule;
use crate::obs::Metrics;

use super::trunks::{self, Trunks};
use super::view::View;

/// Owned by the engine's thread.
#[derive(Debug)]
pub struct Tally {
    metrics: Metrics,
    names: BTreeMap<CampaignIx, Arc<str>>,
    trunks: Vec<String>,
    standing: Trunks,
    looked_at: Tick,
    /// The most inputs that one turn of the pump found, since the last look.
    waited: usize,
}

impl Tally {
    const LOOK_EVERY: Duration = Duration::from_millis(200);

    pub fn new(metrics: Metrics, trunks: Vec<String>) -> Self {
        Self { metrics, names: BTreeMap::new(), trunks, standing: Trunks::default(), looked_at: Tick(0), waited: 0 }
    }

    pub fn lag(&self, late: Duration) {
        self.metrics.engine_tick_lag_seconds.observe([], late.as_secs_f64());
    }

    pub fn waited(&mut self, inputs: usize) {
        self.waited = self.waited.max(inputs);
    }

    pub fn trunk_stands(&mut self, now: Tick, ix: TrunkIx, state: TrunkState) {
        let Some(name) = self.trunks.get(ix.ix()) else { return };
        trunks::show(&self.metrics, name, state);
        self.standing.tell(now, ix, name, state);
    }

    pub fn count(&self, counted: &Counted) {
        let m = &self.metrics;
        match counted {
            Counted::Admitted { .. } | Counted::CancelledAtClosing { .. } | Counted::Closed { .. } => {}
            Counted::Refused { campaign, rule } => m.gate_refusals.add([self.name(*campaign), rule.as_str()], 1),
            Counted::Intent { campaign, answer } => m.intents.add([self.name(*campaign), answer.as_str()], 1),
            Counted::Dialled { campaign, trunk, local_hour, golden } => {
                let name = self.name(*campaign);
                m.trunk_dials.add([self.trunk(*trunk)], 1);
                m.dials_by_hour.add([name, hour(*local_hour)], 1);
                if *golden {
                    m.golden_dials.add([name], 1);
                }
            }
            Counted::Rerouted { from, to } => {
                m.trunk_reroutes.add([self.trunk(*from)], 1);
                m.trunk_dials.add([self.trunk(*to)], 1);
            }
            Counted::Finished(end) => {
                let name = self.name(end.campaign);
                m.attempts.add([name, end.result.as_str()], 1);
                m.outcomes.add([name, end.outcome.as_str()], 1);
                m.trunk_results.add([self.trunk(end.trunk), end.result.as_str()], 1);
                if end.answered {
                    m.answers_by_hour.add([name, hour(end.local_hour)], 1);
                }
                let seconds = |ms: u32| f64::from(ms) / 1_000.0;
                if let Some(ms) = end.setup_ms {
                    m.setup_seconds.observe([self.trunk(end.trunk)], seconds(ms));
                }
                if let Some(ms) = end.ring_ms {
                    m.ring_seconds.observe([name], seconds(ms));
                }
                if let Some(ms) = end.talk_ms {
                    m.talk_seconds.observe([name], seconds(ms));
                }
            }
            Counted::Key { campaign, key } => {
                m.flow_keys.add([self.name(*campaign), key.encode_utf8(&mut [0; 4])], 1);
            }
            Counted::Dnc { campaign } => {
                tracing::info!(campaign.name = self.name(*campaign), "somebody opted out; in force at once");
            }
        }
    }

    /// A few times a second: gauges, and the view.
    pub fn look(&mut self, now: Now, engine: &Engine, view: &Mutex<View>) {
        if now.tick.since(self.looked_at) < Self::LOOK_EVERY {
            return;
        }
        self.looked_at = now.tick;
        self.metrics.engine_queue_depth.set([], std::mem::take(&mut self.waited) as f64);
        let campaigns = engine.view();
        for (_, campaign) in &campaigns {
            self.gauges(campaign);
        }
        for (trunk, busy) in self.trunks.iter().zip(engine.trunk_lines()) {
            self.metrics.line_calls.set([trunk], f64::from(busy));
        }
        for (trunk, used_up) in self.trunks.iter().zip(engine.caller_ids_used_up()) {
            self.metrics.caller_ids_used_up.set([trunk], used_up as f64);
        }
        for (trunk, spend) in self.trunks.iter().zip(engine.trunks_spend()) {
            let Some(spend) = spend else { continue };
            self.metrics.trunk_spent_today.set([trunk], spend.today.units());
            self.metrics.trunk_spend_limit.set([trunk], spend.max_per_day.units());
            self.metrics.trunk_spend_used_up.set_truth([trunk], spend.used_up);
        }
        for (trunk, stopped) in self.trunks.iter().zip(engine.trunks_stopped()) {
            self.metrics.trunk_stopped.set_truth([trunk], stopped);
        }
        for (queue, free, seats) in engine.queue_seats(now.tick) {
            self.metrics.queue_seats.set([queue], f64::from(seats));
            self.metrics.queue_seats_busy.set([queue], f64::from(seats.saturating_sub(free)));
        }
        let lag = engine.high_water().since(now.wall);
        self.metrics.wall_high_water_lag_seconds.set([], lag.as_secs_f64());
        let fresh = View {
            campaigns: campaigns.into_iter().map(|(_, campaign)| (Arc::clone(&campaign.name), campaign)).collect(),
            live_attempts: engine.live_attempts(),
            next_due: engine.next_due(),
            at: Some(now),
        };
        *view.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
    }

    /// Every series of a campaign exists at 0 before anything of it is counted.
    pub fn open(&mut self, ix: CampaignIx, name: &str) {
        let rules: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        let results: Vec<&str> = CallResult::ALL.iter().map(|result| result.as_str()).collect();
        let outcomes = [OutcomeKind::Success, OutcomeKind::Neutral, OutcomeKind::Failure].map(OutcomeKind::as_str);
        self.metrics.open_campaign(name, &rules, &results, &outcomes);
        self.names.insert(ix, name.into());
    }

    fn gauges(&self, campaign: &CampaignView) {
        let m = &self.metrics;
        for (state, leads) in campaign.states() {
            m.leads.set([&campaign.name, state], leads as f64);
        }
        m.leads_due.set([&campaign.name], campaign.due as f64);
        m.attempts_live.set([&campaign.name], f64::from(campaign.live));
        m.campaign_paused.set_truth([&campaign.name], campaign.paused);
    }

    fn name(&self, ix: CampaignIx) -> &str {
        self.names.get(&ix).map_or("", AsRef::as_ref)
    }

    fn trunk(&self, ix: TrunkIx) -> &str {
        self.trunks.get(ix.ix()).map_or("", String::as_str)
    }
}

fn hour(hour: u8) -> &'static str {
    const HOURS: [&str; 24] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
        "20", "21", "22", "23",
    ];
    HOURS.get(usize::from(hour)).copied().unwrap_or("0")
}

/// Every series of a trunk exists at 0 before its first call.
pub fn open_trunk(metrics: &Metrics, trunk: &super::config::TrunkConfig) {
    let results: Vec<&str> = CallResult::ALL.iter().map(|result| result.as_str()).collect();
    metrics.open_trunk(&trunk.name, trunk.max_calls, trunk.max_cps, &results);
    trunks::show(metrics, &trunk.name, TrunkState::Up);
}

/// A connection to a trunk, and the certificates on both its ends. Nothing is shown of a trunk without one.
pub fn count_link(metrics: &Metrics, trunk: &str, state: Option<&crate::wire::LinkState>) {
    let Some(state) = state else { return };
    metrics.trunk_connected.set_truth([trunk], state.connected);
    for (side, runs_out) in [("theirs", state.theirs_runs_out), ("ours", state.ours_runs_out)] {
        if let Some(at) = runs_out {
            metrics.tls_certificate_expiry.set([trunk, side], at as f64);
        }
    }
}

/// What the traces of calls do not have.
pub fn count_traces(metrics: &Metrics, counts: &crate::wire::Counts, unwritten: u64) {
    metrics.traces_lost.raise_to(["queue"], counts.traces_lost());
    metrics.traces_lost.raise_to(["disk"], unwritten);
}

/// Counters that the line keeps as totals. `trunks` are their names, in order.
pub fn count_wire(metrics: &Metrics, counts: &crate::wire::Counts, trunks: &[super::config::TrunkConfig]) {
    use crate::line::Counter;
    use crate::sip;
    use crate::wire::{Direction, MESSAGE_CLASSES};
    for (direction, name) in [(Direction::In, "in"), (Direction::Out, "out")] {
        for (at, class) in MESSAGE_CLASSES.iter().enumerate() {
            metrics.sip_messages.raise_to([name, class], counts.sip(direction, at));
        }
        metrics.rtp_packets.raise_to([name], counts.rtp(direction));
        metrics.rtcp_packets.raise_to([name], counts.rtcp(direction));
        metrics.one_way_calls.raise_to([name], counts.one_way(direction));
    }
    for (trunk, ix) in trunks.iter().zip((0..).map(TrunkIx)) {
        for (at, reason) in sip::Unanswered::REASONS.iter().enumerate() {
            metrics.trunk_auth_failures.raise_to([&trunk.name, reason], counts.unauthorised(ix, at));
        }
        if trunk.register.is_some() {
            metrics.trunk_registered.set_truth([&trunk.name], counts.registered(ix));
            for (result, total) in ["accepted", "failed"].into_iter().zip(counts.registrations(ix)) {
                metrics.trunk_registrations.raise_to([&trunk.name, result], total);
            }
        }
    }
    metrics.rtp_lost.raise_to([], counts.rtp_lost());
    metrics.rtp_lost_there.raise_to([], counts.rtp_lost_there());
    for jitter in counts.take_jitters() {
        metrics.rtp_jitter_seconds.observe([], jitter.as_secs_f64());
    }
    let total = |counter: sip::Counter| counts.counter(Counter::Sip(counter));
    metrics.sip_malformed.raise_to([], total(sip::Counter::Unreadable));
    metrics.sip_unknown_source.raise_to([], total(sip::Counter::UnknownSource));
    metrics.line_not_allowed.raise_to([], counts.counter(Counter::NotAllowed));
    metrics.sip_inbound_refused.raise_to([], total(sip::Counter::InboundInvite));
}
