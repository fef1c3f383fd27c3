//! Which numbers may be dialled over a trunk: prefixes that are allowed, prefixes that are not, the longest decides.

/// What a trunk's list says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    Allowed,
    /// No prefix of the list fits: where nobody said yes, the answer is no.
    NotListed,
    /// The longest prefix that fits is one of `deny`.
    Denied,
}

/// The default lets nobody through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// `+` and digits, each with whether it allows. No prefix is there twice.
    prefixes: Vec<(String, bool)>,
    /// Numbers that lead nowhere are allowed too, where no prefix says otherwise.
    test_numbers: bool,
}

impl Reach {
    /// Exactly what is listed.
    pub fn listed(allow: &[String], deny: &[String]) -> Self {
        let with = |list: &[String], yes: bool| list.iter().map(|prefix| (prefix.clone(), yes)).collect::<Vec<_>>();
        Self { prefixes: [with(allow, true), with(deny, false)].concat(), test_numbers: false }
    }

    /// Where nothing is listed: numbers of one country, if that is known, and test numbers.
    pub fn of_country(prefix: Option<String>, deny: &[String]) -> Self {
        let home: Vec<String> = prefix.into_iter().collect();
        Self { test_numbers: true, ..Self::listed(&home, deny) }
    }

    /// Prefix and whether it allows, for whoever writes it down.
    pub fn prefixes(&self) -> &[(String, bool)] {
        &self.prefixes
    }

    pub fn test_numbers(&self) -> bool {
        self.test_numbers
    }

    /// As [`Reach::prefixes`] and [`Reach::test_numbers`] wrote it down.
    pub fn from_parts(prefixes: Vec<(String, bool)>, test_numbers: bool) -> Self {
        Self { prefixes, test_numbers }
    }

    pub fn judge(&self, e164: &str) -> Destination {
        let fitting = self.prefixes.iter().filter(|(prefix, _)| e164.starts_with(prefix.as_str()));
        match fitting.max_by_key(|(prefix, _)| prefix.len()) {
            Some((_, true)) => Destination::Allowed,
            Some((_, false)) => Destination::Denied,
            None if self.test_numbers && is_test_number(e164) => Destination::Allowed,
            None => Destination::NotListed,
        }
    }
}

/// +999 with nine digits behind it, a country code that ITU-T E.164 keeps in reserve, or +1 NPA 555-01XX, which the NANP
/// keeps for fiction. Takes `+` and digits.
pub fn is_test_number(e164: &str) -> bool {
    let Some(digits) = e164.strip_prefix('+').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())) else {
        return false;
    };
    if let Some(rest) = digits.strip_prefix("999") {
        return rest.len() == 9;
    }
    let Some(national) = digits.strip_prefix('1').filter(|national| national.len() == 10) else { return false };
    let area_is_possible = national.bytes().next().is_some_and(|first| first >= b'2');
    area_is_possible && national.get(3..8) == Some("55501")
}

#[cfg(test)]
mod tests {
    use super::Destination::{Allowed, Denied, NotListed};
    use super::*;

    fn list(prefixes: &[&str]) -> Vec<String> {
        prefixes.iter().map(|prefix| (*prefix).to_owned()).collect()
    }

    #[test]
    fn the_longest_prefix_decides_whatever_the_order() {
        let reach = Reach::listed(&list(&["+9991", "+999155"]), &list(&["+99915", "+99916"]));
        for (number, verdict) in [
            ("+999100000001", Allowed),
            ("+999150000001", Denied),
            ("+999155000001", Allowed),
            ("+999160000001", Denied),
            ("+999200000001", NotListed),
        ] {
            assert_eq!(reach.judge(number), verdict, "{number}");
        }
    }

    #[test]
    fn what_is_not_listed_is_not_dialled() {
        assert_eq!(Reach::default().judge("+999100000001"), NotListed);
        assert_eq!(Reach::listed(&list(&["+1"]), &[]).judge("+999100000001"), NotListed);
    }

    #[test]
    fn where_nothing_is_listed_the_country_is_and_so_are_numbers_that_lead_nowhere() {
        let reach = Reach::of_country(Some("+44".into()), &list(&["+999155"]));
        assert_eq!(reach.judge("+442079460018"), Allowed);
        assert_eq!((reach.judge("+999100000001"), reach.judge("+12125550123")), (Allowed, Allowed));
        assert_eq!((reach.judge("+999155000001"), reach.judge("+12125550200")), (Denied, NotListed));
        let nowhere = Reach::of_country(None, &[]);
        assert_eq!((nowhere.judge("+442079460018"), nowhere.judge("+999100000001")), (NotListed, Allowed));
    }
}
