//! Whose clock counts for a lead: the zones that must all be open, and the one that slots and golden hours go by.

use crate::campaign::{CallingHours, ZoneRule};
use crate::contact::ZoneIx;

/// Of one lead in one campaign. Never empty: a contact whose zone nobody knows, and no fallback, has no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock<'a> {
    One(ZoneIx),
    /// A number that lies in several zones; slots and golden hours go by the first.
    All(&'a [ZoneIx]),
}

impl<'a> Clock<'a> {
    /// The campaign's one zone, else the candidates of the phone, else the fallback; `None`: not to be dialled.
    pub fn of(hours: &CallingHours, candidates: &'a [ZoneIx]) -> Option<Self> {
        match hours.zone {
            ZoneRule::Fixed(zone) => Some(Self::One(zone)),
            ZoneRule::Customer if candidates.is_empty() => hours.fallback_zone.map(Self::One),
            ZoneRule::Customer => Some(Self::All(candidates)),
        }
    }

    pub fn first(self) -> ZoneIx {
        match self {
            Self::One(zone) => zone,
            Self::All(zones) => zones.first().copied().unwrap_or_default(),
        }
    }

    /// The first included.
    pub fn zones(&self) -> &[ZoneIx] {
        match self {
            Self::One(zone) => std::slice::from_ref(zone),
            Self::All(zones) => zones,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{HolidayRule, WeekHours};

    #[test]
    fn the_fixed_zone_wins_then_the_phones_own_then_the_fallback() {
        let hours = |zone, fallback_zone| CallingHours {
            zone,
            fallback_zone,
            week: WeekHours::default(),
            holidays: HolidayRule::Open,
        };
        let own = [ZoneIx(3), ZoneIx(1)];
        assert_eq!(Clock::of(&hours(ZoneRule::Fixed(ZoneIx(9)), None), &own), Some(Clock::One(ZoneIx(9))));
        assert_eq!(Clock::of(&hours(ZoneRule::Customer, Some(ZoneIx(9))), &own).map(Clock::first), Some(ZoneIx(3)));
        assert_eq!(Clock::of(&hours(ZoneRule::Customer, Some(ZoneIx(9))), &[]), Some(Clock::One(ZoneIx(9))));
        assert_eq!(Clock::of(&hours(ZoneRule::Customer, None), &[]), None);
    }
}
