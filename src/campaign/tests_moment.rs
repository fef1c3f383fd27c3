//! Moments as tests write them: on the customer's clock, on a named one, or with an offset.

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::Wall;

use super::decode::unit::parse_date;

/// Why a text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    #[error("is not a moment")]
    Shape,
    #[error("is a local time, and nobody knows the customer's zone")]
    NoZone,
    #[error("names the time zone `{0}`, which there is not")]
    UnknownZone(String),
    #[error("never comes in {0}: the clock skips it")]
    Skipped(String),
    #[error("comes twice in {0}: the clock is put back")]
    Twice(String),
}

/// `2026-12-03T20:05+08:00`, `2026-12-03 20:05 Asia/Shanghai`, or `2026-12-03 20:05` on the clock of `zone`.
pub fn parse_moment(text: &str, zone: Option<&str>) -> Result<Wall, MomentError> {
    if let Ok(at) = Wall::parse(text) {
        return Ok(at);
    }
    let mut words = text.split_whitespace();
    let first = words.next().ok_or(MomentError::Shape)?;
    let (date, time) = match first.split_once('T') {
        Some(parts) => parts,
        None => (first, words.next().ok_or(MomentError::Shape)?),
    };
    let named = words.next();
    if words.next().is_some() {
        return Err(MomentError::Shape);
    }
    let date = parse_date(date).ok_or(MomentError::Shape)?;
    let local = DateTime::from_parts(date, parse_time(time).ok_or(MomentError::Shape)?);
    let zone = named.or(zone).ok_or(MomentError::NoZone)?;
    let found = TimeZone::get(zone).map_err(|_| MomentError::UnknownZone(zone.chars().take(60).collect()))?;
    let there = found.to_ambiguous_timestamp(local);
    match there.offset() {
        AmbiguousOffset::Unambiguous { .. } => there.compatible().map(Wall::from).map_err(|_| MomentError::Shape),
        AmbiguousOffset::Gap { .. } => Err(MomentError::Skipped(zone.to_owned())),
        AmbiguousOffset::Fold { .. } => Err(MomentError::Twice(zone.to_owned())),
    }
}

/// As [`parse_moment`] reads it back, with seconds only where there are any. UTC without a zone.
pub fn show_moment(at: Wall, zone: Option<&str>) -> String {
    let Some(found) = zone.and_then(|zone| TimeZone::get(zone).ok()) else { return at.to_string() };
    let local = found.to_datetime(at.timestamp());
    let minutes = format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute());
    let seconds = if local.second() == 0 { String::new() } else { format!(":{:02}", local.second()) };
    format!("{minutes}{seconds} {}", zone.unwrap_or("UTC"))
}

/// `HH:MM` or `HH:MM:SS`.
fn parse_time(text: &str) -> Option<Time> {
    let shape = matches!(text.len(), 5 | 8)
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 2 | 5) { b == b':' } else { b.is_ascii_digit() });
    if !shape {
        return None;
    }
    let number = |from: usize| text.get(from..from + 2).and_then(|two| two.parse::<i8>().ok());
    let second = if text.len() == 8 { number(6)? } else { 0 };
    Time::new(number(0)?, number(3)?, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, zone: Option<&str>) -> String {
        parse_moment(text, zone).map_or_else(|error| error.to_string(), |at| at.to_string())
    }

    #[test]
    fn a_moment_is_local_zoned_or_absolute() {
        let shanghai = Some("Asia/Shanghai");
        for text in [
            "2026-12-03T20:05+08:00",
            "2026-12-03T20:05:00+08:00",
            "2026-12-03T12:05Z",
            "2026-12-03 20:05",
            "2026-12-03T20:05",
            "2026-12-03 07:05 America/New_York",
        ] {
            assert_eq!(utc(text, shanghai), "2026-12-03T12:05:00Z", "{text}");
        }
        assert_eq!(utc("2026-12-03 20:05:31", shanghai), "2026-12-03T12:05:31Z");
    }

    #[test]
    fn what_is_no_moment_says_why() {
        for text in
            ["", "tomorrow", "2026-12-03", "20:05", "2026-12-03 25:00", "2026-12-03 8:00", "2026-12-03 08:00 a b"]
        {
            assert_eq!(utc(text, Some("UTC")), "is not a moment", "{text}");
        }
        assert!(utc("2026-12-03 20:05", None).contains("nobody knows"));
        assert!(utc("2026-12-03 20:05 Asia/Nowhere", None).contains("`Asia/Nowhere`"));
    }

    #[test]
    fn a_time_that_the_clock_skips_or_repeats_is_refused() {
        let york = Some("America/New_York");
        assert!(utc("2026-03-08 02:30", york).contains("skips"));
        assert!(utc("2026-11-01 01:30", york).contains("twice"));
    }

    #[test]
    fn a_moment_is_shown_as_it_is_written() {
        let at = parse_moment("2026-12-03 20:05", Some("Asia/Shanghai")).unwrap();
        assert_eq!(show_moment(at, Some("Asia/Shanghai")), "2026-12-03 20:05 Asia/Shanghai");
        assert_eq!(show_moment(at, None), "2026-12-03T12:05:00Z");
    }
}
