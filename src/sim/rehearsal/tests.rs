//! What a rehearsal says, that it says it again, and that its witness is not blind.

use std::time::Duration;

use jiff::civil::date;

use crate::base::{Pii, Wall};
use crate::campaign::{Folder, load};
use crate::contact::{ColumnValue, Columns, OutcomeKind, Row};
use crate::engine::Heard;
use crate::rank::{Past, Slot};
use crate::schedule::day_number;

use super::watch::Watch;
use super::{Answers, AttemptRecord, Capacity, Curves, Leads, Record, Rehearsal, Roster, RunFigures, Setting};

const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\n\
     sources: [\"of a test\"]\nconsent: not_refused\n\
     calling_hours: { mon-sun: [\"00:00-24:00\"], holidays: open }\nattempts: { max: 20, max_per_day: 9 }\n";

/// Lines that the tests change.
struct Script<'a> {
    hours: &'a str,
    pacing: &'a str,
    attempts: &'a str,
    more: &'a str,
}

const AGENTS: Script<'_> = Script {
    hours: "[\"09:00-12:00\", \"13:30-18:00\"]",
    pacing: "{ mode: progressive, ring: 30s }",
    attempts: "{ max: 4, max_per_day: 1, min_gap: 20h }",
    more: "agents: { queue: desk, wrap_up: 150s }\n",
};

const FLOW: Script<'_> = Script {
    pacing: "{ mode: agentless, ring: 25s }",
    more: "flow:\n  start: ask\n  steps:\n    \
           ask: { collect: { digits: 1, timeout: 20s, tries: 1 }, on: { \"1\": yes-please, \"9\": never, timeout: bye } }\n    \
           yes-please: { disposition: accepted, then: hangup }\n    \
           never: { disposition: declined, then: hangup }\n    bye: { disposition: heard, then: hangup }\n",
    ..AGENTS
};

impl Script<'_> {
    fn setting(&self, leads: u32, capacity: Capacity, days: u32) -> Setting {
        let Self { hours, pacing, attempts, more } = self;
        let yaml = format!(
            "schema: goldenhour/v1\ncampaign: c\ntitle: c\nscenario: activation\npurpose: marketing\nowner: nobody\n\
             status: active\nuse: {{ policy: p@1 }}\n\
             list:\n  key: key\n  phones: [phone]\n  model: {{ score: score }}\n  \
             columns: {{ age: {{ type: integer }} }}\n\
             eligible: {{ all_of: [\"age >= 18\"] }}\n\
             segments: [{{ name: young, when: \"age < 40\" }}, {{ name: old, when: \"true\" }}]\n\
             calling_hours: {{ fallback_zone: Asia/Shanghai, mon-sun: {hours} }}\n\
             golden_hours: {{ answer_rate: {{ golden: 40%, other: 20% }}, seed: {{ young: [\"16:00-18:00\"] }} }}\n\
             pacing: {pacing}\nattempts: {attempts}\n\
             retry: {{ busy: {{ after: 30m, max: 2, free: 1 }}, no_answer: {{ after: 20h, max: 3 }} }}\n{more}\
             dispositions:\n  accepted: {{ outcome: success, contact: right_party, then: final }}\n  \
             declined: {{ outcome: failure, contact: right_party, then: dnc_customer }}\n  \
             heard: {{ outcome: neutral, contact: right_party, then: final }}\n"
        );
        let mut folder = Folder::default();
        folder.insert("policies/p.yaml", POLICY.as_bytes());
        folder.insert("c.yaml", yaml.as_bytes());
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
        let campaign = plan.campaigns[0].clone();
        let start = Setting::midnight(&Setting::zone(&campaign, &plan.zones), date(2026, 12, 1));
        let mut list = Leads::of_list(&campaign, start);
        (1..=leads).map(row).for_each(|row| list.add(row));
        let answers = Answers::seeded(&campaign);
        Setting { campaign, zones: plan.zones, leads: list, capacity, answers, start, days }
    }
}

