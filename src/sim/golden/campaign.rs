//! The campaign that GOLDEN-1 runs: nothing is known of anybody's hours.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::base::Diagnostic;
use crate::campaign::{Campaign, Folder, load};

use super::Policy;
use super::people::KINDS;

const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: golden\nversion: 1\ntitle: GOLDEN-1\npurposes: [marketing]\n\
     sources: [\"the benchmark\"]\nconsent: not_refused\n\
     calling_hours: { mon-sun: [\"09:00-19:00\"], holidays: open }\nattempts: { max: 7, max_per_day: 1 }\n";

/// As a manager would write it for that policy.
pub fn campaign(policy: Policy) -> Result<Arc<Campaign>, Vec<Diagnostic>> {
    let rank = match policy {
        Policy::Fifo | Policy::Random | Policy::FifoLow => "{ by: score }",
        Policy::Greedy | Policy::Price => "{ by: expected_value }",
        Policy::Wait => "{ by: expected_value, lookahead: 1d }",
    };
    let mut segments = String::new();
    for (name, _) in KINDS {
        // Writing to a String cannot fail.
        let _infallible = write!(segments, "{{ name: {name}, when: \"kind == '{name}'\" }}, ");
    }
    let yaml = format!(
        "schema: goldenhour/v1\ncampaign: golden\nscenario: activation\npurpose: marketing\nuse: {{ policy: golden@1 }}\n\
         list:\n  key: key\n  phones: [phone]\n  model: {{ score: score }}\n  \
         columns: {{ kind: {{ type: text, from: kind }} }}\nsegments: [{segments}]\n\
         rank: {rank}\ncalling_hours: {{ fallback_zone: Asia/Shanghai }}\n\
         golden_hours: {{ learn: per_segment, answer_rate: {{ golden: 20%, other: 20% }} }}\n\
         pacing: {{ mode: agentless, ring: 30s }}\nattempts: {{ max: 7, max_per_day: 1 }}\n\
         flow: {{ start: bye, steps: {{ bye: {{ disposition: done, then: hangup }} }} }}\n\
         dispositions: {{ done: {{ outcome: success, contact: right_party, then: final }} }}\n"
    );
    let mut folder = Folder::default();
    folder.insert("policies/golden.yaml", POLICY.as_bytes());
    folder.insert("golden.yaml", yaml.into_bytes());
    let plan = load(&folder)?;
    plan.campaigns.into_iter().next().ok_or_else(Vec::new)
}
