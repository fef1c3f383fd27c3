//! What becomes of a lead after an attempt: called again, when and on which phone, or closed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{CampaignIx, Wall};
use crate::campaign::{Attempts, Campaign, Daypart, RetryRule, Segment};
use crate::contact::{CallResult, ClosedWhy, ContactKind, Meaning, OutcomeKind, Then};
use crate::gate::PastDial;

/// A campaign's rules, as they hold for one lead.
#[derive(Clone, Copy, Debug)]
pub struct RetryRules<'a> {
    pub attempts: &'a Attempts,
    pub retry: &'a BTreeMap<CallResult, RetryRule>,
    /// The lower of the campaign's and the segment's.
    pub max: u16,
}

/// The lead, with the attempt that just finished already in its ledger.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The contact's ledger; other campaigns' dials are passed over.
    pub dials: &'a [PastDial],
    pub campaign: CampaignIx,
    /// Before the list.
    pub attempts_used: u16,
    /// How many phones the contact has, in dial order; at least 1.
    pub phones: u8,
    /// Bit `i`: phone `i` is dead or on the do-not-call list.
    pub dead: u8,
}

/// The attempt that just finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    pub result: CallResult,
    /// When it was dialled, and when it was over.
    pub dialled: Wall,
    pub ended: Wall,
    /// Position of the phone in the contact's dial order.
    pub phone: u8,
    /// In which it was dialled, by the lead's clock.
    pub daypart: Daypart,
    /// It went out although the daily budget was used up.
    pub free: bool,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    pub next: Next,
    /// This phone is never dialled again: for the phone's own ledger.
    pub phone_dead: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Again(Again),
    Close(ClosedWhy),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    pub not_before: Wall,
    pub phone: u8,
    /// Does not use the daily budget.
    pub free: bool,
    pub other_daypart_than: Option<Daypart>,
    pub prefer: Option<Daypart>,
    /// At a time that was promised to the customer.
    pub promised: bool,
    /// Because the customer asked for it, with a time or without one.
    pub callback: bool,
}

/// Retry of what failed on our own side, where the campaign has no rule for it.
const OUR_FAULT_AFTER: Duration = Duration::from_mins(15);
/// Retry of what was provably never sent: at once, but not in a busy loop against a dead trunk.
const VOID_AFTER: Duration = Duration::from_mins(1);

impl<'a> RetryRules<'a> {
    pub fn of(campaign: &'a Campaign, segment: Option<&Segment>) -> Self {
        let own = segment.and_then(|segment| segment.attempts_max).unwrap_or(u16::MAX);
        Self { attempts: &campaign.attempts, retry: &campaign.retry, max: campaign.attempts.max.min(own) }
    }
}

/// After an attempt that nobody gave a disposition. A rule and the budget must both allow another attempt: they never add
/// up. A campaign without `retry:` was given a rule for every result when it was read; one with `retry:` means what it leaves
/// out, and a result without a rule is handled so:
///
/// | result | without a rule |
/// |---|---|
/// | `busy`, `no_answer`, `machine`, `powered_off`, `not_reachable`, `rejected`, `abandoned`, `answered` | `exhausted`: nobody is called again unasked |
/// | `network_failure`, `trunk_refused`, `cancelled` | our side: again by the budget, after 15 min or `min_gap`, whichever is longer |
/// | `vacant_number` | the phone is dead; the next one, else `invalid` |
/// | `fax`, `suspended` | the next phone after `min_gap`; with no other, `fax` is `invalid` and `suspended` is `exhausted` |
/// | `void` | again after a minute, on the same phone; it used no budget, and what was free or promised still is |
/// | `unknown_counted` | closed as that: never rung twice in doubt |
pub fn after_result(rules: &RetryRules, standing: &Standing, finished: &Finished) -> After {
    match finished.result {
        CallResult::Void => return keep(after_void(standing, finished)),
        CallResult::UnknownCounted => return keep(Next::Close(ClosedWhy::UnknownCounted)),
        CallResult::Answered => return keep(Next::Close(ClosedWhy::Exhausted)),
        CallResult::Machine
        | CallResult::Fax
        | CallResult::Busy
        | CallResult::NoAnswer
        | CallResult::Rejected
        | CallResult::VacantNumber
        | CallResult::Suspended
        | CallResult::PoweredOff
        | CallResult::NotReachable
        | CallResult::NetworkFailure
        | CallResult::TrunkRefused
        | CallResult::Abandoned
        | CallResult::Cancelled => {}
    }
    match rules.retry.get(&finished.result) {
        Some(rule) => by_rule(rules, standing, finished, rule, finished.result),
        None => by_default(rules, standing, finished),
    }
}

