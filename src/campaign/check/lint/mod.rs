//! What a correct campaign will hardly mean: each rule is a file, and finds warnings. A run that has ended is an error.

mod apart;
mod arms;
#[cfg(test)]
pub mod fixture;
mod golden;
mod overlap;
mod queue;
mod refusal;
mod retry;
mod run;
mod segments;
mod sooner;

pub use overlap::same_customers;

use jiff::civil::Date;

use crate::base::{Code, Diagnostic, Span};
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;
use crate::campaign::{Campaign, GoldenMode, WeekHours};

/// `raw` has the places, `campaign` the meaning. `today` is what the caller's calendar shows, if it wants to know what
/// is over.
pub fn campaign(raw: &RawCampaign, campaign: &Campaign, today: Option<Date>, findings: &mut Findings) {
    segments::check(raw, findings);
    golden::check(raw, campaign, findings);
    retry::check(raw, campaign, findings);
    queue::check(raw, campaign, findings);
    refusal::check(raw, campaign, findings);
    arms::check(raw, campaign, findings);
    if let Some(today) = today {
        run::check(raw, campaign, today, findings);
    }
}

/// Hours in which somebody of this campaign may be dialled: with `mode: only` the golden ones.
fn dialling_hours(campaign: &Campaign) -> WeekHours {
    let calling = &campaign.calling_hours.week;
    if campaign.golden_hours.mode == GoldenMode::Prefer {
        return calling.clone();
    }
    let mut days: [Vec<_>; 7] = Default::default();
    for golden in campaign.segments.iter().filter_map(|segment| campaign.golden_hours.of(&segment.name)) {
        for (weekday, day) in days.iter_mut().enumerate() {
            day.extend_from_slice(golden.day(weekday));
        }
    }
    WeekHours::new(days).intersect(calling)
}

fn warn(at: Span, code: Code, message: impl Into<String>, hint: impl Into<String>, findings: &mut Findings) {
    findings.push(Diagnostic::warning(code, message).at(findings.source(), at).hint(hint));
}
