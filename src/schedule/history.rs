//! What past dials of one campaign say about a lead: derived from the contact's ledger, stored nowhere else.

use jiff::tz::TimeZone;

use crate::base::{CampaignIx, Wall};
use crate::campaign::Daypart;
use crate::contact::CallResult;
use crate::gate::PastDial;

/// How often nobody answered, per daypart, each cut at 2. Two bits per [`Daypart`]: part of a cell's key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotFails(u8);

/// Counts of one lead's dials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Dials of this campaign that count, the live one included, and those the bank made before the list.
    pub attempts: u16,
    pub fails: SlotFails,
    /// Counted dials per daypart, in the order of [`Daypart::ALL`]: `attempts.spread` reads it.
    pub by_daypart: [u16; 4],
    pub last_at: Option<Wall>,
}

impl SlotFails {
    pub fn count(self, daypart: Daypart) -> u8 {
        self.0 >> (2 * daypart as u8) & 3
    }

    #[must_use]
    pub fn with_one_more(self, daypart: Daypart) -> Self {
        if self.count(daypart) >= 2 { self } else { Self(self.0 + (1 << (2 * daypart as u8))) }
    }
}

impl History {
    /// `zone` is the clock that dayparts are read on.
    pub fn of(dials: &[PastDial], campaign: CampaignIx, attempts_used: u16, zone: &TimeZone) -> Self {
        let mut history = Self { attempts: attempts_used, ..Self::default() };
        for dial in dials.iter().filter(|dial| dial.campaign == campaign) {
            if !dial.result.is_none_or(CallResult::counts) {
                continue;
            }
            let daypart = daypart_at(zone, dial.at);
            history.attempts = history.attempts.saturating_add(1);
            history.last_at = history.last_at.max(Some(dial.at));
            if let Some(count) = history.by_daypart.get_mut(daypart as usize) {
                *count = count.saturating_add(1);
            }
            if dial.result.is_some_and(nobody_came) {
                history.fails = history.fails.with_one_more(daypart);
            }
        }
        history
    }
}

pub fn daypart_at(zone: &TimeZone, at: Wall) -> Daypart {
    let local = zone.to_datetime(at.timestamp());
    Daypart::of(u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs()))
}

/// A result that says: not at this hour. Busy is somebody there; what fails on our side says nothing about them.
fn nobody_came(result: CallResult) -> bool {
    match result {
        CallResult::NoAnswer
        | CallResult::Machine
        | CallResult::PoweredOff
        | CallResult::NotReachable
        | CallResult::Rejected => true,
        CallResult::Answered
        | CallResult::Fax
        | CallResult::Busy
        | CallResult::VacantNumber
        | CallResult::Suspended
        | CallResult::NetworkFailure
        | CallResult::TrunkRefused
        | CallResult::Abandoned
        | CallResult::Cancelled
        | CallResult::Void
        | CallResult::UnknownCounted => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AttemptId, PhoneId};

    #[test]
    fn only_this_campaigns_counted_dials_enter_and_fails_stop_at_two() {
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
            dial(3, 0, "2026-12-03T09:00:00+08:00", Some(CallResult::PoweredOff)),
            dial(4, 0, "2026-12-03T18:00:00+08:00", Some(CallResult::Busy)),
            dial(5, 1, "2026-12-03T19:00:00+08:00", Some(CallResult::NoAnswer)),
            dial(6, 0, "2026-12-04T18:00:00+08:00", Some(CallResult::Void)),
            dial(7, 0, "2026-12-04T19:00:00+08:00", None),
        ];
        let history = History::of(&dials, CampaignIx(0), 1, &zone);
        assert_eq!(history.attempts, 6);
        assert_eq!(history.by_daypart, [3, 0, 0, 2]);
        assert_eq!(history.last_at, Some(dials[6].at));
        let fails = Daypart::ALL.map(|part| history.fails.count(part));
        assert_eq!(fails, [2, 0, 0, 0]);
    }
}
