//! Do the conditions of two campaigns visibly keep their customers apart?
//!
//! A condition is taken to pieces at `&&`, and each piece to what it says of one subject: a bound, or values. Two
//! campaigns are apart where two pieces about one subject cannot both hold. What is not seen here may be so all the same.

use std::cmp::Ordering;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};

use crate::campaign::{Campaign, Condition, ListMap, ScoreBy};

/// Nobody can be called by both: every segment of the one excludes every segment of the other.
pub fn apart(a: &Campaign, b: &Campaign) -> bool {
    let of_b = ways(b);
    ways(a).iter().all(|one| of_b.iter().all(|other| exclude(one, other)))
}

fn exclude(one: &[Claim], other: &[Claim]) -> bool {
    one.iter().any(|claim| other.iter().any(|against| claim.excludes(against)))
}

/// What holds for everybody in a segment, segment by segment.
fn ways(campaign: &Campaign) -> Vec<Vec<Claim>> {
    let claims = |condition: &Condition, found: &mut Vec<Claim>| {
        collect(condition.tree(), true, &campaign.list, found);
    };
    let way = |when: &Condition| {
        let mut found = Vec::new();
        campaign.eligible.iter().chain([when]).for_each(|condition| claims(condition, &mut found));
        found
    };
    campaign.segments.iter().map(|segment| way(&segment.when)).collect()
}

#[derive(Clone, Debug, PartialEq)]
struct Claim {
    /// An expression over columns of the file, so that both campaigns mean the same by it.
    subject: String,
    says: Says,
}

#[derive(Clone, Debug, PartialEq)]
enum Says {
    OneOf(Vec<Value>),
    NoneOf(Vec<Value>),
    From { least: Value, included: bool },
    UpTo { most: Value, included: bool },
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Claim {
    fn excludes(&self, other: &Self) -> bool {
        self.subject == other.subject && (self.says.bars(&other.says) || other.says.bars(&self.says))
    }
}

impl Says {
    fn bars(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(values), _) => !values.iter().any(|value| other.may_be(value)),
            (Self::From { least, included }, Self::UpTo { most, included: both }) => match least.compare(most) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => !(*included && *both),
                Some(Ordering::Less) | None => false,
            },
            (Self::From { .. } | Self::NoneOf(_) | Self::UpTo { .. }, _) => false,
        }
    }

    fn may_be(&self, value: &Value) -> bool {
        let passes = |bound: &Value, beyond: Ordering, included: bool| {
            value.compare(bound).is_none_or(|found| found == beyond || included && found == Ordering::Equal)
        };
        match self {
            Self::OneOf(values) => values.contains(value),
            Self::NoneOf(values) => !values.contains(value),
            Self::From { least, included } => passes(least, Ordering::Greater, *included),
            Self::UpTo { most, included } => passes(most, Ordering::Less, *included),
        }
    }
}

impl Value {
    /// `None` for two kinds.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Truth(a), Self::Truth(b)) => Some(a.cmp(b)),
            (Self::Number(_) | Self::Text(_) | Self::Truth(_), _) => None,
        }
    }

    fn of(node: &IdedExpr) -> Option<Self> {
        if let Some((op::NEGATE, [number])) = call(node)
            && let Some(Self::Number(number)) = Self::of(number)
        {
            return Some(Self::Number(-number));
        }
        let Expr::Literal(literal) = &node.expr else { return None };
        match literal {
            LiteralValue::Boolean(truth) => Some(Self::Truth(*truth.inner())),
            LiteralValue::Double(number) => Some(Self::Number(*number.inner())),
            LiteralValue::Int(number) => Some(Self::Number(*number.inner() as f64)),
            LiteralValue::String(text) => Some(Self::Text(text.inner().to_owned())),
            LiteralValue::Bytes(_) | LiteralValue::Null | LiteralValue::UInt(_) => None,
        }
    }
}

/// The operator and what it stands between; functions of a target are not meant.
fn call(node: &IdedExpr) -> Option<(&str, &[IdedExpr])> {
    let Expr::Call(CallExpr { func_name, target: None, args }) = &node.expr else { return None };
    Some((func_name, args))
}

