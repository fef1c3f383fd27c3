//! Numbers as readers write them.

use crate::cli::ahead::thousands;

use crate::cli::report::figures::Rate;

/// `12.3 %`, with as many digits as the number can carry.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<\u{a0}0.1\u{a0}%".to_owned()
    } else if percent >= 99.95 || percent == 0.0 {
        format!("{percent:.0}\u{a0}%")
    } else {
        format!("{percent:.1}\u{a0}%")
    }
}

/// A part of a whole: `12.3 %`, or a dash where there is no whole.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { percent(part as f64 / whole as f64) }
}

/// `12.3 %°`: few are marked.
pub fn rate(rate: &Rate) -> String {
    let mark = if rate.few { "°" } else { "" };
    rate.rate.map_or_else(|| "–".to_owned(), |value| format!("{}{mark}", percent(value)))
}

/// `10.4–14.6 %`
pub fn interval(rate: &Rate) -> String {
    match (rate.low, rate.high) {
        (Some(low), Some(high)) => format!("{:.1}–{:.1}\u{a0}%", low * 100.0, high * 100.0),
        (None, _) | (_, None) => String::new(),
    }
}

/// The rate, what it is of, and its interval, below one another.
pub fn stacked(of_what: &Rate) -> String {
    if of_what.of == 0 {
        return "–".to_owned();
    }
    format!("{}\n{}\n{}", rate(of_what), of(of_what), interval(of_what))
}

/// On an axis: `25 %`, `2.5 %`
pub fn tick(share: f64) -> String {
    format!("{}\u{a0}%", (share * 10_000.0).round() / 100.0)
}

/// `34 of 276`
pub fn of(rate: &Rate) -> String {
    format!("{} of {}", thousands(rate.hits), thousands(rate.of))
}

/// `3 h 12 min`, `12 min`, `45 s`
pub fn span(seconds: u64) -> String {
    match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 3_600 => format!("{} min", s / 60),
        s => format!("{} h {:02} min", thousands(s / 3_600), s % 3_600 / 60),
    }
}

/// The same, or a dash where nobody can tell.
pub fn maybe_span(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), span)
}

/// The end of an axis: the smallest of 1, 2, 2.5 or 5 times a power of ten that holds `most`.
pub fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= most * 0.999_999);
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_the_readers_units() {
        let shown = [0.0, 0.0001, 0.1234, 1.0].map(percent);
        assert_eq!(shown, ["0\u{a0}%", "<\u{a0}0.1\u{a0}%", "12.3\u{a0}%", "100\u{a0}%"]);
        assert_eq!((share(1, 0).as_str(), share(1, 4).as_str()), ("–", "25.0\u{a0}%"));
        assert_eq!([45, 700, 11_520].map(span), ["45 s", "11 min", "3 h 12 min"]);
        let few = Rate::new(3, 10);
        assert_eq!((rate(&few).as_str(), interval(&few).as_str()), ("30.0\u{a0}%°", "10.8–60.3\u{a0}%"));
        assert_eq!(
            (rate(&Rate::new(3, 100)).as_str(), of(&Rate::new(1_200, 3_400)).as_str()),
            ("3.0\u{a0}%", "1,200 of 3,400")
        );
        assert_eq!((interval(&Rate::new(0, 0)).as_str(), stacked(&Rate::new(0, 0)).as_str()), ("", "–"));
        assert_eq!(stacked(&few), "30.0\u{a0}%°\n3 of 10\n10.8–60.3\u{a0}%");
        assert_eq!([0.25, 0.025].map(tick), ["25\u{a0}%", "2.5\u{a0}%"]);
    }

    #[test]
    fn axes_end_on_a_round_number() {
        let ends = [0.0, 0.12, 0.2, 0.21, 731.0, 1_000.0].map(round_up);
        let shown = ends.map(|end| format!("{end:.2}"));
        assert_eq!(shown, ["1.00", "0.20", "0.20", "0.25", "1000.00", "1000.00"]);
    }
}
