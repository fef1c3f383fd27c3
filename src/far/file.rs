//! Reads a population file. What it does not say is as in the default town.

use std::path::Path;
use std::time::Duration;

use crate::base::{Code, Diagnostic};
use crate::campaign::Window;
use crate::campaign::decode::{Entry, Fields, Findings, Node, parse, scalar, source_text, unit};
use crate::contact::Zones;
use crate::sim::Population;

use super::town::{Queue, Segment, Town};

const SEGMENTS_MAX: usize = 256;

/// All mistakes at once, for `base::render`.
pub fn load(path: &Path) -> Result<Town, Vec<Diagnostic>> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => read(&name, &bytes),
        Err(error) => Err(vec![Diagnostic::error(Code::File, format!("{name}: {error}"))]),
    }
}

/// `name` is for messages.
pub fn read(name: &str, bytes: &[u8]) -> Result<Town, Vec<Diagnostic>> {
    let source = source_text(name, bytes).map_err(|error| vec![error])?;
    let mut findings = Findings::new(&source);
    let town = parse(&source, &mut findings).and_then(|root| town(&root, &mut findings));
    match town {
        Some(town) if !findings.has_errors() => Ok(town),
        Some(_) | None => Err(findings.into_list()),
    }
}

fn town(root: &Node, findings: &mut Findings) -> Option<Town> {
    let mut fields = root.fields("a population", findings)?;
    let mut town = Town::default();
    set(&mut town.people.seed, fields.optional("seed", findings, |node, f| scalar::integer(node, 0..=1 << 53, f)));
    set(&mut town.people.pace, fields.optional("pace", findings, share));
    set(&mut town.zone, fields.optional("zone", findings, zone));
    set(&mut town.zones, fields.optional("zones", findings, |node, f| by_prefix(node, f, zone)));
    if let Some(node) = fields.take("people") {
        people(node, &mut town.people, findings);
    }
    if let Some(node) = fields.take("segments") {
        let base = town.people.clone();
        let read = |node: &Node, findings: &mut Findings| {
            let mut own = base.clone();
            people(node, &mut own, findings);
            Some(own)
        };
        let segments = by_prefix(node, findings, read).unwrap_or_default();
        town.segments = segments.into_iter().map(|(prefix, people)| Segment { prefix, people }).collect();
    }
    if let Some(node) = fields.take("queues") {
        for entry in node.entries("the queues", findings).unwrap_or_default() {
            if let Some(queue) = queue(&entry.value, findings) {
                town.queues.insert(entry.key.text.clone(), queue);
            }
        }
    }
    let calls = fields.optional("max_calls", findings, scalar::u32_from(1..=50_000));
    set(&mut town.max_calls, calls.map(|n| n as usize));
    let retry_after = fields.optional("retry_after", findings, unit::duration_in(Duration::ZERO..=HOUR));
    set(&mut town.retry_after_s, retry_after.map(|d| d.as_secs() as u32));
    set(&mut town.gbk_server, fields.optional("gbk_server", findings, share));
    set(&mut town.voice, fields.optional("voice", findings, scalar::boolean));
    fields.finish(findings);
    Some(town)
}

const HOUR: Duration = Duration::from_hours(1);

fn people(node: &Node, into: &mut Population, findings: &mut Findings) {
    let Some(mut fields) = node.fields("people", findings) else { return };
    if let Some(node) = fields.take("answers") {
        answers(node, &mut into.answers_by_hour, findings);
    }
    shares(&mut fields, into, findings);
    if let Some(keys) = fields.take("keys").and_then(|node| keys(node, findings)) {
        into.keys = keys;
    }
    fields.finish(findings);
    let unanswered = into.machine + into.busy + into.rejected + into.powered_off + into.not_reachable + into.congestion;
    let numbers = into.vacant_numbers + into.suspended_numbers;
    let keys: f64 = into.keys.iter().map(|(_, share)| share).sum();
    for (sum, what) in [
        (unanswered, "machine, busy, rejected, powered_off, not_reachable and congestion"),
        (numbers, "vacant_numbers and suspended_numbers"),
        (keys, "the keys"),
    ] {
        if sum > 1.0 + 1e-9 {
            findings.error(node.span, Code::Contradiction, format!("{what} add up to more than 100%"));
        }
    }
}

