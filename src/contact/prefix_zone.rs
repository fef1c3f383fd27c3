//! Where a number may ring, from its prefix. Google's libphonenumber data; `scripts/prefix-zones` renews it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::province::has_two_clocks;

const TABLE: &str = include_str!("prefix_zones.tsv");
/// Digits after the plus: E.164 has at most fifteen, and no prefix of the table is longer than this.
const LONGEST: usize = 9;
const XINJIANG: [&str; 2] = ["Asia/Shanghai", "Asia/Urumqi"];

/// By prefix: sorted, because the file is.
type Prefixes = Vec<(&'static str, &'static [&'static str])>;

static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| parse(TABLE));

/// All zones in which a number of `+` and digits may ring, as IANA names, by its longest known prefix. Empty if there is
/// none, as for test numbers under +999. A number that names no city has all the zones of its country.
pub fn zones_of(e164: &str) -> &'static [&'static str] {
    if has_two_clocks(e164) {
        return &XINJIANG;
    }
    let Some(digits) = e164.strip_prefix('+') else { return &[] };
    let longest = LONGEST.min(digits.len());
    let known = |length: usize| {
        let prefix = digits.get(..length)?;
        let at = PREFIXES.binary_search_by(|(known, _)| known.cmp(&prefix)).ok()?;
        PREFIXES.get(at).map(|(_, zones)| *zones)
    };
    (1..=longest).rev().find_map(known).unwrap_or(&[])
}

/// Runs once. The few hundred distinct sets of zones are made once and live as long as the process.
fn parse(table: &'static str) -> Prefixes {
    let mut sets: BTreeMap<&str, &'static [&'static str]> = BTreeMap::new();
    let lines = table.lines().filter_map(|line| line.split_once('\t'));
    lines
        .map(|(prefix, zones)| {
            let set = sets.entry(zones).or_insert_with(|| zones.split(',').collect::<Vec<_>>().leak());
            (prefix, *set)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Zones;

    #[test]
    fn the_longest_prefix_wins() {
        assert_eq!(zones_of("+86"), ["Asia/Shanghai"]);
        assert_eq!(zones_of("+12125550123"), ["America/New_York"]);
        assert_eq!(zones_of("+13105550123"), ["America/Los_Angeles"]);
        // An area code across a zone border.
        assert!(zones_of("+16055550123").len() > 1, "{:?}", zones_of("+16055550123"));
    }

    #[test]
    fn a_number_of_xinjiang_has_both_of_its_clocks() {
        assert_eq!(zones_of("+8613909910000"), ["Asia/Shanghai", "Asia/Urumqi"]);
        assert_eq!(zones_of("+869911234567"), ["Asia/Shanghai", "Asia/Urumqi"]);
        assert_eq!(zones_of("+8613909510000"), ["Asia/Shanghai"]);
    }

    #[test]
    fn what_names_no_city_has_every_zone_of_its_country() {
        assert!(zones_of("+18005550123").len() > 30);
        assert!(zones_of("+7").contains(&"Europe/Moscow"));
        assert!(zones_of("+7").contains(&"Asia/Vladivostok"));
    }

    #[test]
    fn test_numbers_and_nonsense_have_none() {
        for unknown in ["+999123456789", "+", "", "12125550123", "+中文", "+中文文字"] {
            assert_eq!(zones_of(unknown), [""; 0], "{unknown}");
        }
    }

    #[test]
    fn the_table_is_sorted_unique_and_names_only_zones_that_we_have() {
        assert!(PREFIXES.len() > 3_000);
        assert!(PREFIXES.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0)));
        assert!(PREFIXES.iter().all(|(prefix, _)| prefix.len() <= LONGEST));
        let mut zones = Zones::default();
        let missing: Vec<&str> =
            PREFIXES.iter().flat_map(|(_, set)| set.iter().copied()).filter(|z| zones.intern(z).is_none()).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
