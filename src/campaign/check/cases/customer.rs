//! The customer of a test: values under the names of conditions, typed as the list maps them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::{Code, Span};
use crate::campaign::decode::{Entry, Findings, Node, NodeKind, scalar, shortened, unit};
use crate::campaign::{ColumnKind, TestCustomer, TestDnc, TestPhone};
use crate::contact::{ColumnValue, Columns, Zones, is_test_number, zones_of};

use super::{Subject, expect, moment};

pub(super) struct Customer {
    pub(super) customer: TestCustomer,
    /// Whose clock it is, if anybody knows.
    pub(super) zone: Option<String>,
}

/// Names that every customer may have, and those that only a mapped column gives.
const ALWAYS: [&str; 6] = ["score", "zone", "phones", "phone_province", "dnc", "list_age"];
const MAPPED: [&str; 6] = ["value", "consent", "language", "tags", "attempts_used", "attrs"];

/// The values of both, the case's own before the shared ones.
#[derive(Default)]
struct Given<'a> {
    values: BTreeMap<&'a str, &'a Node>,
    attributes: BTreeMap<&'a str, &'a Node>,
}

pub(super) fn customer(
    subject: Subject<'_>,
    shared: Option<&Node>,
    own: Option<&Node>,
    findings: &mut Findings,
) -> Option<Customer> {
    let mut given = Given::default();
    let mut good = true;
    for node in [shared, own].into_iter().flatten() {
        good &= collect(subject, node, &mut given, findings).is_some();
    }
    let list = &subject.campaign.list;
    let zones = zones(&given, findings);
    let phones = phones(subject, &given, zones.as_deref(), findings);
    let zone = phones.as_ref().and_then(|phones| phones.first()?.zones.first().cloned()).or_else(|| subject.own_zone());
    let score = number_of(&given, "score", findings, |n| (0.0..=1.0).contains(&n), "a score lies between 0 and 1");
    let value = number_of(&given, "value", findings, |n| n >= 0.0, "a value is not negative");
    let attempts_used = given.read("attempts_used", findings, scalar::u16_from(0..=1_000));
    let consent = given.read("consent", findings, scalar::boolean);
    let dnc = given.read("dnc", findings, |node, findings| dnc(node, zone.as_deref(), findings));
    let list_age = given.read("list_age", findings, unit::duration);
    let columns = columns(subject, &given, findings);
    let customer = TestCustomer {
        score: score?.unwrap_or(0.5) as f32,
        value: value?.unwrap_or(1.0) as f32,
        attempts_used: attempts_used?.unwrap_or(0),
        consent: match (list.consent.is_some(), given.is_null("consent")) {
            (true, false) => Some(consent?.unwrap_or(true)),
            (true, true) | (false, _) => None,
        },
        columns: columns?,
        phones: phones?,
        dnc: dnc?.flatten(),
        list_age: list_age?.unwrap_or(Duration::ZERO),
    };
    zones?;
    good.then_some(Customer { customer, zone })
}

fn collect<'a>(subject: Subject<'_>, node: &'a Node, given: &mut Given<'a>, findings: &mut Findings) -> Option<()> {
    let mut good = true;
    for entry in node.entries("customer", findings)? {
        let key = entry.key.text.as_str();
        good &= known(subject, entry, findings);
        if key == "attrs" && !is_null(&entry.value) {
            for attribute in entry.value.entries("attrs", findings)? {
                given.attributes.insert(attribute.key.text.as_str(), &attribute.value);
            }
        } else if key == "attrs" {
            given.attributes.clear();
        } else {
            given.values.insert(key, &entry.value);
        }
    }
    good.then_some(())
}

/// A name of conditions, and one that this campaign's list gives.
fn known(subject: Subject<'_>, entry: &Entry, findings: &mut Findings) -> bool {
    let list = &subject.campaign.list;
    let key = entry.key.text.as_str();
    let mapped = |name: &str| match name {
        "value" => list.value.is_some(),
        "consent" => list.consent.is_some(),
        "language" => list.language.is_some(),
        "tags" => list.tags.is_some(),
        "attempts_used" => list.attempts_used.is_some(),
        "attrs" => list.attributes.is_some(),
        other => list.columns.contains_key(other),
    };
    if ALWAYS.contains(&key) || mapped(key) {
        return true;
    }
    let shown = shortened(key);
    if MAPPED.contains(&key) {
        let name = if key == "attrs" { "attributes" } else { key };
        let hint = format!("list: {{ {name}: COLUMN }}; without it the engine knows nothing of the kind");
        findings.error_hint(entry.key_span, Code::UnknownName, format!("the list maps no `{name}`"), hint);
        return false;
    }
    let names = ALWAYS.iter().copied().chain(MAPPED.into_iter().filter(|name| mapped(name)));
    let names = names.chain(list.columns.keys().map(String::as_str));
    let hint = expect::one_of(key, names);
    findings.error_hint(entry.key_span, Code::UnknownKey, format!("unknown key `{shown}` in customer"), hint);
    false
}

