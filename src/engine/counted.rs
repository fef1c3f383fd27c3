//! What the engine counts: the shell turns it into metrics and logs. Nothing here names a person.

use crate::base::{CampaignIx, TrunkIx};
use crate::contact::{CallResult, ClosedWhy, OutcomeKind};
use crate::gate::Rule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A lead came in.
    Admitted {
        campaign: CampaignIx,
    },
    /// The gate said no: once for each rule that did.
    Refused {
        campaign: CampaignIx,
        rule: Rule,
    },
    /// The store answered a wish to dial.
    Intent {
        campaign: CampaignIx,
        answer: IntentAnswer,
    },
    /// An authorised attempt went to the line.
    Dialled {
        campaign: CampaignIx,
        trunk: TrunkIx,
        local_hour: u8,
        golden: bool,
    },
    /// A trunk could not take an attempt, and it went to the line for another one.
    Rerouted {
        from: TrunkIx,
        to: TrunkIx,
    },
    /// An attempt is over.
    Finished(FinishedCount),
    /// The callee pressed a key in a flow: `0`–`9`, `*`, `#`, `A`–`D`.
    Key {
        campaign: CampaignIx,
        key: char,
    },
    Closed {
        campaign: CampaignIx,
        why: ClosedWhy,
    },
    /// Somebody said no to further calls.
    Dnc {
        campaign: CampaignIx,
    },
    /// Still ringing at closing time: taken back.
    CancelledAtClosing {
        campaign: CampaignIx,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedCount {
    pub campaign: CampaignIx,
    pub trunk: TrunkIx,
    pub result: CallResult,
    pub outcome: OutcomeKind,
    pub answered: bool,
    pub local_hour: u8,
    /// From the INVITE to the first sign of ringing, from there to the answer or the end, from the answer to the end.
    pub setup_ms: Option<u32>,
    pub ring_ms: Option<u32>,
    pub talk_ms: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentAnswer {
    Authorised,
    Refused,
    Doubt,
}

impl IntentAnswer {
    pub const ALL: [Self; 3] = [Self::Authorised, Self::Refused, Self::Doubt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::Refused => "refused",
            Self::Doubt => "doubt",
        }
    }
}
