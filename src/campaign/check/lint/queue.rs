//! A queue, or a way to end, that no call ever comes to.

use crate::base::Code;
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;
use crate::campaign::{Campaign, FlowEnd, PacingMode};

use super::warn;

pub fn check(raw: &RawCampaign, campaign: &Campaign, findings: &mut Findings) {
    let Some(flow) = &campaign.flow else { return };
    let transfers = flow.steps.iter().any(|step| matches!(step.then, Some(FlowEnd::Transfer { .. })));
    if let Some(agents) = &raw.agents
        && !flow.queues().any(|queue| queue == agents.value.queue)
    {
        let message = format!("no step of the flow transfers to `{}`: its agents get no call", agents.value.queue);
        let hint = match campaign.pacing.mode {
            PacingMode::Progressive => {
                "then: \"transfer:QUEUE\" in a step; with progressive pacing dials wait for these agents"
            }
            PacingMode::Agentless => "take `agents` out, or transfer to it: then: \"transfer:QUEUE\"",
        };
        warn(agents.span, Code::NeverReached, message, hint, findings);
    }
    if transfers || raw.agents.is_some() {
        return;
    }
    for (name, _) in &raw.dispositions {
        if !flow.steps.iter().any(|step| step.disposition.as_ref() == Some(&name.value)) {
            let message = format!("no step notes `{}`, and there are no agents who could", name.value);
            warn(name.span, Code::NeverReached, message, "note it in a step: disposition: NAME", findings);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    #[test]
    fn agents_whom_no_step_transfers_to_get_no_call() {
        let found = warned(&[("agents: { queue: card-sales }", "agents: { queue: card-care }")]);
        assert_eq!(found, ["GH1031: no step of the flow transfers to `card-care`: its agents get no call"]);
    }

    #[test]
    fn a_disposition_that_neither_flow_nor_agents_can_note_is_never_noted() {
        let codes = "dispositions: { heard: { outcome: neutral, contact: right_party, then: final } }\nagents:";
        assert_eq!(warned(&[("agents:", codes)]), [] as [String; 0]);
        let alone = [
            ("agents: { queue: card-sales }", codes.trim_end_matches("\nagents:")),
            ("mode: progressive", "mode: agentless"),
            (r#"then: "transfer:card-sales", on: { failed: bye }"#, "then: hangup"),
        ];
        assert_eq!(warned(&alone), ["GH1031: no step notes `heard`, and there are no agents who could"]);
    }
}
