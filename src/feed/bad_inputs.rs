//! The bad lists that an importer meets in practice, one test each, numbered as in the design notes.

use std::io::Write;

use crate::base::Code;

use super::fixture::{self, good, map, read, reject_of, with};
use super::{ListError, ReadOptions, Rows};

fn error_of(list: impl Into<Vec<u8>>) -> ListError {
    read(list, &map()).expect_err("the list is bad")
}

#[test]
fn no_6_numbers_that_a_spreadsheet_or_a_keyboard_spoiled() {
    for bad in ["1.38e10", "1.38E+10", "９９９２０００００００９", "123", "Zhang San", "+999200000009+1", "12--34"]
    {
        let reject = reject_of(&format!("k9,{bad},,1,0.5,"));
        assert_eq!((reject.line, reject.column.as_str(), reject.code), (4, "phone_e164", Code::ListPhone), "{bad}");
        assert!(
            reject.reason.starts_with("not a dialable number") && !reject.reason.contains(bad),
            "{}",
            reject.reason
        );
    }
}

#[test]
fn no_7_a_list_in_gb18030_says_so_and_loads_with_the_flag() {
    let list = with("客户九,+999200000009,,1,0.5,\"{\"\"姓名\"\":\"\"张三\"\"}\"");
    let (gb, _, _) = encoding_rs::GB18030.encode(&list);
    let error = error_of(gb.to_vec());
    assert!(matches!(error, ListError::Encoding { line: 4, guess: Some("gb18030"), .. }), "{error}");
    assert!(error.diagnostic().to_string().contains("--encoding gb18030"));
    let options = ReadOptions { encoding: Some("gb18030".into()), ..ReadOptions::default() };
    let rows = Rows::from_reader(std::io::Cursor::new(gb.into_owned()), &map(), &options).unwrap();
    assert_eq!(rows.flatten().count(), 4);
}

#[test]
fn no_7_a_list_in_utf_16_says_so() {
    for (mark, bytes) in [(b"\xff\xfe", u16::to_le_bytes as fn(u16) -> [u8; 2]), (b"\xfe\xff", u16::to_be_bytes)] {
        let wide: Vec<u8> = mark.iter().copied().chain(good().encode_utf16().flat_map(bytes)).collect();
        assert!(matches!(error_of(wide), ListError::Encoding { guess: Some(_), .. }));
    }
}

#[test]
fn no_8_a_byte_order_mark_is_stripped_and_noted() {
    let mut rows = fixture::rows(format!("\u{feff}{}", good()), &map()).unwrap();
    assert!(rows.had_bom());
    assert_eq!(rows.by_ref().flatten().count(), 3);
}

#[test]
fn no_9_an_unclosed_quote_stops_the_list_where_it_was_opened() {
    for bad in ["k9,+999200000009,,1,0.5,\"open", "k9,\"+999200000009,,1,0.5,", "\"k9,+999200000009,,1,0.5,"] {
        let error = error_of(with(bad));
        assert!(matches!(error, ListError::Quote { opened: 4, .. }), "{bad}: {error}");
        assert!(error.to_string().starts_with("quote opened at line 4 is never closed"));
    }
}

#[test]
fn no_9_a_line_break_inside_a_key_or_a_number_is_an_unclosed_quote() {
    for bad in ["\"k\n9\",+999200000009,,1,0.5,", "k9,\"+999200\n000009\",,1,0.5,"] {
        assert!(matches!(error_of(with(bad)), ListError::Quote { opened: 4, .. }));
    }
}

#[test]
fn no_10_characters_that_hide_something_are_named_with_row_column_and_code_point() {
    for (c, point) in [('\0', "U+0000"), ('\u{7}', "U+0007"), ('\u{202e}', "U+202E"), ('\u{2069}', "U+2069")] {
        let reject = reject_of(&format!("k{c}9,+999200000009,,1,0.5,"));
        assert_eq!((reject.line, reject.column.as_str(), reject.code), (4, "contact_id", Code::ListCharacter));
        assert!(reject.reason.contains(point), "{}", reject.reason);
    }
    let header = good().replacen("score", "sc\0ore", 1);
    assert!(matches!(error_of(header), ListError::HeaderCharacter { column: 5, point: 0 }));
}

#[test]
fn no_11_a_line_without_end_stops_at_64_kib() {
    let error = error_of(with(&"x".repeat(200_000)));
    assert!(matches!(error, ListError::LineTooLong { line: 4 }), "{error}");
}

#[test]
fn no_11_a_packed_bomb_stops_at_64_kib_too() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(good().as_bytes()).unwrap();
    gz.write_all(&vec![b'x'; 20_000_000]).unwrap();
    assert!(matches!(error_of(gz.finish().unwrap()), ListError::LineTooLong { line: 5 }));
}

#[test]
fn no_12_short_and_long_rows_are_counted_not_padded() {
    for bad in ["k9,+999200000009,,1", "k9,+999200000009,,1,0.5,,,", "k9"] {
        let reject = reject_of(bad);
        assert_eq!((reject.line, reject.code), (4, Code::ListRowLength));
    }
}

#[test]
fn no_12_an_empty_list_is_an_error() {
    for empty in ["", "\n\n", &format!("{}\n", fixture::HEADER), "\u{feff}"] {
        assert!(matches!(error_of(empty), ListError::Empty(_)), "{empty:?}");
    }
}

#[test]
fn no_12_a_list_without_its_header_is_refused() {
    let error = error_of("k1,+999200000001,Asia/Taipei,1,0.5,\nk2,+999200000002,Asia/Taipei,1,0.5,\n");
    assert!(matches!(&error, ListError::Header(header) if header.missing.len() == 6), "{error}");
}

#[test]
fn no_13_one_customer_twice_is_one_lead() {
    let reject = reject_of("k1,+999200000009,,1,0.9,");
    assert_eq!((reject.line, reject.code), (4, Code::ListDuplicateKey));
}

#[test]
fn no_14_what_is_no_probability_is_no_score() {
    for bad in ["NaN", "1.2", "\"0,83\"", "-0.1", "inf", "", "high"] {
        let reject = reject_of(&format!("k9,+999200000009,,1,{bad},"));
        assert_eq!((reject.column.as_str(), reject.code), ("score", Code::ListScore), "{bad}");
    }
}

#[test]
fn no_15_formula_text_loads_as_the_text_it_is() {
    let (leads, _) = read(with("=1+1,+999200000009,,1,0.5,"), &map()).unwrap();
    assert_eq!(leads[2].key.reveal(), "=1+1");
}

/// Whatever the bytes, the reader ends, never panics, and its counts add up.
#[test]
fn a_thousand_broken_lists_end_in_a_row_a_reject_or_an_error() {
    let mut rng = crate::base::Rng::seeded(11);
    let base = with("客户九,\"+999200000009\",,1,0.5,\"a\nb\"").into_bytes();
    for _ in 0..1_000 {
        let mut bytes = base.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len() as u32) as usize;
            match rng.below(3) {
                0 => bytes[at] = b"\"\n,\0\xff\r x0"[rng.below(9) as usize],
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Ok(mut rows) = fixture::rows(bytes, &map()) {
            rows.by_ref().for_each(drop);
            let tally = rows.tally();
            assert!(tally.rows >= tally.leads + tally.rejects && tally.rows <= tally.leads + tally.rejects + 1);
        }
    }
}
