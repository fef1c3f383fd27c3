//! Which of our numbers a contact sees, and how often each was shown today. The day is that of the house.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use crate::base::{ContactId, Money, TrunkIx, Wall};

use super::live::Live;
use super::run::Run;
use super::{Engine, TrunkSpec};

/// One local day of the house: how often each number was shown, and what each trunk has cost.
#[derive(Debug)]
pub struct Today {
    zone: TimeZone,
    from: Wall,
    until: Wall,
    counts: BTreeMap<Arc<str>, u32>,
    /// Of calls that are over.
    pub(super) spent: BTreeMap<TrunkIx, Money>,
}

/// The first instants of the local day that `at` is in, and of the next one.
pub fn day_of(zone: &TimeZone, at: Wall) -> (Wall, Wall) {
    let date = zone.to_datetime(at.timestamp()).date();
    let next = date.checked_add(1.day()).unwrap_or(date);
    let start = |date: jiff::civil::Date| zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0)).compatible().map(Wall::from);
    (start(date).unwrap_or(at), start(next).unwrap_or(Wall::MAX))
}

impl Today {
    pub fn new(zone: TimeZone, at: Wall) -> Self {
        let (from, until) = day_of(&zone, at);
        Self { zone, from, until, counts: BTreeMap::new(), spent: BTreeMap::new() }
    }

    /// An attempt belongs to the day on which it was dialled, however long it takes.
    pub(super) fn has(&self, live: &Live) -> bool {
        live.law >= self.from
    }

    pub(super) fn began(&self) -> Wall {
        self.from
    }

    /// A new day begins with nothing shown and nothing spent.
    fn turn(&mut self, at: Wall) {
        if at >= self.until {
            (self.from, self.until) = day_of(&self.zone, at);
            self.counts.clear();
            self.spent.clear();
        }
    }

    /// How often it may be shown yet.
    fn left(&self, trunk: &TrunkSpec, number: &str) -> u32 {
        let shown = self.counts.get(number).copied().unwrap_or(0);
        trunk.shown_max.get(number).map_or(u32::MAX, |max| max.saturating_sub(shown))
    }
}

impl Engine {
    /// What the store counted since the local day began.
    pub(super) fn take_shown(&mut self, since: Wall, counts: Vec<(Arc<str>, u32)>) {
        if since == self.today.from {
            self.today.counts.extend(counts);
        }
    }

    pub(super) fn turn_day(&mut self, at: Wall) {
        self.today.turn(at);
    }

    /// How many dials the numbers of this campaign are good for today.
    pub(super) fn shows_left(&self, run: &Run) -> u32 {
        let mut counted: Vec<&Arc<str>> = Vec::new();
        let mut left = 0_u32;
        for trunk in run.route.trunks().filter_map(|ix| self.config.trunk(ix)) {
            for number in trunk.numbers(run.campaign.caller_id_pool.as_deref()).unwrap_or_default() {
                // Several trunks may show the same one.
                if !counted.contains(&number) {
                    counted.push(number);
                    left = left.saturating_add(self.today.left(trunk, number));
                }
            }
        }
        left
    }

    /// It may still show one of its numbers to this campaign.
    pub(super) fn has_numbers(&self, run: &Run, trunk: TrunkIx) -> bool {
        let Some(trunk) = self.config.trunk(trunk) else { return false };
        let numbers = trunk.numbers(run.campaign.caller_id_pool.as_deref()).unwrap_or_default();
        numbers.iter().any(|number| self.today.left(trunk, number) > 0)
    }

    /// Always the same of our own numbers for one person, so that they recognise us; the next one in their order where it
    /// is used up. `None`: all are.
    pub(super) fn caller_id(&self, trunk: &TrunkSpec, run: &Run, contact: ContactId) -> Option<Arc<str>> {
        let numbers = trunk.numbers(run.campaign.caller_id_pool.as_deref())?;
        let free = numbers.iter().filter(|number| self.today.left(trunk, number) > 0);
        free.max_by_key(|number| liking(contact, number)).cloned()
    }

    pub(super) fn show(&mut self, number: &Arc<str>) {
        let count = self.today.counts.entry(Arc::clone(number)).or_default();
        *count = count.saturating_add(1);
    }

    /// It was not shown after all to whom it would have been since `law`.
    pub(super) fn unshow(&mut self, law: Wall, number: &Arc<str>) {
        if law >= self.today.from
            && let Some(count) = self.today.counts.get_mut(number)
        {
            *count = count.saturating_sub(1);
        }
    }

    /// Numbers that are shown no more today, by trunk in their order.
    pub fn caller_ids_used_up(&self) -> impl Iterator<Item = usize> {
        let used_up = |trunk: &TrunkSpec| {
            let of = |number: &&Arc<str>| self.today.left(trunk, number) == 0;
            trunk.caller_ids.iter().filter(of).count()
        };
        self.config.trunks.iter().map(used_up)
    }
}

/// By rendezvous: a number that is added or taken away moves only the contacts that get or had it, and the order of the
/// list means nothing. FNV-1a, and a last mix because its high bits are weak on short inputs.
fn liking(contact: ContactId, number: &str) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = contact.0.to_be_bytes().into_iter().chain(number.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(contact: u32, numbers: &[&'a str]) -> &'a str {
        numbers.iter().max_by_key(|number| liking(ContactId(contact), number)).unwrap()
    }

    #[test]
    fn a_contact_keeps_its_number_whatever_the_order_and_a_new_number_moves_few() {
        let three = ["+999100000001", "+999100000002", "+999100000003"];
        let turned = ["+999100000003", "+999100000001", "+999100000002"];
        let four = ["+999100000004", "+999100000003", "+999100000001", "+999100000002"];
        let mut of_each = [0; 3];
        for contact in 1..=3_000 {
            let number = best(contact, &three);
            assert_eq!(number, best(contact, &turned));
            let after = best(contact, &four);
            assert!(after == number || after == "+999100000004", "moved to a number that was there before");
            of_each[three.iter().position(|known| *known == number).unwrap()] += 1;
        }
        assert!(of_each.iter().all(|count| (900..=1_100).contains(count)), "{of_each:?}");
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_of_its_zone_make_it() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let at = |text: &str| Wall::parse(text).unwrap();
        let (from, until) = day_of(&zone, at("2026-10-25T12:00:00+01:00"));
        assert_eq!((from, until), (at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")));
    }
}
