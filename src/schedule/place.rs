//! The earliest instant at which a lead may be due: hours, golden hours in `only`, and what a retry rule wishes for.

use std::time::Duration;

use crate::base::Wall;
use crate::campaign::{Campaign, Daypart, GoldenMode, Minute, Spread, WeekHours, Window};
use crate::contact::{ZoneIx, Zones};

use super::clock::Clock;
use super::golden::golden_week;
use super::history::History;
use super::slot::next_slot;
use super::windows::{Days, local_us, next};

/// A wish for a daypart is dropped if it cannot come true within this time.
const WISH_WITHIN: Duration = Duration::from_hours(7 * 24);
/// Beyond this nothing is looked for: the longest closed stretch of any calendar is far shorter.
const HORIZON: Duration = Duration::from_hours(60 * 24);

/// When a lead wants to be due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub not_before: Wall,
    /// Soft: dropped if no other daypart is open within a week.
    pub other_daypart_than: Option<Daypart>,
    /// Soft, and weaker than `other_daypart_than`.
    pub prefer: Option<Daypart>,
    /// Hard: used up by `attempts.spread`.
    pub barred: Dayparts,
    /// A time promised to the customer: golden hours and wishes do not hold it back, calling hours do.
    pub promised: bool,
}

/// A set of dayparts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dayparts(u8);

/// Where a lead goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// From here on it competes.
    pub due: Wall,
    /// The first golden instant of the lead's local day of `due`, at or after it. Later than `due`: with `mode: prefer` the
    /// lead gives way to golden ones until then.
    pub golden_at: Option<Wall>,
}

impl Dayparts {
    pub const ALL: Self = Self(0b1111);

    pub fn only(daypart: Daypart) -> Self {
        Self(1 << daypart as u8)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn has(self, daypart: Daypart) -> bool {
        self.0 & Self::only(daypart).0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in which the lead was dialled as often as `spread` allows.
    pub fn used_up(history: &History, spread: Option<Spread>) -> Self {
        let Some(spread) = spread else { return Self::default() };
        let full = Daypart::ALL.iter().zip(history.by_daypart).filter(|(_, count)| *count >= spread.at_most_each);
        Self(full.fold(0, |set, (daypart, _)| set | Self::only(*daypart).0))
    }
}

/// Finds the earliest instant at or after `wish.not_before` that lies inside calling hours in **all** zones of the lead,
/// with time to ring before the nearest closing; with `golden_hours.mode: only` also inside the segment's golden hours by
/// the first zone. Wishes for a daypart (of the first zone) are tried in this order, each for a week: the preferred one if
/// it is not the one to avoid; any but the one to avoid; any. `None`: not within 60 days, which means never.
///
/// `mode: prefer` moves nobody: a lead competes as soon as it may, and [`super::Viewer`] puts golden leads first.
pub fn place(campaign: &Campaign, zones: &Zones, clock: Clock, segment: u8, wish: &Wish) -> Option<Placed> {
    let search = Search { campaign, zones, clock, segment, wish };
    let avoid = wish.other_daypart_than.map_or(Dayparts::default(), Dayparts::only);
    let wished = if wish.promised { None } else { wish.prefer.map(Dayparts::only) };
    let other = Dayparts::ALL.without(avoid);
    let tries = [
        (wished.unwrap_or_default().without(avoid), WISH_WITHIN),
        (if wish.promised { Dayparts::default() } else { other }, WISH_WITHIN),
        (Dayparts::ALL, HORIZON),
    ];
    let due = tries.iter().find_map(|(dayparts, within)| search.earliest(dayparts.without(wish.barred), *within))?;
    Some(Placed { due, golden_at: search.golden_on_that_day(due) })
}

/// When a lead that the gate refused until `until` competes again. One that was never dialled waits for the start of a
/// slot: entering in its midst, it could leave after leads that are worth less.
pub fn again_at(zones: &Zones, clock: Clock, attempts: u16, until: Wall) -> Wall {
    if attempts > 0 { until } else { next_slot(zones, clock, Wall(until.0.saturating_sub(1))) }
}

struct Search<'a> {
    campaign: &'a Campaign,
    zones: &'a Zones,
    clock: Clock<'a>,
    segment: u8,
    wish: &'a Wish,
}

impl Search<'_> {
    fn earliest(&self, dayparts: Dayparts, within: Duration) -> Option<Wall> {
        let hours = &self.campaign.calling_hours.week;
        let mut first = if self.campaign.golden_hours.mode == GoldenMode::Only && !self.wish.promised {
            golden_week(self.campaign, self.segment)
        } else {
            hours.clone()
        };
        if dayparts != Dayparts::ALL {
            first = first.intersect(&week_of(dayparts));
        }
        let limit = self.wish.not_before + within;
        let mut at = self.wish.not_before;
        while at < limit {
            let mut open = next(&first, Days::of(self.campaign), self.zone(self.clock.first()), at, limit, true)?;
            for zone in self.clock.zones() {
                open = open.max(next(hours, Days::of(self.campaign), self.zone(*zone), open, limit, true)?);
            }
            if open > at {
                at = open;
                continue;
            }
            let Some(closing) = self.closing_before_ring_ends(open) else { return Some(open) };
            at = closing;
        }
        None
    }

