//! Shares: percentages of the YAML as exact parts per million, so that comparing and adding them never rounds.

use std::fmt;

/// Parts per million. `Share::percent(3.0)` is 3 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    pub ppm: u32,
}

impl Share {
    pub const ONE: Self = Self { ppm: 1_000_000 };

    pub const fn from_ppm(ppm: u32) -> Self {
        Self { ppm }
    }

    /// Reads `3%`, `0.5 %`; at most four decimals, at most 100 %.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || part.len() > 4 || !digits(whole) || !digits(part) {
            return None;
        }
        let ppm = whole.parse::<u32>().ok()? * 10_000 + format!("{part:0<4}").parse::<u32>().ok()?;
        (ppm <= Self::ONE.ppm).then_some(Self { ppm })
    }

    /// In `[0, 1]`.
    pub fn fraction(self) -> f64 {
        f64::from(self.ppm) / 1e6
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.ppm) / 10_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact() {
        assert_eq!(Share::parse("3%"), Some(Share::from_ppm(30_000)));
        assert_eq!(Share::parse("0.25 %"), Some(Share::from_ppm(2_500)));
        assert_eq!(Share::parse("100%"), Some(Share::ONE));
        for bad in ["101%", "3", "-1%", ".5%", "1.23456%", "%", "1e2%"] {
            assert_eq!(Share::parse(bad), None, "{bad}");
        }
        assert_eq!(Share::from_ppm(2_500).to_string(), "0.25%");
    }
}
