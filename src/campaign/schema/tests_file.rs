//! `tests:` of a campaign, and the files of `tests/` and `policies/vectors/`.

use crate::contact::CallResult;

use super::shape::{COLUMN, DURATION, NAME, Pattern, REFERENCE, Shape, Value, Words, may, must};

/// Values of the list's own columns: of whatever type the campaign says they are.
const CUSTOMER: Value = Value::Named(
    &Pattern::ANY,
    &Value::Either(&[Value::Scalar, Value::List(&Value::Text), Value::Named(&Pattern::ANY, &Value::Scalar)]),
);

const EVENT: Shape = Shape {
    what: "an event of the history",
    doc: "Something that happened before.",
    keys: &[&[
        may("days_ago", Value::Integer(0, 3_650), "When, in days of 24 hours."),
        may("ago", DURATION, "When, before the test's moment.").like("90m"),
        may("at", Value::Text, "When, on the customer's clock or with an offset.").like("2026-12-02 10:00"),
        may(
            "result",
            Value::Words(&Words {
                what: "the end of an attempt",
                words: || {
                    let ends = CallResult::ALL.iter().filter(|result| result.counts());
                    ends.map(|result| result.as_str()).chain(["under_way"]).collect()
                },
            }),
            "How the attempt ended, or `under_way`; `answered` where a disposition stands.",
        ),
        may("disposition", Value::Text, "How the conversation ended."),
        may("callback_at", Value::Text, "When they asked to be called back.").like("2026-12-02 15:00"),
        may("phone", COLUMN, "The column of the phone that was dialled."),
        may("campaign", NAME, "Another campaign that called them."),
        may(
            "said",
            Value::Words(&Words {
                what: "something that a customer says",
                words: || vec!["declined", "complaint", "opt_out"],
            }),
            "Told us outside a call, in place of `result` and `disposition`.",
        ),
    ]],
};

const CASE: Shape = Shape {
    what: "a test",
    doc: "One contact, a past, a moment, and what must come of it.",
    keys: &[&[
        must("name", Value::Text, "What must hold, in words; once in a file."),
        may(
            "at",
            Value::Text,
            "The moment, on the customer's clock or with an offset. Without it, the first of calling hours.",
        )
        .like("2026-12-03 20:05"),
        may(
            "customer",
            CUSTOMER,
            "The contact: score, consent, zone, phones, dnc, and the columns that conditions use.",
        ),
        may("history", Value::List(&Value::Map(&EVENT)), "What happened before."),
        may(
            "result",
            Value::Words(&Words {
                what: "a call result",
                words: || {
                    let ends = CallResult::ALL.iter();
                    let ends = ends.filter(|result| result.is_retryable() || **result == CallResult::Answered);
                    ends.map(|result| result.as_str()).collect()
                },
            }),
            "The call is made, and this comes of it.",
        ),
        may("disposition", Value::Text, "The call is answered, and ends with this one."),
        may("callback_at", Value::Text, "And they ask to be called back then.").like("2026-12-03 15:00"),
        may("arm", Value::Text, "The arm of the experiment that the contact is in; `champion` without it.")
            .like("challenger"),
        must(
            "expect",
            Value::Either(&[Value::Text, Value::List(&Value::Text)]),
            "One expectation or a list: `allowed`, `blocked_by RULE`, `blocked_only_by RULE`, `deferred_to MOMENT`, \
             `segment NAME`, `retry_at MOMENT`, `next_phone COLUMN`, `closed WHY`.",
        )
        .like("blocked_by calling_hours"),
    ]],
};

const CASES: Value = Value::List(&Value::Map(&CASE));

const SHARED: Shape = Shape {
    what: "tests",
    doc: "Tests that share a customer.",
    keys: &[&[
        may("customer", CUSTOMER, "What all cases share; a case's own values go before."),
        must("cases", CASES, "The tests."),
    ]],
};

/// The section of a campaign: a list, or what its tests share as well.
pub const TESTS: Value = Value::Either(&[CASES, Value::Map(&SHARED)]);

pub const TEST_FILE: Shape = Shape {
    what: "a file of tests",
    doc: "Tests of a campaign or of a policy pack; `goldenhour test` runs them.",
    keys: &[&[
        must("schema", Value::Const("goldenhour/tests/v1"), "Kind and version of the file."),
        may("campaign", NAME, "The campaign under test."),
        may("policy", REFERENCE, "The policy pack under test, in place of a campaign."),
        may("calendar", REFERENCE, "Public holidays for the pack's tests."),
        may("customer", CUSTOMER, "What all tests share."),
        must("tests", CASES, "The tests."),
    ]],
};
