//! Personal data as a type: it can be carried and compared, but never printed whole by accident.

use std::fmt;

/// A number, name or customer key. `Display` and `Debug` show a mask; `reveal` is the one way in, easy to search for.
///
/// A value that starts with `+` and is long enough keeps its head and its last four digits (`+86138****8000`);
/// everything else shows as `****`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the wire, the vault and the exports that are allowed to have it.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: AsRef<str>> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.as_ref();
        let is_number = text.len() >= 10 && text.starts_with('+') && text.bytes().skip(1).all(|b| b.is_ascii_digit());
        match (is_number, text.get(..text.len().saturating_sub(8)), text.get(text.len().saturating_sub(4)..)) {
            (true, Some(head), Some(tail)) => write!(f, "{head}****{tail}"),
            _ => f.write_str("****"),
        }
    }
}

impl<T: AsRef<str>> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_its_ends_and_a_name_shows_nothing() {
        assert_eq!(Pii::new("+8613800138000").to_string(), "+86138****8000");
        assert_eq!(format!("{:?}", Pii::new("Zhang San".to_owned())), "****");
        assert_eq!(Pii::new("+99920").to_string(), "****");
        assert_eq!(Pii::new("+999中文字符文字").to_string(), "****");
    }

    #[test]
    fn a_panic_says_no_more_than_the_mask() {
        let number = Pii::new("+999271828182".to_owned());
        let caught = std::panic::catch_unwind(|| panic!("{number} {number:?} {:?}", Some(&number))).unwrap_err();
        let said = caught.downcast_ref::<String>().unwrap();
        assert!(!said.contains("27182818") && said.contains("****"), "{said}");
    }
}
