//! Each expectation where it holds and where it does not, on a campaign made for it.

use crate::base::render;
use crate::campaign::{Folder, Plan, load};

use super::{Coverage, Trial, try_set};

const POLICY: &str = r#"schema: goldenhour/policy/v1
policy: p
version: 1
title: p
purposes: [marketing]
calling_hours: { mon-sat: ["09:00-12:00", "13:30-20:00"], sun: [], holidays: open }
consent: required
attempts: { max: 4, max_per_day: 1 }
contact_caps:
  - { per: customer, within: 7d, max_dials: 3 }
  - { per: customer, after: declined, quiet_for: 60d }
  - { per: customer, after: complaint, quiet_for: forever }
sources: ["made up"]
"#;

const CAMPAIGN: &str = r#"schema: goldenhour/v1
campaign: c
scenario: revisit
purpose: marketing
use: { policy: p@1 }
list:
  key: k
  phones: [mobile, home]
  score: s
  consent: agreed
  tags: t
  attributes: a
  columns: { overdue_days: { type: integer } }
  expires_after: 14d
eligible: { all_of: ['overdue_days == 0'] }
segments:
  - { name: star, when: 'score >= 0.5' }
  - { name: rest, when: 'score >= 0.1', attempts: { max: 2 } }
calling_hours: { fallback_zone: Asia/Shanghai }
golden_hours: { mode: MODE, seed: { all: ["18:00-20:00"] } }
attempts: { min_gap: 20h }
retry:
  busy: { after: 15m, max: 2, free: 1 }
  no_answer: { after: 1d, max: 3, other_daypart: true, next_phone: true }
  vacant_number: { phone: dead, next_phone: true }
agents: { queue: q }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  declined: { outcome: failure, contact: right_party, then: final }
  opted_out: { outcome: failure, contact: right_party, then: dnc_customer }
  thinking: { outcome: neutral, contact: right_party, then: callback }
  angry: { outcome: neutral, contact: right_party, complaint: true, then: retry }
  moved: { outcome: neutral, contact: wrong_party, then: phone_dead }
  strange: { outcome: neutral, contact: wrong_party, then: dnc_phone }
experiment: { id: e, arms: { champion: { share: 80% }, nobody: { share: 20%, call: never } }, success: accepted }
"#;

fn plan(mode: &str, tests: &str) -> Plan {
    let mut folder = Folder::default();
    folder.insert("policies/p.yaml", POLICY.as_bytes());
    let shared = "tests:\n  customer: { overdue_days: 0 }\n  cases:\n";
    let text = format!("{}{shared}{tests}", CAMPAIGN.replace("MODE", mode));
    folder.insert("c.yaml", text.as_bytes());
    load(&folder).unwrap_or_else(|findings| panic!("{}", render(&findings)))
}

fn trials(mode: &str, tests: &str) -> Vec<Trial> {
    let plan = plan(mode, tests);
    plan.tests.iter().flat_map(|set| try_set(set, &plan.zones)).collect()
}

/// What came in place of what was expected; empty if it holds. The test is everything but its name.
fn missed_in(mode: &str, test: &str) -> String {
    let found = trials(mode, &format!("    - {{ name: t, {test} }}\n"));
    let [trial] = found.as_slice() else { panic!("{found:?}") };
    trial
        .failures
        .iter()
        .map(|failure| format!("{} / {:?}", failure.got, failure.verdict))
        .collect::<Vec<_>>()
        .join("\n")
}

fn missed(test: &str) -> String {
    missed_in("prefer", test)
}

const DAY: &str = r#"at: "2026-12-03 10:00""#;
const NIGHT: &str = r#"at: "2026-12-03 20:30""#;

#[test]
fn allowed_means_that_the_engine_dials() {
    assert_eq!(missed(&format!("{DAY}, expect: allowed")), "");
    let got = missed(&format!("{NIGHT}, expect: allowed"));
    assert!(got.starts_with("blocked_by calling_hours, deferred_to 2026-12-04 09:00 Asia/Shanghai"), "{got}");
    assert!(got.contains("20:30 in Asia/Shanghai, open 09:00-12:00, 13:30-20:00"), "{got}");
}

#[test]
fn a_test_is_about_a_customer_of_the_arm_that_it_names() {
    assert_eq!(missed(&format!("{DAY}, arm: champion, expect: allowed")), "");
    assert_eq!(missed(&format!("{DAY}, arm: nobody, expect: blocked_only_by holdout")), "");
    assert!(missed(&format!("{DAY}, expect: blocked_by holdout")).starts_with("allowed"));
}

