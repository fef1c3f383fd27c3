//! Contact caps: the policy's and the campaign's own, of which none may be looser.

use crate::base::Code;
use crate::campaign::decode::{Findings, Spanned, unit::show};
use crate::campaign::{Cap, CapRule, Policy};

pub fn caps(own: &[Spanned<Cap>], policy: &Policy, findings: &mut Findings) -> Vec<Cap> {
    let mut caps = policy.caps.clone();
    for cap in own {
        if let Some(why) =
            policy.caps.iter().filter(|law| law.per == cap.value.per).find_map(|law| looser(&cap.value, law))
        {
            let message = format!("{} {why}", policy.reference());
            findings.error_hint(cap.span, Code::Loosens, message, "a campaign may only tighten its policy");
        }
        let is_said = policy.caps.iter().any(|law| law.per == cap.value.per && law.rule == cap.value.rule);
        if !is_said {
            caps.push(cap.value.clone());
        }
    }
    caps
}

/// Both would hold, so that a looser cap changes nothing; whoever wrote it believes that it does.
fn looser(cap: &Cap, law: &Cap) -> Option<String> {
    match (&cap.rule, &law.rule) {
        (
            CapRule::Within { within, max_dials, max_contacts },
            CapRule::Within { within: law_within, max_dials: law_dials, max_contacts: law_contacts },
        ) if within <= law_within => {
            let above = |mine: &Option<u16>, law: &Option<u16>| mine.zip(*law).filter(|(mine, law)| mine > law);
            let dials = above(max_dials, law_dials).filter(|_| within == law_within).map(|(_, law)| ("dials", law));
            let contacts =
                above(max_contacts, law_contacts).filter(|_| within == law_within).map(|(_, law)| ("contacts", law));
            dials.or(contacts).map(|(what, law)| format!("allows {law} {what} within {}", show(*law_within)))
        }
        (CapRule::Quiet { after, quiet_for }, CapRule::Quiet { after: law_after, quiet_for: law_for })
            if after == law_after =>
        {
            match (quiet_for, law_for) {
                (Some(_), None) => Some("is quiet forever".to_owned()),
                (Some(mine), Some(law)) if mine < law => Some(format!("is quiet for {}", show(*law))),
                (Some(_) | None, Some(_)) | (None, None) => None,
            }
        }
        (CapRule::Within { .. } | CapRule::Quiet { .. }, _) => None,
    }
}
