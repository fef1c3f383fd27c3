//! Moments of tests, with what to do where a text is none.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::{Code, Span, Wall};
use crate::campaign::decode::{Findings, Spanned, shortened};
use crate::campaign::{MomentError, parse_moment};
use crate::contact::Then;

use super::Subject;

pub(super) fn moment(text: &Spanned<String>, zone: Option<&str>, findings: &mut Findings) -> Option<Wall> {
    moment_at(&text.value, text.span, zone, findings)
}

/// As [`moment`], of a part of a text.
pub(super) fn moment_at(text: &str, span: Span, zone: Option<&str>, findings: &mut Findings) -> Option<Wall> {
    let error = match parse_moment(text, zone) {
        Ok(at) => return Some(at),
        Err(error) => error,
    };
    let hint = match &error {
        MomentError::Shape => "\"2026-12-03 20:05\" on the customer's clock, or \"2026-12-03T20:05+08:00\"",
        MomentError::NoZone => "add a zone, \"2026-12-03 20:05 Asia/Shanghai\", or give the customer one",
        MomentError::UnknownZone(_) => "a name of the IANA database, as Asia/Shanghai",
        MomentError::Skipped(_) | MomentError::Twice(_) => "say it with an offset: \"2026-11-01T01:30-04:00\"",
    };
    findings.error_hint(span, Code::BadValue, format!("`{}` {error}", shortened(text)), hint);
    None
}

/// When somebody asked to be called back: only a conversation that ends with that wish has such a moment. `None` for a
/// mistake.
#[expect(clippy::option_option, reason = "a mistake, nothing, or a moment")]
pub(super) fn callback(
    subject: Subject<'_>,
    text: Option<&Spanned<String>>,
    disposition: Option<&str>,
    zone: Option<&str>,
    findings: &mut Findings,
) -> Option<Option<Wall>> {
    let Some(text) = text else { return Some(None) };
    let meaning = disposition.and_then(|name| subject.campaign.dispositions.get(name));
    if !meaning.is_some_and(|meaning| meaning.then.contains(&Then::Callback)) {
        let hint = "a disposition with `then: callback`";
        findings.error_hint(text.span, Code::Contradiction, "nobody asked to be called back here", hint);
        return None;
    }
    moment(text, zone, findings).map(Some)
}

/// Of a day in a zone, UTC without one.
pub(super) fn midnight(day: Date, zone: Option<&str>) -> Wall {
    let zone = zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
    let start = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
    start.map(Wall::from).unwrap_or_default()
}