/// Every twentieth is a child; scores go round from 0.1 to 0.5.
fn row(n: u32) -> Row {
    let age = if n.is_multiple_of(20) { 12 } else { 20 + i64::from(n % 50) };
    Row {
        line: u64::from(n) + 1,
        key: Pii::new(format!("customer-{n}")),
        phones: vec![Pii::new(format!("+999{:09}", 600_000_000 + n))],
        zones: if n.is_multiple_of(3) { vec!["Asia/Shanghai".to_owned()] } else { Vec::new() },
        language: None,
        consent: Some(true),
        tags: Vec::new(),
        attempts_used: 0,
        score: 0.1 + f64::from(n % 5) / 10.0,
        value: 1.0,
        columns: Columns([("age".to_owned(), ColumnValue::Integer(age))].into()),
    }
}

fn run(setting: &Setting, seed: u64) -> RunFigures {
    let figures = Rehearsal::new(setting, seed).end().0;
    assert_eq!(figures.first_violations, [], "{figures:?}");
    figures
}

#[test]
fn the_same_seed_says_the_same_and_another_one_does_not() {
    let setting = AGENTS.setting(400, Capacity::Fixed(5), 2);
    assert_eq!(run(&setting, 1), run(&setting, 1));
    assert_ne!(run(&setting, 1).successes, run(&setting, 2).successes);
}

#[test]
fn every_lead_is_called_or_there_is_a_reason_and_every_attempt_has_a_result() {
    for (script, people) in [(AGENTS, 4), (FLOW, 30)] {
        let figures = run(&script.setting(600, Capacity::Fixed(people), 2), 3);
        assert_eq!(figures.called + figures.uncalled.values().sum::<u64>(), 600);
        assert_eq!(figures.uncalled["eligible"], 30, "every twentieth is a child");
        let results: u64 = figures.by_result.values().sum();
        assert_eq!(
            (results, figures.hours.iter().map(|hour| hour.attempts).sum()),
            (figures.attempts, figures.attempts)
        );
        assert_eq!(figures.segments.iter().map(|segment| segment.called).sum::<u64>(), figures.called);
    }
}

#[test]
fn twice_the_agents_reach_more_people() {
    let one = run(&AGENTS.setting(3_000, Capacity::Fixed(3), 1), 5);
    let two = run(&AGENTS.setting(3_000, Capacity::Fixed(6), 1), 5);
    assert!(two.contacts * 10 > one.contacts * 16 && two.called > one.called, "{} {}", one.contacts, two.contacts);
    assert!(one.uncalled[super::uncalled::NOT_THEIR_TURN] > two.uncalled[super::uncalled::NOT_THEIR_TURN]);
}

#[test]
fn phones_ring_in_calling_hours_alone_and_a_segment_says_when_it_began() {
    let setting = AGENTS.setting(2_000, Capacity::Fixed(4), 2);
    let figures = run(&setting, 8);
    let open: Vec<usize> = (0..24).filter(|hour| figures.hours[*hour].attempts > 0).collect();
    assert_eq!(open, [9, 10, 11, 13, 14, 15, 16, 17]);
    let firsts: Vec<u64> =
        figures.segments.iter().filter_map(|of| of.first).map(|at| at.since(setting.start).as_secs()).collect();
    assert_eq!(firsts.len(), 2);
    assert!(firsts.iter().all(|first| *first >= 9 * 3_600), "{firsts:?}");
}

/// Six standard deviations: once in five hundred million seeds.
#[track_caller]
fn about(part: u64, whole: u64, p: f64) {
    let (expected, deviation) = (whole as f64 * p, (whole as f64 * p * (1.0 - p)).sqrt());
    assert!((part as f64 - expected).abs() < 6.0 * deviation, "{part} of {whole}, and {expected:.0} were expected");
}

