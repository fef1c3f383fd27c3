//! A Parquet file as a table: row groups and pages stream past, whoever wrote them.

use std::fs::File;

use jiff::Timestamp;
use parquet::basic::LogicalType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;

use super::ListError;
use super::piped::{Piped, Sink};

/// A double tells neighbours apart up to here with room to spare; a key beyond has been rounded on the way.
const EXACT_MAX: f64 = 1e15;
const ROUNDED: &str = "a floating-point number of more than 15 digits, which is rounded: write the column as text";
const NESTED: &str = "a nested value: write the column as JSON text, or leave it out";
const NOT_TEXT: &str = "bytes that are no UTF-8 text";

pub fn open(file: File) -> Result<Piped, ListError> {
    Piped::start("parquet", move |sink| read(file, sink))
}

fn read(file: File, sink: &mut Sink) -> Result<(), ListError> {
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
    let schema = reader.metadata().file_metadata().schema().clone();
    sink.begin_row(1);
    for field in schema.get_fields() {
        sink.cell(field.name())?;
    }
    if sink.end_row().is_err() {
        return Ok(());
    }
    let local: Vec<bool> = schema.get_fields().iter().map(|field| is_local(field)).collect();
    let mut text = String::new();
    let rows = reader.get_row_iter(None).map_err(|error| damaged(&error))?;
    for (nth, row) in rows.enumerate() {
        let row = row.map_err(|error| damaged(&error))?;
        sink.begin_row(nth as u64 + 2);
        for ((_, value), local) in row.get_column_iter().zip(&local) {
            text.clear();
            if let Some(why) = show(value, *local, &mut text) {
                sink.flaw(why);
                text.clear();
            }
            sink.cell(&text)?;
        }
        if sink.end_row().is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A time of day somewhere: without a zone it is no instant, and the cell shows none.
fn is_local(field: &Type) -> bool {
    matches!(field.get_basic_info().logical_type_ref(), Some(LogicalType::Timestamp(about)) if !about.is_adjusted_to_u_t_c)
}

/// The value as a list would write it. `Some`: it cannot be written.
fn show(value: &Field, local: bool, text: &mut String) -> Option<&'static str> {
    match value {
        Field::Null => None,
        Field::Bool(yes) => put(text, yes),
        Field::Byte(n) => put(text, n),
        Field::Short(n) => put(text, n),
        Field::Int(n) => put(text, n),
        Field::Long(n) => put(text, n),
        Field::UByte(n) => put(text, n),
        Field::UShort(n) => put(text, n),
        Field::UInt(n) => put(text, n),
        Field::ULong(n) => put(text, n),
        Field::Float16(n) => put(text, n),
        Field::Float(n) => put(text, n),
        Field::Double(n) if n.abs() >= EXACT_MAX => Some(ROUNDED),
        Field::Double(n) => put(text, n),
        Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => put(text, value),
        Field::Str(s) => put(text, s),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(s) => put(text, s),
            Err(_) => Some(NOT_TEXT),
        },
        Field::Date(days) => instant(i64::from(*days) * 86_400_000_000, true, text, 10),
        Field::TimestampMillis(ms) => instant(ms.saturating_mul(1_000), local, text, usize::MAX),
        Field::TimestampMicros(us) => instant(*us, local, text, usize::MAX),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => Some(NESTED),
    }
}

fn put(text: &mut String, what: impl std::fmt::Display) -> Option<&'static str> {
    use std::fmt::Write;
    let _infallible = write!(text, "{what}");
    None
}

fn instant(micros: i64, local: bool, text: &mut String, length: usize) -> Option<&'static str> {
    let Ok(at) = Timestamp::from_microsecond(micros) else { return Some("a time beyond the year 9999") };
    let shown = at.to_string();
    let shown = if local { shown.trim_end_matches('Z') } else { shown.as_str() };
    put(text, shown.get(..length).unwrap_or(shown))
}

fn damaged(error: &ParquetError) -> ListError {
    // Its text names offsets and encodings, never values.
    ListError::Damaged(error.to_string().chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::base::{Code, Wall};
    use crate::campaign::{ColumnKind, ColumnSpec, ListMap};
    use crate::contact::ColumnValue;
    use crate::feed::{ListError, Parsed, ReadOptions, Rows, fixture};

    const SCHEMA: &str = "message list {
        optional binary contact_id (UTF8);
        optional binary phone_e164 (UTF8);
        optional boolean consent;
        optional double score;
        optional int64 joined (TIMESTAMP(MICROS,true));
        optional int64 local (TIMESTAMP(MICROS,false));
    }";

    /// 2026-12-01T01:30:00Z
    const AT: i64 = 1_796_088_600_000_000;

    /// Rows of key, number, score; every second row has a score.
    fn file(rows: &[(&str, &str)]) -> File {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let file = tempfile::tempfile().unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let there = vec![1_i16; rows.len()];
        let text = |cells: Vec<&str>| cells.into_iter().map(ByteArray::from).collect::<Vec<_>>();
        for cells in [rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| row.1).collect()] {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&text(cells), Some(&there), None).unwrap();
            column.close().unwrap();
        }
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<BoolType>().write_batch(&vec![true; rows.len()], Some(&there), None).unwrap();
        column.close().unwrap();
        let scored: Vec<i16> = (0..rows.len()).map(|at| i16::from(at % 2 == 0)).collect();
        let scores: Vec<f64> = scored.iter().filter(|there| **there == 1).map(|_| 0.123_456_789_012_345_66).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&scores, Some(&scored), None).unwrap();
        column.close().unwrap();
        for _ in 0..2 {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int64Type>().write_batch(&vec![AT; rows.len()], Some(&there), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        file
    }

    fn map(time: &str) -> ListMap {
        let at = ColumnSpec { kind: ColumnKind::Time, from: time.into() };
        ListMap { zone: None, attributes: None, columns: [("at".to_owned(), at)].into(), ..fixture::map() }
    }

    fn read(rows: &[(&str, &str)], time: &str) -> Vec<Parsed> {
        let rows = Rows::of_file(file(rows), &map(time), &ReadOptions::default()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn a_parquet_file_reads_with_every_digit_and_instants_in_utc() {
        let read = read(&[("客户一", "+999200000001"), ("k2", "+999200000002")], "joined");
        let [Parsed::Row(row), Parsed::Reject(reject)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((row.key.reveal().as_str(), row.line, row.consent), ("客户一", 2, Some(true)));
        assert_eq!(row.score.to_bits(), 0.123_456_789_012_345_66_f64.to_bits());
        assert_eq!(row.columns.get("at"), Some(&ColumnValue::Time(Wall(AT))));
        assert_eq!((reject.line, reject.column.as_str(), reject.code), (3, "score", Code::ListScore));
    }

    #[test]
    fn a_time_without_a_zone_is_no_instant() {
        let read = read(&[("k1", "+999200000001")], "local");
        let [Parsed::Reject(reject)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((reject.column.as_str(), reject.code), ("local", Code::ListValue));
    }

    #[test]
    fn a_file_cut_short_is_damaged() {
        let whole = file(&[("k1", "+999200000001")]);
        whole.set_len(whole.metadata().unwrap().len() - 9).unwrap();
        let error = Rows::of_file(whole, &map("joined"), &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, ListError::Damaged(_)), "{error}");
    }
}
