//! `goals:` and `simulate:`.

use crate::base::Code;
use crate::campaign::decode::{Findings, Node, Spanned, scalar};

/// Keys and values as they stand there.
#[derive(Clone, Debug, Default)]
pub struct RawGoals {
    pub all: Vec<(Spanned<String>, Spanned<String>)>,
}

#[derive(Clone, Debug, Default)]
pub struct RawSimulate {
    pub roster: Option<Spanned<String>>,
    pub seed: Option<u64>,
    pub runs: Option<u16>,
    pub require: Vec<Spanned<String>>,
}

/// Goals and requirements beyond this are a program.
const MOST: usize = 32;
/// What a reader of JSON numbers keeps exactly.
pub const SEED_MAX: u64 = 1 << 53;
pub const RUNS_MAX: u16 = 10_000;

pub fn goals(node: &Node, findings: &mut Findings) -> Option<RawGoals> {
    let mut all = Vec::new();
    for entry in node.entries("goals", findings)?.iter().take(MOST) {
        let name = scalar::key_name(entry, findings);
        let value = entry.value.scalar("a number or a percentage", findings);
        if let (Some(name), Some(value)) = (name, value) {
            all.push((Spanned { value: name, span: entry.key_span }, entry.value.spanned(value.text.clone())));
        }
    }
    Some(RawGoals { all })
}

pub fn simulate(node: &Node, findings: &mut Findings) -> Option<RawSimulate> {
    let mut fields = node.fields("simulate", findings)?;
    let simulate = RawSimulate {
        roster: fields.optional("roster", findings, scalar::text_at),
        seed: fields.optional("seed", findings, |node, findings| scalar::integer(node, 0..=SEED_MAX, findings)),
        runs: fields.optional("runs", findings, scalar::u16_from(1..=RUNS_MAX)),
        require: fields.optional("require", findings, require).unwrap_or_default(),
    };
    fields.finish(findings);
    Some(simulate)
}

fn require(node: &Node, findings: &mut Findings) -> Option<Vec<Spanned<String>>> {
    let all = node.list_of("require", findings, scalar::text_at)?;
    if all.len() > MOST {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST} requirements"));
        return None;
    }
    Some(all)
}
