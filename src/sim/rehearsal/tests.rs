//! What a rehearsal says, that it says it again, and that its witness is not blind.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;

use crate::base::{AttemptId, Pii, Tick, Wall};
use crate::campaign::{Figure, Folder, Goal, HolidayRule, load};
use crate::contact::{CallResult, ColumnValue, Columns, ContactKind, LeadState, Meaning, OutcomeKind, Row};
use crate::engine::{DncRequest, DncSubject, Heard, Intent, LedgerPage, Outcome, StoreReply, StoreRequest};
use crate::gate::{DncMark, Ledger, PastDial};
use crate::rank::{Past, Slot};
use crate::schedule::day_number;

use super::crowd::{Crowd, Stance};
use super::shelf::Shelf;
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

/// Attempts that a rehearsal made, to be shown to a witness one by one.
fn made(setting: &Setting) -> Vec<Intent> {
    let records = Rehearsal::new(setting, 4).end().1;
    let first = attempts(&records).into_iter().filter(|record| record.noted_at.is_none());
    first.map(|record| (*record.intent).clone()).collect()
}

/// What a witness says to phones that ring at these moments.
fn objections(setting: &Setting, rings: &[(&Intent, Wall)]) -> String {
    let mut watch = Watch::new(setting);
    for ((intent, at), second) in rings.iter().zip(1..) {
        let row = &setting.leads.rows[setting.leads.place(intent.lead).unwrap()];
        watch.rings(intent, row, *at, Tick(second * 1_000_000));
    }
    let said: Vec<String> = watch.first.iter().map(ToString::to_string).collect();
    assert_eq!(watch.count, said.len() as u64);
    said.join("\n")
}

#[test]
fn the_witness_sees_two_calls_of_one_person_at_once() {
    let setting = on_record(&FLOW, 20, 5);
    let intents = made(&setting);
    let [one, other] = [0, 1].map(|at| (&intents[at], intents[at].decided.wall));
    assert_eq!(objections(&setting, &[one, other]), "");
    let again = Intent { attempt: AttemptId(1), ..one.0.clone() };
    assert!(objections(&setting, &[one, (&again, one.1)]).contains("rang beside another call"));
}

#[test]
fn the_witness_knows_who_had_said_no_before_and_what_was_dialled_before() {
    let mut setting = on_record(&Script { attempts: "{ max: 1, max_per_day: 1 }", ..FLOW }, 20, 5);
    let intent = &made(&setting)[0];
    let rings = [(intent, intent.decided.wall)];
    assert_eq!(objections(&setting, &rings), "");
    let no = Ledger { dnc: Some(DncMark { until: None }), ..Ledger::default() };
    setting.leads.ledgers.contacts = vec![(intent.contact, no.clone())];
    assert!(objections(&setting, &rings).contains("rang somebody who had said no"));
    setting.leads.ledgers = LedgerPage { contacts: Vec::new(), phones: vec![(intent.phone, no)] };
    assert!(objections(&setting, &rings).contains("rang somebody who had said no"));
    let dial = PastDial {
        attempt: AttemptId(1),
        at: intent.decided.wall - Duration::from_hours(48),
        campaign: setting.leads.campaign,
        phone: intent.phone,
        result: Some(CallResult::NoAnswer),
        contact: false,
        free: false,
        callback: false,
    };
    let before = Ledger { dials: vec![dial], ..Ledger::default() };
    setting.leads.ledgers = LedgerPage { contacts: vec![(intent.contact, before)], phones: Vec::new() };
    assert!(objections(&setting, &rings).contains("is attempt 2 of 1"));
}

#[test]
fn the_witness_looks_at_the_last_ring_too() {
    let setting = on_record(&FLOW, 20, 5);
    let intent = &made(&setting)[0];
    // Hours end at 18:00 in Shanghai, and it rings for 25 seconds.
    let end = Wall::parse("2026-12-01T18:00:00+08:00").unwrap();
    assert_eq!(objections(&setting, &[(intent, end - Duration::from_secs(25))]), "");
    assert!(objections(&setting, &[(intent, end - Duration::from_secs(24))]).contains("is outside hours"));
}

#[test]
fn the_witness_takes_a_day_without_a_calendar_for_a_holiday() {
    let mut setting = on_record(&FLOW, 20, 5);
    let intent = &made(&setting)[0];
    Arc::make_mut(&mut setting.campaign).calling_hours.holidays = HolidayRule::Closed;
    assert!(objections(&setting, &[(intent, intent.decided.wall)]).contains("is outside hours"));
}

