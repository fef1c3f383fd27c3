//! Contact caps across all campaigns: so many dials or conversations per person or phone within a sliding window.

use std::time::Duration;

use crate::base::Wall;
use crate::campaign::{Campaign, Cap, CapPer, CapRule};

use super::{Facts, Ledger, PastDial, Reason, Rule};

type Counts = fn(&PastDial) -> bool;

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    for cap in caps(facts.campaign) {
        let CapRule::Within { within, max_dials, max_contacts } = cap.rule else { continue };
        // A conversation that nobody can rule out is one.
        let limits =
            [(max_dials, "dials", PastDial::counts as Counts), (max_contacts, "contacts", PastDial::may_be_contact)];
        for (max, what, counts) in limits {
            let Some(max) = max else { continue };
            let window = Window { ledger: ledger(facts, cap.per), now: facts.now, within, counts };
            let found = window.count();
            // Past what a ledger remembers, a full ledger must be taken for a reached cap.
            let limit = usize::from(max).min(Ledger::KEEP);
            if found >= limit {
                let owner = cap.origin.as_str();
                let detail = format!("{found} of {max} {what} per {} in {} ({owner})", cap.per.as_str(), span(within));
                reasons.push(Reason { rule: Rule::ContactCaps, detail, until: window.room_at(limit) });
            }
        }
    }
}

/// The campaign's, and whatever of the policy's it lacks: its own list should have them all, but law is asked twice.
pub(super) fn caps(campaign: &Campaign) -> impl Iterator<Item = &Cap> {
    let lacking = campaign.policy.caps.iter().filter(|cap| !campaign.caps.contains(cap));
    campaign.caps.iter().chain(lacking)
}

pub(super) fn ledger<'a>(facts: &Facts<'a>, per: CapPer) -> &'a Ledger {
    match per {
        CapPer::Customer => facts.contact,
        CapPer::Phone => facts.phone,
    }
}

struct Window<'a> {
    ledger: &'a Ledger,
    now: Wall,
    within: Duration,
    counts: Counts,
}

impl Window<'_> {
    fn count(&self) -> usize {
        self.ends().count()
    }

    /// When so many dials have left the window that fewer than `limit` remain.
    fn room_at(&self, limit: usize) -> Option<Wall> {
        let mut ends: Vec<Wall> = self.ends().collect();
        ends.sort_unstable();
        limit.checked_sub(1)?;
        ends.get(ends.len().checked_sub(limit)?).copied()
    }

    fn ends(&self) -> impl Iterator<Item = Wall> {
        let inside = self.ledger.dials.iter().filter(|dial| (self.counts)(dial));
        inside.map(|dial| dial.at + self.within).filter(|end| self.now < *end)
    }
}

