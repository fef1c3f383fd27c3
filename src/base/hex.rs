//! Bytes as hexadecimal digits, and back.

/// Lower case, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut out);
    out
}

/// As [`hex`], behind what `out` holds.
pub fn push_hex(bytes: &[u8], out: &mut String) {
    let digit = |four: u8| char::from(if four < 10 { b'0' + four } else { b'a' + four - 10 });
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// Of digits in either case. `None` for anything else, a digit that stands alone included.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => hex_byte(*high, *low),
        _ => None,
    });
    pairs.collect()
}

/// Of two digits in either case.
pub fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let four = |byte: u8| char::from(byte).to_digit(16).map(|four| four as u8);
    Some(four(high)? << 4 | four(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(hex(&[0x00, 0x4a, 0xff]), "004aff");
        assert_eq!(unhex("4A6b"), Some(b"Jk".to_vec()));
    }

    #[test]
    fn what_is_no_pair_of_digits_is_nothing() {
        for text in ["4", "4a6", "+1", "4g", "0x", " 1", "é"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