fn shares(fields: &mut Fields<'_>, into: &mut Population, findings: &mut Findings) {
    for (key, place) in [
        ("machine", &mut into.machine),
        ("busy", &mut into.busy),
        ("rejected", &mut into.rejected),
        ("powered_off", &mut into.powered_off),
        ("not_reachable", &mut into.not_reachable),
        ("congestion", &mut into.congestion),
        ("vacant_numbers", &mut into.vacant_numbers),
        ("suspended_numbers", &mut into.suspended_numbers),
    ] {
        set(place, fields.optional(key, findings, share));
    }
}

/// `{ "09:00-12:00": 25%, other: 5% }`, in whole hours. Hours that are not named stay as they were without `other`.
fn answers(node: &Node, hours: &mut [f64; 24], findings: &mut Findings) {
    let entries = node.entries("the answer rates", findings).unwrap_or_default();
    let mut named = [false; 24];
    for entry in entries.iter().filter(|entry| entry.key.text != "other") {
        let Some(rate) = share(&entry.value, findings) else { continue };
        let window = Window::parse(&entry.key.text).filter(|w| w.from.0 % 60 == 0 && w.to.0 % 60 == 0);
        let Some(window) = window else {
            let message = format!("`{}` is not a span of whole hours", entry.key.text);
            findings.error_hint(entry.key_span, Code::BadValue, message, "as in \"09:00-12:00\", or `other`");
            continue;
        };
        let (from, to) = (usize::from(window.from.0 / 60), usize::from(window.to.0 / 60));
        for (hour, named) in hours.iter_mut().zip(&mut named).take(to).skip(from) {
            (*hour, *named) = (rate, true);
        }
    }
    let other = entries.iter().find(|entry| entry.key.text == "other");
    if let Some(rate) = other.and_then(|entry| share(&entry.value, findings)) {
        hours.iter_mut().zip(named).filter(|(_, named)| !named).for_each(|(hour, _)| *hour = rate);
    }
}

/// At most four keys; whoever presses none of them presses nothing.
fn keys(node: &Node, findings: &mut Findings) -> Option<[(char, f64); 4]> {
    let entries = node.entries("the keys", findings)?;
    let mut keys = [('1', 0.0); 4];
    if entries.len() > keys.len() {
        findings.error(node.span, Code::BadValue, "at most four keys");
    }
    for (place, entry) in keys.iter_mut().zip(entries) {
        let key = entry.key.text.chars().next().filter(|c| matches!(c, '0'..='9' | '*' | '#'));
        let Some(key) = key.filter(|_| entry.key.text.len() == 1) else {
            findings.error(entry.key_span, Code::BadValue, "a key is one of 0-9, * and #");
            continue;
        };
        *place = (key, share(&entry.value, findings)?);
    }
    Some(keys)
}

fn queue(node: &Node, findings: &mut Findings) -> Option<Queue> {
    let mut fields = node.fields("a queue", findings)?;
    let mut queue = Queue::default();
    set(&mut queue.seats, fields.optional("seats", findings, scalar::u32_from(0..=100_000)));
    set(&mut queue.rings, fields.optional("rings", findings, unit::duration_in(Duration::ZERO..=HOUR)));
    set(&mut queue.talks, fields.optional("talks", findings, unit::duration_in(Duration::ZERO..=HOUR)));
    let full = |node: &Node, findings: &mut Findings| {
        scalar::one_of(node, "486 or 503", &[("486", 486), ("503", 503)], &[], findings)
    };
    set(&mut queue.full, fields.optional("full", findings, full));
    fields.finish(findings);
    Some(queue)
}

