//! `goals:` and `simulate:`.

use crate::campaign::read::{RUNS_MAX, SEED_MAX};

use super::shape::{Pattern, Shape, Value, may};

pub const GOALS: Value = Value::Named(&Pattern::NAME, &Value::Scalar);

pub const SIMULATE: Shape = Shape {
    what: "simulate",
    doc: "What `goldenhour simulate` does where its flags say nothing else, and what it must find.",
    keys: &[&[
        may("roster", Value::Text, "Who works when: a CSV file of `day,from,to,agents` in the campaigns folder.")
            .like("rosters/2026-12.csv"),
        may("seed", Value::Integer(0, SEED_MAX), "The same seed gives the same report.").default("1"),
        may("runs", Value::Integer(1, RUNS_MAX as u64), "Runs that quantiles are over.").default("1"),
        may("require", Value::List(&Value::Text), "Figures that must hold, or `simulate` exits with 5.")
            .like(r#"["p50(goal.accepted) >= 1800", "p95(agent_idle) <= 20%", "policy.violations == 0"]"#),
    ]],
};
