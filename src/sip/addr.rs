//! `name-addr` and `addr-spec`: the values of From, To, Contact, Route, Record-Route and Refer-To.

use super::bytes::{element_len, find, param, quoted_len, trim, trim_end};

/// Parts as they stand; the display name keeps its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    pub display: &'a [u8],
    pub uri: &'a [u8],
    /// From the first `;` on, or empty.
    pub params: &'a [u8],
}

impl<'a> NameAddr<'a> {
    /// One value. `None` where it cannot be told where the URI is (RFC 3261 §20.10, §25.1).
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let display_len = match value.first()? {
            b'"' => quoted_len(value)?,
            _ => 0,
        };
        let rest = value.get(display_len..)?;
        let Some(open) = find(rest, b'<') else {
            return if display_len == 0 { Self::bare(value) } else { None };
        };
        let before = trim(rest.get(..open)?);
        if display_len > 0 && !before.is_empty() || display_len == 0 && !plain_display(before) {
            return None;
        }
        let inside = rest.get(open + 1..)?;
        let close = find(inside, b'>')?;
        let (uri, params) = (inside.get(..close)?, trim(inside.get(close + 1..)?));
        (valid_uri(uri) && matches!(params.first(), None | Some(b';'))).then_some(())?;
        Some(Self { display: trim_end(value.get(..display_len + open)?), uri, params })
    }

    pub fn tag(&self) -> Option<&'a [u8]> {
        param(self.params, b"tag").filter(|tag| !tag.is_empty())
    }

    /// Without angle brackets every `;` belongs to the header, and `?` and `,` cannot stand in the URI (§20.10).
    fn bare(value: &'a [u8]) -> Option<Self> {
        let (uri, params) = value.split_at_checked(element_len(value, b';'))?;
        let uri = trim_end(uri);
        (valid_uri(uri) && !uri.contains(&b'?') && !uri.contains(&b',')).then_some(Self { display: &[], uri, params })
    }
}

/// Tokens and white space. Bytes of other character sets are let through: the display name means nothing to us.
fn plain_display(text: &[u8]) -> bool {
    text.iter().all(|&b| super::bytes::is_token(b) || super::bytes::is_space(b) || b >= 0x80)
}

fn valid_uri(uri: &[u8]) -> bool {
    find(uri, b':').is_some_and(|at| at > 0)
        && uri.iter().all(|&b| !super::bytes::is_space(b) && b != b'<' && b != b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_torture_messages_are_told_apart() {
        type Parts = Option<(&'static [u8], Option<&'static [u8]>)>;
        let cases: [(&[u8], Parts); 10] = [
            (b"caller<sip:caller@example.com>;tag=323", Some((b"sip:caller@example.com", Some(b"323")))),
            (b"\"J \\\\\\\"\"       <sip:j@example.com>\r\n  ;\r\n  tag = 9", Some((b"sip:j@example.com", Some(b"9")))),
            (b"sip:user@example.com;tag=1", Some((b"sip:user@example.com", Some(b"1")))),
            (b"<sip:u;x=1@h;lr>", Some((b"sip:u;x=1@h;lr", None))),
            (b"\xd6\xd0\xb9\xfa <sip:u@h>;tag=z", Some((b"sip:u@h", Some(b"z")))),
            (b"\"Mr. J. User <sip:j.user@example.com>", None),
            (b"Bell, Alexander <sip:a.g.bell@example.com>;tag=43", None),
            (b"\"Watson, Thomas\" < sip:t.watson@example.org >", None),
            (b"sip:user@example.com?Route=%3Csip:sip.example.com%3E", None),
            (b"", None),
        ];
        for (text, want) in cases {
            let got = NameAddr::parse(text);
            assert_eq!(got.map(|a| (a.uri, a.tag())), want, "{}", String::from_utf8_lossy(text));
        }
    }
}
