//! The week as a map: a line per weekday, a column per hour of the contact's clock.

use std::collections::BTreeMap;

use crate::cli::ahead::thousands;

use super::numbers::percent;
use super::svg::{Anchor, PAGE_WIDTH, Svg, is_dark};
use crate::cli::report::figures::{FEW, HalfHour, SeedSays};

/// What a map shows of each cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// The chance of an answer that was believed at the dials: the seed, and what was learned.
    Believed,
    Answered,
    Converted,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    tried: u64,
    hits: f64,
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LEFT: f64 = 40.0;
const TOP: f64 = 18.0;
const ROW: f64 = 28.0;
/// This share of the lowest rate is white, so that differences show and small ones are not made large.
const WHITE: f64 = 0.6;
/// Cells of so many hours or more have no room for a second line of two numbers.
const WIDE: u8 = 15;

pub fn heat(id: &str, map: Map, slots: &[HalfHour]) -> String {
    let cells = cells(map, slots);
    let hours = slots.iter().map(|slot| slot.half_hour / 2);
    let (first, last) = (hours.clone().min().unwrap_or(0), hours.max().unwrap_or(0));
    let columns = last - first + 2;
    let step = (PAGE_WIDTH - LEFT) / f64::from(columns);
    let step = step.min(62.0);
    let (title, says) = map.words();
    let mut svg = Svg::new(id, PAGE_WIDTH, TOP + ROW * 8.0 + 4.0, title, &format!("{says} {}", read_out(map, &cells)));
    let average = Cell::sum(cells.values());
    let seen = cells.values().filter(|cell| cell.tried > 0).map(|cell| cell.shrunk(average));
    let (least, most) = seen.fold((f64::MAX, 0.0), |(least, most), rate| (rate.min(least), rate.max(most)));
    let white = least * WHITE;
    let x = |hour: u8| LEFT + step * f64::from(hour - first);
    for hour in first..=last {
        svg.text("small", Anchor::Middle, (x(hour) + step / 2.0, 12.0), &format!("{hour:02}"));
    }
    svg.text("small", Anchor::Middle, (x(last + 1) + step / 2.0, 12.0), "all");
    for day in 0..=7_u8 {
        let y = TOP + ROW * f64::from(day);
        let name = DAYS.get(usize::from(day)).copied().unwrap_or("all");
        svg.text("label", Anchor::End, (LEFT - 6.0, y + 17.0), name);
        for hour in first..=last + 1 {
            let part = cells.iter().filter(|((d, h), _)| (day == 7 || *d == day) && (hour > last || *h == hour));
            let cell = Cell::sum(part.map(|(_, cell)| cell));
            let shade = if most > 0.0 { (cell.shrunk(average) - white) / (most - white) } else { 0.0 };
            cell.draw(map, &mut svg, (x(hour), y), (step, ROW), (shade, columns < WIDE));
        }
    }
    for slot in slots.iter().filter(|slot| slot.seed > SeedSays::Ordinary) {
        let left = x(slot.half_hour / 2) + step / 2.0 * f64::from(slot.half_hour % 2);
        let y = TOP + ROW * f64::from(slot.weekday) + ROW - 6.5;
        let class = if slot.seed == SeedSays::GoldenForAll { "golden" } else { "golden some" };
        svg.rect(class, (left, y), (step / 2.0, 3.5));
    }
    svg.done()
}

fn cells(map: Map, slots: &[HalfHour]) -> BTreeMap<(u8, u8), Cell> {
    let mut cells: BTreeMap<(u8, u8), Cell> = BTreeMap::new();
    for slot in slots {
        let cell = cells.entry((slot.weekday, slot.half_hour / 2)).or_default();
        cell.tried += slot.tried;
        cell.hits += match map {
            Map::Believed => slot.believed.unwrap_or(0.0) * slot.tried as f64,
            Map::Answered => slot.answered as f64,
            Map::Converted => slot.converted as f64,
        };
    }
    cells
}

