//! Attempts, retries, caps, and what carries the call.

use crate::campaign::Daypart;
use crate::contact::CallResult;

use super::shape::{DURATION, Key, NAME, Pattern, Shape, Value, Words, may, must};

const FIGURE: Value = Value::Integer(1, 1_000);

const SPREAD: Shape = Shape {
    what: "spread",
    doc: "No part of the day is tried too often over the lead's life.",
    keys: &[&[
        may(
            "over",
            Value::Words(&Words { what: "something to spread over", words: || vec!["daypart"] }),
            "Parts of the day: morning, noon, afternoon, evening.",
        ),
        must("at_most_each", FIGURE, "At most so many attempts in one of them."),
    ]],
};

pub const ATTEMPTS: Shape = Shape {
    what: "attempts",
    doc: "One budget per contact, shared by all retry rules: they never stack.",
    keys: &[&[
        may("max", FIGURE, "Attempts in all. Without it, the policy's."),
        may("max_per_day", FIGURE, "Attempts on one day of the contact's own calendar. Without it, the policy's."),
        may("min_gap", DURATION, "At least so long between two attempts.").default("2h"),
        may("spread", Value::Map(&SPREAD), "At most so many in one part of the day."),
        may("stop_after_contact", Value::Bool, "No more once they were reached, whatever they said.").default("true"),
    ]],
};

pub const POLICY_ATTEMPTS: Shape = Shape {
    what: "attempts of a policy",
    doc: "Ceilings of `attempts`; a campaign without the key gets these.",
    keys: &[&[must("max", FIGURE, "Attempts in all."), must("max_per_day", FIGURE, "Attempts on one day.")]],
};

/// What both kinds of rules may say.
const WISHES: [Key; 4] = [
    may("free", Value::Integer(0, 1_000), "How many of `max` spare the daily budget and the gap.").default("0"),
    may("other_daypart", Value::Bool, "In another part of the day than this attempt.").default("false"),
    may(
        "prefer",
        Value::Words(&Words {
            what: "a part of the day",
            words: || Daypart::ALL.iter().map(|part| part.as_str()).collect(),
        }),
        "`morning` until 12:00, `noon`, `afternoon` from 14:00, `evening` from 17:30.",
    ),
    may("next_phone", Value::Bool, "On the contact's next phone.").default("false"),
];

const AGAIN: Shape = Shape {
    what: "a retry rule",
    doc: "Again after this call result.",
    keys: &[
        &[
            must("after", DURATION, "Quiet for so long.").like("1d"),
            must("max", Value::Integer(0, 1_000), "How often this result may lead to another attempt.").like("2"),
        ],
        &WISHES,
    ],
};

/// The rule leads to another phone, not to this one again.
const DEAD: Shape = Shape {
    what: "a retry rule",
    doc: "This number is never dialled again.",
    keys: &[
        &[
            must(
                "phone",
                Value::Words(&Words { what: "something that happens to a phone", words: || vec!["dead"] }),
                "`dead`: this number is never dialled again.",
            ),
            may("after", DURATION, "Quiet for so long."),
            may("max", Value::Integer(0, 1_000), "How often this result may lead to another attempt."),
        ],
        &WISHES,
    ],
};

pub const RETRY: Value = Value::Each(
    || CallResult::ALL.iter().filter(|result| result.is_retryable()).map(|result| result.as_str()).collect(),
    &Value::Either(&[Value::Map(&AGAIN), Value::Map(&DEAD)]),
);

const PER: Value = Value::Words(&Words { what: "something to count by", words: || vec!["customer", "phone"] });

const COUNTED: Value = Value::Integer(1, crate::campaign::caps::MOST_COUNTED as u64);

const CAP_WITHIN: Shape = Shape {
    what: "a cap",
    doc: "At most so many within a time.",
    keys: &[&[
        must("per", PER, "Counted by person, or by number."),
        must("within", DURATION, "So long back from now; `7d` is seven times 24 hours.").like("7d"),
        may("max_dials", COUNTED, "Dials, whoever answered or not."),
        may("max_contacts", COUNTED, "Conversations with the right party."),
    ]],
};

const CAP_QUIET: Shape = Shape {
    what: "a cap",
    doc: "Quiet after something happened.",
    keys: &[&[
        must("per", PER, "The person, or the number."),
        must(
            "after",
            Value::Words(&Words {
                what: "an event to be quiet after",
                words: || vec!["declined", "complaint", "abandoned", "contact", "machine"],
            }),
            "What happened.",
        ),
        must("quiet_for", Value::Of(&Pattern::LASTING), "So long, or `forever`.").like("60d"),
    ]],
};

pub const CAPS: Value = Value::List(&Value::Either(&[Value::Map(&CAP_WITHIN), Value::Map(&CAP_QUIET)]));

pub const PACING: Shape = Shape {
    what: "pacing",
    doc: "How many dials at once, and how long each may take.",
    keys: &[&[
        may(
            "mode",
            Value::Words(&Words { what: "a pacing mode", words: || vec!["agentless", "progressive"] }),
            "`progressive`: one dial per free agent or seat of the queue; `agentless`: as fast as lines allow, the flow answers.",
        )
        .default("progressive"),
        may("ring", DURATION, "How long it rings: 5s to 180s.").default("30s"),
        may("max_call_duration", DURATION, "Then the call is ended: 10s to 4h.").default("10m"),
    ]],
};

pub const CALLER_ID: Shape = Shape {
    what: "caller_id",
    doc: "The number that is shown.",
    keys: &[&[may("pool", NAME, "A pool of the trunk's numbers; all of them without it.").like("card-centre")]],
};

pub const TRUNK: Shape = Shape {
    what: "trunk",
    doc: "This campaign's share of a trunk.",
    keys: &[&[
        may("group", NAME, "A trunk of the daemon's configuration; the only one without it.").like("gw-a"),
        may("max_calls", Value::Integer(1, 1_000_000), "Calls at once, below the trunk's own limit."),
        may("max_cps", Value::Integer(1, 100_000), "New calls in a second, below the trunk's own limit."),
    ]],
};

pub const AGENTS: Shape = Shape {
    what: "agents",
    doc: "The people who talk.",
    keys: &[&[
        must("queue", NAME, "A queue of the daemon's configuration.").like("card-sales"),
        may("wrap_up", DURATION, "How long a seat stays busy after a call, up to 1h.").default("30s"),
    ]],
};
