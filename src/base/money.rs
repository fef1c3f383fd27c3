//! Money as exact decimals, and what a call costs by a tariff.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::time::Duration;

/// Millionths of the currency that the bank counts in: carriers bill by fractions of a cent. Adding stops at the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    pub millionths: u64,
}

/// What calls over a trunk cost. A call that nobody answers costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
    pub per_minute: Money,
    /// Of each answered call, beside its time.
    pub per_call: Money,
    /// Talk time is billed in whole steps of this; at least 1.
    pub billed_by_s: u32,
}

impl Money {
    pub const ZERO: Self = Self { millionths: 0 };
    /// More than anybody means.
    pub const MAX_UNITS: u64 = 1_000_000_000;
    const MILLION: u64 = 1_000_000;

    pub const fn from_millionths(millionths: u64) -> Self {
        Self { millionths }
    }

    /// Reads `2000`, `2000.00`, `0.0125`: digits, at most six of them behind the point, at most [`Money::MAX_UNITS`].
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let part = part.unwrap_or("0");
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return None;
        }
        let units = whole.parse::<u64>().ok().filter(|units| *units <= Self::MAX_UNITS)?;
        Some(Self { millionths: units * Self::MILLION + format!("{part:0<6}").parse::<u64>().ok()? })
    }

    /// For a gauge, which nobody adds up.
    pub fn units(self) -> f64 {
        self.millionths as f64 / 1e6
    }

    pub fn times(self, count: u32) -> Self {
        Self { millionths: self.millionths.saturating_mul(count.into()) }
    }

    pub fn less(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_sub(other.millionths) }
    }
}

impl Tariff {
    /// Of an answered call. A fraction of a millionth counts whole: never less than the carrier's bill.
    pub fn cost(&self, talk: Duration) -> Money {
        let step = u64::from(self.billed_by_s.max(1));
        let talk_s = talk.as_secs() + u64::from(talk.subsec_nanos() > 0);
        let billed_s = talk_s.div_ceil(step).max(1).saturating_mul(step);
        let exact = u128::from(self.per_minute.millionths) * u128::from(billed_s);
        Money { millionths: u64::try_from(exact.div_ceil(60)).unwrap_or(u64::MAX) } + self.per_call
    }

    /// The least that an answered call costs.
    pub fn least(&self) -> Money {
        self.cost(Duration::ZERO)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { millionths: self.millionths.saturating_add(other.millionths) }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// `2,000` is written `2000.00`: two digits behind the point at least.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.millionths % Self::MILLION);
        let (cents, rest) = part.split_at_checked(2).unwrap_or((&part, ""));
        write!(f, "{}.{cents}{}", self.millionths / Self::MILLION, rest.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact_and_anything_else_is_no_money() {
        for (text, shown) in [("2000", "2000.00"), ("0.05", "0.05"), ("0.0125", "0.0125"), ("0.000001", "0.000001")] {
            assert_eq!(money(text).to_string(), shown);
        }
        assert_eq!(money("1000000000").millionths, Money::MAX_UNITS * 1_000_000);
        for bad in ["", ".5", "5.", "-1", "+1", "1e3", "1,000", "0.0000001", "1000000001", "99999999999999999999", "1 "]
        {
            assert_eq!(Money::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn talk_time_is_billed_in_steps_that_have_begun() {
        let tariff = Tariff { per_minute: money("0.05"), per_call: money("0.01"), billed_by_s: 60 };
        for (talk_ms, cost) in [(0, "0.06"), (1, "0.06"), (60_000, "0.06"), (60_001, "0.11"), (600_000, "0.51")] {
            assert_eq!(tariff.cost(Duration::from_millis(talk_ms)), money(cost), "{talk_ms} ms");
        }
        let by_second = Tariff { per_minute: money("0.01"), per_call: Money::ZERO, billed_by_s: 1 };
        assert_eq!(by_second.cost(Duration::from_millis(6_500)).millionths, 1_167, "rounded up, once");
        assert_eq!(tariff.least(), money("0.06"));
    }
}