/// After a disposition. `then` is read in order and the first verb that closes the lead decides: `final` as success or
/// refused (neutral: exhausted), `dnc_customer` as dnc. `phone_dead` and `dnc_phone` go on with the next phone, or close as
/// invalid or dnc. `callback` keeps the promised time, outside the daily budget and before `stop_after_contact`, or asks
/// after `min_gap` where none was promised; `retry` follows the rule for `no_answer`. The attempts budget bounds them all.
pub fn after_disposition(
    rules: &RetryRules,
    standing: &Standing,
    finished: &Finished,
    meaning: &Meaning,
    promised: Option<Wall>,
) -> After {
    let mut dead = false;
    let mut next = Next::Close(ClosedWhy::Exhausted);
    let reached = meaning.contact == ContactKind::RightParty && rules.attempts.stop_after_contact;
    for then in &meaning.then {
        match then {
            Then::Final => return After { next: Next::Close(closing(meaning.outcome)), phone_dead: dead },
            Then::DncCustomer => return After { next: Next::Close(ClosedWhy::Dnc), phone_dead: dead },
            Then::PhoneDead | Then::DncPhone => {
                let why = if *then == Then::PhoneDead { ClosedWhy::Invalid } else { ClosedWhy::Dnc };
                dead |= *then == Then::PhoneDead;
                next = on_next_phone(rules, standing, finished, why);
            }
            Then::Callback => next = callback(rules, standing, finished, promised),
            Then::Retry if reached => next = Next::Close(closing(meaning.outcome)),
            Then::Retry => next = as_no_answer(rules, standing, finished),
        }
    }
    After { next, phone_dead: dead }
}

fn closing(outcome: OutcomeKind) -> ClosedWhy {
    match outcome {
        OutcomeKind::Success => ClosedWhy::Success,
        OutcomeKind::Failure => ClosedWhy::Refused,
        OutcomeKind::Neutral => ClosedWhy::Exhausted,
    }
}

fn as_no_answer(rules: &RetryRules, standing: &Standing, finished: &Finished) -> Next {
    let finished = &Finished { result: CallResult::NoAnswer, ..*finished };
    match rules.retry.get(&CallResult::NoAnswer) {
        Some(rule) => by_rule(rules, standing, finished, rule, CallResult::Answered).next,
        None => by_default(rules, standing, finished).next,
    }
}

fn callback(rules: &RetryRules, standing: &Standing, finished: &Finished, promised: Option<Wall>) -> Next {
    if used_up(rules, standing) {
        return Next::Close(ClosedWhy::Exhausted);
    }
    let after_gap = finished.dialled + rules.attempts.min_gap;
    Next::Again(Again {
        not_before: promised.unwrap_or(after_gap).max(finished.ended),
        phone: finished.phone,
        free: promised.is_some(),
        other_daypart_than: None,
        prefer: None,
        promised: promised.is_some(),
        callback: true,
    })
}

/// `counted` is the result whose dials in the ledger the rule's `max` and `free` look at.
fn by_rule(
    rules: &RetryRules,
    standing: &Standing,
    finished: &Finished,
    rule: &RetryRule,
    counted: CallResult,
) -> After {
    let next_phone = next_phone(standing, finished.phone, rule.phone_dead);
    let phone = match next_phone {
        None if rule.phone_dead => return After { next: Next::Close(ClosedWhy::Invalid), phone_dead: true },
        Some(other) if rule.next_phone || rule.phone_dead => other,
        Some(_) | None => finished.phone,
    };
    let times = count(standing, counted).max(1);
    // A dead phone cannot give its result again, so `max` has nothing to say: the phones run out by themselves.
    if used_up(rules, standing) || (times > rule.max && !rule.phone_dead) {
        return After { next: Next::Close(ClosedWhy::Exhausted), phone_dead: rule.phone_dead };
    }
    let free = times <= rule.free;
    let quiet = finished.ended + rule.after;
    let not_before = if free { quiet } else { quiet.max(finished.dialled + rules.attempts.min_gap) };
    let next = Next::Again(Again {
        not_before,
        phone,
        free,
        other_daypart_than: rule.other_daypart.then_some(finished.daypart),
        prefer: rule.prefer,
        promised: false,
        callback: false,
    });
    After { next, phone_dead: rule.phone_dead }
}

