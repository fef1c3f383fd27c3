//! From the number that was dialled to what its owner will do.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::base::Wall;
use crate::contact::{ZoneIx, Zones, zones_of};
use crate::sim::{Behaviour, Kind, Population};

use super::town::{Town, longest};

/// Numbers whose dials are counted; every dial of a number beyond them goes as its first.
const COUNTED_MAX: usize = 4_000_000;
/// E.164 has fifteen; what gateways put in front of them is short.
const DIGITS_MAX: usize = 32;

#[derive(Debug)]
pub(super) struct People {
    everybody: Population,
    segments: Vec<(String, Population)>,
    zones: Zones,
    by_prefix: Vec<(String, ZoneIx)>,
    elsewhere: ZoneIx,
    dials: HashMap<u64, u32>,
}

/// Somebody whose number was dialled.
#[derive(Debug)]
pub(super) struct Callee {
    pub(super) number: u64,
    /// Dials that the number had before.
    pub(super) ordinal: u32,
    pub(super) behaviour: Behaviour,
}

impl People {
    pub(super) fn new(town: &Town) -> Self {
        let mut zones = Zones::default();
        let elsewhere = zones.intern(&town.zone).unwrap_or_default();
        let known = |(prefix, zone): &(String, String)| zones.intern(zone).map(|ix| (prefix.clone(), ix));
        let by_prefix = town.zones.iter().filter_map(known).collect();
        let segments = town.segments.iter().map(|s| (s.prefix.clone(), s.people.clone())).collect();
        Self { everybody: town.people.clone(), segments, zones, by_prefix, elsewhere, dials: HashMap::new() }
    }

    pub(super) fn called(&mut self, at: Wall, user: &str) -> Callee {
        let digits = digits(user);
        let people = longest(&self.segments, &digits).unwrap_or(&self.everybody);
        let number = fingerprint_of(self.everybody.seed, &digits);
        let zone = zone(&mut self.zones, &self.by_prefix, &digits).unwrap_or(self.elsewhere);
        let local_hour = u8::try_from(self.zones.local(zone, at).hour()).unwrap_or(0);
        let ordinal = self.dials.get(&number).copied().unwrap_or(0);
        if ordinal > 0 || self.dials.len() < COUNTED_MAX {
            self.dials.insert(number, ordinal.saturating_add(1));
        }
        Callee { number, ordinal, behaviour: people.behaviour(number, ordinal, local_hour) }
    }

    /// The network had no room for it: nobody was called, and it does not count.
    pub(super) fn not_called(&self, user: &str) -> Callee {
        let number = fingerprint_of(self.everybody.seed, &digits(user));
        let behaviour = Behaviour { post_dial_delay_ms: 0, ring_ms: 0, kind: Kind::Congestion };
        Callee { number, ordinal: self.dials.get(&number).copied().unwrap_or(0), behaviour }
    }
}

/// What the witness log and the draws know a number by: SHA-256 of the seed (eight octets, big-endian) and the digits,
/// its first eight octets. `number` is the user part as dialled; a plus changes nothing.
pub fn fingerprint(seed: u64, number: &str) -> u64 {
    fingerprint_of(seed, &digits(number))
}

fn fingerprint_of(seed: u64, digits: &str) -> u64 {
    let hash = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(digits).finalize();
    hash.iter().take(8).fold(0, |value, octet| value << 8 | u64::from(*octet))
}

/// Parameters and visual separators are not part of a number (RFC 3966 §3).
fn digits(user: &str) -> String {
    let number = user.split(';').next().unwrap_or("");
    number.chars().filter(char::is_ascii_digit).take(DIGITS_MAX).collect()
}

fn zone(zones: &mut Zones, by_prefix: &[(String, ZoneIx)], digits: &str) -> Option<ZoneIx> {
    if let Some(zone) = longest(by_prefix, digits) {
        return Some(*zone);
    }
    let name = zones_of(&format!("+{digits}")).first()?;
    zones.find(name).or_else(|| zones.intern(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT_IN_CHINA: &str = "2026-12-01T03:00:00+08:00";

    /// People who answer between 14:00 and 15:00 and at no other hour.
    fn afternoon() -> Town {
        let mut town = Town::default();
        town.people.answers_by_hour = [0.0; 24];
        town.people.answers_by_hour[14] = 10.0;
        town.people.vacant_numbers = 0.0;
        town.people.suspended_numbers = 0.0;
        town
    }

    fn answers(town: &Town, at: &str, user: &str) -> bool {
        let callee = People::new(town).called(Wall::parse(at).unwrap(), user);
        matches!(callee.behaviour.kind, Kind::Person(_))
    }

    #[test]
    fn the_hour_is_that_of_the_zone_behind_the_number() {
        let mut town = afternoon();
        assert!(answers(&town, "2026-12-01T14:30:00+08:00", "+999100000001"));
        assert!(!answers(&town, NIGHT_IN_CHINA, "+999100000001"));
        // 03:00 in Shanghai is 14:00 in New York: by the world's table, then by the file's own.
        assert!(answers(&town, NIGHT_IN_CHINA, "+12125550123"));
        assert!(!answers(&town, NIGHT_IN_CHINA, "+999210000001"));
        town.zones.push(("9992".to_owned(), "America/New_York".to_owned()));
        assert!(answers(&town, NIGHT_IN_CHINA, "+999210000001"));
        assert!(!answers(&town, NIGHT_IN_CHINA, "+999100000001"));
    }

    #[test]
    fn a_segment_behaves_in_its_own_way() {
        let mut town = afternoon();
        let people = Population { vacant_numbers: 1.0, ..town.people.clone() };
        town.segments.push(crate::far::Segment { prefix: "9997".to_owned(), people });
        let kind = |user| People::new(&town).called(Wall(0), user).behaviour.kind;
        assert_eq!(kind("+999700000001"), Kind::Vacant);
        assert_ne!(kind("+999100000001"), Kind::Vacant);
    }

    #[test]
    fn dials_of_a_number_are_counted_however_it_is_written() {
        let mut people = People::new(&Town::default());
        let ordinal = |people: &mut People, user| people.called(Wall(0), user).ordinal;
        let seen = ["+999100000001", "999100000001", "+999-100-000-001;cpc=x7", "+999100000002"];
        assert_eq!(seen.map(|user| ordinal(&mut people, user)), [0, 1, 2, 0]);
    }

    #[test]
    fn a_fingerprint_depends_on_seed_and_digits_alone() {
        assert_eq!(fingerprint(1, "+999100000001"), fingerprint(1, "999100000001"));
        assert_ne!(fingerprint(1, "+999100000001"), fingerprint(2, "+999100000001"));
        assert_ne!(fingerprint(1, "+999100000001"), fingerprint(1, "+999100000002"));
    }
}