/// What is so if the expression is true, or with `holds` false if it is not. Depth is bounded by the parser.
fn collect(node: &IdedExpr, holds: bool, list: &ListMap, found: &mut Vec<Claim>) {
    let claim = match call(node) {
        Some((op::LOGICAL_NOT, [inner])) => return collect(inner, !holds, list, found),
        Some((op::LOGICAL_AND, [a, b])) if holds => {
            collect(a, holds, list, found);
            return collect(b, holds, list, found);
        }
        Some((op::LOGICAL_OR, [a, b])) if !holds => {
            collect(a, holds, list, found);
            return collect(b, holds, list, found);
        }
        Some((name, [subject, value])) => says(name, subject, value, holds)
            .or_else(|| says(mirrored(name)?, value, subject, holds))
            .and_then(|(subject, says)| Some(Claim { subject: written(subject, list)?, says })),
        Some(_) | None => None,
    };
    let whole = || Some(Claim { subject: written(node, list)?, says: Says::OneOf(vec![Value::Truth(holds)]) });
    found.extend(claim.or_else(whole));
}

fn says<'a>(name: &str, subject: &'a IdedExpr, value: &IdedExpr, holds: bool) -> Option<(&'a IdedExpr, Says)> {
    let among = |values: Vec<Value>, holds: bool| if holds { Says::OneOf(values) } else { Says::NoneOf(values) };
    if let (op::IN, Expr::List(items)) = (name, &value.expr) {
        let values: Option<Vec<Value>> = items.elements.iter().map(Value::of).collect();
        return Some((subject, among(values?, holds)));
    }
    let value = Value::of(value)?;
    let says = match (name, holds) {
        (op::EQUALS, _) => among(vec![value], holds),
        (op::NOT_EQUALS, _) => among(vec![value], !holds),
        (op::GREATER_EQUALS, true) | (op::LESS, false) => Says::From { least: value, included: true },
        (op::GREATER, true) | (op::LESS_EQUALS, false) => Says::From { least: value, included: false },
        (op::LESS_EQUALS, true) | (op::GREATER, false) => Says::UpTo { most: value, included: true },
        (op::LESS, true) | (op::GREATER_EQUALS, false) => Says::UpTo { most: value, included: false },
        (_, _) => return None,
    };
    Some((subject, says))
}

/// `0.2 <= score` is `score >= 0.2`.
fn mirrored(name: &str) -> Option<&'static str> {
    match name {
        op::EQUALS => Some(op::EQUALS),
        op::NOT_EQUALS => Some(op::NOT_EQUALS),
        op::GREATER_EQUALS => Some(op::LESS_EQUALS),
        op::GREATER => Some(op::LESS),
        op::LESS_EQUALS => Some(op::GREATER_EQUALS),
        op::LESS => Some(op::GREATER),
        _ => None,
    }
}

