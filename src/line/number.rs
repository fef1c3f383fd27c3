//! How a gateway wants numbers, and the Request-URI made from it.

use crate::base::Pii;
use crate::sip::uri::write_user;

/// `number: { strip: "+86", prefix: "0" }`: only numbers that begin with `strip` are changed; all do where it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberRule {
    pub strip: String,
    pub prefix: String,
}

impl NumberRule {
    /// `sip:` + rewritten number + `@` + `host`.
    pub(super) fn request_uri(&self, number: &str, host: &str) -> Pii<String> {
        let mut uri = Vec::with_capacity(64);
        uri.extend_from_slice(b"sip:");
        match number.strip_prefix(self.strip.as_str()) {
            Some(rest) => {
                write_user(&self.prefix, &mut uri);
                write_user(rest, &mut uri);
            }
            None => write_user(number, &mut uri),
        }
        uri.push(b'@');
        uri.extend_from_slice(host.as_bytes());
        Pii::new(String::from_utf8(uri).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(strip: &str, prefix: &str, number: &str) -> String {
        let rule = NumberRule { strip: strip.into(), prefix: prefix.into() };
        rule.request_uri(number, "127.0.0.1:5080").into_inner()
    }

    #[test]
    fn a_number_of_the_trunk_s_country_is_rewritten_and_others_are_left_alone() {
        assert_eq!(uri("+999", "0", "+999100000001"), "sip:0100000001@127.0.0.1:5080");
        assert_eq!(uri("+86", "0", "+999100000001"), "sip:+999100000001@127.0.0.1:5080");
        assert_eq!(uri("", "9", "+999100000001"), "sip:9+999100000001@127.0.0.1:5080");
        assert_eq!(uri("", "", "+999100000001"), "sip:+999100000001@127.0.0.1:5080");
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_uri_through_a_number() {
        assert_eq!(uri("", "", "1>\r\n@x;y"), "sip:1%3E%0D%0A%40x%3By@127.0.0.1:5080");
    }
}
