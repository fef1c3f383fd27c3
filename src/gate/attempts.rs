//! The attempts budget of one lead: in all, per local day, per daypart, and the gap between two.
//!
//! Dials of this campaign count, whatever phone they went to. A retry marked free passes the daily budget and the gap:
//! the rule that freed it has a quiet period of its own. It passes neither the budget in all nor any contact cap.
//!
//! Who asked to be called back is: the wish outlasts `stop_after_contact`, until a later talk ends without it. At a time that
//! was promised, `spread` gives way as well.

use crate::base::Wall;
use crate::campaign::{Daypart, Spread};
use crate::contact::ZoneIx;

use super::lawful::clocks;
use super::local::{Local, date, next_jump, start_of};
use super::{Facts, PastDial, Reason, Rule};

/// Dayparts of one day in as many zones as a prefix may have, over two days.
const MAX_MOVES: usize = 512;

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    in_all(facts, reasons);
    if facts.campaign.attempts.stop_after_contact
        && ours(facts).rfind(|dial| dial.contact).is_some_and(|talk| !talk.callback)
    {
        refuse(reasons, "the right party was reached, and the campaign stops after contact".to_owned(), None);
    }
    if !facts.lead.free_of_daily_budget {
        per_day(facts, reasons);
        gap(facts, reasons);
    }
    let promised = facts.lead.free_of_daily_budget && facts.contact.owes_callback(facts.campaign_ix);
    if let Some(spread) = facts.campaign.attempts.spread.filter(|_| !promised) {
        per_daypart(facts, spread, reasons);
    }
}

fn in_all(facts: &Facts, reasons: &mut Vec<Reason>) {
    let campaign = facts.campaign;
    let segment = campaign.segment(facts.lead.segment).and_then(|segment| segment.attempts_max);
    let max = segment.unwrap_or(campaign.attempts.max).min(campaign.policy.attempts_max);
    let used = usize::from(facts.lead.attempts_used) + ours(facts).count();
    if used >= usize::from(max) {
        refuse(reasons, format!("{used} of {max} attempts used"), None);
    }
}

fn per_day(facts: &Facts, reasons: &mut Vec<Reason>) {
    let max = facts.campaign.attempts.max_per_day.min(facts.campaign.policy.attempts_max_per_day);
    let mut worst: Option<(usize, ZoneIx, Option<Wall>)> = None;
    for ix in clocks(facts) {
        let zone = facts.zones.get(*ix);
        let today = Local::at(zone, facts.now).day();
        let used = ours(facts).filter(|dial| !dial.free && Local::at(zone, dial.at).day() == today).count();
        if used >= usize::from(max) {
            let tomorrow = start_of(zone, date(today + 1)).filter(|start| max > 0 && *start > facts.now);
            // Of several zones the one whose day ends last decides.
            if worst.is_none_or(|(_, _, until)| tomorrow > until) {
                worst = Some((used, *ix, tomorrow));
            }
        }
    }
    if let Some((used, ix, until)) = worst {
        refuse(reasons, format!("{used} of {max} attempts used today in {}", facts.zones.name(ix)), until);
    }
}

fn gap(facts: &Facts, reasons: &mut Vec<Reason>) {
    let Some(last) = ours(facts).map(|dial| dial.at).max() else { return };
    let until = last + facts.campaign.attempts.min_gap;
    if facts.now < until {
        refuse(reasons, format!("the last attempt was at {last}, less than min_gap ago"), Some(until));
    }
}

fn per_daypart(facts: &Facts, spread: Spread, reasons: &mut Vec<Reason>) {
    let Some((used, daypart)) = full_daypart(facts, spread, facts.now) else { return };
    let detail = format!("{used} of {} attempts used in the {}", spread.at_most_each, daypart.as_str());
    let mut at = facts.now;
    for _ in 0..MAX_MOVES {
        let Some(next) = next_daypart(facts, at).filter(|next| next.since(facts.now).as_secs() <= 2 * 86_400) else {
            break;
        };
        if full_daypart(facts, spread, next).is_none() {
            return refuse(reasons, detail, Some(next));
        }
        at = next;
    }
    refuse(reasons, detail, None);
}

/// The first daypart, over all zones, that has no attempt left at that instant.
fn full_daypart(facts: &Facts, spread: Spread, at: Wall) -> Option<(usize, Daypart)> {
    clocks(facts).iter().find_map(|ix| {
        let zone = facts.zones.get(*ix);
        let part = |at| Daypart::of(Local::at(zone, at).minute_of_day());
        let now = part(at);
        let used = ours(facts).filter(|dial| part(dial.at) == now).count();
        (used >= usize::from(spread.at_most_each)).then_some((used, now))
    })
}

