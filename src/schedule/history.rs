//! What past dials of one campaign say about a lead: derived from the contact's ledger, stored nowhere else.

use jiff::tz::TimeZone;

use crate::base::{CampaignIx, Wall};
use crate::campaign::Daypart;
use crate::contact::CallResult;
use crate::gate::PastDial;
use crate::rank::Reachability;

use super::windows::local_minute;

/// The local hours of the two last dials that nobody answered, whichever came first: part of a cell's key.
///
/// Two, because the harm of trying the same hour again fades with what lies between (docs/GOLDEN_HOURS.md has what other
/// memories are worth), and because a cell for every past would be a cell for every lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotFails {
    /// Hour + 1; 0 is none. The later hour first.
    hours: [u8; 2],
}

/// Counts of one lead's dials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Dials of this campaign that count, the live one included, and those the bank made before the list.
    pub attempts: u16,
    pub fails: SlotFails,
    /// Counted dials per daypart, in the order of [`Daypart::ALL`]: `attempts.spread` reads it.
    pub by_daypart: [u16; 4],
    pub last_at: Option<Wall>,
    /// What dials of any campaign say of the person: how easily they are reached.
    pub reachability: Reachability,
}

impl SlotFails {
    /// Of the last failure and the one before it; hours 0 to 23.
    pub fn of(last: Option<u8>, before: Option<u8>) -> Self {
        let mut hours = [last, before].map(|hour| hour.map_or(0, |hour| hour.min(23) + 1));
        hours.sort_unstable_by(|a, b| b.cmp(a));
        Self { hours }
    }

    /// How many of them lie in that local hour.
    pub fn count(self, hour: u8) -> u8 {
        self.hours.iter().map(|own| u8::from(*own == hour + 1)).sum()
    }
}

impl History {
    /// `zone` is the clock that dayparts are read on.
    pub fn of(dials: &[PastDial], campaign: CampaignIx, attempts_used: u16, zone: &TimeZone) -> Self {
        let mut history = Self { attempts: attempts_used, ..Self::default() };
        let (mut last, mut before) = (None, None);
        let (mut tries, mut answered) = (0, 0);
        for dial in dials {
            let own = dial.campaign == campaign;
            if dial.result == Some(CallResult::Answered) {
                (tries, answered) = (tries + 1, answered + 1);
            } else if !own && dial.result.is_some_and(CallResult::nobody_came) {
                // Failures of this campaign are its attempts, which the answer model counts by themselves.
                tries += 1;
            }
            if !own || !dial.result.is_none_or(CallResult::counts) {
                continue;
            }
            let daypart = daypart_at(zone, dial.at);
            history.attempts = history.attempts.saturating_add(1);
            history.last_at = history.last_at.max(Some(dial.at));
            if let Some(count) = history.by_daypart.get_mut(daypart as usize) {
                *count = count.saturating_add(1);
            }
            if dial.result.is_some_and(CallResult::nobody_came) {
                (last, before) = (Some(hour_at(zone, dial.at)), last);
            }
        }
        history.fails = SlotFails::of(last, before);
        history.reachability = Reachability::of(tries, answered);
        history
    }
}

pub fn daypart_at(zone: &TimeZone, at: Wall) -> Daypart {
    Daypart::of(local_minute(zone, at))
}

fn hour_at(zone: &TimeZone, at: Wall) -> u8 {
    (local_minute(zone, at) / 60) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AttemptId, PhoneId};

    #[test]
    fn only_this_campaigns_counted_dials_enter_and_the_two_last_failures_are_remembered() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let dial = |n: u128, campaign, at: &str, result| PastDial {
            attempt: AttemptId(n),
            at: Wall::parse(at).unwrap(),
            campaign: CampaignIx(campaign),
            phone: PhoneId(1),
            result,
            contact: false,
            free: false,
            callback: false,
        };
        let dials = [
            dial(1, 0, "2026-12-01T09:00:00+08:00", Some(CallResult::NoAnswer)),
            dial(2, 0, "2026-12-02T09:00:00+08:00", Some(CallResult::NoAnswer)),
            dial(3, 0, "2026-12-03T11:00:00+08:00", Some(CallResult::PoweredOff)),
            dial(4, 0, "2026-12-03T18:00:00+08:00", Some(CallResult::Busy)),
            dial(5, 1, "2026-12-03T19:00:00+08:00", Some(CallResult::NoAnswer)),
            dial(6, 0, "2026-12-04T18:00:00+08:00", Some(CallResult::Void)),
            dial(7, 0, "2026-12-04T19:00:00+08:00", None),
        ];
        let history = History::of(&dials, CampaignIx(0), 1, &zone);
        assert_eq!(history.attempts, 6);
        assert_eq!(history.by_daypart, [3, 0, 0, 2]);
        assert_eq!(history.last_at, Some(dials[6].at));
        assert_eq!(
            [8, 9, 11, 18].map(|hour| history.fails.count(hour)),
            [0, 1, 1, 0],
            "the first of the three is forgotten"
        );
        assert_eq!(history.fails, SlotFails::of(Some(9), Some(11)), "in whatever order they came");
        assert_eq!(SlotFails::of(Some(9), Some(9)).count(9), 2);
        assert_eq!(history.reachability, Reachability::of(1, 0), "of the other campaign's dial alone");
    }
}