/// One text for one meaning, with the columns of the file in place of the campaign's names for them.
fn written(node: &IdedExpr, list: &ListMap) -> Option<String> {
    let all = |nodes: &mut dyn Iterator<Item = &IdedExpr>| {
        nodes.map(|node| written(node, list)).collect::<Option<Vec<String>>>().map(|parts| parts.join(", "))
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum: conditions have no other parts")]
    match &node.expr {
        Expr::Ident(name) => Some(column(name, list)),
        Expr::Literal(_) => Value::of(node).map(|value| format!("{value:?}")),
        Expr::List(items) => all(&mut items.elements.iter()).map(|items| format!("[{items}]")),
        Expr::Call(call) => {
            let parts = all(&mut call.target.as_deref().into_iter().chain(&call.args))?;
            Some(format!("{}({parts})", call.func_name))
        }
        _ => None,
    }
}

fn column(name: &str, list: &ListMap) -> String {
    let mapped = match name {
        "score" => match &list.score {
            ScoreBy::Column(column) => Some(column),
            ScoreBy::Model { dir, .. } => return format!("{name} of {dir:?}"),
        },
        "value" => list.value.as_ref(),
        "attempts_used" => list.attempts_used.as_ref(),
        "consent" => list.consent.as_ref(),
        "language" => list.language.as_ref(),
        "tags" => list.tags.as_ref(),
        // Of the first number that has one.
        "phone_province" => return format!("{name} of {:?}", list.phones),
        other => list.columns.get(other).map(|spec| &spec.from),
    };
    match mapped {
        Some(column) => format!("{column:?}"),
        // An attribute, or a figure that no column gives.
        None => format!("{name} of {:?}", list.attributes),
    }
}

#[cfg(test)]
mod tests {
    use super::apart;
    use crate::campaign::check::lint::fixture::{changed, folder};
    use crate::campaign::load;

    /// Two campaigns with these conditions, over columns of many kinds.
    fn are_apart(one: &str, other: &str) -> bool {
        kept_apart(&[("'score >= 0.1'", &format!("'{one}'"))], &[("'score >= 0.1'", &format!("'{other}'"))])
    }

    fn kept_apart(one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
        let columns = "consent: agreed, tags: tags, attributes: attrs, \
                       columns: { days: { type: integer }, late: { type: bool }, job: { type: text } },";
        let made = |name: &str, edits: &[(&str, &str)]| {
            let base = [("campaign: clean", name), ("consent: agreed,", columns)];
            changed(&[&base[..], edits].concat())
        };
        let folder = folder(&[made("campaign: one", one), made("campaign: other", other)]);
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
        let [one, other] = plan.campaigns.as_slice() else { panic!() };
        assert_eq!(apart(one, other), apart(other, one), "both ways");
        apart(one, other)
    }

    #[test]
    fn opposed_comparisons_of_one_column_keep_apart() {
        for (one, other) in [
            ("score >= 0.2", "score < 0.2"),
            ("score > 0.2", "score <= 0.2"),
            ("0.2 <= score", "score < 0.2"),
            ("score >= 0.2", "!(score >= 0.2)"),
            ("days >= 4 && days <= 15", "days >= 16"),
            ("days == 3", "days > 3"),
            ("days > -1", "days <= -1"),
            ("job < \"b\"", "job >= \"b\""),
            ("double(attrs[\"x\"]) >= 2.0", "double(attrs[\"x\"]) < 2.0"),
            ("!(days < 4 || late)", "days < 3"),
        ] {
            assert!(are_apart(one, other), "{one} | {other}");
        }
    }

    #[test]
    fn different_values_and_opposite_words_keep_apart() {
        for (one, other) in [
            ("job == \"a\"", "job == \"b\""),
            ("job == \"a\"", "job != \"a\""),
            ("job in [\"a\", \"b\"]", "job in [\"c\"]"),
            ("job in [\"a\", \"b\"]", "!(job in [\"b\", \"a\", \"d\"])"),
            ("days in [1, 2]", "days >= 3"),
            ("late", "!late"),
            ("late == true", "!late"),
            ("\"car=yes\" in tags", "!(\"car=yes\" in tags)"),
            ("job.startsWith(\"a\")", "!job.startsWith(\"a\") && late"),
        ] {
            assert!(are_apart(one, other), "{one} | {other}");
        }
    }

    #[test]
    fn what_may_hold_together_does_not() {
        for (one, other) in [
            ("score >= 0.1", "score >= 0.2"),
            ("score >= 0.2", "score <= 0.2"),
            ("score >= 0.2", "value < 0.2"),
            ("score >= 0.2 || late", "score < 0.2"),
            ("job == \"a\"", "job != \"b\""),
            ("job in [\"a\", \"b\"]", "job in [\"b\", \"c\"]"),
            ("job == \"5\"", "days > 3"),
            ("\"a\" in tags", "\"b\" in tags"),
            ("attrs[\"x\"] == \"1\"", "attrs[\"y\"] == \"2\""),
            ("late", "late"),
        ] {
            assert!(!are_apart(one, other), "{one} | {other}");
        }
    }

    #[test]
    fn a_column_is_meant_whatever_a_campaign_calls_it() {
        let scored = |column: &str, when: &str| {
            let from = format!("{{ score: {column} }}");
            kept_apart(&[("'score >= 0.1'", "'score >= 0.2'")], &[("{ score: prob }", &from), ("'score >= 0.1'", when)])
        };
        assert!(scored("prob", "'score < 0.2'"));
        assert!(!scored("other_prob", "'score < 0.2'"));
    }

    #[test]
    fn segments_may_keep_apart_where_everybody_else_is_called_by_nobody() {
        let all = ("'true'", "'score < 0.2 && score >= 0.1'");
        let only = [("'score >= 0.4'", "'score >= 0.5'"), ("'true'", "'score >= 0.4'")];
        assert!(kept_apart(&only, &[("'score >= 0.4'", "'score < 0.1'"), all]));
        assert!(!kept_apart(&only, &[("'score >= 0.4'", "'score < 0.1'")]));
    }
}