#[test]
fn right_people_and_successes_follow_the_scores() {
    // One attempt each: who answers easily is not found by asking again.
    let script = Script { attempts: "{ max: 1, max_per_day: 1 }", ..FLOW };
    let figures = run(&script.setting(20_000, Capacity::Fixed(400), 2), 11);
    assert_eq!(figures.called, 19_000, "{figures:?}");
    let people = figures.answered - figures.machines;
    // Of vacant and suspended numbers nobody answers.
    about(people, figures.attempts, 0.95 * figures_rate(&figures));
    let said = |name: &str| figures.by_disposition.get(name).copied().unwrap_or(0);
    let right = figures.successes + figures.refusals;
    // Mean score 0.3: yes, or else no in 35 of 100.
    about(figures.successes, right, 0.3 / (0.3 + 0.7 * 0.35));
    about(right, people, 0.9 * (0.3 + 0.7 * 0.35));
    assert_eq!((said("accepted"), said("declined")), (figures.successes, figures.refusals));
}

/// What the campaign's `answer_rate` makes of the hours that were dialled: the young are golden from 16:00 on.
fn figures_rate(figures: &RunFigures) -> f64 {
    let late: u64 = figures.hours[16..18].iter().map(|hour| hour.attempts).sum();
    assert_eq!(late, 0, "the list was over before: {figures:?}");
    0.2
}

#[test]
fn talks_with_agents_end_by_the_score_too() {
    let figures = run(&AGENTS.setting(6_000, Capacity::Fixed(40), 2), 4);
    assert!(figures.contacts > 500, "{figures:?}");
    let said = |name: &str| figures.by_disposition.get(name).copied().unwrap_or(0);
    assert_eq!(said("accepted") + said("declined") + said("heard"), figures.contacts);
    // The best scores are dialled first: more than the mean of 0.3.
    assert!(figures.successes * 10 > figures.contacts * 3, "{figures:?}");
    let idle = figures.agent_idle().unwrap();
    assert!((0.0..1.0).contains(&idle) && figures.contacts_per_agent_hour().unwrap() > 0.5, "{figures:?}");
}

#[test]
fn a_roster_says_when_somebody_is_there() {
    let text = "day,from,to,agents\nmon-sun,10:00,11:00,3\nmon-sun,14:00,16:00,6\n";
    let setting = AGENTS.setting(3_000, Capacity::Roster(Roster::parse(text).unwrap()), 1);
    let figures = run(&setting, 2);
    let dialled: Vec<usize> = (0..24).filter(|hour| figures.hours[*hour].attempts > 0).collect();
    assert_eq!(dialled, [10, 14, 15]);
    assert_eq!(figures.queue.staffed_us, (3 + 2 * 6) * 3_600_000_000);
    let per_agent = |hour: usize, agents: u64| figures.hours[hour].attempts / agents;
    assert!(per_agent(14, 6).abs_diff(per_agent(10, 3)) < 15, "{figures:?}");
}

#[test]
fn calls_that_go_beyond_the_people_there_are_told() {
    // Seats come back after a second, talks take minutes: whoever answers then finds nobody.
    let hasty = Script { more: "agents: { queue: desk, wrap_up: 1s }\n", ..AGENTS };
    let (hasty, patient) = (hasty.setting(3_000, Capacity::Fixed(4), 1), AGENTS.setting(3_000, Capacity::Fixed(4), 1));
    let (hasty, patient) = (run(&hasty, 6), run(&patient, 6));
    assert!(hasty.queue_lost() > 0.1 && patient.queue_lost() < hasty.queue_lost(), "{hasty:?} {patient:?}");
    assert!(hasty.queue_late() >= hasty.queue_lost() / 2.0);
}

/// A week before the rehearsal, 9:00 to 18:00: each hour had 400 calls a segment, and 12 of 20 were answered in the hour of
/// the segment, 2 of 20 in every other.
fn heard(start: Wall, hours: [(&str, u16); 2]) -> Vec<Heard> {
    let last = day_number(start) - 7;
    let slots = (9..18).flat_map(|hour| (0..7).map(move |weekday| (hour, Slot::new(weekday, hour * 60))));
    let of = |(hour, slot): (u16, Slot)| {
        hours.map(|(segment, peak)| {
            let answered = if hour == peak { 240 } else { 40 };
            Heard { day: last, segment: segment.into(), slot, past: Past::default(), dials: 400, answered }
        })
    };
    slots.flat_map(of).collect()
}

