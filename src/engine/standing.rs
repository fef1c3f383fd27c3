//! Where a lead is in memory, in one byte. The store's `LeadState` says where it is for good.

use crate::contact::ClosedWhy;
use crate::gate::Rule;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the frontier, due or parked.
    Waiting,
    /// An attempt is being authorised, dialled or talked.
    Live,
    Closed(ClosedWhy),
    /// The gate refused it, and time alone will not help.
    Blocked(Rule),
}

impl Standing {
    const CLOSED: u8 = 0x40;
    const BLOCKED: u8 = 0x80;

    pub fn pack(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Live => 1,
            Self::Closed(why) => Self::CLOSED | why as u8,
            Self::Blocked(rule) => Self::BLOCKED | rule as u8,
        }
    }

    /// Of a byte made by `pack`; no other one is ever stored.
    pub fn unpack(byte: u8) -> Self {
        let low = usize::from(byte & 0x3F);
        match byte & (Self::CLOSED | Self::BLOCKED) {
            Self::CLOSED => Self::Closed(ClosedWhy::ALL.get(low).copied().unwrap_or(ClosedWhy::Invalid)),
            Self::BLOCKED => Self::Blocked(Rule::ALL.get(low).copied().unwrap_or(Rule::CampaignState)),
            _ if low == 0 => Self::Waiting,
            _ => Self::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_survives_its_byte() {
        let closed = ClosedWhy::ALL.iter().map(|why| Standing::Closed(*why));
        let blocked = Rule::ALL.iter().map(|rule| Standing::Blocked(*rule));
        let rest = [Standing::Waiting, Standing::Live];
        assert!(closed.chain(blocked).chain(rest).all(|s| Standing::unpack(s.pack()) == s));
    }
}
