//! The campaign on which the tests of a policy pack run: it has no rule but the pack's.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Code, SourceText};
use crate::campaign::decode::{Findings, Spanned, parse};
use crate::campaign::read::{self, Reference};
use crate::campaign::{Campaign, Folder, Policy, Purpose};
use crate::contact::Zones;

use super::{Names, Shared, campaign};

const RING: Duration = Duration::from_secs(30);

/// Columns for everything, two phones, the usual ways for a conversation to end.
const REST: &str =
    "list: { key: key, phones: [mobile, home], score: score, value: value, zone: zone, language: language, \
    consent: consent, tags: tags, attempts_used: attempts_used, attributes: attributes }
attempts: { min_gap: 0s, stop_after_contact: false }
flow: { start: hello, steps: { hello: { disposition: no_key_pressed, then: hangup } } }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  thinking: { outcome: neutral, contact: right_party, then: callback }
  declined: { outcome: failure, contact: right_party, then: final }
  opted_out: { outcome: failure, contact: right_party, then: dnc_customer }
  complaint: { outcome: failure, contact: right_party, then: dnc_customer, complaint: true }
  wrong_number: { outcome: neutral, contact: wrong_party, then: phone_dead }
  no_key_pressed: { outcome: neutral, contact: nobody, then: retry }
";

/// It goes through the same checks as everybody's. What they find is told at the file's own `policy:`.
pub fn vector_campaign(
    policy: &Spanned<Reference>,
    calendar: Option<&Spanned<Reference>>,
    shared: &Shared,
    zones: &mut Zones,
    findings: &mut Findings,
) -> Option<Campaign> {
    let Reference { name, version } = &policy.value;
    let pack = shared.policies.get(name);
    let text = text(policy, calendar, pack.map(AsRef::as_ref));
    let source = Arc::new(SourceText { name: format!("the campaign for the tests of {name}"), text });
    let mut own = Findings::new(&source);
    let raw = parse(&source, &mut own).and_then(|root| read::campaign(&root, &mut own));
    let empty = Folder::default();
    let checked = raw.and_then(|raw| campaign(raw, String::new(), shared, &mut Names::new(&empty), zones, &mut own));
    if checked.is_some() && !own.has_errors() {
        return checked;
    }
    let broken = shared.broken.contains(&format!("policies/{name}.yaml"));
    for finding in own.into_list().into_iter().filter(|finding| finding.is_error() && !broken) {
        let message = format!("no campaign can be made under {name}@{version}: {}", finding.message);
        let hint = finding.hint.unwrap_or_else(|| "`calendar` stands beside `policy`".to_owned());
        findings.error_hint(policy.span, Code::Contradiction, message, hint);
    }
    None
}

fn text(policy: &Spanned<Reference>, calendar: Option<&Spanned<Reference>>, pack: Option<&Policy>) -> String {
    let purpose = pack.and_then(|pack| pack.purposes.first().copied()).unwrap_or(Purpose::Marketing).as_str();
    let ring = pack.map_or(RING, |pack| pack.min_ring.max(RING)).as_secs();
    let mut uses = format!("policy: {}@{}", policy.value.name, policy.value.version);
    if let Some(Spanned { value: Reference { name, version }, .. }) = calendar {
        // Writing into a text cannot fail.
        let _infallible = write!(uses, ", calendar: {name}@{version}");
    }
    format!(
        "schema: goldenhour/v1\ncampaign: vectors\nscenario: revisit\npurpose: {purpose}\nuse: {{ {uses} }}\n\
         pacing: {{ mode: agentless, ring: {ring}s }}\n{REST}"
    )
}
