//! Predicted against observed by deciles, and the curve of gains.

use super::numbers::{percent, round_up, tick};
use super::svg::{Anchor, Svg};
use crate::cli::report::figures::Scores;

const WIDTH: f64 = 350.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 36.0;

/// From values of the upright axis to the picture.
#[derive(Clone, Copy, Debug)]
struct Frame {
    top_value: f64,
}

pub fn deciles(id: &str, scores: &Scores) -> String {
    let seen = |decile: &crate::cli::report::figures::Decile| decile.observed.high.unwrap_or(0.0).max(decile.predicted);
    let frame = Frame { top_value: round_up(scores.deciles.iter().map(seen).fold(0.0, f64::max)) };
    let says: Vec<String> = scores
        .deciles
        .iter()
        .map(|one| {
            let observed = one.observed.rate.unwrap_or(0.0);
            format!("decile {}: predicted {}, observed {}", one.decile, percent(one.predicted), percent(observed))
        })
        .collect();
    let mut svg = Svg::new(id, WIDTH, HEIGHT, "Predicted against observed conversions", &says.join("; "));
    frame.grid(&mut svg);
    let step = (WIDTH - LEFT - RIGHT) / 10.0;
    for one in &scores.deciles {
        let x = LEFT + step * (f64::from(one.decile) - 0.5);
        if let (Some(rate), Some(low), Some(high)) = (one.observed.rate, one.observed.low, one.observed.high) {
            svg.line("whisker", (x, frame.y(low)), (x, frame.y(high)));
            for end in [low, high] {
                svg.line("whisker", (x - 4.0, frame.y(end)), (x + 4.0, frame.y(end)));
            }
            let class = if one.observed.few { "observed hollow" } else { "observed" };
            svg.circle(class, (x, frame.y(rate)), 4.0);
        }
        svg.diamond("predicted", (x, frame.y(one.predicted)), 5.0);
        svg.text("small", Anchor::Middle, (x, HEIGHT - BOTTOM + 13.0), &one.decile.to_string());
    }
    svg.text("small", Anchor::Middle, (LEFT + step * 5.0, HEIGHT - 6.0), "decile of the score, 1 the highest");
    svg.done()
}

pub fn gains(id: &str, scores: &Scores) -> String {
    let frame = Frame { top_value: 1.0 };
    let says: Vec<String> = scores
        .capture
        .iter()
        .filter_map(|one| Some(format!("the best {} % have {}", one.best_percent, percent(one.conversions?))))
        .collect();
    let says = format!("Share of conversions: {}", says.join("; "));
    let mut svg = Svg::new(id, WIDTH, HEIGHT, "Gains of the score", &says);
    frame.grid(&mut svg);
    svg.line("chance", (x(0.0), frame.y(0.0)), (x(1.0), frame.y(1.0)));
    let points: Vec<_> = scores.gains.iter().map(|gain| (x(gain.customers), frame.y(gain.conversions))).collect();
    svg.polyline("curve", &points);
    for one in &scores.capture {
        let Some(conversions) = one.conversions else { continue };
        let best = f64::from(one.best_percent) / 100.0;
        let at = (x(best), frame.y(conversions));
        svg.line("grid", (at.0, frame.y(0.0)), at);
        svg.circle("observed", at, 4.0);
        // The first one on the other side, where a flat curve would put it under the second.
        let (anchor, beside) =
            if one.best_percent > 10 { (Anchor::Start, (7.0, 11.0)) } else { (Anchor::Middle, (0.0, -8.0)) };
        svg.text("label halo", anchor, (at.0 + beside.0, at.1 + beside.1), &percent(conversions));
    }
    for part in [0.0, 0.1, 0.2, 0.5, 1.0] {
        svg.text("small", Anchor::Middle, (x(part), HEIGHT - BOTTOM + 13.0), &format!("{:.0}", part * 100.0));
    }
    let middle = f64::midpoint(x(0.0), x(1.0));
    svg.text("small", Anchor::Middle, (middle, HEIGHT - 6.0), "best customers by score, % of all reached");
    svg.done()
}

fn x(share: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * share
}

impl Frame {
    fn y(self, value: f64) -> f64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / self.top_value)
    }

    fn grid(self, svg: &mut Svg) {
        for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = self.y(self.top_value * part);
            svg.line(if part == 0.0 { "axis" } else { "grid" }, (LEFT, y), (WIDTH - RIGHT, y));
            svg.text("small", Anchor::End, (LEFT - 5.0, y + 3.5), &tick(self.top_value * part));
        }
    }
}