impl Given<'_> {
    /// `None` for a mistake, `Some(None)` where nothing is given.
    #[expect(clippy::option_option, reason = "a mistake, nothing, or a value")]
    fn read<T>(
        &self,
        key: &str,
        findings: &mut Findings,
        read: impl FnOnce(&Node, &mut Findings) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.values.get(key).filter(|node| !is_null(node)) {
            Some(node) => read(node, findings).map(Some),
            None => Some(None),
        }
    }

    fn is_null(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|node| is_null(node))
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Scalar(scalar) if !scalar.quoted && matches!(scalar.text.as_str(), "null" | "~"))
}

#[expect(clippy::option_option, reason = "a mistake, nothing, or a value")]
fn number_of(
    given: &Given<'_>,
    key: &str,
    findings: &mut Findings,
    fits: impl Fn(f64) -> bool,
    otherwise: &str,
) -> Option<Option<f64>> {
    given.read(key, findings, |node, findings| {
        let number = scalar::number(node, findings)?;
        if !fits(number) {
            findings.error(node.span, Code::BadValue, otherwise);
            return None;
        }
        Some(number)
    })
}

/// `None` inside: nothing is said, and the numbers tell.
fn zones(given: &Given<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let read = given.read("zone", findings, |node, findings| match node.kind {
        NodeKind::List(_) => node.list_of("zone", findings, zone),
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Refused => zone(node, findings).map(|one| vec![one]),
    });
    read.map(Option::unwrap_or_default)
}

fn zone(node: &Node, findings: &mut Findings) -> Option<String> {
    let name = scalar::plain_text(node, "a time zone", findings)?;
    let mut known = Zones::default();
    let Some(ix) = known.intern(name) else {
        let message = format!("there is no time zone `{}`", shortened(name));
        findings.error_hint(node.span, Code::UnknownName, message, "a name of the IANA database, as Asia/Shanghai");
        return None;
    };
    Some(known.name(ix).to_owned())
}

fn phones(
    subject: Subject<'_>,
    given: &Given<'_>,
    zones: Option<&[String]>,
    findings: &mut Findings,
) -> Option<Vec<TestPhone>> {
    let columns = &subject.campaign.list.phones;
    let alive = |column: &String| TestPhone { column: column.clone(), zones: Vec::new(), dead: false, dnc: false };
    let read = given.read("phones", findings, |node, findings| {
        let is_map = matches!(node.kind, NodeKind::Map(_));
        let listed = if is_map { described(columns, node, findings)? } else { named(columns, node, findings)? };
        if listed.is_empty() {
            findings.error(node.span, Code::BadValue, "a customer without a phone is not on a list");
            return None;
        }
        Some(listed)
    });
    let mut phones = read?.unwrap_or_else(|| columns.iter().map(alive).collect());
    // As in a list: its own column speaks for all numbers, else all numbers together.
    let mut all: Vec<String> = phones.iter().flat_map(|phone| phone.zones.iter().cloned()).collect();
    all.sort_unstable();
    all.dedup();
    let all = zones.filter(|zones| !zones.is_empty()).map_or(all, <[String]>::to_vec);
    for phone in &mut phones {
        phone.zones.clone_from(&all);
    }
    // Dial order is the list's, whatever the order here.
    phones.sort_by_key(|phone| columns.iter().position(|column| *column == phone.column));
    Some(phones)
}

fn named(columns: &[String], node: &Node, findings: &mut Findings) -> Option<Vec<TestPhone>> {
    node.list_of("phones", findings, |node, findings| {
        let name = scalar::plain_text(node, "a phone column", findings)?;
        column(columns, name, node.span, findings)
    })
}

fn described(columns: &[String], node: &Node, findings: &mut Findings) -> Option<Vec<TestPhone>> {
    let read: Vec<Option<TestPhone>> = node
        .entries("phones", findings)?
        .iter()
        .map(|entry| {
            let mut phone = column(columns, &entry.key.text, entry.key_span, findings)?;
            match scalar::plain_text(&entry.value, "ok, dead, dnc or a number in quotes", findings)? {
                "ok" => {}
                "dead" => phone.dead = true,
                "dnc" => phone.dnc = true,
                number if is_test_number(number) => {
                    phone.zones = zones_of(number).iter().map(|zone| (*zone).to_owned()).collect();
                }
                _ => {
                    let hint = "ok, dead, dnc, or a test number: \"+999123456789\", \"+12125550123\"";
                    findings.error_hint(entry.value.span, Code::BadValue, "no phone of a test", hint);
                    return None;
                }
            }
            Some(phone)
        })
        .collect();
    read.into_iter().collect()
}

