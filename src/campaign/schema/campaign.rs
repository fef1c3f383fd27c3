//! A campaign file.

use crate::campaign::{RankBy, Scenario, Status};

use super::dialling::{AGENTS, ATTEMPTS, CALLER_ID, CAPS, PACING, RETRY, TRUNK};
use super::dispositions::DISPOSITIONS;
use super::experiment::EXPERIMENT;
use super::flow::FLOW;
use super::goals::{GOALS, SIMULATE};
use super::hours::{CALLING_HOURS, GOLDEN_HOURS};
use super::list::LIST;
use super::policy::PURPOSE;
use super::shape::{DATE, DURATION, NAME, Pattern, REFERENCE, SHARE, Shape, Value, Words, may, must};
use super::tests_file::TESTS;

const RUN: Shape = Shape {
    what: "run",
    doc: "First and last day, both included, in `fallback_zone`, else UTC.",
    keys: &[&[
        may("from", DATE, "The first day.").like("2026-12-01"),
        may("until", DATE, "The last day.").like("2026-12-31"),
    ]],
};

const USE: Shape = Shape {
    what: "use",
    doc: "Shared files of a certain version, owned by others.",
    keys: &[&[
        must("policy", REFERENCE, "The policy pack; it must cover the purpose.").like("cn-bank-marketing@3"),
        may("calendar", REFERENCE, "Public holidays; needed while they are closed.").like("cn-mainland@2026"),
        may("dispositions", REFERENCE, "A shared set of dispositions.").like("card-sales@2"),
    ]],
};

const ELIGIBLE: Shape = Shape {
    what: "eligible",
    doc: "Who may be called at all. A missing value never becomes true or false: the contact is not eligible, with that reason.",
    keys: &[&[must("all_of", Value::List(&Value::Condition), "CEL conditions, which must all hold.")
        .like(r#"["consent", "score >= 0.02"]"#)]],
};

const SEGMENT_ATTEMPTS: Shape = Shape {
    what: "attempts of a segment",
    doc: "Fewer attempts for this segment.",
    keys: &[&[must("max", Value::Integer(1, 1_000), "Attempts in all, at most the campaign's.")]],
};

const SEGMENT: Shape = Shape {
    what: "a segment",
    doc: "The first segment that fits is taken; who fits none is not called.",
    keys: &[&[
        must("name", NAME, "Named in golden hours, scripts, metrics and outcomes.").like("star"),
        must("when", Value::Condition, "A CEL condition; `true` for the rest.").like("score >= 0.4"),
        may("attempts", Value::Map(&SEGMENT_ATTEMPTS), "Fewer attempts for this segment."),
    ]],
};

const RANK: Shape = Shape {
    what: "rank",
    doc: "Who is called first.",
    keys: &[&[
        may(
            "by",
            Value::Words(&Words {
                what: "a way to rank",
                words: || RankBy::ALL.iter().map(|by| by.as_str()).collect(),
            }),
            "`score`: plain order; `expected_value`: chance of an answer × score × value, now against later.",
        )
        .default("expected_value"),
        may(
            "lookahead",
            DURATION,
            "Wait, although a line is free, if a better slot comes within so many days, today included, 4d at most. \
             Without it a free line is used.",
        ),
        may(
            "cost_per_dial",
            Value::Number(0.0, 1e9),
            "What a dial costs, in the unit of the value; nobody is dialled for less.",
        )
        .default("0"),
        may(
            "explore",
            SHARE,
            "Share of each slot's dials drawn by chance from those that the order would not reach, so that models go on \
             learning; 20% at most.",
        )
        .default("0%"),
    ]],
};

pub const CAMPAIGN: Shape = Shape {
    what: "a campaign",
    doc: "One campaign. Whatever the file says is carried out or refused: nothing is ignored.",
    keys: &[&[
        must("schema", Value::Const("goldenhour/v1"), "Kind and version of the file."),
        must("campaign", NAME, "Its name for ever: letters, digits, - and _.").like("installment-bill"),
        may("title", Value::Text, "For people."),
        must(
            "scenario",
            Value::Words(&Words {
                what: "a scenario",
                words: || Scenario::ALL.iter().map(|scenario| scenario.as_str()).collect(),
            }),
            "The stage of the card's life.",
        ),
        must("purpose", PURPOSE, "What the call is for; the policy must cover it."),
        may("owner", Value::Text, "Who answers for it."),
        may(
            "status",
            Value::Words(&Words {
                what: "a status",
                words: || Status::ALL.iter().map(|status| status.as_str()).collect(),
            }),
            "Only `active` dials.",
        )
        .default("active"),
        may("run", Value::Map(&RUN), "First and last day; always without it."),
        must("use", Value::Map(&USE), "Policy, calendar and dispositions."),
        must("list", Value::Map(&LIST), "Which columns of the list mean what."),
        may("eligible", Value::Map(&ELIGIBLE), "Who may be called at all; everybody without it."),
        may(
            "segments",
            Value::List(&Value::Map(&SEGMENT)),
            "Groups that are treated differently; the first that fits is taken.",
        ),
        may("rank", Value::Map(&RANK), "Who is called first."),
        may("calling_hours", Value::Map(&CALLING_HOURS), "HARD: nobody is dialled outside. The policy's without it."),
        may("golden_hours", Value::Map(&GOLDEN_HOURS), "SOFT: when calls are worth most."),
        may("pacing", Value::Map(&PACING), "How many dials at once."),
        may("attempts", Value::Map(&ATTEMPTS), "One budget per contact."),
        may(
            "retry",
            RETRY,
            "Rules per call result. With it, only the results it names are retried, and failures of our own side.",
        ),
        may("contact_caps", CAPS, "Limits over all campaigns together; the tighter of these and the policy's wins."),
        may("caller_id", Value::Map(&CALLER_ID), "The number that is shown."),
        may("trunk", Value::Map(&TRUNK), "This campaign's share of a trunk."),
        may("agents", Value::Map(&AGENTS), "The people who talk."),
        may(
            "script",
            Value::Named(&Pattern::NAME, &Value::Text),
            "What agents say: a Markdown file for `default` and for segments.",
        )
        .like(r#"{ "default": "scripts/card-sales.md" }"#),
        may("flow", Value::Map(&FLOW), "What the machine does on an answered call."),
        may("dispositions", DISPOSITIONS, "Ways a conversation can end, added to the shared set."),
        may("experiment", Value::Map(&EXPERIMENT), "One way of calling against another, and against not calling."),
        may("goals", GOALS, "What the campaign is to reach: dispositions and figures that `simulate` counts.")
            .like(r#"{ "accepted": 1800, "list_penetration": "95%" }"#),
        may("simulate", Value::Map(&SIMULATE), "How `goldenhour simulate` rehearses it, and what it must find."),
        may("tests", TESTS, "Tests that `goldenhour test` runs on the engine's own code path."),
    ]],
};