/// `7 d`, `36 h`, `15 min`
fn span(within: Duration) -> String {
    let minutes = within.as_secs() / 60;
    if minutes.is_multiple_of(1_440) {
        format!("{} d", minutes / 1_440)
    } else if minutes.is_multiple_of(60) {
        format!("{} h", minutes / 60)
    } else {
        format!("{minutes} min")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CampaignIx;
    use crate::campaign::CapOrigin;
    use crate::contact::CallResult;
    use crate::gate::fixture::{World, days, dial, wall};

    fn cap(per: CapPer, within: Duration, max_dials: Option<u16>, max_contacts: Option<u16>) -> Cap {
        Cap { per, rule: CapRule::Within { within, max_dials, max_contacts }, origin: CapOrigin::Campaign }
    }

    fn capped(cap: Cap) -> World {
        let mut world = World::open();
        world.campaign.caps = vec![cap];
        world
    }

    #[test]
    fn a_cap_is_reached_at_its_figure_and_opens_when_the_oldest_dial_ages_out() {
        let mut world = capped(cap(CapPer::Customer, days(7), Some(2), None));
        world.dialled("2026-11-25T10:00:00+08:00", CallResult::Busy);
        assert!(world.ask().allows());
        world.dialled("2026-11-27T09:00:00+08:00", CallResult::NoAnswer);
        assert_eq!(world.rules(), [Rule::ContactCaps]);
        assert_eq!(world.reasons()[0].detail, "2 of 2 dials per customer in 7 d (campaign)");
        world.assert_opens_at("2026-12-02T10:00:00+08:00");
    }

    #[test]
    fn past_its_figure_a_cap_waits_for_as_many_dials_as_needed() {
        let mut world = capped(cap(CapPer::Customer, days(7), Some(1), None));
        for day in ["2026-11-26", "2026-11-27", "2026-11-28"] {
            world.dialled(&format!("{day}T10:00:00+08:00"), CallResult::Busy);
        }
        world.assert_opens_at("2026-12-05T10:00:00+08:00");
    }

    #[test]
    fn a_dial_leaves_the_window_exactly_at_its_end() {
        let mut world = capped(cap(CapPer::Phone, days(1), Some(1), None));
        world.dialled("2026-11-30T12:00:00+08:00", CallResult::Busy);
        assert!(world.ask().allows());
        world.now = Wall(world.now.0 - 1);
        assert_eq!(world.rules(), [Rule::ContactCaps]);
    }

    #[test]
    fn customers_and_phones_are_counted_apart_and_over_all_campaigns() {
        for (per, on_phone) in [(CapPer::Customer, false), (CapPer::Phone, true)] {
            let mut world = capped(cap(per, days(1), Some(1), None));
            let mut other = dial(1, wall("2026-12-01T09:00:00+08:00"), Some(CallResult::Busy));
            other.campaign = CampaignIx(5);
            let wrong = if on_phone { &mut world.contact } else { &mut world.phone };
            wrong.note(other);
            assert!(world.ask().allows(), "{per:?}");
            let right = if on_phone { &mut world.phone } else { &mut world.contact };
            right.note(other);
            assert_eq!(world.rules(), [Rule::ContactCaps], "{per:?}");
        }
    }

    #[test]
    fn doubt_counts_as_a_dial_and_as_a_contact() {
        let mut world = capped(cap(CapPer::Customer, days(7), Some(1), Some(1)));
        world.dialled("2026-12-01T09:00:00+08:00", CallResult::UnknownCounted);
        assert_eq!(world.rules(), [Rule::ContactCaps, Rule::ContactCaps]);
        let mut world = capped(cap(CapPer::Customer, days(7), None, Some(1)));
        world.dialled("2026-12-01T09:00:00+08:00", CallResult::NoAnswer);
        world.dialled("2026-12-01T09:30:00+08:00", CallResult::Void);
        assert!(world.ask().allows());
    }

    #[test]
    fn contacts_are_conversations_with_the_right_party() {
        let mut world = capped(cap(CapPer::Customer, days(7), None, Some(1)));
        world.dialled("2026-12-01T09:00:00+08:00", CallResult::Answered);
        assert!(world.ask().allows());
        world.contact.dials[0].contact = true;
        assert_eq!(world.rules(), [Rule::ContactCaps]);
        world.assert_opens_at("2026-12-08T09:00:00+08:00");
    }

    #[test]
    fn a_cap_of_the_policy_holds_though_the_campaign_lost_it_and_is_told_once() {
        let of_policy = Cap { origin: CapOrigin::Policy, ..cap(CapPer::Phone, days(1), Some(1), None) };
        let mut world = World::open();
        world.policy().caps = vec![of_policy.clone()];
        world.dialled("2026-12-01T09:00:00+08:00", CallResult::Busy);
        assert_eq!(world.rules(), [Rule::ContactCaps]);
        world.campaign.caps = vec![of_policy];
        assert_eq!(world.rules(), [Rule::ContactCaps]);
    }

    #[test]
    fn a_cap_of_zero_never_opens() {
        let mut world = capped(cap(CapPer::Phone, days(1), Some(0), None));
        assert_eq!((world.rules(), world.until()), (vec![Rule::ContactCaps], None));
        world.dialled("2026-12-01T09:00:00+08:00", CallResult::Busy);
        assert_eq!(world.until(), None);
    }

    #[test]
    fn a_full_ledger_stands_for_any_figure_beyond_it() {
        let mut world = capped(cap(CapPer::Customer, days(90), Some(200), None));
        for n in 0..Ledger::KEEP as u128 {
            let mut old = dial(n, wall("2026-11-20T12:00:00+08:00"), Some(CallResult::Busy));
            old.campaign = CampaignIx(3);
            assert!(world.ask().allows());
            world.contact.note(old);
        }
        assert_eq!(world.rules(), [Rule::ContactCaps]);
    }

    #[test]
    fn windows_are_named_in_the_largest_whole_unit() {
        let said = [days(7), Duration::from_hours(36), Duration::from_mins(15)].map(span);
        assert_eq!(said, ["7 d", "36 h", "15 min"]);
    }
}
