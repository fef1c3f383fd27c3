//! Names of things. Rows of the store that the engine holds by the million are `u32`; what leaves the house is a UUID.

use std::fmt;

use uuid::{Builder, Uuid};

use super::{Now, Rng};

macro_rules! row_id {
    ($(#[$doc:meta] $name:ident($int:ty);)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);
        impl $name {
            /// For indexing into dense tables.
            pub fn ix(self) -> usize { self.0 as usize }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.0) }
        }
    )*};
}

row_id! {
    /// A person, keyed by the bank's customer key across all campaigns. Row number in the store.
    ContactId(u32);
    /// A contact in one campaign. Row number in the store.
    LeadId(u32);
    /// One number, unique by blind index. Row number in the store; the engine never holds the number itself.
    PhoneId(u32);
    /// One loaded list. Row number in the store.
    ListId(u32);
    /// Position in the store's table of campaign names: stable over reloads and restarts.
    CampaignIx(u16);
    /// Position in the daemon configuration's `trunks`.
    TrunkIx(u16);
    /// Position in the daemon configuration's `queues`.
    QueueIx(u16);
}

/// Where a customer falls whenever customers are split: the first eight bytes of the blind index of the bank's key, big-endian.
/// It is the same in every list and campaign, after an erasure and in another database with the same keys, and names nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Split(pub u64);

/// One try at a lead: a UUIDv7 made from `Now` and the engine's seeded `Rng`. It is the SIP Call-ID of the customer's leg.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u128);

/// One SIP call. The customer's leg carries the attempt's own id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub AttemptId);

impl AttemptId {
    /// RFC 9562 §5.7. Times before 1970 count as 1970.
    pub fn new(now: Now, rng: &mut Rng) -> Self {
        let millis = u64::try_from(now.wall.0.div_euclid(1_000)).unwrap_or(0);
        let mut random = [0; 10];
        rng.fill(&mut random);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128())
    }

    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(|id| Self(id.as_u128()))
    }

    pub fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_u128(self.0).as_hyphenated())
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;

    #[test]
    fn attempt_ids_are_version_seven_and_sort_by_time() {
        let mut rng = Rng::seeded(1);
        let early = AttemptId::new(Now { wall: Wall(1_000_000), ..Now::default() }, &mut rng);
        let late = AttemptId::new(Now { wall: Wall(2_000_000), ..Now::default() }, &mut rng);
        assert!(early < late);
        assert_eq!(early.to_string().as_bytes().get(14), Some(&b'7'));
        assert_eq!(AttemptId::parse(&early.to_string()), Some(early));
    }
}
