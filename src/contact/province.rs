//! Which province of mainland China gave out a number. Google's libphonenumber data; `scripts/provinces` renews it.

use std::sync::LazyLock;

const TABLE: &str = include_str!("provinces.tsv");
/// Xinjiang, where two clocks hang on the walls.
const XINJIANG: &str = "CN-XJ";

/// First digits behind +86, and who has the numbers from there on, `-` for nobody we know. Sorted, because the file is.
type Starts = Vec<(&'static str, &'static str)>;

static STARTS: LazyLock<Starts> = LazyLock::new(|| TABLE.lines().filter_map(|line| line.split_once('\t')).collect());

/// The ISO 3166-2 code (`CN-NX`) of the province whose mobile or fixed number this is, given as `+` and digits. `None`
/// abroad, and for blocks of numbers given out after the table was made. It says where a SIM card was bought, and its
/// owner may have moved: no proof of where somebody is.
pub fn province_of(e164: &str) -> Option<&'static str> {
    let national = e164.strip_prefix("+86").filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()))?;
    let behind = STARTS.partition_point(|(from, _)| *from <= national);
    let (_, province) = STARTS.get(behind.checked_sub(1)?)?;
    (*province != "-").then_some(*province)
}

/// Legal time is one in all of China; Xinjiang lives by its own beside it (IANA `Asia/Urumqi`). A call must suit both.
pub(super) fn has_two_clocks(e164: &str) -> bool {
    province_of(e164) == Some(XINJIANG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobile_and_fixed_numbers_have_the_province_that_gave_them_out() {
        for (number, province) in [
            ("+8613000000000", Some("CN-SD")),
            ("+8613000100000", Some("CN-BJ")),
            ("+8613909510000", Some("CN-NX")),
            ("+8613909910000", Some("CN-XJ")),
            ("+861012345678", Some("CN-BJ")),
            ("+869511234567", Some("CN-NX")),
            ("+862112345678", Some("CN-SH")),
        ] {
            assert_eq!(province_of(number), province, "{number}");
        }
    }

    #[test]
    fn what_nobody_gave_out_has_none() {
        for unknown in ["+8613000030000", "+8619999999999", "+86", "+999123456789", "+12125550123", "", "+86中文"] {
            assert_eq!(province_of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_has_all_thirty_one_provinces() {
        assert!(STARTS.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0 && a.1 != b.1)));
        let mut provinces: Vec<&str> = STARTS.iter().map(|(_, province)| *province).filter(|p| *p != "-").collect();
        provinces.sort_unstable();
        provinces.dedup();
        assert_eq!(provinces.len(), 31);
        assert!(provinces.iter().all(|province| province.len() == 5 && province.starts_with("CN-")), "{provinces:?}");
    }
}