fn column(columns: &[String], name: &str, at: Span, findings: &mut Findings) -> Option<TestPhone> {
    if !columns.iter().any(|column| column == name) {
        let message = format!("the list has no phone column `{}`", shortened(name));
        findings.error_hint(at, Code::UnknownName, message, expect::one_of(name, columns.iter().map(String::as_str)));
        return None;
    }
    Some(TestPhone { column: name.to_owned(), zones: Vec::new(), dead: false, dnc: false })
}

#[expect(clippy::option_option, reason = "a mistake, nothing, or a value")]
fn dnc(node: &Node, zone: Option<&str>, findings: &mut Findings) -> Option<Option<TestDnc>> {
    if let NodeKind::Scalar(scalar) = &node.kind
        && let Some(day) = scalar.text.strip_prefix("until ")
    {
        let at = match unit::parse_date(day.trim()) {
            Some(day) => moment::midnight(day, zone),
            None => moment::moment_at(day.trim(), node.span, zone, findings)?,
        };
        return Some(Some(TestDnc::Until(at)));
    }
    scalar::boolean(node, findings).map(|listed| listed.then_some(TestDnc::Forever))
}

fn columns(subject: Subject<'_>, given: &Given<'_>, findings: &mut Findings) -> Option<Columns> {
    let list = &subject.campaign.list;
    let mut columns = BTreeMap::new();
    let mut good = true;
    let tags = given.read("tags", findings, |node, findings| {
        node.list_of("tags", findings, |node, findings| scalar::plain_text(node, "a tag", findings).map(str::to_owned))
    });
    good &= tags.is_some();
    if list.tags.is_some() {
        columns.insert("tags".to_owned(), ColumnValue::Text(tags.flatten().unwrap_or_default().join(";")));
    }
    for name in ["language", "phone_province"] {
        let text = given.read(name, findings, scalar::text_some);
        good &= text.is_some();
        columns.extend(text.flatten().map(|text| (name.to_owned(), ColumnValue::Text(text))));
    }
    for (name, spec) in &list.columns {
        let value = given.read(name, findings, |node, findings| typed(spec.kind, node, findings));
        good &= value.is_some();
        columns.extend(value.flatten().map(|value| (name.clone(), value)));
    }
    let attributes = given.attributes.iter().filter(|(_, node)| !is_null(node));
    let attributes: Vec<Option<(String, ColumnValue)>> =
        attributes.map(|(name, node)| Some(((*name).to_owned(), attribute(node, findings)?))).collect();
    let attributes: Option<BTreeMap<String, ColumnValue>> = attributes.into_iter().collect();
    good &= attributes.is_some();
    if let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) {
        columns.insert("attrs".to_owned(), ColumnValue::Attributes(attributes));
    }
    good.then_some(Columns(columns))
}

fn typed(kind: ColumnKind, node: &Node, findings: &mut Findings) -> Option<ColumnValue> {
    match kind {
        ColumnKind::Number => scalar::number(node, findings).map(ColumnValue::Number),
        ColumnKind::Integer => scalar::whole(node, findings).map(ColumnValue::Integer),
        ColumnKind::Text => scalar::text(node, findings).map(ColumnValue::Text),
        ColumnKind::Bool => scalar::boolean(node, findings).map(ColumnValue::Bool),
        ColumnKind::Time => {
            let text = scalar::plain_text(node, "a time", findings)?;
            match unit::parse_date(text) {
                // As in a list: a day without a time is midnight in UTC.
                Some(day) => Some(ColumnValue::Time(moment::midnight(day, None))),
                None => moment::moment_at(text, node.span, None, findings).map(ColumnValue::Time),
            }
        }
    }
}

/// Of a JSON column: text, a number or true and false, as they are written.
fn attribute(node: &Node, findings: &mut Findings) -> Option<ColumnValue> {
    let scalar = node.scalar("an attribute", findings)?;
    if !scalar.quoted && matches!(scalar.text.as_str(), "true" | "false") {
        return scalar::boolean(node, findings).map(ColumnValue::Bool);
    }
    if !scalar.quoted && scalar.text.parse::<f64>().is_ok() {
        return scalar::number(node, findings).map(ColumnValue::Number);
    }
    scalar::text(node, findings).map(ColumnValue::Text)
}
