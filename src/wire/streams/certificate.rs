//! When a certificate runs out. The one thing in it that the TLS library does not tell.

use std::path::Path;

use jiff::civil;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The explicit tag of the version, which may be missing.
const VERSION: u8 = 0xa0;

/// `notAfter`, in seconds since 1970 (RFC 5280 §4.1). `None` where it cannot be read.
pub(super) fn runs_out(certificate: &[u8]) -> Option<i64> {
    let (SEQUENCE, whole, _) = element(certificate)? else { return None };
    let (SEQUENCE, signed, _) = element(whole)? else { return None };
    let (tag, _, after_first) = element(signed)?;
    // Serial number, signature algorithm, issuer.
    let mut rest = if tag == VERSION { element(after_first)?.2 } else { after_first };
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (_, _, not_after) = element(validity)?;
    let (tag, text, _) = element(not_after)?;
    seconds(tag, std::str::from_utf8(text).ok()?)
}

/// Of the first certificate in a file: the one that is shown.
pub(super) fn file_runs_out(path: &Path) -> Option<i64> {
    let first = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    runs_out(&first)
}

/// Tag, contents, what follows. Only tags of one byte, as certificates have them.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, short, rest @ ..] = der else { return None };
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` after it (RFC 5280 §4.1.2.5).
fn seconds(tag: u8, text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z')?;
    let two = |at: usize| digits.get(at..at + 2)?.parse::<i8>().ok();
    let (year, rest) = match tag {
        UTC_TIME => (i16::from(two(0)?) + if two(0)? < 50 { 2000 } else { 1900 }, 2),
        GENERALIZED_TIME => (digits.get(..4)?.parse().ok()?, 4),
        _ => return None,
    };
    let part = |n: usize| two(rest + 2 * n);
    let time = civil::DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frame of a certificate: what stands before the validity, and nothing behind it.
    fn certificate(version: &[u8], not_after: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| [&[tag, inside.len() as u8], inside].concat();
        let not_before = wrap(UTC_TIME, b"260101000000Z");
        let validity = wrap(SEQUENCE, &[&not_before, not_after].concat());
        let signed =
            [version, &wrap(2, b"\x01"), &wrap(SEQUENCE, b""), &wrap(SEQUENCE, b""), &validity, &wrap(SEQUENCE, b"")];
        wrap(SEQUENCE, &wrap(SEQUENCE, &signed.concat()))
    }

    #[test]
    fn both_forms_of_time_are_read_with_and_without_a_version() {
        let version = [VERSION, 3, 2, 1, 2];
        let utc = [&[UTC_TIME, 13][..], b"270102030405Z"].concat();
        assert_eq!(runs_out(&certificate(&version, &utc)), Some(1_798_859_045));
        assert_eq!(runs_out(&certificate(&[], &utc)), runs_out(&certificate(&version, &utc)));
        let late = [&[GENERALIZED_TIME, 15][..], b"20700101000000Z"].concat();
        assert_eq!(runs_out(&certificate(&version, &late)), Some(3_155_760_000));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let good = certificate(&[], &[&[UTC_TIME, 13][..], b"270102030405Z"].concat());
        for cut in 0..good.len() - 4 {
            assert_eq!(runs_out(&good[..cut]), None, "{cut}");
        }
        assert_eq!(runs_out(&[0x30, 0x84, 1, 1, 1, 1, 1]), None);
        assert_eq!(runs_out(&certificate(&[], &[&[UTC_TIME, 13][..], b"279902030405Z"].concat())), None);
    }
}
