//! The forecast against campaigns small enough to count by hand, and against the engine's own queue.

use std::sync::Arc;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, PhoneId, Split, Wall};
use crate::campaign::{Folder, load};
use crate::contact::{CallResult, ClosedWhy, ColumnValue, Columns, LeadState};
use crate::engine::{LeadRow, LedgerPage, PhoneRow, testing};
use crate::gate::{DncMark, Eligibility, Ledger, PastDial, Rule};

use super::{Blocked, Fate, Forecast, Later};

const IX: CampaignIx = CampaignIx(0);

const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\n\
    sources: [\"a test\"]\nconsent: not_refused\n\
    calling_hours: { mon-sun: [\"09:00-20:00\"], holidays: open }\nattempts: { max: 6, max_per_day: 2 }\n\
    contact_caps:\n  - { per: customer, within: 7d, max_dials: 4 }\n";

const CAMPAIGN: &str = "schema: goldenhour/v1\ncampaign: c\nscenario: activation\npurpose: marketing\n\
    use: { policy: p@1 }\n\
    list: { key: key, phones: [phone], model: { score: score }, columns: { age: { type: integer } } }\n\
    eligible: { all_of: ['score >= 0.1', 'age > 17'] }\n\
    segments: [{ name: star, when: 'score >= 0.5' }, { name: rest, when: 'true' }]\n\
    calling_hours: { fallback_zone: Asia/Shanghai }\n\
    golden_hours: { mode: prefer, seed: { all: [\"18:00-20:00\"] } }\n\
    rank: { by: score }\npacing: { mode: agentless, ring: 30s }\n\
    flow: { start: bye, steps: { bye: { then: hangup } } }\n";

fn forecast(campaign: &str, at: &str) -> Forecast {
    let mut folder = Folder::default();
    folder.insert("policies/p.yaml", POLICY.as_bytes());
    folder.insert("c.yaml", campaign.as_bytes());
    let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
    let campaigns = plan.campaigns.iter().map(|campaign| (IX, Arc::clone(campaign))).collect();
    Forecast::new(Wall::parse(at).unwrap(), testing::config(10, 5), campaigns, plan.zones)
}

fn row(id: u32, score: f32) -> LeadRow {
    LeadRow {
        lead: LeadId(id),
        contact: ContactId(id),
        split: Split(u64::from(id)),
        campaign_ix: IX,
        list: ListId(1),
        list_expires: None,
        phones: vec![PhoneRow {
            phone: PhoneId(id),
            is_test: true,
            dead: false,
            zones: vec!["Asia/Shanghai".to_owned()],
        }],
        score,
        value: 1.0,
        consent: Some(true),
        attempts_used: 0,
        columns: Columns([("age".to_owned(), ColumnValue::Integer(40))].into()),
        state: LeadState::Waiting { until: Wall(0) },
        next_phone: 0,
        next_free: false,
    }
}

fn at(text: &str) -> Wall {
    Wall::parse(text).unwrap()
}

/// One lead of each kind.
fn mixed(moment: &str) -> Forecast {
    let mut forecast = forecast(CAMPAIGN, moment);
    let noted = |id: u32, ledger: Ledger| (ContactId(id), ledger);
    let dial = PastDial {
        attempt: AttemptId(7),
        at: at("2026-12-01T02:00:00Z"),
        campaign: IX,
        phone: PhoneId(6),
        result: Some(CallResult::NoAnswer),
        contact: false,
        free: false,
        callback: false,
    };
    let marked = Ledger { dnc: Some(DncMark { until: None }), ..Ledger::default() };
    let dialled = Ledger { dials: vec![dial], ..Ledger::default() };
    forecast.ledgers(LedgerPage { contacts: vec![noted(5, marked), noted(6, dialled)], phones: Vec::new() });
    let new_york = |row: LeadRow| {
        let phones =
            row.phones.iter().map(|phone| PhoneRow { zones: vec!["America/New_York".into()], ..phone.clone() });
        LeadRow { phones: phones.collect(), ..row }
    };
    forecast.leads(vec![
        row(1, 0.9),
        row(2, 0.05),
        LeadRow { columns: Columns::default(), ..row(3, 0.3) },
        LeadRow { consent: Some(false), ..row(4, 0.3) },
        row(5, 0.3),
        row(6, 0.3),
        LeadRow { state: LeadState::Waiting { until: at("2026-12-01T07:00:00Z") }, ..row(7, 0.3) },
        LeadRow { state: LeadState::Closed(ClosedWhy::Success), ..row(8, 0.3) },
        new_york(row(9, 0.2)),
        LeadRow { phones: Vec::new(), ..row(10, 0.2) },
        row(11, 0.4),
    ]);
    forecast
}

#[test]
fn every_lead_is_counted_once_under_the_first_thing_that_keeps_it() {
    let forecast = mixed("2026-12-01T03:00:00Z");
    let fall = forecast.waterfall(IX).unwrap();
    assert_eq!((fall.loaded, fall.sum(), fall.now), (11, 11, 2), "{fall:?}");
    assert_eq!(fall.closed, [(ClosedWhy::Success, 1)].into());
    let blocked = |rule| Blocked::Rule(rule);
    let expected =
        [(blocked(Rule::Eligible), 2), (blocked(Rule::Consent), 1), (blocked(Rule::Dnc), 1), (Blocked::NoPhone, 1)];
    assert_eq!(fall.blocked, expected.into());
    let later = [(Later::Rule(Rule::CallingHours), 1), (Later::Rule(Rule::Attempts), 1), (Later::Retry, 1)];
    assert_eq!(fall.later, later.into());
    let why = [(Eligibility::No { condition: 0 }, 1), (Eligibility::Missing { condition: 1 }, 1)];
    assert_eq!(fall.ineligible, why.into());
}

#[test]
fn it_adds_up_at_any_moment_and_agrees_with_the_queue_of_the_engine() {
    for hour in 0..48 {
        let moment = at("2026-11-30T16:20:00Z") + std::time::Duration::from_hours(hour);
        let forecast = mixed(&moment.to_string());
        let fall = forecast.waterfall(IX).unwrap();
        assert_eq!(fall.sum(), fall.loaded, "{moment}: {fall:?}");
        let outlooks = forecast.outlooks(IX);
        let now = outlooks.iter().filter(|(_, outlook)| outlook.fate == Fate::Now).count() as u64;
        assert_eq!(now, fall.now);
        assert!(outlooks.iter().all(|(_, outlook)| (outlook.fate == Fate::Now) == (outlook.first == Some(moment))));
        // The engine's own queue lets the same ones go, each at a place of its own.
        let place = |lead| mixed(&moment.to_string()).ahead_of(IX, lead);
        let mut places: Vec<u64> = outlooks.iter().filter_map(|(lead, _)| place(*lead)).collect();
        places.sort_unstable();
        assert_eq!(places, (0..now).collect::<Vec<_>>(), "{moment}");
    }
}

#[test]
fn the_day_ahead_tells_first_dials_from_golden_ones_on_both_clocks() {
    let forecast = mixed("2026-12-01T03:00:00Z");
    let day = forecast.day(IX).unwrap();
    assert_eq!((day.zone.as_str(), day.hours.len()), ("Asia/Shanghai", 24));
    let figures = |nth: usize| (day.hours[nth].due, day.hours[nth].dialable, day.hours[nth].golden);
    // 11:00 in Shanghai: the two of now. At noon the second attempt of 10:00 comes back, at 15:00 the retry.
    assert_eq!(day.hours[0].from, at("2026-12-01T03:00:00Z"));
    assert_eq!([0, 1, 4, 7].map(figures), [(2, 2, 0), (1, 3, 0), (1, 4, 0), (0, 4, 4)]);
    // New York opens at 22:00 in Shanghai.
    assert_eq!(figures(11), (1, 1, 0));
    let local = |hour: usize| (day.local[hour].due, day.local[hour].dialable, day.local[hour].golden);
    assert_eq!([9, 11, 18].map(local), [(1, 5, 0), (2, 3, 0), (0, 5, 5)]);
    assert!(day.hours.iter().map(|hour| hour.due).sum::<u64>() == 5);
}

#[test]
fn with_golden_hours_only_everybody_waits_for_them() {
    let only = CAMPAIGN.replace("mode: prefer, seed: { all:", "mode: only, seed: { rest: [\"10:00-12:00\"], star:");
    let mut forecast = forecast(&only, "2026-12-01T03:00:00Z");
    forecast.leads(vec![row(1, 0.9), row(2, 0.3)]);
    let fates: Vec<_> = forecast.outlooks(IX).iter().map(|(_, outlook)| (outlook.fate, outlook.first)).collect();
    let evening = Some(at("2026-12-01T10:00:00Z"));
    assert_eq!(fates, [(Fate::Later(Later::GoldenHours), evening), (Fate::Now, Some(forecast.at()))]);
}

#[test]
fn a_pause_is_the_first_reason_of_all() {
    let mut forecast = mixed("2026-12-01T03:00:00Z");
    forecast.pause(IX);
    let fall = forecast.waterfall(IX).unwrap();
    assert_eq!(fall.blocked.get(&Blocked::Rule(Rule::CampaignState)), Some(&9), "{fall:?}");
    assert_eq!((fall.sum(), fall.now), (11, 0));
}

#[test]
fn a_card_says_what_every_rule_says_and_when_it_comes_next() {
    let forecast = mixed("2026-12-01T03:00:00Z");
    let card = forecast.card(&row(2, 0.05), &[]).unwrap();
    let refusing: Vec<_> = card.rules.iter().filter(|(_, reasons)| !reasons.is_empty()).collect();
    assert_eq!(card.rules.len(), Rule::ALL.len());
    assert_eq!((refusing.len(), refusing[0].1[0].detail.as_str()), (1, "not true: score >= 0.1"));
    let waits = forecast.card(&row(7, 0.3), &[]).unwrap();
    assert_eq!(waits.outlook.first, waits.waits_until);
    let golden = forecast.card(&row(1, 0.9), &[]).unwrap().golden;
    assert_eq!(golden[..2], [at("2026-12-01T10:00:00Z"), at("2026-12-02T10:00:00Z")]);
    assert_eq!(forecast.card(&row(6, 0.3), &[]).unwrap().dials.len(), 1);
}

#[test]
fn a_card_names_every_condition_that_is_not_met_where_the_waterfall_counts_the_first() {
    let narrow = CAMPAIGN.replace("name: rest, when: 'true'", "name: rest, when: 'score >= 0.2'");
    let mut forecast = forecast(&narrow, "2026-12-01T03:00:00Z");
    let lost = LeadRow { columns: Columns::default(), ..row(1, 0.05) };
    forecast.leads(vec![lost.clone(), row(2, 0.9)]);
    let of_eligible = |row: &LeadRow| {
        let rules = forecast.card(row, &[]).unwrap().rules;
        let (_, reasons) = rules.into_iter().find(|(rule, _)| *rule == Rule::Eligible).unwrap();
        reasons.into_iter().map(|reason| reason.detail).collect::<Vec<_>>()
    };
    let said = ["not true: score >= 0.1", "a value is missing for: age > 17", "no segment takes this lead"];
    assert_eq!(of_eligible(&lost), said);
    assert_eq!(of_eligible(&row(2, 0.9)), [""; 0]);
    assert_eq!(forecast.waterfall(IX).unwrap().ineligible, [(Eligibility::No { condition: 0 }, 1)].into());
}

#[test]
fn leads_without_a_history_that_differ_in_nothing_are_looked_at_once() {
    let mut forecast = forecast(CAMPAIGN, "2026-12-01T03:00:00Z");
    forecast.leads((1..=5_000).map(|id| row(id, 0.3)).collect());
    let mut outlooks = super::outlook::Outlooks::of(&forecast, IX).unwrap();
    for (ix, _) in forecast.leads_of(IX) {
        outlooks.of_lead(ix).unwrap();
    }
    assert_eq!(outlooks.known(), 1);
}

#[test]
fn a_lead_whose_first_phone_is_dead_is_shown_with_the_next_one() {
    let dead = Ledger { dead: true, ..Ledger::default() };
    let ledgers = || LedgerPage { contacts: Vec::new(), phones: vec![(PhoneId(1), dead.clone())] };
    let second = PhoneRow { phone: PhoneId(2), is_test: true, dead: false, zones: vec!["Asia/Shanghai".to_owned()] };
    let two = LeadRow { phones: vec![row(1, 0.9).phones[0].clone(), second], ..row(1, 0.9) };
    for (lead, phone, fate) in
        [(two, PhoneId(2), Fate::Now), (row(1, 0.9), PhoneId(1), Fate::Blocked(Blocked::Rule(Rule::Number)))]
    {
        let mut forecast = forecast(CAMPAIGN, "2026-12-01T03:00:00Z");
        forecast.ledgers(ledgers());
        forecast.leads(vec![lead.clone()]);
        let card = forecast.card(&lead, &[]).unwrap();
        assert_eq!((card.phone, card.outlook.fate), (phone, fate));
    }
}
