//! What the engine said after an input, as lines that two runs can be held against each other by.

use sha2::{Digest as _, Sha256};

use crate::engine::{Intent, Output, SlotLog, StoreRequest};

/// Everything that followed one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// In order, one for each request to the store and each command to a leg. Counts are in the digest alone.
    pub lines: Vec<String>,
    /// Of all outputs in order: the first eight bytes of a SHA-256.
    pub digest: u64,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    lines: Vec<String>,
    hash: Sha256,
}

impl Notes {
    pub(super) fn note(&mut self, output: &Output) {
        let line = match output {
            Output::Store(StoreRequest::Authorise(intent)) => wish("authorise", intent),
            Output::Store(StoreRequest::Reroute(intent)) => wish("reroute", intent),
            Output::Store(StoreRequest::Finish(outcome)) => format!("finish {outcome:?}"),
            Output::Store(StoreRequest::Dnc(request)) => format!("do not call {request:?}"),
            Output::Store(StoreRequest::Slot(log)) => slot(log),
            Output::Leg(leg, command) => format!("leg {} {command:?}", leg.0),
            Output::Count(counted) => {
                self.hash.update(format!("count {counted:?}\n"));
                return;
            }
        };
        self.hash.update(&line);
        self.hash.update("\n");
        self.lines.push(line);
    }

    pub(super) fn take(&mut self) -> Decisions {
        let digest = std::mem::take(&mut self.hash).finalize();
        let (head, _) = digest.split_at(8);
        let digest = u64::from_be_bytes(head.try_into().unwrap_or_default());
        Decisions { lines: std::mem::take(&mut self.lines), digest }
    }
}

fn slot(log: &SlotLog) -> String {
    format!("slot of {} from {} to {} {} {:?}", log.campaign.name, log.from, log.to, log.chance, log.counts)
}

/// Everything but the campaign's version: a rule that changes nothing is no difference.
fn wish(verb: &str, intent: &Intent) -> String {
    let zones: Vec<&str> = intent.phone_zones.iter().map(|ix| intent.zones.name(*ix)).collect();
    format!(
        "{verb} {} lead {} contact {} phone {} of {} in {} over {} as {} test only {} until tick {} {:?} {:?}",
        intent.attempt,
        intent.lead,
        intent.contact,
        intent.phone,
        intent.campaign.name,
        zones.join("+"),
        intent.trunk,
        intent.caller_id,
        intent.test_numbers_only,
        intent.permit_until.0,
        intent.facts,
        intent.context,
    )
}
