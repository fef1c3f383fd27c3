//! Golden hours against calling hours and segments.

use std::collections::BTreeMap;

use crate::base::{Code, Share};
use crate::campaign::decode::{Findings, did_you_mean};
use crate::campaign::read::RawGolden;
use crate::campaign::{GoldenHours, GoldenMode, Learn, Segment, WeekHours};

/// The seed's key for every segment without a line of its own.
const ALL: &str = "all";

pub fn golden_hours(
    raw: Option<&RawGolden>,
    segments: &[Segment],
    calling: Option<&WeekHours>,
    findings: &mut Findings,
) -> GoldenHours {
    let mut golden = GoldenHours::default();
    let Some(raw) = raw else { return golden };
    golden.mode = raw.mode.unwrap_or(golden.mode);
    golden.prior_weight_calls = raw.prior_weight_calls.unwrap_or(golden.prior_weight_calls);
    golden.learn = raw.learn.unwrap_or(golden.learn);
    golden.rate_golden = raw.rate_golden.unwrap_or(golden.rate_golden);
    golden.rate_other = raw.rate_other.unwrap_or(golden.rate_other);
    golden.seed = seed(raw, segments, calling, findings);
    if golden.rate_golden < golden.rate_other {
        let message =
            format!("golden hours answer less often ({}) than the others ({})", golden.rate_golden, golden.rate_other);
        findings.error(raw.span, Code::Contradiction, message);
    }
    if golden.mode == GoldenMode::Only
        && let Some(segment) = segments.iter().find(|segment| golden.of(&segment.name).is_none())
    {
        let message = format!("mode: only, and `{}` has no golden hours: nobody in it is ever called", segment.name);
        findings.error_hint(raw.span, Code::Contradiction, message, "give it a line in `seed`, or one for `all`");
    }
    golden
}

fn seed(
    raw: &RawGolden,
    segments: &[Segment],
    calling: Option<&WeekHours>,
    findings: &mut Findings,
) -> BTreeMap<String, WeekHours> {
    let mut seed = BTreeMap::new();
    for (name, week) in &raw.seed {
        if name.value != ALL && !segments.iter().any(|segment| segment.name == name.value) {
            let names = segments.iter().map(|s| s.name.as_str()).chain([ALL]);
            let hint = did_you_mean(&name.value, names.clone())
                .unwrap_or_else(|| format!("segments are: {}", names.collect::<Vec<_>>().join(", ")));
            findings.error_hint(name.span, Code::UnknownName, format!("there is no segment `{}`", name.value), hint);
        }
        let hours = week.hours();
        if let Some(calling) = calling
            && !week.broken
            && hours.intersect(calling).is_empty()
        {
            let message = format!("the golden hours of `{}` never meet the calling hours", name.value);
            findings.error_hint(
                name.span,
                Code::Contradiction,
                message,
                "golden hours are a preference inside calling hours",
            );
        }
        seed.insert(name.value.clone(), hours);
    }
    seed
}

impl Default for GoldenHours {
    fn default() -> Self {
        Self {
            mode: GoldenMode::Prefer,
            seed: BTreeMap::new(),
            rate_golden: Share::from_ppm(300_000),
            rate_other: Share::from_ppm(150_000),
            prior_weight_calls: 200,
            learn: Learn::PerSegment,
        }
    }
}
