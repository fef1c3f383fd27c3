//! Identity (RFC 8224): a signed statement of who calls (PASSporT, RFC 8225), made elsewhere and passed on as it stands.

use crate::base::Pii;

/// A token names one number or a few; certificates are linked, not held.
const LONGEST: usize = 4_096;

/// The value of one header. What is inside names the person who is called, so nothing prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Pii<String>);

impl Identity {
    /// `None` for what could end its line, or is no plain ASCII, or has no end: whoever made it, it goes onto the wire.
    pub fn parse(value: &str) -> Option<Self> {
        let plain = value.bytes().all(|b| matches!(b, b' '..=b'~'));
        let whole = !value.is_empty() && value.len() <= LONGEST && value.trim() == value;
        (plain && whole).then(|| Self(Pii::new(value.to_owned())))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.reveal().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_one_line_of_plain_ascii_and_never_printed() {
        let good =
            "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIn0.c2ln;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken";
        let identity = Identity::parse(good).unwrap();
        assert_eq!(identity.as_bytes(), good.as_bytes());
        assert_eq!(format!("{identity:?}"), "Identity(****)");
        assert!(Identity::parse(&"x".repeat(LONGEST)).is_some());
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", " ", " a", "a ", "a\r\nX: y", "a\nb", "a\tb", "a\0", "a\u{7f}", "签名", &long] {
            assert!(Identity::parse(bad).is_none(), "{bad:?}");
        }
    }
}
