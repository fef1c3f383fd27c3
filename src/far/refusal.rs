//! What the gateway answers and testifies when nobody picks up; what the network says is the same for every carrier.

pub(super) use crate::sim::{Refusal, refusal_of, rings};

use crate::sim::Kind;

/// After three minutes a proxy gives up ringing (RFC 3261 §16.6, Timer C): user alerted, no answer.
pub(super) const RANG_OUT: Refusal = Refusal { status: 480, q850: Some(19) };

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
