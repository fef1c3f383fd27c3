//! The gate's third and last question, inside the authorising transaction, with what the store knows by then.

use crate::base::{Pii, Wall};
use crate::contact::{ClosedWhy, LeadState};
use crate::gate::{self, Facts, Ledger, Reason, Rule, Verdict};

use super::Intent;

/// What the store knows better than whoever wished to dial.
#[derive(Clone, Copy, Debug)]
pub struct AsStored<'a> {
    /// No earlier than any wall clock that a commit saw.
    pub now: Wall,
    pub lead: LeadState,
    /// Of the campaign, or of everything.
    pub paused: bool,
    pub trunk_stopped: bool,
    pub contact: &'a Ledger,
    pub phone: &'a Ledger,
    pub number: &'a Pii<String>,
}

/// Every store asks through here, so that no rule is written a second time.
pub fn last_gate(intent: &Intent, known: &AsStored<'_>) -> Verdict {
    let AsStored { now, lead, paused, trunk_stopped, contact, phone, number } = *known;
    if let LeadState::Closed(why) = lead {
        let rule = if why == ClosedWhy::Dnc { Rule::Dnc } else { Rule::Attempts };
        return refused(rule, format!("the lead was closed meanwhile: {why}"));
    }
    let facts = Facts {
        now,
        campaign: &intent.campaign,
        campaign_ix: intent.campaign_ix,
        paused,
        lead: intent.facts,
        phone_id: intent.phone,
        phone_zones: &intent.phone_zones,
        zones: &intent.zones,
        contact,
        phone,
        test_numbers_only: intent.test_numbers_only,
        destination: Some(intent.reach.judge(number.reveal())),
        trunk_stopped,
    };
    match gate::ask(&facts, intent.campaign.pacing.ring) {
        // The gate says so itself; this holds even if it did not, as the store's own indexes do.
        Verdict::Allow if contact.has_live() || phone.has_live() => {
            refused(Rule::LiveAttempt, "an attempt is under way".to_owned())
        }
        verdict @ (Verdict::Allow | Verdict::Refuse { .. }) => verdict,
    }
}

/// A refusal that time alone does not lift.
pub fn refused(rule: Rule, detail: String) -> Verdict {
    Verdict::Refuse { reasons: vec![Reason { rule, detail, until: None }], until: None }
}
