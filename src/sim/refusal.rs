//! How the network says what became of a call that nobody answered. The table stands in docs/GATEWAY.md.

use super::population::Kind;

/// A final answer: SIP status and Q.850 cause (RFC 3326, RFC 3398 §8.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub q850: Option<u8>,
}

const fn refusal(status: u16, q850: u8) -> Refusal {
    Refusal { status, q850: Some(q850) }
}

/// `None` for whoever picks up or lets it ring. Half of the numbers sit behind a network that turns 603 into 480.
pub fn refusal_of(kind: &Kind, number: u64) -> Option<Refusal> {
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
pub fn rings(kind: &Kind) -> bool {
    match kind {
        Kind::Person(_) | Kind::Machine { .. } | Kind::NoAnswer | Kind::Rejected => true,
        Kind::Busy | Kind::Vacant | Kind::Suspended | Kind::PoweredOff | Kind::NotReachable | Kind::Congestion => false,
    }
}
