//! The first sheet of an Excel workbook (ECMA-376) as a table.
//!
//! The sheet streams past; the shared strings of the workbook are held, so their size is measured first: a few kilobytes
//! of zip can claim to be gigabytes of text.

use std::fs::File;
use std::io::{BufReader, Read};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};

use super::ListError;
use super::piped::{Piped, Sink};

/// Of everything in the workbook but its sheets, unpacked.
const HELD_MAX: u64 = 48 * 1024 * 1024;
/// Of one sheet, unpacked: a full sheet has 1,048,576 rows.
const SHEET_MAX: u64 = 4 * 1024 * 1024 * 1024;
const PARTS_MAX: usize = 10_000;

/// Excel keeps fifteen digits of a number, and what was typed behind them is zeros now (ECMA-376 part 1, §18.8.31).
const EXACT_MAX: f64 = 1e15;
const ROUNDED: &str = "a number of more than 15 digits, which the spreadsheet has rounded: format the column as text";
const FORMULA_ERROR: &str = "an error of the spreadsheet, such as #N/A or #REF!";

pub fn open(file: File) -> Result<Piped, ListError> {
    let file = measured(file)?;
    Piped::start("xlsx", move |sink| read(file, sink))
}

/// Unpacks every part once, counting. The directory of a zip may lie about sizes; what comes out does not.
fn measured(file: File) -> Result<File, ListError> {
    let again = file.try_clone().map_err(ListError::Io)?;
    let mut parts = zip::ZipArchive::new(BufReader::new(again)).map_err(|error| damaged(&error))?;
    if parts.len() > PARTS_MAX {
        return Err(ListError::Damaged(format!("it has more than {PARTS_MAX} parts")));
    }
    let mut held = 0;
    let mut sheets = 0;
    for at in 0..parts.len() {
        let part = parts.by_index(at).map_err(|error| damaged(&error))?;
        let is_sheet = part.name().is_ok_and(|name| name.starts_with("xl/worksheets/"));
        let (sum, cap) = if is_sheet { (&mut sheets, SHEET_MAX) } else { (&mut held, HELD_MAX) };
        let room = cap.saturating_sub(*sum) + 1;
        *sum += std::io::copy(&mut part.take(room), &mut std::io::sink()).map_err(|error| damaged(&error))?;
        if *sum > cap {
            return Err(ListError::TooLarge(cap));
        }
    }
    Ok(file)
}

fn read(mut file: File, sink: &mut Sink) -> Result<(), ListError> {
    super::spool::rewind(&mut file)?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    let Some(sheet) = book.sheet_names().first().cloned() else {
        return Err(ListError::Empty("the workbook has no sheet"));
    };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|error| broken(&error))?;
    let mut row = None;
    // Rows are padded to the width of the header: a sheet leaves out what is empty.
    let mut width = 0;
    let mut text = String::new();
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        let (at, column) = cell.get_position();
        if row != Some(at) {
            if row.is_some_and(|row| at < row) {
                return Err(ListError::Damaged("its rows are not in order".to_owned()));
            }
            if row.is_some() && finish(sink, &mut width)? {
                return Ok(());
            }
            sink.begin_row(u64::from(at) + 1);
            row = Some(at);
        }
        if (column as usize) < sink.width() {
            return Err(ListError::Damaged("its columns are not in order".to_owned()));
        }
        text.clear();
        let flaw = show(cell.get_value(), &mut text);
        if text.is_empty() && flaw.is_none() {
            continue;
        }
        while sink.width() < column as usize {
            sink.cell("")?;
        }
        if let Some(why) = flaw {
            sink.flaw(why);
        }
        sink.cell(&text)?;
    }
    if row.is_some() {
        finish(sink, &mut width)?;
    }
    Ok(())
}

/// True if nobody reads any more.
fn finish(sink: &mut Sink, width: &mut usize) -> Result<bool, ListError> {
    if *width == 0 {
        *width = sink.width();
    }
    while sink.width() < *width {
        sink.cell("")?;
    }
    Ok(sink.end_row().is_err())
}

/// The value as a list would write it. `Some`: it is not what it was meant to be.
fn show(value: &DataRef<'_>, text: &mut String) -> Option<&'static str> {
    match value {
        DataRef::Empty => None,
        DataRef::String(s) => {
            text.push_str(s);
            None
        }
        DataRef::SharedString(s) => {
            text.push_str(s);
            None
        }
        DataRef::Bool(yes) => {
            text.push_str(if *yes { "true" } else { "false" });
            None
        }
        DataRef::Int(n) => number(*n as f64, text),
        DataRef::Float(n) => number(*n, text),
        DataRef::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            put(text, format_args!("{year:04}-{month:02}-{day:02}"));
            if (hour, minute, second) != (0, 0, 0) {
                put(text, format_args!("T{hour:02}:{minute:02}:{second:02}"));
            }
            None
        }
        DataRef::DateTime(span) => number(span.as_f64(), text),
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => {
            text.push_str(s);
            None
        }
        DataRef::Error(_) => Some(FORMULA_ERROR),
    }
}

