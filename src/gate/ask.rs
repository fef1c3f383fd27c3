//! The one question: every rule in its order, all reasons collected, and when it is worth asking again.

use std::time::Duration;

use crate::base::Wall;

use super::{
    Facts, Reason, Rule, Verdict, attempts, calling_hours, campaign_state, consent, contact_caps, cooling_off,
    destination, dnc, eligible, holdout, holidays, list_expiry, live_attempt, number, trunk,
};

/// Rules push each other on: a quiet period ends at night, the morning after is a holiday. More rounds than rules of
/// that kind; what is still moving then is simply asked again.
const ROUNDS: usize = 8;

/// May this contact be dialled now and ring for `ring`? Allowing allocates nothing.
///
/// `until` of a refusal is the instant at which to ask again: the earliest at which the reasons known today are gone and
/// calling hours hold. A rule that time cannot satisfy may still refuse there (an expired list); it says so when asked.
pub fn ask(facts: &Facts, ring: Duration) -> Verdict {
    let mut reasons = Vec::new();
    collect(facts, ring, &mut reasons);
    if reasons.is_empty() {
        return Verdict::Allow;
    }
    let until = ask_again(facts, ring, &reasons);
    Verdict::Refuse { reasons, until }
}

fn collect(facts: &Facts, ring: Duration, reasons: &mut Vec<Reason>) {
    for rule in Rule::ALL {
        match rule {
            Rule::CampaignState => campaign_state::check(facts, reasons),
            Rule::ListExpiry => list_expiry::check(facts, reasons),
            Rule::Eligible => eligible::check(facts, reasons),
            Rule::Holdout => holdout::check(facts, reasons),
            Rule::Consent => consent::check(facts, reasons),
            Rule::Dnc => dnc::check(facts, reasons),
            Rule::CallingHours => calling_hours::check(facts, ring, reasons),
            Rule::Holidays => holidays::check(facts, ring, reasons),
            Rule::ContactCaps => contact_caps::check(facts, reasons),
            Rule::CoolingOff => cooling_off::check(facts, reasons),
            Rule::Attempts => attempts::check(facts, reasons),
            Rule::LiveAttempt => live_attempt::check(facts, reasons),
            Rule::Number => number::check(facts, reasons),
            Rule::Destination => destination::check(facts, reasons),
            Rule::Trunk => trunk::check(facts, reasons),
        }
    }
}

fn ask_again(facts: &Facts, ring: Duration, reasons: &[Reason]) -> Option<Wall> {
    let mut until = latest(reasons)?;
    let mut later = Vec::new();
    for _ in 0..ROUNDS {
        later.clear();
        collect(&Facts { now: until, ..*facts }, ring, &mut later);
        match latest(&later) {
            Some(next) if next > until => until = next,
            Some(_) | None => break,
        }
    }
    Some(until)
}

/// `None` if there is no reason, or one that time cannot help.
fn latest(reasons: &[Reason]) -> Option<Wall> {
    let mut latest = None;
    for reason in reasons {
        latest = latest.max(Some(reason.until?));
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Destination, Wall};
    use crate::campaign::{Cap, CapOrigin, CapPer, CapRule, DayKind, QuietAfter, Status};
    use crate::contact::CallResult;
    use crate::gate::fixture::{World, days, dial, wall, week};
    use crate::gate::{DncMark, Eligibility};

    /// A world in which exactly this rule says no.
    fn broken(rule: Rule) -> World {
        let mut world = World::open();
        let an_hour_ago = Wall(world.now.0 - 3_600_000_000);
        match rule {
            Rule::CampaignState => world.campaign.status = Status::Paused,
            Rule::ListExpiry => world.lead.list_expires = Some(world.now),
            Rule::Eligible => world.lead.eligible = Eligibility::NoSegment,
            Rule::Holdout => world.hold_out(),
            Rule::Consent => world.lead.consent = Some(false),
            Rule::Dnc => world.phone.dnc = Some(DncMark { until: None }),
            Rule::CallingHours => world.hours(&week("13:00-14:00")),
            Rule::Holidays => world.holidays(&[2026], &[("2026-12-01", DayKind::Holiday)]),
            Rule::ContactCaps => {
                let rule = CapRule::Within { within: days(1), max_dials: Some(1), max_contacts: None };
                world.campaign.caps = vec![Cap { per: CapPer::Phone, rule, origin: CapOrigin::Campaign }];
                world.phone.note(dial(1, an_hour_ago, Some(CallResult::NoAnswer)));
            }
            Rule::CoolingOff => {
                let rule = CapRule::Quiet { after: QuietAfter::Complaint, quiet_for: None };
                world.campaign.caps = vec![Cap { per: CapPer::Customer, rule, origin: CapOrigin::Campaign }];
                world.contact.complained_at = Some(an_hour_ago);
            }
            Rule::Attempts => world.lead.attempts_used = 50,
            Rule::LiveAttempt => world.phone.note(dial(1, an_hour_ago, None)),
            Rule::Number => world.phone.dead = true,
            Rule::Destination => world.destination = Some(Destination::NotListed),
            Rule::Trunk => world.trunk_stopped = true,
        }
        world
    }

    #[test]
    fn with_nothing_against_it_a_call_is_allowed() {
        assert_eq!(World::open().ask(), Verdict::Allow);
    }

    #[test]
    fn every_rule_is_asked() {
        for rule in Rule::ALL {
            assert_eq!(broken(*rule).rules(), [*rule], "{rule}");
        }
    }

    #[test]
    fn all_reasons_are_collected_in_the_order_of_the_rules() {
        let mut world = broken(Rule::Number);
        world.lead.consent = Some(false);
        world.paused = true;
        assert_eq!(world.rules(), [Rule::CampaignState, Rule::Consent, Rule::Number]);
        assert_eq!(world.until(), None);
    }

    #[test]
    fn a_reason_that_time_cannot_help_leaves_no_until() {
        let mut world = broken(Rule::CallingHours);
        assert!(world.until().is_some());
        world.phone.dead = true;
        assert_eq!(world.until(), None);
    }

    #[test]
    fn a_quiet_period_that_ends_at_night_is_asked_again_in_the_morning() {
        let mut world = World::open();
        // Ends on 2 December at 23:00.
        world.contact.dnc = Some(DncMark { until: Some(wall("2026-12-02T23:00:00+08:00")) });
        world.assert_opens_at("2026-12-03T08:00:00+08:00");
    }

    #[test]
    fn rules_that_push_each_other_on_are_followed_to_the_end() {
        let mut world = World::open();
        // Quiet until the evening, then night, then two holidays, then the daily budget of nobody.
        world.contact.dnc = Some(DncMark { until: Some(wall("2026-12-01T20:59:45+08:00")) });
        world.holidays(&[2026], &[("2026-12-02", DayKind::Holiday), ("2026-12-03", DayKind::Holiday)]);
        world.phone.dnc = Some(DncMark { until: Some(wall("2026-12-04T20:59:31+08:00")) });
        world.assert_opens_at("2026-12-05T08:00:00+08:00");
    }

    #[test]
    fn a_list_that_expires_meanwhile_is_told_when_asked_again() {
        let mut world = broken(Rule::CallingHours);
        world.lead.list_expires = Some(wall("2026-12-01T12:30:00+08:00"));
        let until = world.until().unwrap();
        world.now = until;
        assert_eq!(world.rules(), [Rule::ListExpiry]);
    }
}