fn by_default(rules: &RetryRules, standing: &Standing, finished: &Finished) -> After {
    let gap = finished.dialled + rules.attempts.min_gap;
    let by_budget = |not_before| {
        if used_up(rules, standing) {
            Next::Close(ClosedWhy::Exhausted)
        } else {
            again(finished, not_before, finished.phone)
        }
    };
    match finished.result {
        CallResult::NetworkFailure | CallResult::TrunkRefused | CallResult::Cancelled => {
            keep(by_budget(gap.max(finished.ended + OUR_FAULT_AFTER)))
        }
        CallResult::VacantNumber => {
            After { next: on_next_phone(rules, standing, finished, ClosedWhy::Invalid), phone_dead: true }
        }
        CallResult::Fax => keep(on_next_phone(rules, standing, finished, ClosedWhy::Invalid)),
        CallResult::Suspended => keep(on_next_phone(rules, standing, finished, ClosedWhy::Exhausted)),
        CallResult::Answered
        | CallResult::Busy
        | CallResult::NoAnswer
        | CallResult::Machine
        | CallResult::PoweredOff
        | CallResult::NotReachable
        | CallResult::Rejected
        | CallResult::Abandoned
        | CallResult::Void
        | CallResult::UnknownCounted => keep(Next::Close(ClosedWhy::Exhausted)),
    }
}

/// This phone is of no more use: the next one that lives, after `min_gap`, or the lead closes for that reason.
fn on_next_phone(rules: &RetryRules, standing: &Standing, finished: &Finished, without: ClosedWhy) -> Next {
    match next_phone(standing, finished.phone, true) {
        None => Next::Close(without),
        Some(_) if used_up(rules, standing) => Next::Close(ClosedWhy::Exhausted),
        Some(phone) => again(finished, finished.dialled + rules.attempts.min_gap, phone),
    }
}

/// The next live phone in dial order, around the end; the same one last, unless it is dead.
fn next_phone(standing: &Standing, current: u8, current_dead: bool) -> Option<u8> {
    let phones = standing.phones.clamp(1, 8);
    (1..=phones).map(|step| (current % phones + step) % phones).find(|phone| {
        let dead = standing.dead >> phone & 1 == 1 || (current_dead && *phone == current);
        !dead
    })
}

fn used_up(rules: &RetryRules, standing: &Standing) -> bool {
    let made = own(standing).filter(|dial| dial.result.is_none_or(CallResult::counts)).count();
    usize::from(standing.attempts_used) + made >= usize::from(rules.max)
}

fn count(standing: &Standing, result: CallResult) -> u16 {
    u16::try_from(own(standing).filter(|dial| dial.result == Some(result)).count()).unwrap_or(u16::MAX)
}

fn own<'a>(standing: &Standing<'a>) -> impl DoubleEndedIterator<Item = &'a PastDial> + use<'a> {
    let campaign = standing.campaign;
    standing.dials.iter().filter(move |dial| dial.campaign == campaign)
}

fn again(finished: &Finished, not_before: Wall, phone: u8) -> Next {
    Next::Again(Again {
        not_before: not_before.max(finished.ended),
        phone,
        free: false,
        other_daypart_than: None,
        prefer: None,
        promised: false,
        callback: false,
    })
}

/// It never was: the lead is what it was before, a minute later.
fn after_void(standing: &Standing, finished: &Finished) -> Next {
    let owed = own(standing).rfind(|dial| dial.counts()).is_some_and(|dial| dial.callback);
    Next::Again(Again {
        not_before: finished.ended + VOID_AFTER,
        phone: finished.phone,
        free: finished.free,
        other_daypart_than: None,
        prefer: None,
        promised: owed && finished.free,
        callback: false,
    })
}

fn keep(next: Next) -> After {
    After { next, phone_dead: false }
}

#[cfg(test)]
mod tests;
