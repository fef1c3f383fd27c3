//! What the far end has seen and done so far.

/// Counts since the start; `live` is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub live: u64,
    pub most_live: u64,
    /// New INVITEs, those over the limit included.
    pub invites: u64,
    /// 503 with Retry-After.
    pub over_limit: u64,
    pub people: u64,
    pub machines: u64,
    /// Final answers of 300 and above, other than over the limit and after CANCEL.
    pub refused: u64,
    /// By CANCEL.
    pub cancelled: u64,
    /// Calls that somebody picked up and that heard nothing for ten seconds.
    pub heard_nothing: u64,
    pub keys: u64,
    pub transfers: u64,
    pub transfers_refused: u64,
    /// Answered calls that we ended.
    pub hung_up: u64,
    pub rtp_in: u64,
    pub rtp_out: u64,
    /// RTP of nobody's call.
    pub rtp_stray: u64,
    /// Repetitions, by timers and by peers.
    pub sip_resent: u64,
    pub sip_repeated: u64,
    /// Requests refused, unreadable datagrams, strangers.
    pub sip_odd: u64,
}