/// A map whose keys are number prefixes, with or without a plus.
fn by_prefix<T>(
    node: &Node,
    findings: &mut Findings,
    mut read: impl FnMut(&Node, &mut Findings) -> Option<T>,
) -> Option<Vec<(String, T)>> {
    let entries = node.entries("a table by prefix", findings)?;
    if entries.len() > SEGMENTS_MAX {
        findings.error(node.span, Code::BadValue, format!("at most {SEGMENTS_MAX} prefixes"));
        return None;
    }
    let mut one = |entry: &Entry| {
        let prefix = entry.key.text.strip_prefix('+').unwrap_or(&entry.key.text);
        let is_prefix = (1..=15).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_digit());
        if !is_prefix {
            findings.error_hint(entry.key_span, Code::BadValue, "not a number's prefix", "digits, as in \"+9991\"");
        }
        let value = read(&entry.value, findings)?;
        is_prefix.then(|| (prefix.to_owned(), value))
    };
    let read: Vec<_> = entries.iter().map(&mut one).collect();
    read.into_iter().collect()
}

fn zone(node: &Node, findings: &mut Findings) -> Option<String> {
    let name = scalar::text_some(node, findings)?;
    if Zones::default().intern(&name).is_none() {
        findings.error_hint(node.span, Code::BadValue, "no such time zone", "an IANA name, as in Asia/Shanghai");
        return None;
    }
    Some(name)
}

fn share(node: &Node, findings: &mut Findings) -> Option<f64> {
    unit::share(node, findings).map(crate::base::Share::fraction)
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::render;

    const FULL: &str = r#"
seed: 7
pace: 25%
zone: Asia/Shanghai
zones: { "+9992": America/New_York, "0": Asia/Urumqi }
people:
  answers: { "09:00-12:00": 25%, "18:00-24:00": 40%, other: 3% }
  machine: 10%
  busy: 20%
  vacant_numbers: 2%
  keys: { "1": 30%, "9": 10% }
segments:
  "+99911": { keys: { "2": 100% }, answers: { "00:00-24:00": 100% } }
queues:
  "8001": { seats: 3, rings: 1s, talks: 45s, full: 503 }
max_calls: 60
retry_after: 3s
gbk_server: 10%
voice: false
"#;

    #[test]
    fn a_file_may_say_everything_or_nothing() {
        let town = read("p.yaml", FULL.as_bytes()).map_err(|e| render(&e)).unwrap();
        assert_eq!((town.people.seed, town.people.pace, town.max_calls, town.retry_after_s), (7, 0.25, 60, 3));
        let hours = town.people.answers_by_hour;
        let read_hours = [8, 9, 11, 12, 23].map(|hour: usize| (hours[hour] * 100.0).round() as u32);
        assert_eq!(read_hours, [3, 25, 25, 3, 40]);
        assert_eq!(town.zones[0], ("9992".to_owned(), "America/New_York".to_owned()));
        let segment = &town.segments[0];
        assert_eq!((segment.prefix.as_str(), segment.people.keys[0], segment.people.busy), ("99911", ('2', 1.0), 0.2));
        assert_eq!(segment.people.seed, 7);
        let queue = Queue { seats: 3, rings: Duration::from_secs(1), talks: Duration::from_secs(45), full: 503 };
        assert_eq!(town.queues.get("8001"), Some(&queue));
        assert!(!town.voice && (town.gbk_server - 0.1).abs() < 1e-9);
        assert_eq!(read("p.yaml", b"seed: 1\n").unwrap(), Town::default());
    }

    #[test]
    fn mistakes_come_all_at_once_with_their_places() {
        let text = "peeple: {}\nzone: Asia/Nowhere\npeople: { busy: 60%, machine: 60%, keys: { x: 1% } }\nmax_calls: 0\n\
                    people2: 1\nsegments: { \"+1a\": {} }\nqueues: { \"8001\": { full: 404 } }\n";
        let errors = render(&read("p.yaml", text.as_bytes()).unwrap_err());
        for wanted in [
            "did you mean `people`",
            "no such time zone",
            "more than 100%",
            "a key is one of",
            "max_calls: 0",
            "not a number's prefix",
            "486",
        ] {
            assert!(errors.contains(wanted), "{wanted} is not in:\n{errors}");
        }
    }
}
