//! Two arms that differ in nothing: an experiment on chance. It is good for a first try, and for nothing after it.

use crate::base::Code;
use crate::campaign::Campaign;
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;

use super::warn;

pub fn check(raw: &RawCampaign, campaign: &Campaign, findings: &mut Findings) {
    let Some((experiment, written)) = campaign.experiment.as_ref().zip(raw.experiment.as_ref()) else { return };
    let called: Vec<_> = experiment.arms.iter().filter(|arm| !arm.held_out).collect();
    for (at, one) in called.iter().enumerate() {
        for other in called.iter().skip(at + 1).filter(|other| other.script == one.script) {
            let place = written.arms.iter().find(|arm| *arm.name.value == *other.name);
            let span = place.map_or(written.span, |arm| arm.name.span);
            let message = format!("`{}` and `{}` are called alike", one.name, other.name);
            warn(
                span,
                Code::ArmsAlike,
                message,
                "give one of them a `script` of its own, or make them one arm",
                findings,
            );
        }
    }
}