#[test]
fn the_witness_wants_a_zone_for_everybody() {
    let mut setting = on_record(&FLOW, 20, 5);
    let intent = &made(&setting)[0];
    Arc::make_mut(&mut setting.campaign).calling_hours.fallback_zone = None;
    setting.leads.rows.iter_mut().flat_map(|row| &mut row.phones).for_each(|phone| phone.zones.clear());
    assert!(objections(&setting, &[(intent, intent.decided.wall)]).contains("was dialled without knowing a zone"));
}

#[test]
fn the_witness_wants_one_outcome_for_each_ring_and_shows_no_more_than_anybody_reads() {
    let setting = on_record(&FLOW, 60, 50);
    let intents = made(&setting);
    let mut watch = Watch::new(&setting);
    let row = |intent: &Intent| &setting.leads.rows[setting.leads.place(intent.lead).unwrap()];
    watch.rings(&intents[0], row(&intents[0]), intents[0].decided.wall, Tick(1));
    watch.close(setting.start);
    assert_eq!((watch.count, watch.first[0].what.as_str()), (1, "1 attempts have no outcome"));
    watch.ended(intents[0].attempt, setting.start, true);
    watch.close(setting.start);
    assert_eq!(watch.count, 1, "now it has one");
    for _ in 0..30 {
        watch.ended(intents[0].attempt, setting.start, true);
    }
    assert_eq!((watch.count, watch.first.len()), (31, 20));
    assert!(watch.first[1].what.contains("has an outcome that does not fit"), "{:?}", watch.first[1]);
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

#[test]
fn what_an_agent_notes_is_a_word_of_the_goals_and_never_one_about_a_stranger() {
    let mut setting = AGENTS.setting(1, Capacity::Fixed(1), 1);
    let campaign = Arc::make_mut(&mut setting.campaign);
    let accepted = campaign.dispositions["accepted"].clone();
    let stranger = Meaning { contact: ContactKind::WrongParty, ..accepted.clone() };
    campaign.dispositions = [("a-stranger".to_owned(), stranger), ("bought".to_owned(), accepted.clone())].into();
    assert_eq!(setting.said(OutcomeKind::Success).as_deref(), Some("bought"));
    assert_eq!(setting.said(OutcomeKind::Neutral), None);
    let campaign = Arc::make_mut(&mut setting.campaign);
    campaign.dispositions.insert("accepted".into(), accepted);
    assert_eq!(setting.said(OutcomeKind::Success).as_deref(), Some("accepted"), "a usual word before all others");
    let bought = Figure::Disposition("bought".into());
    Arc::make_mut(&mut setting.campaign).goals = vec![Goal { name: "bought".into(), figure: bought, target: 1.0 }];
    assert_eq!(setting.said(OutcomeKind::Success).as_deref(), Some("bought"));
}

#[test]
fn no_campaign_has_more_lines_than_its_trunk_gives_it() {
    let limit = |script: &Script<'_>, people| {
        let more = format!("{}trunk: {{ max_calls: 3 }}\n", script.more);
        Script { more: &more, ..*script }.setting(1, Capacity::Fixed(people), 1).line().0
    };
    assert_eq!((limit(&AGENTS, 50), limit(&FLOW, 50), limit(&FLOW, 2)), (3, 3, 2));
}

#[test]
fn a_row_becomes_a_lead_with_its_day_of_expiry_its_attempts_and_four_phones_at_most() {
    let mut setting = AGENTS.setting(0, Capacity::Fixed(1), 1);
    Arc::make_mut(&mut setting.campaign).list.expires_after = Some(Duration::from_hours(48));
    let mut leads = Leads::of_list(&setting.campaign, setting.start);
    let phones = |from: u32, until: u32| (from..until).map(|n| Pii::new(format!("+999{n:09}"))).collect();
    leads.add(Row { phones: phones(1, 7), attempts_used: 2, ..row(1) });
    leads.add(Row { phones: phones(4, 5), ..row(2) });
    let (one, two) = (&leads.rows[0], &leads.rows[1]);
    assert_eq!((one.list_expires, one.attempts_used), (Some(setting.start + Duration::from_hours(48)), 2));
    assert_eq!((one.phones.len(), two.phones.len()), (4, 1));
    assert_eq!(one.phones[3].phone, two.phones[0].phone, "a number that two customers have is one phone");
}

#[test]
fn a_lead_without_a_number_is_never_dialled_and_the_reason_is_told() {
    let mut setting = FLOW.setting(3, Capacity::Fixed(3), 1);
    setting.leads.add(Row { phones: Vec::new(), ..row(4) });
    let figures = run(&setting, 1);
    assert_eq!((figures.leads, figures.uncalled.get("no_phone")), (4, Some(&1)), "{figures:?}");
}