#[test]
fn what_calls_have_told_of_an_evening_moves_what_to_expect_of_its_hours() {
    let mut setting = AGENTS.setting(3_000, Capacity::Fixed(4), 1);
    let rate = |figures: &RunFigures, hours: std::ops::Range<usize>| {
        let (answered, attempts) = figures.hours[hours]
            .iter()
            .fold((0, 0), |(answered, attempts), hour| (answered + hour.answered, attempts + hour.attempts));
        answered as f64 / attempts as f64
    };
    assert_eq!(setting.answers.curves, Curves::Seeded);
    let seeded = run(&setting, 3);
    let heard = heard(setting.start, [("young", 17), ("old", 17)]);
    setting.answers = Answers::learned(&setting.campaign, heard, setting.start);
    let until = date(2026, 11, 23);
    assert_eq!(setting.answers.curves, Curves::Learned { attempts: 2 * 9 * 7 * 400, until });
    let learned = run(&setting, 3);
    assert_eq!(run(&setting, 3), learned, "the same again");
    // Machines answer too, by the same rate whatever was learned.
    assert!(rate(&learned, 17..18) > 0.45 && rate(&learned, 9..17) < 0.25, "{learned:?}");
    assert!(rate(&seeded, 17..18) < 0.45 && rate(&seeded, 9..16) > 0.2, "{seeded:?}");
}

#[test]
fn the_engine_of_a_rehearsal_orders_by_what_it_was_told() {
    let more = format!("{}rank: {{ by: expected_value }}\n", AGENTS.more);
    let mut setting = Script { more: &more, ..AGENTS }.setting(3_000, Capacity::Fixed(4), 1);
    // Where all are worth the same, the hour alone says who is next.
    setting.leads.rows.iter_mut().for_each(|row| row.score = 0.3);
    // The file says that the young answer from 16:00 on.
    let heard = heard(setting.start, [("young", 10), ("old", 17)]);
    setting.answers = Answers::learned(&setting.campaign, heard, setting.start);
    let told = run(&setting, 3);
    setting.answers.heard.clear();
    let untold = run(&setting, 3);
    assert!(told.answered * 100 > untold.answered * 105, "{} {}", told.answered, untold.answered);
}

#[test]
fn calls_of_half_a_year_ago_or_of_segments_that_are_gone_tell_nothing() {
    let setting = AGENTS.setting(10, Capacity::Fixed(1), 1);
    let curves = |hours, start| Answers::learned(&setting.campaign, heard(start, hours), setting.start).curves;
    let own = [("young", 17), ("old", 17)];
    assert_eq!(curves([("bronze", 17), ("silver", 17)], setting.start), Curves::NothingLearned);
    let year = Duration::from_hours(24 * 365);
    assert_eq!(curves(own, setting.start - year), Curves::NothingLearned);
    assert!(matches!(curves(own, setting.start), Curves::Learned { .. }));
}

/// A run of the one setting, seen by the eyes of the other.
fn seen_by(strict: &Setting, dialled: &Setting) -> String {
    let mut rehearsal = Rehearsal::new(dialled, 9);
    rehearsal.watch = Watch::new(strict);
    while rehearsal.advance(Duration::from_hours(24)) {}
    let figures = rehearsal.end().0;
    assert!(figures.violations >= figures.first_violations.len() as u64);
    let said: Vec<String> = figures.first_violations.iter().map(ToString::to_string).collect();
    said.join("\n")
}

