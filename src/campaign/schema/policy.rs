//! `policies/NAME.yaml`.

use super::dialling::{CAPS, POLICY_ATTEMPTS};
use super::hours::POLICY_HOURS;
use super::shape::{DURATION, NAME, Shape, Value, Words, may, must};

pub const PURPOSE: Value = Value::Words(&Words {
    what: "a purpose",
    words: || crate::campaign::Purpose::ALL.iter().map(|purpose| purpose.as_str()).collect(),
});

pub const POLICY: Shape = Shape {
    what: "a policy",
    doc: "Compulsory rules that compliance owns. A campaign may only tighten them.",
    keys: &[&[
        must("schema", Value::Const("goldenhour/policy/v1"), "Kind and version of the file."),
        must("policy", NAME, "Its name; the file is called policies/NAME.yaml."),
        must(
            "version",
            Value::Integer(1, 1_000_000),
            "Raise it with every change; campaigns name it: cn-bank-marketing@3.",
        ),
        must("title", Value::Text, "For people."),
        must("purposes", Value::List(&PURPOSE), "What campaigns it covers."),
        must("sources", Value::List(&Value::Text), "Where each figure comes from."),
        must("calling_hours", Value::Map(&POLICY_HOURS), "The hours in which the law allows calls."),
        must(
            "consent",
            Value::Words(&Words { what: "a consent rule", words: || vec!["required", "not_refused"] }),
            "`required`: only those with a recorded yes; `not_refused`: everybody who has not said no.",
        ),
        must("attempts", Value::Map(&POLICY_ATTEMPTS), "Ceilings of attempts."),
        may("contact_caps", CAPS, "Over all campaigns together."),
        may(
            "precedence",
            Value::Integer(0, 9),
            "Where two campaigns want the same person and only one may call, the higher one goes first.",
        )
        .default("0"),
        may("min_ring", DURATION, "A phone rings at least so long.").like("15s"),
    ]],
};
