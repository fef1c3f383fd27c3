//! Columns that stand: dials by the hour, and within each the part that was answered.

use crate::cli::ahead::thousands;

use super::numbers::{round_up, share};
use super::svg::{Anchor, PAGE_WIDTH, Svg};
use crate::cli::report::figures::Hour;

const LEFT: f64 = 48.0;
const TOP: f64 = 16.0;
const HEIGHT: f64 = 130.0;

pub fn hours(id: &str, hours: &[Hour]) -> String {
    let most = hours.iter().map(|hour| hour.dialled).max().unwrap_or(0);
    let end = round_up(most as f64);
    let first = hours.first().map_or(0, |hour| hour.hour);
    let last = hours.last().map_or(first, |hour| hour.hour);
    let step = (PAGE_WIDTH - LEFT) / f64::from(last - first + 1);
    let says: Vec<String> = hours
        .iter()
        .map(|hour| format!("{:02}:00 {} dials, {} answered", hour.hour, hour.dialled, hour.answered))
        .collect();
    let mut svg = Svg::new(id, PAGE_WIDTH, TOP + HEIGHT + 34.0, "Dials by the hour of the contact", &says.join("; "));
    let y = |count: u64| TOP + HEIGHT * (1.0 - count as f64 / end);
    for part in [0.0, 0.5, 1.0] {
        let value = (end * part) as u64;
        svg.line("grid", (LEFT, y(value)), (LEFT + step * f64::from(last - first + 1), y(value)));
        svg.text("small", Anchor::End, (LEFT - 6.0, y(value) + 3.5), &thousands(value));
    }
    for hour in hours {
        let x = LEFT + step * f64::from(hour.hour - first);
        let (at, width) = (x + step * 0.12, step * 0.76);
        svg.rect("outline", (at, y(hour.dialled)), (width, TOP + HEIGHT - y(hour.dialled)));
        svg.rect("bar", (at, y(hour.answered)), (width, TOP + HEIGHT - y(hour.answered)));
        let middle = x + step / 2.0;
        svg.text("small halo", Anchor::Middle, (middle, y(hour.dialled) - 3.0), &thousands(hour.dialled));
        svg.text("small", Anchor::Middle, (middle, TOP + HEIGHT + 13.0), &format!("{:02}", hour.hour));
        svg.text("small", Anchor::Middle, (middle, TOP + HEIGHT + 27.0), &share(hour.answered, hour.dialled));
    }
    svg.line("axis", (LEFT, TOP + HEIGHT), (LEFT + step * f64::from(last - first + 1), TOP + HEIGHT));
    svg.done()
}