/// For those who do not see it: the three best cells that are not few.
fn read_out(map: Map, cells: &BTreeMap<(u8, u8), Cell>) -> String {
    let mut best: Vec<_> = cells.iter().filter(|(_, cell)| cell.tried >= FEW).collect();
    best.sort_by(|(_, a), (_, b)| b.rate().total_cmp(&a.rate()));
    let cell = |((day, hour), cell): &(&(u8, u8), &Cell)| {
        let day = DAYS.get(usize::from(*day)).copied().unwrap_or("");
        format!("{day} {hour:02}:00 {} {}", percent(cell.rate()), cell.count(map))
    };
    let best: Vec<String> = best.iter().take(3).map(cell).collect();
    if best.is_empty() {
        return format!("No cell has {FEW} dials yet.");
    }
    format!("Highest: {}.", best.join("; "))
}

impl Map {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Believed => ("Believed at the dial", "Chance of an answer that the dialer reckoned with."),
            Self::Answered => ("Answered", "Share of dials that were answered."),
            Self::Converted => ("Converted", "Share of dials that ended in a success."),
        }
    }
}

impl Cell {
    fn sum<'a>(cells: impl Iterator<Item = &'a Self>) -> Self {
        cells.fold(Self::default(), |a, b| Self { tried: a.tried + b.tried, hits: a.hits + b.hits })
    }

    fn rate(self) -> f64 {
        if self.tried == 0 { 0.0 } else { self.hits / self.tried as f64 }
    }

    /// Drawn towards the average as if that had been seen `FEW` times: little data makes no dark cells.
    fn shrunk(self, average: Self) -> f64 {
        let weight = FEW as f64;
        (self.hits + weight * average.rate()) / (self.tried as f64 + weight)
    }

    fn count(self, map: Map) -> String {
        match map {
            Map::Believed => format!("n {}", thousands(self.tried)),
            Map::Answered | Map::Converted => format!("{:.0}/{}", self.hits, self.tried),
        }
    }

    fn draw(self, map: Map, svg: &mut Svg, at: (f64, f64), size: (f64, f64), (shade, both): (f64, bool)) {
        let inner = (size.0 - 1.5, size.1 - 1.5);
        if self.tried == 0 {
            svg.rect("empty", at, inner);
            return;
        }
        let few = self.tried < FEW;
        if few {
            svg.rect("few", at, inner);
        } else {
            svg.shaded(shade, at, inner);
        }
        let (x, y) = (at.0 + size.0 / 2.0, at.1);
        let class = match (few, is_dark(shade)) {
            (true, _) => ("cell grey", "count grey"),
            (false, true) => ("cell white", "count white"),
            (false, false) => ("cell", "count"),
        };
        let rate = if both { percent(self.rate()) } else { format!("{:.0}", self.rate() * 100.0) };
        svg.text(class.0, Anchor::Middle, (x, y + 10.5), &rate);
        let count = if both { self.count(map) } else { thousands(self.tried) };
        svg.text(class.1, Anchor::Middle, (x, y + 19.5), &count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(half_hour: u8, tried: u64, answered: u64) -> HalfHour {
        let seed = SeedSays::Ordinary;
        HalfHour { weekday: 1, half_hour, seed, tried, answered, right_party: 0, converted: 0, believed: Some(0.2) }
    }

    #[test]
    fn two_half_hours_are_one_cell_and_a_few_dials_make_no_dark_one() {
        let slots = [slot(20, 60, 30), slot(21, 40, 10), slot(24, 2, 2)];
        let cells = cells(Map::Answered, &slots);
        let (ten, noon) = (cells.get(&(1, 10)).unwrap(), cells.get(&(1, 12)).unwrap());
        assert_eq!((ten.tried, ten.count(Map::Answered).as_str()), (100, "40/100"));
        let average = Cell::sum(cells.values());
        assert!(noon.rate() > ten.rate() && noon.shrunk(average) < noon.rate() / 2.0);
        let picture = heat("a", Map::Answered, &slots);
        assert!(picture.contains("class=\"few\"") && picture.contains("40/100"), "{picture}");
        assert!(picture.contains("Highest: Tue 10:00 40.0\u{a0}% 40/100."), "{picture}");
    }

    #[test]
    fn the_seed_is_marked_to_the_half_hour() {
        let golden = HalfHour { seed: SeedSays::GoldenForAll, ..slot(21, 0, 0) };
        let some = HalfHour { seed: SeedSays::GoldenForSome, ..slot(22, 0, 0) };
        let picture = heat("a", Map::Believed, &[golden, some]);
        assert_eq!(picture.matches("class=\"golden\"").count(), 1);
        assert_eq!(picture.matches("class=\"golden some\"").count(), 1);
    }
}