#[test]
fn the_witness_sees_what_the_gate_would_have_forbidden() {
    let loose = Script { hours: "[\"00:00-24:00\"]", attempts: "{ max: 9, max_per_day: 9, min_gap: 1m }", ..FLOW };
    let dialled = loose.setting(300, Capacity::Fixed(50), 2);
    assert_eq!(seen_by(&dialled, &dialled), "");
    let hours = Script { hours: "[\"09:00-12:00\", \"16:00-16:30\"]", ..loose }.setting(300, Capacity::Fixed(50), 2);
    assert!(seen_by(&hours, &dialled).contains("is outside hours"));
    let budget = Script { attempts: "{ max: 1, max_per_day: 1 }", ..loose }.setting(300, Capacity::Fixed(50), 2);
    let seen = seen_by(&budget, &dialled);
    assert!(seen.contains("is attempt 2 of 1"), "{seen}");
    let daily = Script { attempts: "{ max: 9, max_per_day: 1 }", ..loose }.setting(300, Capacity::Fixed(50), 2);
    assert!(seen_by(&daily, &dialled).contains("is number 2 of its local day"));
    let lines = loose.setting(300, Capacity::Fixed(5), 2);
    assert!(seen_by(&lines, &dialled).contains("calls at once, 5 allowed"));
    let caps = format!("{}contact_caps:\n  - {{ per: phone, within: 7d, max_dials: 1 }}\n", FLOW.more);
    let caps = Script { more: &caps, ..loose }.setting(300, Capacity::Fixed(50), 2);
    assert!(seen_by(&caps, &dialled).contains("is dial 2 of 1 per Phone"));
    let cps = format!("{}trunk: {{ max_cps: 1 }}\n", FLOW.more);
    let cps = Script { more: &cps, ..loose }.setting(300, Capacity::Fixed(50), 2);
    assert!(seen_by(&cps, &dialled).contains("dials within a second, 1 allowed"));
}

/// As `Script::setting`, with outcomes that go on record; whoever has an odd number says yes, and nobody else.
fn on_record(script: &Script<'_>, leads: u32, people: u32) -> Setting {
    let setting = script.setting(1, Capacity::Fixed(people), 1);
    let mut list = Leads::of_list(&setting.campaign, setting.start);
    for n in 1..=leads {
        list.add_with_card(row(n));
        list.tell_truth(f64::from(n % 2));
    }
    Setting { leads: list, ..setting }
}

fn attempts(records: &[Record]) -> Vec<&AttemptRecord> {
    let mut found = Vec::new();
    for record in records {
        match record {
            Record::Attempt(attempt) => found.push(&**attempt),
            Record::Slot(_) => {}
        }
    }
    found
}

#[test]
fn every_attempt_goes_on_record_and_what_an_agent_notes_is_its_next_revision() {
    let setting = on_record(&AGENTS, 600, 5);
    let (figures, records) = Rehearsal::new(&setting, 4).end();
    let attempts = attempts(&records);
    let (noted, first): (Vec<&AttemptRecord>, Vec<&AttemptRecord>) =
        attempts.iter().partition(|record| record.noted_at.is_some());
    assert_eq!((first.len() as u64, noted.len() as u64), (figures.attempts, figures.contacts));
    assert!(first.iter().all(|record| record.outcome.revision == 0));
    assert!(noted.iter().all(|record| record.outcome.revision == 1 && record.outcome.disposition.is_some()));
    let successes = noted.iter().filter(|record| record.outcome.outcome == OutcomeKind::Success).count() as u64;
    assert_eq!(successes, figures.successes);
    let dialled = |record: &Record| match record {
        Record::Slot(slot) => slot.counts.iter().map(|count| u64::from(count.dialled)).sum(),
        Record::Attempt(_) => 0,
    };
    assert_eq!(records.iter().map(dialled).sum::<u64>(), figures.attempts, "slots count what attempts are");
}

#[test]
fn the_truth_decides_who_says_yes_whatever_the_score_says() {
    for (script, people) in [(AGENTS, 5), (FLOW, 30)] {
        let setting = on_record(&script, 600, people);
        let (figures, records) = Rehearsal::new(&setting, 4).end();
        let said_yes = attempts(&records).into_iter().filter(|record| record.outcome.outcome == OutcomeKind::Success);
        let keys: Vec<u32> = said_yes.map(|record| record.intent.contact.0 % 2).collect();
        assert!(keys.len() as u64 == figures.successes && keys.len() > 50, "{} {}", keys.len(), figures.successes);
        assert!(keys.iter().all(|odd| *odd == 1), "{keys:?}");
    }
}

#[test]
fn without_cards_nothing_is_kept() {
    let setting = AGENTS.setting(300, Capacity::Fixed(5), 1);
    assert!(Rehearsal::new(&setting, 1).end().1.is_empty());
}