#[test]
fn blocked_by_wants_all_its_rules_among_the_reasons() {
    let twice = "customer: { consent: false, dnc: true }";
    assert_eq!(missed(&format!("{DAY}, {twice}, expect: blocked_by dnc")), "");
    assert_eq!(missed(&format!("{DAY}, {twice}, expect: blocked_by dnc and consent")), "");
    assert!(
        missed(&format!("{DAY}, {twice}, expect: blocked_by dnc and number")).starts_with("blocked_by consent and dnc")
    );
    assert!(missed(&format!("{DAY}, expect: blocked_by dnc")).starts_with("allowed"));
}

#[test]
fn blocked_only_by_wants_no_other_reason() {
    let twice = "customer: { consent: false, dnc: true }";
    assert_eq!(missed(&format!("{DAY}, {twice}, expect: blocked_only_by consent and dnc")), "");
    assert!(missed(&format!("{DAY}, {twice}, expect: blocked_only_by dnc")).starts_with("blocked_by consent and dnc"));
    assert!(missed(&format!("{DAY}, expect: blocked_only_by dnc")).starts_with("allowed"));
}

#[test]
fn what_another_campaign_was_told_holds_here() {
    for (past, rule) in [
        ("days_ago: 100, disposition: opted_out", "dnc"),
        ("days_ago: 20, disposition: declined", "cooling_off"),
        ("days_ago: 100, disposition: angry", "cooling_off"),
    ] {
        let past = format!("history: [{{ {past}, campaign: x }}]");
        assert_eq!(missed(&format!("{DAY}, {past}, expect: blocked_only_by {rule}")), "", "{past}");
    }
}

#[test]
fn a_phone_that_was_somebody_elses_or_is_on_the_list_is_not_dialled_whoever_found_out() {
    let one = "customer: { phones: { mobile: ok } }";
    for (found, rule) in [("moved", "number"), ("strange", "dnc")] {
        let past = format!("history: [{{ days_ago: 100, disposition: {found}, campaign: x }}]");
        assert_eq!(missed(&format!("{DAY}, {one}, {past}, expect: blocked_only_by {rule}")), "", "{found}");
    }
    let listed = "customer: { phones: { mobile: dnc } }";
    assert_eq!(missed(&format!("{DAY}, {listed}, expect: blocked_only_by dnc")), "");
}

#[test]
fn a_past_is_on_the_phone_that_it_names() {
    let both = "customer: { phones: { mobile: ok, home: ok } }";
    let dead = |phone: &str| {
        format!("{both}, history: [{{ days_ago: 20, phone: {phone}, result: vacant_number, campaign: x }}]")
    };
    let next = "result: vacant_number, expect: closed invalid";
    assert_eq!(missed(&format!("{DAY}, {}, {next}", dead("home"))), "");
    assert_eq!(missed(&format!("{DAY}, {}, {next}", dead("mobile"))), "");
    let own = "history: [{ days_ago: 3, phone: home, result: vacant_number }]";
    assert_eq!(missed(&format!("{DAY}, {both}, {own}, {next}")), "");
}

#[test]
fn contact_caps_takes_in_quiet_periods_and_cooling_off_does_not_take_in_caps() {
    let quiet = "history: [{ days_ago: 30, said: declined }]";
    let busy = "history: [{ days_ago: 3, result: busy, campaign: x }, { days_ago: 2, result: busy, campaign: x }, { days_ago: 1, result: busy, campaign: x }]";
    assert_eq!(
        missed(&format!("{DAY}, {quiet}, expect: [blocked_only_by contact_caps, blocked_only_by cooling_off]")),
        ""
    );
    assert_eq!(missed(&format!("{DAY}, {busy}, expect: blocked_only_by contact_caps")), "");
    assert!(missed(&format!("{DAY}, {busy}, expect: blocked_by cooling_off")).starts_with("blocked_by contact_caps"));
}

#[test]
fn deferred_to_a_moment_is_the_first_at_which_it_dials() {
    assert_eq!(missed(&format!("{NIGHT}, expect: deferred_to 2026-12-04 09:00")), "");
    assert!(missed(&format!("{NIGHT}, expect: deferred_to 2026-12-04 09:01")).contains("deferred_to 2026-12-04 09:00"));
    assert!(missed(&format!("{DAY}, expect: deferred_to 2026-12-03 10:00")).starts_with("allowed"));
    assert!(
        missed(&format!("{DAY}, customer: {{ dnc: true }}, expect: deferred_to 2026-12-04 09:00"))
            .contains("time alone")
    );
}

