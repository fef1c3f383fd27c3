//! `calling_hours:`, `golden_hours:` and the days of a week.

use super::shape::{Key, Pattern, SHARE, Shape, Value, WINDOWS, Words, may, must};

const fn day(name: &'static str, doc: &'static str) -> Key {
    may(name, WINDOWS, doc).like(r#"["09:00-12:00", "13:30-20:00"]"#)
}

const SPAN: &str = "Hours of all these days, both ends included. [] closes them.";

/// Every way to write days.
pub const DAYS: [Key; 28] = [
    day("mon", "Hours of Mondays. [] closes the day."),
    day("tue", "Hours of Tuesdays. [] closes the day."),
    day("wed", "Hours of Wednesdays. [] closes the day."),
    day("thu", "Hours of Thursdays. [] closes the day."),
    day("fri", "Hours of Fridays. [] closes the day."),
    day("sat", "Hours of Saturdays. [] closes the day."),
    day("sun", "Hours of Sundays. [] closes the day."),
    day("mon-tue", SPAN),
    day("mon-wed", SPAN),
    day("mon-thu", SPAN),
    day("mon-fri", SPAN),
    day("mon-sat", SPAN),
    day("mon-sun", SPAN),
    day("tue-wed", SPAN),
    day("tue-thu", SPAN),
    day("tue-fri", SPAN),
    day("tue-sat", SPAN),
    day("tue-sun", SPAN),
    day("wed-thu", SPAN),
    day("wed-fri", SPAN),
    day("wed-sat", SPAN),
    day("wed-sun", SPAN),
    day("thu-fri", SPAN),
    day("thu-sat", SPAN),
    day("thu-sun", SPAN),
    day("fri-sat", SPAN),
    day("fri-sun", SPAN),
    day("sat-sun", SPAN),
];

const HOLIDAYS: Value = Value::Words(&Words { what: "a rule for holidays", words: || vec!["closed", "open"] });

pub const CALLING_HOURS: Shape = Shape {
    what: "calling_hours",
    doc: "HARD: nobody is dialled outside. May only narrow the policy's hours; say something about every day, or about none.",
    keys: &[
        &[
            may(
                "zone",
                Value::Text,
                "Whose clock counts: `customer`, or one IANA zone for everybody where the policy has `zone: any`.",
            )
            .default("customer"),
            may("fallback_zone", Value::Text, "For customers whose zone nobody knows; without it they are not called.")
                .like("Asia/Shanghai"),
            may(
                "holidays",
                HOLIDAYS,
                "Are public holidays called? `closed` needs a calendar. Without it, the policy's.",
            ),
        ],
        &DAYS,
    ],
};

/// A policy leaves nothing unsaid.
pub const POLICY_HOURS: Shape = Shape {
    what: "calling_hours",
    doc: "The hours in which the law allows calls, for every day of the week.",
    keys: &[
        &[
            may(
                "zone",
                Value::Words(&Words { what: "a zone of a policy", words: || vec!["customer", "any"] }),
                "`customer`: the customer's own zone always counts; `any`: a campaign may name one zone for everybody.",
            )
            .default("customer"),
            must("holidays", HOLIDAYS, "Are public holidays called?"),
        ],
        &DAYS,
    ],
};

const ANSWER_RATE: Shape = Shape {
    what: "answer_rate",
    doc: "The chance of an answer, before anything is learned.",
    keys: &[&[
        may("golden", SHARE, "Inside golden hours.").default("30%"),
        may("other", SHARE, "Outside.").default("15%"),
    ]],
};

const GOLDEN_DAYS: Shape =
    Shape { what: "golden hours by day", doc: "Golden hours that differ by day.", keys: &[&DAYS] };

pub const GOLDEN_HOURS: Shape = Shape {
    what: "golden_hours",
    doc: "SOFT: when calls are worth most. A preference inside calling hours, never a permission.",
    keys: &[&[
        may(
            "mode",
            Value::Words(&Words { what: "a mode of golden hours", words: || vec!["prefer", "only"] }),
            "`prefer`: golden hours first, then the others; `only`: golden hours or not at all.",
        )
        .default("prefer"),
        may(
            "learn",
            Value::Words(&Words { what: "a way to learn", words: || vec!["per_segment", "off"] }),
            "`per_segment`: they are learned from outcomes, and the seed counts for less the more is known; `off`: the seed holds.",
        )
        .default("per_segment"),
        may(
            "prior_weight_calls",
            Value::Integer(0, 1_000_000),
            "How many calls in one hour outweigh the seed, once learning is on.",
        )
        .default("200"),
        may("answer_rate", Value::Map(&ANSWER_RATE), "The chance of an answer inside and outside."),
        may(
            "seed",
            Value::Named(&Pattern::NAME, &Value::Either(&[WINDOWS, Value::Map(&GOLDEN_DAYS)])),
            "Golden hours by segment, `all` for the rest: a list for every day, or a map of days.",
        )
        .like(r#"{ "all": ["18:00-20:00"] }"#),
    ]],
};
