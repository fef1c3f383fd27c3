//! Readers of values with units: durations, shares, times of day, dates, zones.

use std::time::Duration;

use jiff::civil::Date;

use crate::base::{Code, Share};
use crate::campaign::{Minute, Promise, Window};

use super::fields::shortened;
use super::scalar::{is_ambiguous, plain_text, report_ambiguous};
use super::{Findings, Node};

/// Ten years: beyond it nobody means a duration.
const LONGEST: Duration = Duration::from_hours(87_600);

/// `1500ms 30s 15m 20h 7d`. `d` is 24 hours.
pub fn duration(node: &Node, findings: &mut Findings) -> Option<Duration> {
    let scalar = node.scalar("a duration", findings)?;
    if is_ambiguous(scalar) {
        report_ambiguous(scalar, node.span, findings);
        return None;
    }
    if let Some(duration) = parse_duration(&scalar.text) {
        return Some(duration);
    }
    let bare = !scalar.text.is_empty() && scalar.text.bytes().all(|b| b.is_ascii_digit());
    let hint =
        if bare { "give the unit: ms, s, m, h or d" } else { "a whole number and a unit: 1500ms, 30s, 15m, 20h, 7d" };
    findings.error_hint(node.span, Code::BadValue, format!("`{}` is not a duration", shortened(&scalar.text)), hint);
    None
}

/// A duration of a range, both ends included.
pub fn duration_in(range: std::ops::RangeInclusive<Duration>) -> impl Fn(&Node, &mut Findings) -> Option<Duration> {
    move |node, findings| {
        let found = duration(node, findings)?;
        if range.contains(&found) {
            return Some(found);
        }
        let message = format!("{} is out of range: {} to {}", show(found), show(*range.start()), show(*range.end()));
        findings.error(node.span, Code::BadValue, message);
        None
    }
}

/// How long something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    For(Duration),
    Forever,
}

/// A duration, or `forever`.
pub fn lasting(node: &Node, findings: &mut Findings) -> Option<Lasting> {
    if node.scalar("a duration or `forever`", findings)?.text == "forever" {
        return Some(Lasting::Forever);
    }
    duration(node, findings).map(Lasting::For)
}

/// `30%`, `0.5%`.
pub fn share(node: &Node, findings: &mut Findings) -> Option<Share> {
    let scalar = node.scalar("a percentage", findings)?;
    let found = Share::parse(&scalar.text);
    if found.is_none() {
        let message = format!("`{}` is not a percentage", shortened(&scalar.text));
        findings.error_hint(node.span, Code::BadValue, message, "0% to 100%, with the sign: 30%, 0.5%");
    }
    found
}

/// `"09:00-12:00"`, quoted.
pub fn window(node: &Node, findings: &mut Findings) -> Option<Window> {
    let text = plain_text(node, "a time window", findings)?;
    let found = Window::parse(text);
    if found.is_none() {
        let message = format!("`{}` is not a time window", shortened(text));
        let hint = "\"HH:MM-HH:MM\" within one day, the end after the start; a night is two windows";
        findings.error_hint(node.span, Code::BadValue, message, hint);
    }
    found
}

/// `"15:00"`, quoted, or a duration of up to thirty days.
pub fn promise(node: &Node, findings: &mut Findings) -> Option<Promise> {
    const LATEST: Duration = Duration::from_hours(30 * 24);
    let text = &node.scalar("a time of day or a duration", findings)?.text;
    if !text.contains(':') {
        return duration_in(Duration::from_mins(1)..=LATEST)(node, findings).map(Promise::After);
    }
    let text = plain_text(node, "a time of day", findings)?;
    let found = Minute::parse(text).filter(|minute| *minute < Minute::END_OF_DAY);
    if found.is_none() {
        findings.error_hint(
            node.span,
            Code::BadValue,
            format!("`{}` is not a time of day", shortened(text)),
            "\"HH:MM\", 00:00 to 23:59",
        );
    }
    found.map(Promise::Clock)
}

/// `"2026-12-01"`, quoted.
pub fn date(node: &Node, findings: &mut Findings) -> Option<Date> {
    let text = plain_text(node, "a date", findings)?;
    let found = parse_date(text);
    if found.is_none() {
        findings.error_hint(
            node.span,
            Code::BadValue,
            format!("`{}` is not a date", shortened(text)),
            "\"YYYY-MM-DD\"",
        );
    }
    found
}

/// `YYYY-MM-DD` and nothing else: jiff itself would take times and zones as well.
pub fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return None;
    }
    text.parse().ok()
}

/// How we write durations back in messages: the largest unit that divides.
pub fn show(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms >= size && ms.is_multiple_of(size) {
            return format!("{}{unit}", ms / size);
        }
    }
    format!("{ms}ms")
}

/// See [`duration`].
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    if number.is_empty() || number.len() > 12 || (number.len() > 1 && number.starts_with('0')) {
        return None;
    }
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let duration = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(unit_ms)?);
    (duration <= LONGEST).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_with_exactly_one_unit() {
        assert_eq!(parse_duration("1500ms"), Some(Duration::from_millis(1_500)));
        assert_eq!(parse_duration("7d"), Some(Duration::from_hours(168)));
        assert_eq!(parse_duration("0s"), Some(Duration::ZERO));
        for bad in
            ["", "15", "m", "1.5h", "-1s", "1h30m", "1 h", "1H", "015m", "99999999999d", "999999999999999s", "5月"]
        {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(show(Duration::from_hours(24)), "1d");
        assert_eq!(show(Duration::from_secs(90)), "90s");
    }

    #[test]
    fn dates_read_in_one_form_only() {
        assert_eq!(parse_date("2026-12-01"), Some(jiff::civil::date(2026, 12, 1)));
        for bad in ["2026-2-1", "2026-13-01", "2026-02-30", "20261201", "2026-12-01T00:00", "+026-12-01"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
