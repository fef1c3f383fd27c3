//! `golden_hours:`, the soft preference.

use crate::base::{Share, Span};
use crate::campaign::decode::{Findings, Node, NodeKind, Spanned, scalar, unit};
use crate::campaign::{GoldenMode, Learn};

use super::hours::{RawWeek, windows};

const LEARN: [(&str, Learn); 2] = [("per_segment", Learn::PerSegment), ("off", Learn::Off)];

#[derive(Clone, Debug, Default)]
pub struct RawGolden {
    pub span: Span,
    pub mode: Option<GoldenMode>,
    pub prior_weight_calls: Option<u32>,
    pub learn: Option<Learn>,
    /// By segment name or `all`, in the order of the file.
    pub seed: Vec<(Spanned<String>, RawWeek)>,
    pub rate_golden: Option<Share>,
    pub rate_other: Option<Share>,
}

pub fn golden_hours(node: &Node, findings: &mut Findings) -> Option<RawGolden> {
    let mut fields = node.fields("golden_hours", findings)?;
    let mut golden = RawGolden {
        span: node.span,
        mode: fields.optional("mode", findings, |node, findings| {
            let words = [("prefer", GoldenMode::Prefer), ("only", GoldenMode::Only)];
            scalar::one_of(node, "a mode of golden hours", &words, &[], findings)
        }),
        prior_weight_calls: fields.optional("prior_weight_calls", findings, scalar::u32_from(0..=1_000_000)),
        learn: fields.optional("learn", findings, |node, findings| {
            scalar::one_of(node, "a way to learn", &LEARN, &["per_customer"], findings)
        }),
        ..RawGolden::default()
    };
    if let Some((golden_rate, other)) = fields.optional("answer_rate", findings, answer_rate) {
        (golden.rate_golden, golden.rate_other) = (golden_rate, other);
    }
    golden.seed = fields.optional("seed", findings, seed).unwrap_or_default();
    fields.finish(findings);
    Some(golden)
}

fn answer_rate(node: &Node, findings: &mut Findings) -> Option<(Option<Share>, Option<Share>)> {
    let mut fields = node.fields("answer_rate", findings)?;
    let rates = (fields.optional("golden", findings, unit::share), fields.optional("other", findings, unit::share));
    fields.finish(findings);
    Some(rates)
}

fn seed(node: &Node, findings: &mut Findings) -> Option<Vec<(Spanned<String>, RawWeek)>> {
    let mut seed = Vec::new();
    for entry in node.entries("seed", findings)? {
        let Some(name) = scalar::key_name(entry, findings) else { continue };
        if let Some(week) = week(&entry.value, findings) {
            seed.push((Spanned { value: name, span: entry.key_span }, week));
        }
    }
    Some(seed)
}

/// A list of windows for every day, or a map of days.
fn week(node: &Node, findings: &mut Findings) -> Option<RawWeek> {
    if matches!(node.kind, NodeKind::Map(_)) {
        let mut fields = node.fields("golden hours by day", findings)?;
        let week = RawWeek::read(&mut fields, findings);
        fields.finish(findings);
        return Some(week);
    }
    windows(node, findings).map(|windows| RawWeek::every_day(&windows))
}