/// The next instant at which any zone's clock comes to another daypart, or jumps.
fn next_daypart(facts: &Facts, at: Wall) -> Option<Wall> {
    const MINUTE: u64 = 60_000_000;
    let ahead = |ix: &ZoneIx| {
        let zone = facts.zones.get(*ix);
        let local = Local::at(zone, at);
        let minute = local.minute_of_day();
        let part = Daypart::of(minute);
        let end = (minute..1_440).find(|later| Daypart::of(*later) != part).unwrap_or(1_440);
        let micros = u64::from(end) * MINUTE - local.micro_of_day().unsigned_abs();
        (at + std::time::Duration::from_micros(micros)).min(next_jump(zone, at))
    };
    clocks(facts).iter().map(ahead).min()
}

fn ours<'a>(facts: &Facts<'a>) -> impl DoubleEndedIterator<Item = &'a PastDial> {
    let campaign = facts.campaign_ix;
    facts.contact.dials.iter().filter(move |dial| dial.campaign == campaign && dial.counts())
}

fn refuse(reasons: &mut Vec<Reason>, detail: String, until: Option<Wall>) {
    reasons.push(Reason { rule: Rule::Attempts, detail, until });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::CampaignIx;
    use crate::campaign::{Condition, Segment};
    use crate::contact::CallResult;
    use crate::gate::fixture::{World, wall};

    fn busy(world: &mut World, times: &[&str]) {
        for at in times {
            world.dialled(at, CallResult::Busy);
        }
    }

    fn details(world: &World) -> Vec<String> {
        world.reasons().into_iter().map(|reason| reason.detail).collect()
    }

    #[test]
    fn the_banks_own_attempts_and_ours_make_one_budget() {
        let mut world = World::open();
        world.campaign.attempts.max = 3;
        world.lead.attempts_used = 2;
        assert!(world.ask().allows());
        busy(&mut world, &["2026-11-20T10:00:00+08:00"]);
        assert_eq!((world.rules(), world.until()), (vec![Rule::Attempts], None));
        assert_eq!(details(&world), ["3 of 3 attempts used"]);
    }

    #[test]
    fn what_never_rang_and_what_others_dialled_uses_nothing() {
        let mut world = World::open();
        world.campaign.attempts.max = 1;
        world.dialled("2026-11-20T10:00:00+08:00", CallResult::Void);
        assert!(world.ask().allows());
        world.dialled("2026-11-20T10:00:00+08:00", CallResult::UnknownCounted);
        assert_eq!(world.rules(), [Rule::Attempts]);
        world.contact.dials.iter_mut().for_each(|dial| dial.campaign = CampaignIx(1));
        assert!(world.ask().allows());
    }

    #[test]
    fn a_segment_may_have_its_own_budget_and_the_policy_the_last_word() {
        let mut world = World::open();
        world.campaign.attempts.max = 1;
        let when = Condition::always();
        world.campaign.segments = vec![Segment { name: "A".to_owned(), when, attempts_max: Some(2) }];
        busy(&mut world, &["2026-11-20T10:00:00+08:00"]);
        assert!(world.ask().allows());
        busy(&mut world, &["2026-11-21T10:00:00+08:00"]);
        assert_eq!(details(&world), ["2 of 2 attempts used"]);
        world.campaign.segments[0].attempts_max = Some(9);
        assert!(world.ask().allows());
        world.policy().attempts_max = 2;
        assert_eq!(details(&world), ["2 of 2 attempts used"]);
    }

    #[test]
    fn the_daily_budget_is_that_of_the_contacts_own_day() {
        let mut world = World::at("2026-12-01T20:00:00-05:00", "America/New_York");
        world.campaign.attempts.max_per_day = 2;
        // In UTC one of them was yesterday and it is tomorrow already.
        busy(&mut world, &["2026-12-01T08:00:00-05:00", "2026-12-01T19:30:00-05:00"]);
        assert_eq!(details(&world), ["2 of 2 attempts used today in America/New_York"]);
        world.assert_opens_at("2026-12-02T08:00:00-05:00");
    }

    #[test]
    fn the_policys_daily_ceiling_holds_under_a_laxer_campaign() {
        let mut world = World::open();
        world.policy().attempts_max_per_day = 1;
        busy(&mut world, &["2026-12-01T09:00:00+08:00"]);
        assert_eq!(world.rules(), [Rule::Attempts]);
    }

    #[test]
    fn a_day_that_ends_later_in_another_candidate_zone_counts_too() {
        let mut world = World::at("2026-12-02T06:30:00Z", "Asia/Shanghai");
        world.hours(&crate::gate::fixture::week("00:00-24:00"));
        world.campaign.attempts.max_per_day = 1;
        // Shanghai's first of December is long over; in Honolulu it has half an hour and three to go.
        busy(&mut world, &["2026-12-01T11:00:00Z"]);
        assert!(world.ask().allows());
        world.add_zone("Pacific/Honolulu");
        assert_eq!(details(&world), ["1 of 1 attempts used today in Pacific/Honolulu"]);
        world.assert_opens_at("2026-12-02T10:00:00Z");
    }

    #[test]
    fn free_retries_use_no_daily_budget_and_pass_it_and_the_gap() {
        let mut world = World::open();
        world.campaign.attempts.max_per_day = 1;
        world.campaign.attempts.min_gap = Duration::from_hours(20);
        busy(&mut world, &["2026-12-01T11:00:00+08:00"]);
        assert_eq!(world.rules(), [Rule::Attempts, Rule::Attempts]);
        world.lead.free_of_daily_budget = true;
        assert!(world.ask().allows());
        world.lead.free_of_daily_budget = false;
        world.campaign.attempts.min_gap = Duration::ZERO;
        world.contact.dials[0].free = true;
        assert!(world.ask().allows());
        // The budget in all knows no free ones.
        world.campaign.attempts.max = 1;
        world.lead.free_of_daily_budget = true;
        assert_eq!(details(&world), ["1 of 1 attempts used"]);
    }

    #[test]
    fn the_gap_runs_from_the_last_attempt_and_ends_to_the_microsecond() {
        let mut world = World::open();
        world.campaign.attempts.min_gap = Duration::from_hours(4);
        busy(&mut world, &["2026-12-01T08:30:00+08:00", "2026-12-01T09:00:00+08:00"]);
        world.assert_opens_at("2026-12-01T13:00:00+08:00");
        world.campaign.attempts.min_gap = Duration::from_hours(20);
        // 05:00 is no hour to call anybody.
        world.assert_opens_at("2026-12-02T08:00:00+08:00");
    }

    #[test]
    fn a_spread_waits_for_a_daypart_with_room() {
        let mut world = World::at("2026-12-01T09:00:00+08:00", "Asia/Shanghai");
        world.campaign.attempts.spread = Some(Spread { at_most_each: 1 });
        assert!(world.ask().allows());
        busy(&mut world, &["2026-11-30T08:30:00+08:00", "2026-11-29T13:00:00+08:00"]);
        assert_eq!(details(&world), ["1 of 1 attempts used in the morning"]);
        // Noon has had its attempt as well.
        world.assert_opens_at("2026-12-01T14:00:00+08:00");
    }

    #[test]
    fn a_spread_with_every_daypart_full_never_opens() {
        let mut world = World::open();
        world.campaign.attempts.spread = Some(Spread { at_most_each: 1 });
        for clock in ["09:00", "13:00", "15:00", "19:00"] {
            busy(&mut world, &[&format!("2026-11-20T{clock}:00+08:00")]);
        }
        assert_eq!((world.rules(), world.until()), (vec![Rule::Attempts], None));
    }

    #[test]
    fn after_contact_a_campaign_may_stop() {
        let mut world = World::open();
        world.dialled("2026-11-20T10:00:00+08:00", CallResult::Answered);
        world.contact.dials[0].contact = true;
        assert!(world.ask().allows());
        world.campaign.attempts.stop_after_contact = true;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Attempts], None));
    }

    #[test]
    fn who_asked_to_be_called_back_is_called_back_and_then_no_more() {
        let mut world = World::open();
        world.campaign.attempts.stop_after_contact = true;
        world.dialled("2026-11-20T10:00:00+08:00", CallResult::Answered);
        world.contact.dials[0].contact = true;
        world.contact.dials[0].callback = true;
        assert!(world.ask().allows());
        // Nobody was at home: the wish still stands.
        busy(&mut world, &["2026-11-21T10:00:00+08:00"]);
        assert!(world.ask().allows());
        world.dialled("2026-11-22T10:00:00+08:00", CallResult::Answered);
        world.contact.dials[2].contact = true;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Attempts], None));
        world.contact.dials[2].campaign = CampaignIx(1);
        assert!(world.ask().allows(), "another campaign's talk ends nobody's wish");
        world.campaign.attempts.max = 2;
        assert_eq!(details(&world), ["2 of 2 attempts used"], "a callback is an attempt as any other");
    }

    #[test]
    fn at_a_promised_time_the_daypart_may_be_full_but_not_without_a_promise() {
        let mut world = World::at("2026-12-01T15:00:00+08:00", "Asia/Shanghai");
        world.campaign.attempts.spread = Some(Spread { at_most_each: 1 });
        busy(&mut world, &["2026-11-20T15:00:00+08:00"]);
        world.dialled("2026-12-01T10:00:00+08:00", CallResult::Answered);
        world.contact.dials[1].callback = true;
        world.lead.free_of_daily_budget = true;
        assert!(world.ask().allows());
        world.contact.dials[1].callback = false;
        assert_eq!(details(&world), ["1 of 1 attempts used in the afternoon"]);
    }

    #[test]
    fn a_budget_of_none_a_day_waits_for_nothing() {
        let mut world = World::open();
        world.campaign.attempts.max_per_day = 0;
        assert_eq!((world.rules(), world.until()), (vec![Rule::Attempts], None));
        assert!(world.now < wall("2027-01-01T00:00:00Z"));
    }
}
