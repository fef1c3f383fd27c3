//! The country whose numbers are meant where no country code stands in front.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// ISO 3166-1, two letters, one that has phone numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country([u8; 2]);

impl Country {
    /// `CN`, in capitals. `None` for what is no country.
    pub fn parse(text: &str) -> Option<Self> {
        let code = <[u8; 2]>::try_from(text.as_bytes()).ok()?;
        let has_numbers = |region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some();
        // The library also reads `uk` and the like.
        let fits = code.iter().all(u8::is_ascii_uppercase) && text.parse::<Region>().is_ok_and(has_numbers);
        fits.then_some(Self(code))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What E.164 numbers of it begin with: `+86`.
    pub fn prefix(self) -> Option<String> {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.region()?).map(|code| format!("+{code}"))
    }

    pub(super) fn region(self) -> Option<Region> {
        self.as_str().parse().ok()
    }

    /// Of the North American Numbering Plan, as far as it is one of those that bank lists name.
    pub(super) fn is_nanp(self) -> bool {
        matches!(&self.0, b"US" | b"CA")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_countries_with_numbers_are_countries() {
        for good in ["CN", "US", "GB", "FR", "HK"] {
            assert_eq!(Country::parse(good).map(|country| country.as_str().to_owned()), Some(good.to_owned()));
        }
        for bad in ["cn", "C", "CHN", "UK", "QQ", "", "86", "中"] {
            assert_eq!(Country::parse(bad), None, "{bad}");
        }
    }
}