fn number(n: f64, text: &mut String) -> Option<&'static str> {
    put(text, format_args!("{n}"));
    (n.abs() >= EXACT_MAX).then_some(ROUNDED)
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    use std::fmt::Write;
    let _infallible = text.write_fmt(what);
}

/// Errors of the reader may quote what they read.
fn broken(error: &XlsxError) -> ListError {
    let why = if matches!(error, XlsxError::Password) {
        "it is protected by a password"
    } else {
        "it is no Excel workbook, or a damaged one"
    };
    ListError::Damaged(why.to_owned())
}

fn damaged(error: &impl std::fmt::Display) -> ListError {
    let text: String = error.to_string().chars().take(100).collect();
    ListError::Damaged(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::base::Code;
    use crate::feed::{Parsed, ReadOptions, Rows, fixture};

    const HEADER: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>contact_id</t></is></c><c r="B1" t="inlineStr"><is><t>phone_e164</t></is></c><c r="C1" t="inlineStr"><is><t>tz</t></is></c><c r="D1" t="inlineStr"><is><t>consent</t></is></c><c r="E1" t="inlineStr"><is><t>score</t></is></c><c r="F1" t="inlineStr"><is><t>attrs_json</t></is></c></row>"#;

    /// A workbook as small as one can be, with a shared string and whatever rows.
    fn book(rows: &str, strings: &str) -> File {
        let mut zip = zip::ZipWriter::new(tempfile::tempfile().unwrap());
        let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#;
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        let parts = [
            ("[Content_Types].xml", types.to_owned()),
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="leads" sheetId="1" r:id="r1"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
                ),
            ),
            ("xl/sharedStrings.xml", format!(r#"<sst xmlns="{main}">{strings}</sst>"#)),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#),
            ),
        ];
        for (name, text) in parts {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        let mut file = zip.finish().unwrap();
        crate::feed::spool::rewind(&mut file).unwrap();
        file
    }

    fn rows(file: File) -> Result<Rows, ListError> {
        Rows::of_file(file, &fixture::map(), &ReadOptions::default())
    }

    #[test]
    fn a_workbook_reads_as_the_same_list_in_csv_would() {
        let row = r#"<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3"><v>999200000001</v></c><c r="D3" t="b"><v>1</v></c><c r="E3"><v>0.713106</v></c></row>"#;
        let read: Vec<_> = rows(book(&format!("{HEADER}{row}"), "<si><t>客户一</t></si>")).unwrap().collect();
        let [Ok(Parsed::Row(row))] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((row.key.reveal().as_str(), row.line, row.score, row.consent), ("客户一", 3, 0.713_106, Some(true)));
    }

    #[test]
    fn a_key_that_the_spreadsheet_has_rounded_and_an_error_of_a_formula_are_refused() {
        for (cell, said) in [
            (r#"<c r="A2"><v>6222021234567890123</v></c>"#, "more than 15 digits"),
            (r#"<c r="A2" t="e"><v>#N/A</v></c>"#, "#N/A or #REF!"),
        ] {
            let row =
                format!(r#"<row r="2">{cell}<c r="B2" t="str"><v>+999200000001</v></c><c r="E2"><v>0.5</v></c></row>"#);
            let read: Vec<_> = rows(book(&format!("{HEADER}{row}"), "")).unwrap().collect();
            let [Ok(Parsed::Reject(reject))] = read.as_slice() else { panic!("{read:?}") };
            assert_eq!((reject.line, reject.column.as_str(), reject.code), (2, "contact_id", Code::ListValue));
            assert!(reject.reason.contains(said), "{}", reject.reason);
        }
    }

    #[test]
    fn strings_that_unpack_to_more_than_we_hold_are_refused_before_they_are_read() {
        let bomb = format!("<si><t>{}</t></si>", "x".repeat(HELD_MAX as usize + 1));
        assert!(matches!(rows(book(HEADER, &bomb)), Err(ListError::TooLarge(HELD_MAX))));
    }

    #[test]
    fn what_only_begins_like_a_workbook_is_damaged() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PK\x03\x04 and then something else").unwrap();
        crate::feed::spool::rewind(&mut file).unwrap();
        assert_eq!(rows(file).unwrap_err().code(), Code::ListDamaged);
        let empty = rows(book("", ""));
        assert_eq!(empty.unwrap_err().code(), Code::ListEmpty);
    }
}
