//! How the network says what became of a call that nobody answered. The table stands in docs/GATEWAY.md.

use crate::sim::Kind;

/// A final answer: SIP status and Q.850 cause (RFC 3326, RFC 3398 §8.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) q850: Option<u8>,
}

/// After three minutes a proxy gives up ringing (RFC 3261 §16.6, Timer C): user alerted, no answer.
pub(super) const RANG_OUT: Refusal = refusal(480, 19);

const fn refusal(status: u16, q850: u8) -> Refusal {
    Refusal { status, q850: Some(q850) }
}

/// `None` for whoever picks up or lets it ring. Half of the numbers sit behind a network that turns 603 into 480.
pub(super) fn refusal_of(kind: &Kind, number: u64) -> Option<Refusal> {
    match kind {
        Kind::Person(_) | Kind::Machine { .. } | Kind::NoAnswer => None,
        Kind::Busy => Some(refusal(486, 17)),
        Kind::Rejected if number.is_multiple_of(2) => Some(Refusal { status: 603, q850: None }),
        Kind::Rejected => Some(refusal(480, 21)),
        Kind::Vacant => Some(refusal(404, 1)),
        Kind::Suspended => Some(refusal(480, 8)),
        Kind::PoweredOff => Some(refusal(480, 20)),
        Kind::NotReachable => Some(refusal(480, 20)),
        Kind::Congestion => Some(refusal(503, 34)),
    }
}

/// Whether the phone rings before that.
pub(super) fn rings(kind: &Kind) -> bool {
    match kind {
        Kind::Person(_) | Kind::Machine { .. } | Kind::NoAnswer | Kind::Rejected => true,
        Kind::Busy | Kind::Vacant | Kind::Suspended | Kind::PoweredOff | Kind::NotReachable | Kind::Congestion => false,
    }
}

/// In the witness log.
pub(super) fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Person(_) => "person",
        Kind::Machine { .. } => "machine",
        Kind::Busy => "busy",
        Kind::Rejected => "rejected",
        Kind::NoAnswer => "no_answer",
        Kind::Vacant => "vacant_number",
        Kind::Suspended => "suspended",
        Kind::PoweredOff => "powered_off",
        Kind::NotReachable => "not_reachable",
        Kind::Congestion => "network_failure",
    }
}
