//! `rank:`, who is called first.

use std::time::Duration;

use crate::base::{Code, Share};
use crate::campaign::decode::{Findings, Node, scalar, unit};
use crate::campaign::{Rank, RankBy};

const DAY: Duration = Duration::from_hours(24);
/// Beyond that a forecast of who answers when is worth little, and prices would cost more than they bring.
const LOOKAHEAD_MAX: Duration = Duration::from_hours(4 * 24);
/// More of a day's dials by chance is no campaign any more.
const EXPLORE_MAX: Share = Share::from_ppm(200_000);

pub fn rank(node: &Node, findings: &mut Findings) -> Option<Rank> {
    let mut fields = node.fields("rank", findings)?;
    fields.not_yet(&["mix"]);
    let mut rank = Rank::default();
    let by = fields.optional("by", findings, |node, findings| {
        let words: Vec<(&str, RankBy)> = RankBy::ALL.iter().map(|by| (by.as_str(), *by)).collect();
        scalar::one_of(node, "a way to rank", &words, &[], findings)
    });
    rank.by = by.unwrap_or(rank.by);
    let timed = |by: RankBy, key: &str, node: &Node, findings: &mut Findings| {
        if by == RankBy::Score {
            let message = format!("`{key}` weighs slots against each other, and `by: score` looks at none");
            findings.error_hint(node.span, Code::Contradiction, message, "leave it out, or rank `by: expected_value`");
        }
    };
    rank.lookahead_days = fields.optional("lookahead", findings, |node, findings| {
        timed(rank.by, "lookahead", node, findings);
        lookahead_days(node, findings)
    });
    let cost = fields.optional("cost_per_dial", findings, |node, findings| {
        timed(rank.by, "cost_per_dial", node, findings);
        cost_per_dial(node, findings)
    });
    rank.cost_per_dial = cost.unwrap_or(rank.cost_per_dial);
    rank.explore = fields.optional("explore", findings, explore).unwrap_or(rank.explore);
    fields.finish(findings);
    Some(rank)
}

fn lookahead_days(node: &Node, findings: &mut Findings) -> Option<u8> {
    let span = unit::duration_in(DAY..=LOOKAHEAD_MAX)(node, findings)?;
    if !span.as_secs().is_multiple_of(DAY.as_secs()) {
        let message =
            format!("{} is no whole number of days: a lead waits until a day of its own ends", unit::show(span));
        findings.error_hint(node.span, Code::BadValue, message, "1d is today, 2d today and tomorrow");
        return None;
    }
    u8::try_from(span.as_secs() / DAY.as_secs()).ok()
}

fn cost_per_dial(node: &Node, findings: &mut Findings) -> Option<f32> {
    let cost = scalar::number(node, findings)?;
    if !(0.0..=1e9).contains(&cost) {
        findings.error(node.span, Code::BadValue, format!("a cost of 0 or more was expected, not {cost}"));
        return None;
    }
    Some(cost as f32)
}

fn explore(node: &Node, findings: &mut Findings) -> Option<Share> {
    let share = unit::share(node, findings)?;
    if share > EXPLORE_MAX {
        let message = format!("{share} of all dials by chance is more than {EXPLORE_MAX}");
        findings.error_hint(node.span, Code::BadValue, message, "2% to 5% keep a model learning");
        return None;
    }
    Some(share)
}