#[test]
fn the_same_person_thinks_the_same_of_it_at_every_attempt() {
    let setting = on_record(&AGENTS, 300, 5);
    let records = Rehearsal::new(&setting, 4).end().1;
    let crowd = Crowd::new(&setting.campaign, &setting.leads.ledgers, 7);
    let mut minds = [0; 4];
    for record in attempts(&records) {
        let mut intent = record.intent.clone();
        let mut met: Vec<Stance> = Vec::new();
        for nth in 1..=12 {
            intent.context.attempt_no = nth;
            let stance = crowd.pick_up(&intent, &setting.answers.model, 0.5).1;
            let is_theirs = matches!(stance, Stance::Yes | Stance::No | Stance::Undecided);
            if is_theirs && !met.contains(&stance) {
                met.push(stance);
            }
        }
        minds[met.len()] += 1;
    }
    assert!(minds[1] > 200 && minds[2..] == [0, 0], "{minds:?}");
}

#[test]
fn the_shelf_keeps_what_a_store_keeps_of_an_attempt() {
    let setting = on_record(&AGENTS, 2_000, 5);
    let records = Rehearsal::new(&setting, 4).end().1;
    let mut shelf = Shelf::new(&setting.leads);
    let mut done = [0; 2];
    for AttemptRecord { intent, outcome, .. } in attempts(&records).into_iter().filter(|of| of.noted_at.is_none()) {
        let (attempt, at) = (intent.attempt, intent.decided.wall);
        let mut ask = |request: StoreRequest| shelf.commit(at, &request, &setting.leads);
        assert_eq!(ask(StoreRequest::Authorise(intent.clone())), StoreReply::Authorised { attempt });
        let again = ask(StoreRequest::Authorise(intent.clone()));
        assert!(matches!(again, StoreReply::Refused { .. }), "an attempt under way goes out once: {again:?}");
        let finish = || StoreRequest::Finish(outcome.clone());
        assert_eq!(ask(finish()), StoreReply::Finished { attempt, fresh: true });
        assert_eq!(ask(finish()), StoreReply::Finished { attempt, fresh: false });
        let closed = matches!(outcome.lead_state, LeadState::Closed(_));
        if closed {
            // Long after, no budget of a day and no quiet period holds anybody.
            let later = at + Duration::from_hours(24 * 40);
            let next = Intent { attempt: AttemptId(attempt.0 + 1), law: later, ..(**intent).clone() };
            let reply = shelf.commit(later, &StoreRequest::Authorise(Box::new(next)), &setting.leads);
            assert!(matches!(reply, StoreReply::Refused { .. }), "{outcome:?} {reply:?}");
        }
        let phones = shelf.ledgers(intent.contact, std::iter::once(intent.phone)).phones;
        assert_eq!(phones[0].1.dead, outcome.phone_dead);
        done[0] += u32::from(closed);
        done[1] += u32::from(outcome.phone_dead);
    }
    assert!(done.iter().all(|count| *count > 5), "{done:?}");
}

#[test]
fn an_attempt_that_was_never_sent_leaves_no_dial_on_the_shelf() {
    let setting = on_record(&AGENTS, 20, 5);
    let records = Rehearsal::new(&setting, 4).end().1;
    let made = attempts(&records);
    let AttemptRecord { intent, outcome, .. } = made[0];
    let dials = |result| {
        let mut shelf = Shelf::new(&setting.leads);
        let outcome = Outcome { result, ..(**outcome).clone() };
        for request in [StoreRequest::Authorise(intent.clone()), StoreRequest::Finish(Box::new(outcome))] {
            shelf.commit(intent.decided.wall, &request, &setting.leads);
        }
        shelf.ledgers(intent.contact, std::iter::empty()).contacts[0].1.dials.len()
    };
    assert_eq!((dials(CallResult::NoAnswer), dials(CallResult::Void)), (1, 0));
}

#[test]
fn who_asks_not_to_be_called_takes_every_number_along() {
    let mut setting = AGENTS.setting(0, Capacity::Fixed(1), 1);
    let phones = (1..4).map(|n| Pii::new(format!("+999{n:09}"))).collect();
    setting.leads.add(Row { phones, ..row(1) });
    let contact = setting.leads.rows[0].contact;
    let mut shelf = Shelf::new(&setting.leads);
    let (subject, at) = (DncSubject::Contact(contact), setting.start);
    let request = DncRequest { subject, source: "flow", reason: String::new(), attempt: None, at, until: None };
    assert_eq!(shelf.commit(setting.start, &StoreRequest::Dnc(request), &setting.leads), StoreReply::Noted);
    let page = shelf.ledgers(contact, setting.leads.phones_of(contact));
    assert_eq!(page.phones.iter().filter(|(_, ledger)| ledger.dnc.is_some()).count(), 3);
    assert!(page.contacts[0].1.dnc.is_some());
}
