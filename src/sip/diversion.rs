//! Diversion (RFC 5806): from whom a call was diverted, sent as the configuration has it.

use super::addr::NameAddr;
use super::bytes::{is_token, quoted_len, split_list, split_once, trim};
use super::uri::Uri;

/// A name, a number and some parameters are shorter.
const LONGEST: usize = 256;

/// One `name-addr` with parameters, on one line of plain ASCII: what a header may be made of as it stands (§3).
pub fn is_diversion(value: &str) -> bool {
    let bytes = value.as_bytes();
    let plain = bytes.iter().all(|b| matches!(b, b' '..=b'~'));
    let Some(address) = NameAddr::parse(bytes).filter(|_| plain && bytes.len() <= LONGEST && bytes.contains(&b'<'))
    else {
        return false;
    };
    trim(bytes).len() == bytes.len() && is_address(address.uri) && are_params(address.params)
}

/// Of a proxy, or a number that needs none (RFC 3966).
fn is_address(uri: &[u8]) -> bool {
    let number = uri
        .strip_prefix(b"tel:+")
        .is_some_and(|digits| (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit));
    number || Uri::parse(uri).is_ok_and(|uri| !uri.user.is_empty() && !uri.host.is_empty())
}

/// `;reason=unconditional;counter=1`: each a word, or a word with a word or a string in quotes.
fn are_params(params: &[u8]) -> bool {
    params.is_empty() || split_list(params, b';').skip(1).all(is_param)
}

fn is_param(param: &[u8]) -> bool {
    let (name, value) = split_once(param, b'=').map_or((param, None), |(name, value)| (name, Some(trim(value))));
    let fits = |value: &[u8]| is_word(value) || quoted_len(value) == Some(value.len());
    is_word(trim(name)) && value.is_none_or(fits)
}

fn is_word(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| is_token(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_with_its_parameters_is_a_diversion_and_nothing_that_could_be_a_second_header_is() {
        for good in [
            "<sip:+999100000001@bank.example>;reason=unconditional",
            "<sip:+999100000001@bank.example>",
            "\"Card centre\" <sip:95500@192.0.2.1:5060;user=phone>;reason=no-answer;counter=1;privacy=off",
            "<tel:+999100000001>;reason=\"time of day\"",
        ] {
            assert!(is_diversion(good), "{good}");
        }
        let long = format!("<sip:+999100000001@bank.example>;x={}", "y".repeat(256));
        for bad in [
            "",
            "sip:+999100000001@bank.example;reason=unconditional",
            "<sip:+999100000001@bank.example>;reason=unconditional\r\nX: y",
            "<sip:+999100000001@bank.example>\n",
            "<sip:+999100000001@bank.example>, <sip:+999100000002@bank.example>",
            "<sip:+999100000001@bank.example>;",
            "<sip:+999100000001@bank.example>;reason=",
            "<sip:+999100000001@bank.example>;reason=a b",
            "<sip:bank.example>",
            "<mailto:+999100000001@bank.example>",
            "<tel:95500>",
            " <sip:+999100000001@bank.example>",
            "\"支付\" <sip:+999100000001@bank.example>",
            &long,
        ] {
            assert!(!is_diversion(bad), "{bad}");
        }
    }
}
