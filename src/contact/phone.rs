//! Numbers as lists write them, turned into `+` and digits or refused with a reason.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use crate::base::{Pii, is_test_number};

use super::Country;

/// A number as the house keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalised {
    /// `+` and digits, at most fifteen (ITU-T E.164).
    pub e164: Pii<String>,
    /// May be dialled while `test_numbers_only` holds.
    pub is_test: bool,
}

/// Why a cell is not a number that can be dialled. None of the texts repeats the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("the cell is empty")]
    Empty,
    #[error("longer than any phone number")]
    TooLong,
    #[error("scientific notation: a spreadsheet has lost digits; format the column as text and export again")]
    Scientific,
    #[error("full-width digits; write 0-9")]
    FullWidth,
    #[error("not a phone number: only digits, spaces and + - . ( ) / may stand here")]
    NotANumber,
    #[error("an extension cannot be dialled")]
    Extension,
    #[error("no country code, and nothing says of which country such numbers are")]
    NoCountry,
    #[error("too short for a number of its country")]
    TooShort,
    #[error("not a number that its country gives out")]
    Invalid,
}

/// Longer than any way of writing fifteen digits.
const MAX_LEN: usize = 40;

/// `country`: of numbers without a country code, which are refused where nobody says. A guess would call strangers.
///
/// Test numbers are read first: the library takes +999 for no country, and the NANP fiction range 555-01XX for invalid.
pub fn normalise(raw: &str, country: Option<Country>) -> Result<Normalised, PhoneError> {
    let text = raw.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if is_test_number(text) {
        return Ok(Normalised { e164: Pii::new(text.to_owned()), is_test: true });
    }
    written_well(text)?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    for candidate in test_candidates(text, &digits, country).into_iter().flatten() {
        if is_test_number(&candidate) {
            return Ok(Normalised { e164: Pii::new(candidate), is_test: true });
        }
    }
    let region = country.and_then(Country::region);
    if region.is_none() && !text.starts_with('+') {
        return Err(PhoneError::NoCountry);
    }
    let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|error| refused(&error))?;
    if number.extension.is_some() {
        return Err(PhoneError::Extension);
    }
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(if digits.len() < 7 { PhoneError::TooShort } else { PhoneError::Invalid });
    }
    let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
    let is_test = is_test_number(&e164);
    Ok(Normalised { e164: Pii::new(e164), is_test })
}

/// What the text would be with a plus, and, in the NANP, with the country code that people leave out.
fn test_candidates(text: &str, digits: &str, country: Option<Country>) -> [Option<String>; 2] {
    if text.starts_with('+') || digits.starts_with("999") && digits.len() == 12 {
        return [Some(format!("+{digits}")), None];
    }
    let nanp = country.is_some_and(Country::is_nanp);
    [nanp.then(|| format!("+1{digits}")), nanp.then(|| format!("+{digits}"))]
}

fn written_well(text: &str) -> Result<(), PhoneError> {
    if text.is_empty() {
        return Err(PhoneError::Empty);
    }
    if text.len() > MAX_LEN {
        return Err(PhoneError::TooLong);
    }
    // Most cells, and none of what follows is for them.
    if text.strip_prefix('+').unwrap_or(text).bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    if text.chars().any(|c| ('\u{ff10}'..='\u{ff19}').contains(&c)) {
        return Err(PhoneError::FullWidth);
    }
    let lower = text.to_ascii_lowercase();
    if let Some((mantissa, exponent)) = lower.split_once('e') {
        let numeric = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'));
        if !mantissa.is_empty() && !exponent.is_empty() && numeric(mantissa) && numeric(exponent) {
            return Err(PhoneError::Scientific);
        }
    }
    if lower.contains('x') || lower.contains("ext") || lower.contains('#') {
        return Err(PhoneError::Extension);
    }
    let allowed = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | '/' | ' ' | '\u{a0}');
    let plus_leads = text.rfind('+').is_none_or(|at| at == 0);
    if !text.chars().all(allowed) || !plus_leads || text.ends_with(".0") || text.starts_with('-') {
        return Err(PhoneError::NotANumber);
    }
    Ok(())
}

