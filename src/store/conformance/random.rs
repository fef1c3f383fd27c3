//! Random scripts: whatever an engine, an operator and a crash may do in any order, reply by reply.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{ContactId, PhoneId, TrunkIx};
use crate::contact::{CallResult, ClosedWhy, Row};
use crate::engine::{DncSubject, Intent, Outcome, StoreRequest};
use crate::store::DncSubjectKey;

use super::fixture::{DAY, HOUR, closed, declined, intent, key, no_answer, number, row};
use super::script::{Harness, Script};

const PEOPLE: u32 = 12;
const NUMBERS: u32 = 10;

/// Seeds `from..to`, of so many operations each, everything compared after each tenth. A suite in which little happens
/// would prove little.
pub(super) async fn scripts<H: Harness>(from: u64, to: u64, ops: u32) {
    let (mut authorised, mut lost) = (0, 0);
    for seed in from..to {
        let s = script::<H>(seed, ops).await;
        authorised += s.model.attempts().len();
        let outcomes = s.model.attempts().values().flat_map(|attempt| &attempt.outcomes);
        lost += outcomes.filter(|outcome| outcome.result == CallResult::UnknownCounted).count();
    }
    assert!(authorised as u64 > 6 * (to - from) && lost as u64 > (to - from) / 4, "{authorised} {lost}");
}

async fn script<H: Harness>(seed: u64, ops: u32) -> Script<H> {
    let mut s = Script::<H>::seeded(seed).await;
    let mut made: Vec<Intent> = Vec::new();
    let rows = rows(&mut s);
    s.import(0, &rows).await;
    for op in 0..ops {
        one(&mut s, &mut made).await;
        if op % 10 == 9 {
            s.compare().await;
        }
    }
    s.compare().await;
    s
}

async fn one<H: Harness>(s: &mut Script<H>, made: &mut Vec<Intent>) {
    let until = s.rng.chance(0.8).then(|| s.now.wall + DAY);
    match s.rng.below(29) {
        0..=9 | 21.. => batch(s, made).await,
        10 | 11 => {
            let seconds = s.rng.below(86_400);
            s.wait(Duration::from_secs(u64::from(seconds)));
        }
        12 => s.now.wall = s.now.wall - HOUR * s.rng.below(48),
        13 => {
            let rows = rows(s);
            let campaign = s.rng.below(2) as u16;
            let digest = 1 + s.rng.below(40) as u8;
            s.import_digest(campaign, digest, &rows).await;
        }
        14 => {
            let subject = subject(s);
            s.dnc_add(subject, until).await;
        }
        15 => {
            let subject = subject(s);
            s.dnc_remove(subject).await;
        }
        16 => {
            let campaign = [None, Some(0), Some(1)][s.rng.below(3) as usize];
            let paused = s.rng.chance(0.2);
            s.set_paused(campaign, paused).await;
        }
        17 => {
            s.crash().await;
        }
        18 => s.wait(20 * DAY),
        19 => s.compare().await,
        20 => {
            let person = 1 + s.rng.below(PEOPLE);
            s.erase(person).await;
        }
    }
}

async fn batch<H: Harness>(s: &mut Script<H>, made: &mut Vec<Intent>) {
    let mut requests = Vec::new();
    for _ in 0..=s.rng.below(6) {
        let request = match s.rng.below(10) {
            0..=4 => authorise(s, made),
            5..=7 => finish(s, made),
            8 => reroute(s, made),
            _ => {
                let subject = if s.rng.chance(0.5) {
                    DncSubject::Contact(ContactId(1 + s.rng.below(PEOPLE + 1)))
                } else {
                    DncSubject::Phone(PhoneId(1 + s.rng.below(NUMBERS + 1)))
                };
                let until = s.rng.chance(0.9).then(|| s.now.wall + DAY);
                Some(s.dnc_request(subject, until))
            }
        };
        requests.extend(request);
    }
    s.commit(&requests).await;
}

fn authorise<H: Harness>(s: &mut Script<H>, made: &mut Vec<Intent>) -> Option<StoreRequest> {
    let contact = ContactId(1 + s.rng.below(PEOPLE));
    let leads = s.model.leads_of(contact);
    let lead = leads.get(s.rng.below(leads.len() as u32) as usize)?;
    let campaign = Arc::clone(&s.campaigns[lead.campaign_ix.ix()]);
    let phone = s.rng.below(lead.phones.len() as u32) as usize;
    let mut intent = intent(&mut s.rng, s.now, &campaign, lead, phone);
    intent.facts.list_expires = None;
    if s.rng.chance(0.05) {
        intent.attempt = made.last()?.attempt;
    }
    made.push(intent.clone());
    Some(StoreRequest::Authorise(Box::new(intent)))
}

/// Mostly of a recent one, which may be over, or unknown to the store.
fn reroute<H: Harness>(s: &mut Script<H>, made: &[Intent]) -> Option<StoreRequest> {
    let back = s.rng.below(4) as usize;
    let intent = made.iter().rev().nth(back)?;
    let trunk = TrunkIx(s.rng.below(3) as u16);
    let intent = Intent { trunk, caller_id: "+999000000002".into(), law: s.now.wall, ..intent.clone() };
    Some(StoreRequest::Reroute(Box::new(intent)))
}

fn finish<H: Harness>(s: &mut Script<H>, made: &[Intent]) -> Option<StoreRequest> {
    // Mostly a recent one: older ones are finished, and a second outcome must be dropped.
    let back = s.rng.below(6) as usize;
    let intent = made.iter().rev().nth(back)?;
    let now = s.now;
    let outcome = match s.rng.below(14) {
        0 => declined(intent, now),
        1 => Outcome { result: CallResult::Void, ..no_answer(intent, now) },
        2 => Outcome { result: CallResult::Abandoned, complaint: true, ..no_answer(intent, now) },
        3 => Outcome { phone_dead: s.rng.chance(0.2), next_phone: 1, ..no_answer(intent, now) },
        4 => {
            let why = ClosedWhy::ALL[s.rng.below(ClosedWhy::ALL.len() as u32) as usize];
            closed(no_answer(intent, now), why)
        }
        5 => Outcome { free: true, next_free: true, ..no_answer(intent, now) },
        7 => Outcome { callback_at: Some(now.wall + HOUR), ..declined(intent, now) },
        6 => Outcome { revision: s.rng.below(3) as u16, ..declined(intent, now) },
        _ => no_answer(intent, now),
    };
    Some(StoreRequest::Finish(Box::new(outcome)))
}

fn rows<H: Harness>(s: &mut Script<H>) -> Vec<Row> {
    let mut rows = Vec::new();
    for _ in 0..2 + s.rng.below(8) {
        let mut phones = vec![1 + s.rng.below(NUMBERS)];
        let second = 1 + s.rng.below(NUMBERS);
        if s.rng.chance(0.4) && second != phones[0] {
            phones.push(second);
        }
        let mut row = row(1 + s.rng.below(PEOPLE), &phones);
        row.score = f64::from(s.rng.below(4)) / 4.0;
        rows.push(row);
    }
    rows
}

fn subject<H: Harness>(s: &mut Script<H>) -> DncSubjectKey {
    if s.rng.chance(0.5) {
        DncSubjectKey::Phone(number(1 + s.rng.below(NUMBERS + 2)))
    } else {
        DncSubjectKey::Customer(key(1 + s.rng.below(PEOPLE + 2)))
    }
}
