//! `dispositions:` of a campaign, and `dispositions/NAME.yaml`.

use super::shape::{NAME, Pattern, Shape, Value, Words, may, must};

const THEN: Value = Value::Words(&Words {
    what: "something that follows a disposition",
    words: || vec!["final", "callback", "phone_dead", "dnc_customer", "dnc_phone", "retry"],
});

const MEANING: Shape = Shape {
    what: "a disposition",
    doc: "What this end of a conversation means: for reports, for the next call, for the model.",
    keys: &[&[
        must(
            "outcome",
            Value::Words(&Words { what: "an outcome", words: || vec!["success", "neutral", "failure"] }),
            "The label for the model.",
        ),
        must(
            "contact",
            Value::Words(&Words {
                what: "somebody to have reached",
                words: || vec!["right_party", "wrong_party", "nobody"],
            }),
            "Who was reached.",
        ),
        must(
            "then",
            Value::Either(&[THEN, Value::List(&THEN)]),
            "One or a list: `final` (closed), `callback`, `retry`, `phone_dead`, `dnc_customer` and `dnc_phone` (the do-not-call list).",
        ),
        may("complaint", Value::Bool, "Does it count as a complaint?").default("false"),
    ]],
};

pub const DISPOSITIONS: Value = Value::Named(&Pattern::NAME, &Value::Map(&MEANING));

pub const DISPOSITION_SET: Shape = Shape {
    what: "a disposition set",
    doc: "Ways a conversation can end, shared by campaigns.",
    keys: &[&[
        must("schema", Value::Const("goldenhour/dispositions/v1"), "Kind and version of the file."),
        must("dispositions", NAME, "The set's name; the file is called dispositions/NAME.yaml."),
        must("version", Value::Integer(1, 1_000_000), "Campaigns name it: card-sales@2."),
        may("title", Value::Text, "For people."),
        must("codes", DISPOSITIONS, "The dispositions by name."),
    ]],
};