    /// The nearest closing in any zone, if a call placed now could still ring at it.
    fn closing_before_ring_ends(&self, at: Wall) -> Option<Wall> {
        let week = &self.campaign.calling_hours.week;
        let limit = Wall((at + self.campaign.pacing.ring).0.saturating_add(1));
        let closing = |zone: &ZoneIx| next(week, Days::of(self.campaign), self.zone(*zone), at, limit, false);
        self.clock.zones().iter().filter_map(closing).min()
    }

    fn golden_on_that_day(&self, due: Wall) -> Option<Wall> {
        const DAY_US: i64 = 86_400_000_000;
        let zone = self.zone(self.clock.first());
        let golden = super::next_golden(self.campaign, self.zones, self.clock, self.segment, due)?;
        let day = |at| local_us(zone, at).div_euclid(DAY_US);
        (day(golden) == day(due)).then_some(golden)
    }

    fn zone(&self, ix: ZoneIx) -> &jiff::tz::TimeZone {
        self.zones.get(ix)
    }
}

fn week_of(dayparts: Dayparts) -> WeekHours {
    let windows: Vec<Window> = Daypart::ALL
        .into_iter()
        .filter(|daypart| dayparts.has(*daypart))
        .map(|daypart| {
            let (from, to) = match daypart {
                Daypart::Morning => (0, 720),
                Daypart::Noon => (720, 840),
                Daypart::Afternoon => (840, 1_050),
                Daypart::Evening => (1_050, 1_440),
            };
            Window { from: Minute(from), to: Minute(to) }
        })
        .collect();
    WeekHours::new(std::array::from_fn(|_| windows.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::testing::{at, campaign, shanghai};

    fn due(mode: GoldenMode, wish: Wish) -> Option<Wall> {
        let (zones, zone) = shanghai();
        let campaign = campaign(mode, "09:00-12:00 13:30-20:00", "18:00-20:00");
        place(&campaign, &zones, Clock::One(zone), 0, &wish).map(|placed| placed.due)
    }

    fn from(text: &str) -> Wish {
        Wish { not_before: at(text), ..Wish::default() }
    }

    #[test]
    fn dayparts_cover_the_day_as_the_campaign_reads_them() {
        for minute in 0..1_440 {
            for daypart in Daypart::ALL {
                let inside = week_of(Dayparts::only(daypart)).day(0).iter().any(|w| w.contains(Minute(minute)));
                assert_eq!(inside, Daypart::of(minute) == daypart, "{minute}");
            }
        }
    }

    #[test]
    fn prefer_lets_a_lead_compete_at_once_and_says_when_it_turns_golden() {
        let (zones, zone) = shanghai();
        let campaign = campaign(GoldenMode::Prefer, "09:00-12:00 13:30-20:00", "18:00-20:00");
        let placed = |text| place(&campaign, &zones, Clock::One(zone), 0, &from(text)).unwrap();
        let morning = placed("2026-12-01T10:00:00+08:00");
        assert_eq!(morning.due, at("2026-12-01T10:00:00+08:00"));
        assert_eq!(morning.golden_at, Some(at("2026-12-01T18:00:00+08:00")));
        assert_eq!(placed("2026-12-01T12:30:00+08:00").due, at("2026-12-01T13:30:00+08:00"));
    }

    #[test]
    fn only_waits_for_golden_hours_but_a_promise_does_not() {
        let morning = from("2026-12-01T10:00:00+08:00");
        assert_eq!(due(GoldenMode::Only, morning), Some(at("2026-12-01T18:00:00+08:00")));
        assert_eq!(due(GoldenMode::Only, Wish { promised: true, ..morning }), Some(morning.not_before));
        assert_eq!(due(GoldenMode::Only, from("2026-12-01T20:00:00+08:00")), Some(at("2026-12-02T18:00:00+08:00")));
    }

    #[test]
    fn nobody_is_placed_where_the_phone_could_ring_past_closing() {
        assert_eq!(due(GoldenMode::Prefer, from("2026-12-01T19:59:31+08:00")), Some(at("2026-12-02T09:00:00+08:00")));
        let last = from("2026-12-01T19:59:29+08:00");
        assert_eq!(due(GoldenMode::Prefer, last), Some(last.not_before));
    }

    #[test]
    fn another_daypart_a_preferred_one_and_a_barred_one() {
        let morning = from("2026-12-01T10:00:00+08:00");
        let other = Wish { other_daypart_than: Some(Daypart::Morning), ..morning };
        assert_eq!(due(GoldenMode::Prefer, other), Some(at("2026-12-01T13:30:00+08:00")));
        let evening = Wish { prefer: Some(Daypart::Evening), ..morning };
        assert_eq!(due(GoldenMode::Prefer, evening), Some(at("2026-12-01T17:30:00+08:00")));
        let both = Wish { other_daypart_than: Some(Daypart::Evening), ..evening };
        assert_eq!(due(GoldenMode::Prefer, both), Some(morning.not_before));
        let barred = Wish { barred: Dayparts::only(Daypart::Morning), ..morning };
        assert_eq!(due(GoldenMode::Prefer, barred), Some(at("2026-12-01T13:30:00+08:00")));
        assert_eq!(due(GoldenMode::Prefer, Wish { barred: Dayparts::ALL, ..morning }), None);
    }

    #[test]
    fn a_wish_that_can_never_come_true_is_dropped() {
        let evening_only = Wish { other_daypart_than: Some(Daypart::Evening), ..from("2026-12-01T18:30:00+08:00") };
        assert_eq!(due(GoldenMode::Only, evening_only), Some(at("2026-12-01T18:30:00+08:00")));
    }

    #[test]
    fn a_number_of_two_zones_waits_until_both_are_open() {
        let mut zones = Zones::default();
        let pair = [zones.intern("America/New_York").unwrap(), zones.intern("America/Los_Angeles").unwrap()];
        let campaign = campaign(GoldenMode::Prefer, "09:00-20:00", "18:00-20:00");
        let placed = place(&campaign, &zones, Clock::All(&pair), 0, &from("2026-06-01T06:00:00-04:00")).unwrap();
        assert_eq!(placed.due, at("2026-06-01T09:00:00-07:00"));
    }

    #[test]
    fn spread_bars_what_is_used_up() {
        let history = History { by_daypart: [2, 0, 1, 3], ..History::default() };
        let barred = Dayparts::used_up(&history, Some(Spread { at_most_each: 2 }));
        assert_eq!(Daypart::ALL.map(|part| barred.has(part)), [true, false, false, true]);
        assert!(Dayparts::used_up(&history, None).is_empty());
    }

    #[test]
    fn a_first_attempt_waits_for_the_start_of_a_slot_and_a_retry_does_not() {
        let (zones, zone) = shanghai();
        let again = |attempts, text| again_at(&zones, Clock::One(zone), attempts, at(text));
        assert_eq!(again(0, "2026-12-01T09:10:00+08:00"), at("2026-12-01T09:30:00+08:00"));
        assert_eq!(again(0, "2026-12-01T09:30:00+08:00"), at("2026-12-01T09:30:00+08:00"));
        assert_eq!(again(1, "2026-12-01T09:10:00+08:00"), at("2026-12-01T09:10:00+08:00"));
    }
}
