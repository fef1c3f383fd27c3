//! `experiment:`

use super::shape::{NAME, Pattern, SHARE, Shape, Value, Words, may, must};

const ARM: Shape = Shape {
    what: "an arm",
    doc: "A part of the customers, and what is done with them.",
    keys: &[&[
        must("share", SHARE, "Of all customers; all arms together are 100%.").like("20%"),
        may(
            "call",
            Value::Words(&Words { what: "whether to call", words: || vec!["never"] }),
            "`never`: held out. This campaign never calls them, and they tell what happens without a call.",
        ),
        may("script", Value::Text, "What agents say to them, in place of the campaign's.").like("scripts/v8.md"),
    ]],
};

const DECIDE: Shape = Shape {
    what: "decide",
    doc: "When a difference counts.",
    keys: &[&[
        may(
            "method",
            Value::Words(&Words { what: "a way to decide", words: || vec!["sequential"] }),
            "`sequential`: intervals that hold however often somebody looks.",
        )
        .default("sequential"),
        may("alpha", SHARE, "The chance to see a difference where there is none: 0.1% to 20%.").default("5%"),
        may("min_contacts_per_arm", Value::Integer(50, 10_000_000), "Nothing is said before.").default("400"),
    ]],
};

const STOP_IF: Shape = Shape {
    what: "stop_if",
    doc: "Pauses the campaign.",
    keys: &[&[must("complaint_rate_above", SHARE, "More customers of an arm complain than this.").like("0.3%")]],
};

pub const EXPERIMENT: Shape = Shape {
    what: "an experiment",
    doc: "One way of calling against another, and against not calling.",
    keys: &[&[
        must("id", NAME, "Decides who is in which arm: a new one splits anew.").like("golden-script-dec"),
        may(
            "split_by",
            Value::Words(&Words { what: "something to split by", words: || vec!["customer_id"] }),
            "The customer, whatever list they are on.",
        )
        .default("customer_id"),
        must("arms", Value::Named(&Pattern::NAME, &Value::Map(&ARM)), "Two to eight, one of them `champion`.")
            .like(r#"{ "champion": { "share": "80%" }, "holdout": { "share": "20%", "call": "never" } }"#),
        must("success", Value::Text, "The disposition that counts.").like("accepted"),
        may("decide", Value::Map(&DECIDE), "When a difference counts."),
        may("stop_if", Value::Map(&STOP_IF), "When the campaign is paused."),
    ]],
};
