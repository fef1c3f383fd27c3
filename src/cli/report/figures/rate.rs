//! A share with the number it is of, and how far chance alone may carry it.

use serde::Serialize;

use crate::model::drift::wilson;

/// Below this a rate is marked: its interval is wider than most differences that anybody would act on.
pub const FEW: u64 = 30;

/// Standard normal quantile of a two-sided interval of 95 %.
const Z: f64 = 1.959_964;

/// `low` and `high` are Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22:209), which keeps its promise for
/// small numbers and for rates near 0 and 1 (Brown, Cai and DasGupta 2001, Stat. Sci. 16:101).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "what it is called in the JSON")]
pub struct Rate {
    pub hits: u64,
    pub of: u64,
    /// `None` of nothing.
    pub rate: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub few: bool,
}

impl Rate {
    pub fn new(hits: u64, of: u64) -> Self {
        let interval = (of > 0).then(|| interval(hits, of));
        Self {
            hits,
            of,
            rate: (of > 0).then(|| hits as f64 / of as f64),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            few: of < FEW,
        }
    }
}

/// Never past the rate itself, nor past 0 and 1, by rounding.
fn interval(hits: u64, of: u64) -> (f64, f64) {
    let p = hits as f64 / of as f64;
    let (low, high) = wilson(p, of as f64, Z);
    (low.clamp(0.0, p), high.clamp(p, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe 1998, Stat. Med. 17:857, table I, method 3.
    #[test]
    fn intervals_are_those_of_the_textbook() {
        let cases =
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)];
        for (hits, of, low, high) in cases {
            let rate = Rate::new(hits, of);
            assert!((rate.low.unwrap() - low).abs() < 1e-4 && (rate.high.unwrap() - high).abs() < 1e-4, "{rate:?}");
        }
        assert_eq!(Rate::new(10, 10).high, Some(1.0));
    }

    #[test]
    fn of_nothing_there_is_no_rate_and_of_little_it_is_marked() {
        assert_eq!((Rate::new(0, 0).rate, Rate::new(0, 0).low), (None, None));
        assert!(Rate::new(1, FEW - 1).few && !Rate::new(1, FEW).few);
    }
}
