//! The metric catalogue: every metric of the daemon, once. docs/METRICS.md and the dashboards are checked against it.
//!
//! Labels are bounded sets: campaign, rule, call result, trunk and the like; never a phone, a contact or an attempt.

use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};

use super::metrics::catalogue;

catalogue! {
    /// Always 1; the label says which version runs.
    build_info: Gauge "goldenhour_build_info" Truth ["version"];
    /// Does this part of the daemon say that it is ready? `/readyz` asks for all of them.
    ready: Gauge "goldenhour_ready" Truth ["check"];
    /// Did the last reload of configuration and campaigns succeed? At 0 the plan before it is in force.
    config_last_reload_successful: Gauge "goldenhour_config_last_reload_successful" Truth [];
    /// Reloads by what came of them.
    config_reloads: Counter "goldenhour_config_reloads_total" Times ["result"];
    /// How far the wall clock lies behind the latest time ever stored. Above 0 the clock went back, and the gate uses
    /// the stored time.
    wall_high_water_lag_seconds: Gauge "goldenhour_wall_high_water_lag_seconds" Seconds [];

    /// Inputs that wait for the engine.
    engine_queue_depth: Gauge "goldenhour_engine_queue_depth" Requests [];
    /// How long ago the engine took its last turn. It does so every second at least; above 10 it hangs.
    engine_silence_seconds: Gauge "goldenhour_engine_silence_seconds" Seconds [];
    /// How late the engine served its timers.
    engine_tick_lag_seconds: Histogram "goldenhour_engine_tick_lag_seconds" Seconds []
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];

    /// Is the campaign paused, by its file or by an operator?
    campaign_paused: Gauge "goldenhour_campaign_paused" Truth ["campaign"];
    /// Leads by the one state each is in.
    leads: Gauge "goldenhour_leads" Leads ["campaign", "state"];
    /// Leads that could be dialled now if a line were free.
    leads_due: Gauge "goldenhour_leads_due" Leads ["campaign"];
    /// Refusals of the gate by rule. One refusal counts once for every rule that said no.
    gate_refusals: Counter "goldenhour_gate_refusals_total" Times ["campaign", "rule"];
    /// Wishes to dial by what the authorising transaction answered.
    intents: Counter "goldenhour_intents_total" Requests ["campaign", "answer"];
    /// Attempts under way.
    attempts_live: Gauge "goldenhour_attempts_live" Attempts ["campaign"];
    /// Finished attempts by call result.
    attempts: Counter "goldenhour_attempts_total" Attempts ["campaign", "call_result"];
    /// Finished attempts by what their disposition means for the campaign.
    outcomes: Counter "goldenhour_outcomes_total" Attempts ["campaign", "outcome"];
    /// Attempts by the hour of the day in the contact's zone.
    dials_by_hour: Counter "goldenhour_dials_by_hour_total" Attempts ["campaign", "local_hour"];
    /// Answered attempts by the hour of the day in the contact's zone.
    answers_by_hour: Counter "goldenhour_answers_by_hour_total" Attempts ["campaign", "local_hour"];
    /// Attempts within golden hours.
    golden_dials: Counter "goldenhour_golden_dials_total" Attempts ["campaign"];
    /// Keys that callees pressed in a flow.
    flow_keys: Counter "goldenhour_flow_keys_total" Times ["campaign", "key"];
    /// From INVITE to the first sign of ringing: the post-dial delay.
    setup_seconds: Histogram "goldenhour_setup_seconds" Seconds ["trunk"]
        [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0];
    /// From ringing to answer or end.
    ring_seconds: Histogram "goldenhour_ring_seconds" Seconds ["campaign"]
        [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0];
    /// From answer to end.
    talk_seconds: Histogram "goldenhour_talk_seconds" Seconds ["campaign"]
        [5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    /// Seats of the queues we transfer to.
    queue_seats: Gauge "goldenhour_queue_seats" Seats ["queue"];
    /// Seats that are taken, or promised to an attempt under way.
    queue_seats_busy: Gauge "goldenhour_queue_seats_busy" Seats ["queue"];

    /// From the first request of a batch to its commit.
    store_commit_seconds: Histogram "goldenhour_store_commit_seconds" Seconds []
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
    /// Requests committed together.
    store_batch_size: Histogram "goldenhour_store_batch_size" Requests []
        [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
    /// Batches whose commit failed or is in doubt. Nobody is dialled from them.
    store_failures: Counter "goldenhour_store_failures_total" Times [];
    /// Outcomes and do-not-call entries whose commit failed, and which wait to be written again.
    store_unwritten: Gauge "goldenhour_store_unwritten" Requests ["kind"];
    /// Outcomes and do-not-call entries that the store refuses to write, again and again, while it writes others.
    store_given_up: Counter "goldenhour_store_given_up_total" Requests [];
    /// Authorisations refused because the stored number does not open with the keys at hand.
    store_unopened: Counter "goldenhour_store_unopened_total" Requests [];
    /// Entries in force on the do-not-call list.
    dnc_entries: Gauge "goldenhour_dnc_entries" Rows [];
    /// Finished attempts that no export has taken yet.
    export_lag_rows: Gauge "goldenhour_export_lag_rows" Rows [];
    /// Runs of a feed by what came of them: loaded, unchanged, plain_order (the model is broken), refused (by `refuse_if`, or no usable row), failed.
    feed_runs: Counter "goldenhour_feed_runs_total" Times ["campaign", "result"];
    /// When a feed last brought its list, as seconds since 1970.
    feed_last_success_seconds: Gauge "goldenhour_feed_last_success_timestamp_seconds" Seconds ["campaign"];
    /// Runs of exports by what came of them: written, failed.
    export_runs: Counter "goldenhour_export_runs_total" Times ["result"];
    /// When an export last succeeded, as seconds since 1970.
    export_last_success_seconds: Gauge "goldenhour_export_last_success_timestamp_seconds" Seconds [];

    /// SIP messages by direction, and by method or class of status.
    sip_messages: Counter "goldenhour_sip_messages_total" Messages ["direction", "class"];
    /// Datagrams that are no SIP message.
    sip_malformed: Counter "goldenhour_sip_malformed_total" Messages [];
    /// Datagrams from addresses that are no trunk. They get no answer.
    sip_unknown_source: Counter "goldenhour_sip_unknown_source_total" Messages [];
    /// Dials that the line refused because the trunk's `allow` and `deny` do not let the number out. The gate refuses
    /// them first: anything but 0 means that something went past it.
    line_not_allowed: Counter "goldenhour_line_dials_not_allowed_total" Calls [];
    /// Messages that no trace of a call has, by reason: queue (the thread that writes could not keep up), disk.
    traces_lost: Counter "goldenhour_traces_lost_total" Messages ["reason"];
    /// Inbound calls, which are refused with 480.
    sip_inbound_refused: Counter "goldenhour_sip_inbound_refused_total" Calls [];
    /// Does the connection to a trunk over TCP or TLS stand? At 0 the trunk takes no calls.
    trunk_connected: Gauge "goldenhour_trunk_connected" Truth ["trunk"];
    /// When a certificate of a TLS trunk runs out, as seconds since 1970: the gateway's own ("theirs"), or the one that
    /// we show ("ours").
    tls_certificate_expiry: Gauge "goldenhour_tls_certificate_expiry_timestamp_seconds" Seconds ["trunk", "side"];
    /// Calls on a trunk, ringing ones included.
    line_calls: Gauge "goldenhour_line_calls" Calls ["trunk"];
    /// The trunk's `max_calls`.
    trunk_calls_limit: Gauge "goldenhour_trunk_calls_limit" Calls ["trunk"];
    /// Calls that left on a trunk.
    trunk_dials: Counter "goldenhour_trunk_dials_total" Calls ["trunk"];
    /// Calls that a trunk could not take and another one of its group was given, by the trunk that could not.
    trunk_reroutes: Counter "goldenhour_trunk_reroutes_total" Calls ["trunk"];
    /// Calls by what came of their signature: signed, refused, late, unreadable, unreachable. Of trunks with `identity` alone.
    trunk_signatures: Counter "goldenhour_trunk_signatures_total" Calls ["trunk", "result"];
    /// Finished attempts of a trunk by call result.
    trunk_results: Counter "goldenhour_trunk_results_total" Attempts ["trunk", "call_result"];
    /// Challenges of a trunk that went unanswered, by reason: no credentials, other realm, unsupported, rejected.
    trunk_auth_failures: Counter "goldenhour_trunk_auth_failures_total" Times ["trunk", "reason"];
    /// Does the gateway know where we are? Of trunks with `register` alone.
    trunk_registered: Gauge "goldenhour_trunk_registered" Truth ["trunk"];
    /// REGISTERs by what came of them: accepted, failed.
    trunk_registrations: Counter "goldenhour_trunk_registrations_total" Times ["trunk", "result"];
    /// Does the trunk take calls? At 0 nothing is dialled on it, and `goldenhour_trunk_state` says why.
    trunk_up: Gauge "goldenhour_trunk_up" Truth ["trunk"];
    /// How a trunk stands; one state is 1: up, disconnected, unregistered, silent (no answer to OPTIONS), overloaded (it
    /// asked for a pause), failing (calls in a row came to nothing).
    trunk_state: Gauge "goldenhour_trunk_state" Truth ["trunk", "state"];
    /// Numbers of the trunk that have been shown as often as they may be in a day. Campaigns that show no others dial
    /// nobody until the next one.
    caller_ids_used_up: Gauge "goldenhour_trunk_caller_ids_used_up" Times ["trunk"];
    /// What calls over the trunk have cost today, those under way included with what they cost at least. Of trunks with
    /// `spend` alone, in the currency that it is written in.
    trunk_spent_today: Gauge "goldenhour_trunk_spent_today" Money ["trunk"];
    /// What they may cost in a day: `spend.max_per_day`.
    trunk_spend_limit: Gauge "goldenhour_trunk_spend_limit" Money ["trunk"];
    /// Does one call more not fit under it? At 1 nothing is dialled on the trunk.
    trunk_spend_used_up: Gauge "goldenhour_trunk_spend_used_up" Truth ["trunk"];
    /// Has an operator stopped the trunk?
    trunk_stopped: Gauge "goldenhour_trunk_stopped" Truth ["trunk"];
    /// The trunk's `max_cps`.
    trunk_cps_limit: Gauge "goldenhour_trunk_cps_limit" PerSecond ["trunk"];
    /// RTP packets.
    rtp_packets: Counter "goldenhour_rtp_packets_total" Packets ["direction"];
    /// RTP packets of answered calls that never came, noted when a call ends.
    rtp_lost: Counter "goldenhour_rtp_lost_total" Packets [];
    /// RTP packets of ours that gateways reported as lost, noted when a call ends.
    rtp_lost_there: Counter "goldenhour_rtp_lost_there_total" Packets [];
    /// RTCP packets: reports about the audio of calls.
    rtcp_packets: Counter "goldenhour_rtcp_packets_total" Packets ["direction"];
    /// How unevenly the RTP of a call came (RFC 3550 A.8), noted when it ends.
    rtp_jitter_seconds: Histogram "goldenhour_rtp_jitter_seconds" Seconds []
        [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];
    /// Answered calls whose audio went one way. in: nothing came while we played; out: the gateway reported that it
    /// hears nothing.
    one_way_calls: Counter "goldenhour_one_way_calls_total" Calls ["direction"];
}

impl Metrics {
    /// A registry of its own with every metric at 0, and the process's own figures (CPU, memory, descriptors).
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let metrics = Self::register_all(registry)?;
        metrics.build_info.set_truth([env!("CARGO_PKG_VERSION")], true);
        metrics.config_reloads.open(["ok"]);
        metrics.config_reloads.open(["refused"]);
        for kind in ["outcome", "dnc"] {
            metrics.store_unwritten.set([kind], 0.0);
        }
        for reason in ["queue", "disk"] {
            metrics.traces_lost.open([reason]);
        }
        for direction in ["in", "out"] {
            metrics.rtp_packets.open([direction]);
            metrics.rtcp_packets.open([direction]);
            metrics.one_way_calls.open([direction]);
            for class in
                ["invite", "ack", "cancel", "bye", "options", "other", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx"]
            {
                metrics.sip_messages.open([direction, class]);
            }
        }
        Ok(metrics)
    }

    /// Opens every series of a campaign at 0. The words are those of `Rule`, `CallResult` and `OutcomeKind`, handed in
    /// by the daemon because this room lies beside them.
    pub fn open_campaign(&self, campaign: &str, rules: &[&str], call_results: &[&str], outcomes: &[&str]) {
        for rule in rules {
            self.gate_refusals.open([campaign, rule]);
        }
        for result in call_results {
            self.attempts.open([campaign, result]);
        }
        for outcome in outcomes {
            self.outcomes.open([campaign, outcome]);
        }
        for answer in ["authorised", "refused", "doubt"] {
            self.intents.open([campaign, answer]);
        }
        for hour in 0..24 {
            let hour = hour.to_string();
            self.dials_by_hour.open([campaign, &hour]);
            self.answers_by_hour.open([campaign, &hour]);
        }
        self.golden_dials.open([campaign]);
        self.ring_seconds.open([campaign]);
        self.talk_seconds.open([campaign]);
        self.attempts_live.set([campaign], 0.0);
        self.leads_due.set([campaign], 0.0);
        self.campaign_paused.set_truth([campaign], false);
    }

    /// Opens every series of a trunk at 0, and shows its limits.
    pub fn open_trunk(&self, trunk: &str, max_calls: u32, max_cps: u32, call_results: &[&str]) {
        for result in call_results {
            self.trunk_results.open([trunk, result]);
        }
        self.trunk_dials.open([trunk]);
        self.trunk_reroutes.open([trunk]);
        self.setup_seconds.open([trunk]);
        self.line_calls.set([trunk], 0.0);
        self.trunk_stopped.set([trunk], 0.0);
        self.caller_ids_used_up.set([trunk], 0.0);
        self.trunk_calls_limit.set([trunk], f64::from(max_calls));
        self.trunk_cps_limit.set([trunk], f64::from(max_cps));
    }

    /// What Prometheus scrapes: text format 0.0.4.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::obs::Kind;

    #[test]
    fn names_are_unique_and_follow_their_kind() {
        let names: BTreeSet<&str> = Metrics::ENTRIES.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), Metrics::ENTRIES.len());
        for entry in Metrics::ENTRIES {
            assert!(entry.name.starts_with("goldenhour_"), "{}", entry.name);
            assert_eq!(entry.kind == Kind::Counter, entry.name.ends_with("_total"), "{}", entry.name);
            assert_eq!(entry.kind == Kind::Histogram, !entry.buckets.is_empty(), "{}", entry.name);
            assert!(entry.buckets.windows(2).all(|pair| matches!(pair, [a, b] if a < b)), "{}", entry.name);
        }
    }

    #[test]
    fn no_label_can_name_a_person() {
        let known = [
            "version",
            "check",
            "result",
            "campaign",
            "state",
            "rule",
            "answer",
            "call_result",
            "outcome",
            "local_hour",
            "key",
            "trunk",
            "queue",
            "direction",
            "class",
            "kind",
            "side",
            "reason",
        ];
        for entry in Metrics::ENTRIES {
            assert!(entry.labels.iter().all(|label| known.contains(label)), "{}", entry.name);
        }
    }

    #[test]
    fn a_fresh_daemon_shows_its_series_at_zero() {
        let metrics = Metrics::new().unwrap();
        metrics.open_campaign("spring", &["dnc"], &["busy"], &["success"]);
        metrics.open_trunk("gw-a", 60, 5, &["busy"]);
        let text = metrics.text().unwrap();
        for line in [
            "goldenhour_sip_unknown_source_total 0",
            "goldenhour_gate_refusals_total{campaign=\"spring\",rule=\"dnc\"} 0",
            "goldenhour_attempts_total{call_result=\"busy\",campaign=\"spring\"} 0",
            "goldenhour_sip_messages_total{class=\"invite\",direction=\"out\"} 0",
            "goldenhour_store_commit_seconds_count 0",
            "goldenhour_store_unwritten{kind=\"dnc\"} 0",
            "goldenhour_trunk_results_total{call_result=\"busy\",trunk=\"gw-a\"} 0",
            "goldenhour_trunk_calls_limit{trunk=\"gw-a\"} 60",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is missing");
        }
        assert!(text.contains("process_cpu_seconds_total"));
    }

    #[test]
    fn counts_add_up_and_a_retired_gauge_is_gone() {
        let metrics = Metrics::new().unwrap();
        metrics.attempts.add(["spring", "busy"], 2);
        metrics.attempts.series(["spring", "busy"]).inc();
        assert_eq!(metrics.attempts.value(["spring", "busy"]), 3);
        metrics.leads_due.set(["spring"], 7.0);
        metrics.leads_due.retire(["spring"]);
        metrics.leads_due.retire(["spring"]);
        assert!(!metrics.text().unwrap().contains("goldenhour_leads_due{"));
    }

    #[test]
    fn clones_count_into_the_same_registry() {
        let metrics = Metrics::new().unwrap();
        metrics.clone().store_failures.add([], 1);
        metrics.store_commit_seconds.observe([], 0.003);
        assert_eq!((metrics.store_failures.value([]), metrics.store_commit_seconds.count([])), (1, 1));
    }
}