fn refused(error: &rlibphonenumber::ParseError) -> PhoneError {
    use rlibphonenumber::ParseError;
    match error {
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort,
        ParseError::TooLongNsn => PhoneError::TooLong,
        ParseError::InvalidCountryCode => PhoneError::Invalid,
        ParseError::NotANumber(_) => PhoneError::NotANumber,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, country: &str) -> Result<(String, bool), PhoneError> {
        normalise(raw, Country::parse(country)).map(|n| (n.e164.reveal().clone(), n.is_test))
    }

    #[test]
    fn test_numbers_are_taken_before_the_library_can_refuse_them() {
        for (raw, country) in
            [("+999100000001", "CN"), ("+999 1000 00001", "US"), ("999100000001", "CN"), (" +999-100-000-001 ", "")]
        {
            assert_eq!(read(raw, country), Ok(("+999100000001".to_owned(), true)), "{raw}");
        }
        for raw in ["+1 212 555 0123", "(212) 555-0123", "1-212-555-0123", "2125550123"] {
            assert_eq!(read(raw, "US"), Ok(("+12125550123".to_owned(), true)), "{raw}");
        }
    }

    #[test]
    fn only_the_two_reserved_ranges_are_test_numbers() {
        for real in [
            "+99910000000",
            "+9991000000011",
            "+12125550200",
            "+12125551123",
            "+121255501234",
            "+11125550123",
            "999100000001",
            "+1212555012x",
            "",
        ] {
            assert!(!is_test_number(real), "{real}");
        }
        assert!(is_test_number("+999000000000") && is_test_number("+12015550199"));
    }

    #[test]
    fn a_nine_digit_999_number_with_more_or_fewer_digits_is_refused() {
        assert!(read("+9991000000", "CN").is_err());
        assert!(read("+9991000000012", "CN").is_err());
    }

    #[test]
    fn numbers_come_out_with_their_country_code() {
        // From the range that Ofcom keeps for drama.
        let e164 = format!("+44{}", "2079460018");
        assert_eq!(read("(020) 7946 0018", "GB"), Ok((e164.clone(), false)));
        assert_eq!(read(&e164, "US"), Ok((e164, false)));
    }

    #[test]
    fn what_spreadsheets_do_to_numbers_is_named() {
        assert_eq!(read("1.38E+10", "CN"), Err(PhoneError::Scientific));
        assert_eq!(read("9.99E11", "CN"), Err(PhoneError::Scientific));
        assert_eq!(read("999100000001.0", "CN"), Err(PhoneError::NotANumber));
        assert_eq!(read("９９９１００００００００", "CN"), Err(PhoneError::FullWidth));
        assert_eq!(read("", "CN"), Err(PhoneError::Empty));
        assert_eq!(read("  \u{feff}", "CN"), Err(PhoneError::Empty));
    }

    #[test]
    fn what_cannot_be_dialled_is_refused_with_its_reason() {
        assert_eq!(read("212-555-0123 x12", "US"), Err(PhoneError::Extension));
        assert_eq!(read("+999100000001;+999100000002", "US"), Err(PhoneError::NotANumber));
        assert_eq!(read("+999100000001+1", "US"), Err(PhoneError::NotANumber));
        assert_eq!(read("12", "CN"), Err(PhoneError::TooShort));
        assert_eq!(read("12345", "CN"), Err(PhoneError::TooShort));
        assert_eq!(read("call me", "CN"), Err(PhoneError::NotANumber));
        assert_eq!(read(&"1".repeat(41), "CN"), Err(PhoneError::TooLong));
    }

    #[test]
    fn a_number_without_a_country_code_is_nobodys_until_somebody_says_whose() {
        let shanghai = format!("21{}", "25554444");
        for raw in [shanghai.as_str(), "2125550123"] {
            assert_eq!(read(raw, ""), Err(PhoneError::NoCountry), "{raw}");
        }
        assert_eq!(read(&shanghai, "CN"), Ok((format!("+86{shanghai}"), false)));
        assert_eq!(read("2125550123", "US"), Ok(("+12125550123".to_owned(), true)));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_is_plus_and_at_most_fifteen_digits(raw in "\\PC{0,50}", country in "[A-Z]{0,3}") {
            if let Ok(number) = normalise(&raw, Country::parse(&country)) {
                let e164 = number.e164.reveal();
                proptest::prop_assert!(e164.starts_with('+') && e164.len() <= 16);
                proptest::prop_assert!(e164.bytes().skip(1).all(|b| b.is_ascii_digit()));
                proptest::prop_assert_eq!(number.is_test, is_test_number(e164));
            }
        }

        #[test]
        fn reading_its_own_spelling_again_changes_nothing(digits in "[0-9]{5,13}", country in "CN|US|GB") {
            if let Ok(number) = normalise(&digits, Country::parse(&country)) {
                proptest::prop_assert_eq!(normalise(number.e164.reveal(), Country::parse("DE")), Ok(number));
            }
        }
    }
}