#[test]
fn deferred_to_a_daypart_is_read_on_the_customers_clock() {
    assert_eq!(missed(&format!("{NIGHT}, expect: deferred_to morning")), "");
    assert!(missed(&format!("{NIGHT}, expect: deferred_to evening")).contains("09:00"));
    assert!(missed(&format!("{DAY}, expect: deferred_to morning")).starts_with("allowed"));
}

#[test]
fn deferred_to_golden_hours_gives_way_with_prefer_and_waits_with_only() {
    let (golden, noon) = ("expect: deferred_to golden_hours", r#"at: "2026-12-03 18:00""#);
    assert_eq!(missed(&format!("{DAY}, {golden}")), "");
    assert_eq!(missed_in("prefer", &format!("{DAY}, expect: allowed")), "");
    assert_eq!(
        missed_in("only", &format!("{DAY}, expect: [deferred_to golden_hours, deferred_to 2026-12-03 18:00]")),
        ""
    );
    assert!(missed_in("only", &format!("{DAY}, expect: allowed")).starts_with("not yet: it waits for golden hours"));
    assert!(missed(&format!("{noon}, {golden}")).starts_with("allowed, in golden hours"));
}

#[test]
fn segment_is_the_one_the_customer_falls_into() {
    assert_eq!(missed("customer: { score: 0.2 }, expect: segment rest"), "");
    assert!(missed("customer: { score: 0.2 }, expect: segment star").starts_with("segment rest"));
    assert!(missed("customer: { score: 0.01 }, expect: segment star").starts_with("no segment"));
    let named = missed("customer: { overdue_days: 3 }, expect: allowed");
    assert!(named.contains("not true: overdue_days == 0"), "{named}");
    assert!(
        missed("customer: { overdue_days: null }, expect: allowed")
            .contains("a value is missing for: overdue_days == 0")
    );
}

#[test]
fn retry_at_is_when_it_really_dials_again() {
    assert_eq!(missed(&format!("{DAY}, result: busy, expect: retry_at 2026-12-03 10:15")), "");
    assert_eq!(missed(&format!("{DAY}, result: no_answer, expect: retry_at 2026-12-04 13:30")), "");
    let got = missed(&format!("{DAY}, result: no_answer, expect: retry_at 2026-12-04 10:00"));
    assert!(got.starts_with("retry_at 2026-12-04 13:30 Asia/Shanghai and next_phone home"), "{got}");
    // The rule would have it back on Friday; two dials of others have used up the week until Monday.
    let others = "history: [{ days_ago: 3, result: busy, campaign: x }, { days_ago: 2, result: busy, campaign: x }]";
    assert_eq!(missed(&format!("{DAY}, {others}, result: no_answer, expect: retry_at 2026-12-07 10:00")), "");
}

#[test]
fn a_call_that_cannot_be_made_has_no_retry() {
    let got = missed(&format!("{NIGHT}, result: busy, expect: retry_at 2026-12-03 20:45"));
    assert!(got.starts_with("blocked_by calling_hours"), "{got}");
}

#[test]
fn next_phone_is_the_column_that_is_dialled_next() {
    assert_eq!(missed(&format!("{DAY}, result: no_answer, expect: next_phone home")), "");
    assert_eq!(missed(&format!("{DAY}, result: vacant_number, expect: next_phone home")), "");
    assert!(missed(&format!("{DAY}, result: busy, expect: next_phone home")).contains("next_phone mobile"));
    let dead = "customer: { phones: { mobile: ok, home: dead } }";
    assert_eq!(missed(&format!("{DAY}, {dead}, result: vacant_number, expect: closed invalid")), "");
}

#[test]
fn a_customer_whose_first_phone_is_dead_is_called_on_the_next_one() {
    let dead = "customer: { phones: { mobile: dead, home: ok } }";
    assert_eq!(missed(&format!("{DAY}, {dead}, expect: allowed")), "");
    assert_eq!(missed(&format!("{DAY}, {dead}, result: no_answer, expect: next_phone home")), "");
    assert_eq!(missed(&format!("{DAY}, {dead}, result: vacant_number, expect: closed invalid")), "");
    let both = "customer: { phones: { mobile: dead, home: dead } }";
    assert_eq!(missed(&format!("{DAY}, {both}, expect: blocked_only_by number")), "");
}

#[test]
fn closed_says_why_nobody_calls_again() {
    assert_eq!(missed(&format!("{DAY}, disposition: declined, expect: closed refused")), "");
    assert_eq!(missed(&format!("{DAY}, disposition: opted_out, expect: closed dnc")), "");
    assert!(missed(&format!("{DAY}, disposition: declined, expect: closed success")).starts_with("closed refused"));
    assert!(missed(&format!("{DAY}, result: busy, expect: closed exhausted")).starts_with("retry_at"));
    let gone = missed(&format!("{DAY}, disposition: declined, expect: next_phone mobile"));
    assert!(gone.starts_with("closed refused"), "{gone}");
}

#[test]
fn a_past_of_its_own_leaves_the_lead_where_the_retry_rules_put_it() {
    let no_answer = r#"history: [{ at: "2026-12-02 10:00", result: no_answer }]"#;
    let got = missed(&format!("{DAY}, {no_answer}, expect: allowed"));
    assert!(got.contains("waits for its retry") && got.contains("2026-12-03 13:30"), "{got}");
    // The first busy does not use up the day: its retry goes out on the same one.
    let busy = "history: [{ ago: 15m, result: busy }]";
    assert_eq!(missed(&format!("{DAY}, {busy}, expect: allowed")), "");
    let refused = "history: [{ days_ago: 300, disposition: declined }]";
    assert_eq!(missed(&format!("{DAY}, {refused}, expect: blocked_by attempts")), "");
    let late = missed(&format!("{DAY}, {refused}, expect: deferred_to 2026-12-03 10:00"));
    assert!(late.starts_with("blocked_by attempts, and time alone will not help"), "{late}");
    let elsewhere = "history: [{ days_ago: 300, disposition: declined, campaign: x }]";
    assert_eq!(missed(&format!("{DAY}, {elsewhere}, expect: allowed")), "");
}

#[test]
fn a_past_is_lived_through_in_the_order_of_time_whatever_the_order_of_the_file() {
    let busy = r#"{ at: "2026-12-01 10:00", result: busy }"#;
    let no_answer = r#"{ at: "2026-12-02 10:00", result: no_answer }"#;
    let waits = |history: String| missed(&format!("{DAY}, history: [{history}], expect: allowed"));
    let (forth, back) = (waits(format!("{busy}, {no_answer}")), waits(format!("{no_answer}, {busy}")));
    assert!(forth.contains("2026-12-03 13:30"), "{forth}");
    assert_eq!(forth, back);
}

#[test]
fn an_attempt_that_still_lives_blocks_and_so_do_dead_numbers_and_old_lists() {
    assert_eq!(
        missed(&format!("{DAY}, history: [{{ ago: 1m, result: under_way }}], expect: blocked_by live_attempt")),
        ""
    );
    assert_eq!(
        missed(&format!("{DAY}, customer: {{ phones: {{ mobile: dead }} }}, expect: blocked_only_by number")),
        ""
    );
    assert_eq!(missed(&format!("{DAY}, customer: {{ list_age: 15d }}, expect: blocked_only_by list_expiry")), "");
    assert_eq!(
        missed(&format!("{DAY}, customer: {{ dnc: until 2026-12-05 }}, expect: deferred_to 2026-12-05 09:00")),
        ""
    );
}

#[test]
fn without_a_moment_the_first_lawful_one_is_taken() {
    assert_eq!(missed("expect: [allowed, segment star]"), "");
    assert!(missed("expect: blocked_by dnc").contains("asked at 2026-06-01 09:00 Asia/Shanghai"));
    assert_eq!(missed_in("only", "expect: deferred_to golden_hours"), "", "lawful, though no golden hour");
}

#[test]
fn the_same_test_gives_the_same_answer_every_time() {
    let tests = r#"    - { name: a, at: "2026-12-03 10:00", result: no_answer, expect: retry_at 2026-12-04 10:00 }
    - { name: b, history: [{ days_ago: 1, result: no_answer }], expect: allowed }
"#;
    assert_eq!(trials("prefer", tests), trials("prefer", tests));
}

#[test]
fn who_asked_to_be_called_back_is_called_back_when_they_said() {
    let asked = |at: &str| format!(r#"{DAY}, disposition: thinking, callback_at: "{at}""#);
    assert_eq!(missed(&format!("{}, expect: retry_at 2026-12-03 15:00", asked("2026-12-03 15:00"))), "");
    // Golden hours begin at 18:00, and hold nobody back who was promised ten o'clock.
    let evening = r#"at: "2026-12-03 18:30", disposition: thinking, callback_at: "2026-12-04 10:00""#;
    assert_eq!(missed_in("only", &format!("{evening}, expect: retry_at 2026-12-04 10:00")), "");
    // At noon nobody is called, and at night neither.
    assert_eq!(missed(&format!("{}, expect: retry_at 2026-12-03 13:30", asked("2026-12-03 12:15"))), "");
    assert_eq!(missed(&format!("{}, expect: retry_at 2026-12-04 09:00", asked("2026-12-03 21:00"))), "");
    // With no time of their own: after `min_gap`.
    assert_eq!(missed(&format!("{DAY}, disposition: thinking, expect: retry_at 2026-12-04 09:00")), "");
    let others = "history: [{ days_ago: 3, result: busy, campaign: x }, { days_ago: 2, result: busy, campaign: x }]";
    let late = missed(&format!("{}, {others}, expect: retry_at 2026-12-03 15:00", asked("2026-12-03 15:00")));
    assert!(late.starts_with("retry_at 2026-12-07 10:00"), "caps hold for callbacks too: {late}");
}

#[test]
fn a_callback_is_made_once_and_not_to_who_opted_out_meanwhile() {
    let three = r#"at: "2026-12-03 15:00""#;
    let asked = r#"{ at: "2026-12-03 10:00", disposition: thinking, callback_at: "2026-12-03 15:00" }"#;
    let early = r#"at: "2026-12-03 14:59""#;
    assert_eq!(missed(&format!("{early}, history: [{asked}], expect: deferred_to 2026-12-03 15:00")), "");
    assert_eq!(missed(&format!("{three}, history: [{asked}], expect: allowed")), "");
    assert_eq!(missed_in("only", &format!("{three}, history: [{asked}], expect: allowed")), "");
    assert_eq!(
        missed(&format!("{three}, history: [{asked}, {{ ago: 1h, said: opt_out }}], expect: blocked_by dnc")),
        ""
    );
    let kept = r#"{ at: "2026-12-03 15:00", disposition: declined }"#;
    let later = r#"at: "2027-12-04 15:00""#;
    assert_eq!(missed(&format!("{later}, history: [{asked}, {kept}], expect: blocked_by attempts")), "");
}

#[test]
fn coverage_names_the_rules_that_no_test_expects() {
    let tests = r#"    - { name: a, at: "2026-12-03 20:30", expect: blocked_by calling_hours }
    - { name: b, customer: { dnc: true }, expect: blocked_by dnc }
    - { name: c, customer: { consent: false }, expect: allowed }
    - { name: d, history: [{ days_ago: 3, said: declined }], expect: blocked_by contact_caps }
    - { name: e, at: "2026-12-03 10:00", result: busy, expect: retry_at 2026-12-03 10:15 }
    - { name: f, at: "2026-12-03 20:30", result: no_answer, expect: retry_at 2026-12-04 09:00 }
"#;
    let plan = plan("prefer", tests);
    let tried: Vec<_> = plan.tests.iter().map(|set| (set, try_set(set, &plan.zones))).collect();
    let found = Coverage::of(tried.iter().map(|(set, trials)| (*set, trials.as_slice())));
    let [found] = found.as_slice() else { panic!("{found:?}") };
    // A refusal that nobody expected looks at nothing; a quiet period called `contact_caps` is still a quiet period.
    assert_eq!(
        found.untested().collect::<Vec<_>>(),
        ["list_expiry", "eligible", "consent", "contact_caps", "attempts"]
    );
    let tally = |tallies: &[super::Tally], name: &str| tallies.iter().find(|t| t.name == name).map(|t| t.tests);
    assert_eq!(tally(&found.rules, "cooling_off"), Some(1));
    assert_eq!((tally(&found.segments, "star"), tally(&found.segments, "rest")), (Some(6), Some(0)));
    let named = |tallies: &[super::Tally]| tallies.iter().map(|tally| tally.name.clone()).collect::<Vec<_>>();
    // Failures on our own side have rules in every campaign.
    assert_eq!(named(&found.retries), ["busy", "no_answer", "vacant_number"]);
    assert_eq!((tally(&found.retries, "busy"), tally(&found.retries, "no_answer")), (Some(1), Some(0)));
}

/// The `tests:` section of the sample that campaign managers were promised, on a campaign with its rules.
#[test]
fn the_sample_runs_as_it_was_written() {
    let sample = r#"    - { name: no calls after eight, at: "2026-12-03T20:05+08:00", customer: { score: 0.9 }, expect: blocked_by calling_hours }
    - { name: opted out wins over score, customer: { score: 0.99, dnc: true }, expect: blocked_by dnc }
    - { name: star customer waits for evening, at: "2026-12-03T10:00+08:00", customer: { score: 0.6 }, expect: deferred_to golden_hours }
    - { name: refusal silences sixty days, history: [{ disposition: declined, days_ago: 30 }], expect: blocked_by contact_caps }
"#;
    for trial in trials("prefer", sample) {
        assert_eq!(trial.failures, [], "{}", trial.name.value);
    }
}
