//! A Parquet file as a table: row groups stream past, some thousand cells at a time, whoever wrote them.

mod guard;
mod kind;

use std::fs::File;

use parquet::basic::{Compression, Repetition};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::ListError;
use super::csv::WIDTH_MAX;
use super::piped::{Piped, Sink};
use guard::{Guard, TooLarge};
use kind::{Kind, NESTED, Value};

/// Cells that are unpacked together, whatever the number of columns.
const BATCH_CELLS: usize = 64 * 1024;
/// Of the pages that lie open side by side, one in each column, unpacked.
const PAGES_MAX: u64 = 512 * 1024 * 1024;
/// Of one page: writers aim at one mebibyte, some at one page for a row group.
const PAGE_MIN: u64 = 2 * 1024 * 1024;
const PAGE_MAX: u64 = 64 * 1024 * 1024;
const PACKED: &str = "is packed with brotli or lzo: pack it with zstd, snappy or gzip";

pub fn open(file: File) -> Result<Piped, ListError> {
    Piped::start("parquet", move |sink| read(file, sink))
}

fn read(file: File, sink: &mut Sink) -> Result<(), ListError> {
    let about = SerializedFileReader::new(Guard { file: file.try_clone().map_err(ListError::Io)?, page_max: 0 });
    let about = about.map_err(|error| damaged(&error, "its footer cannot be read"))?;
    let kinds = kinds(&about, sink)?;
    let width = kinds.len().max(1);
    let page_max = (PAGES_MAX / width as u64).clamp(PAGE_MIN, PAGE_MAX);
    let file = SerializedFileReader::new(Guard { file, page_max });
    let file = file.map_err(|error| damaged(&error, "its footer cannot be read"))?;
    let mut line = 2;
    for nth in 0..file.num_row_groups() {
        let group = file.get_row_group(nth).map_err(|error| damaged(&error, "a row group cannot be read"))?;
        if rows(&*group, &kinds, BATCH_CELLS.div_ceil(width), &mut line, sink)? {
            return Ok(());
        }
    }
    Ok(())
}

/// The header, and what each column holds.
fn kinds(file: &SerializedFileReader<Guard>, sink: &mut Sink) -> Result<Vec<Kind>, ListError> {
    let schema = file.metadata().file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields();
    if fields.len() > WIDTH_MAX {
        return Err(ListError::LineTooLong { line: 1 });
    }
    let mut kinds = Vec::with_capacity(fields.len());
    sink.begin_row(1);
    for (field, column) in fields.iter().zip(schema.columns()) {
        let refuse = |why| ListError::Column { column: shortened(field.name()), why };
        if field.is_group() || field.get_basic_info().repetition() == Repetition::REPEATED {
            return Err(refuse(NESTED));
        }
        kinds.push(Kind::of(column).map_err(refuse)?);
        sink.cell(field.name())?;
    }
    // Nobody reads any more: the first row will say so too.
    let _gone = sink.end_row();
    Ok(kinds)
}

/// The rows of one group. True if nobody reads any more.
fn rows(
    group: &dyn RowGroupReader,
    kinds: &[Kind],
    batch: usize,
    line: &mut u64,
    sink: &mut Sink,
) -> Result<bool, ListError> {
    let schema = group.metadata().schema_descr_ptr();
    let broken = |error: &ParquetError, at: usize, line: u64| {
        let column = schema.columns().get(at).map_or("", |column| column.name());
        damaged(error, &format!("column `{}` cannot be read behind row {line}", shortened(column)))
    };
    let mut columns = Vec::with_capacity(kinds.len());
    for (at, column) in schema.columns().iter().enumerate() {
        if matches!(group.metadata().column(at).compression(), Compression::BROTLI(_) | Compression::LZO) {
            return Err(ListError::Column { column: shortened(column.name()), why: PACKED });
        }
        let reader = group.get_column_reader(at).map_err(|error| broken(&error, at, *line))?;
        columns.push(cells(reader, column.max_def_level() > 0));
    }
    let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let mut text = String::new();
    while left > 0 {
        let now = left.min(batch);
        for (at, column) in columns.iter_mut().enumerate() {
            column.load(now).map_err(|error| broken(&error, at, *line))?;
        }
        for _ in 0..now {
            sink.begin_row(*line);
            *line += 1;
            for (column, kind) in columns.iter_mut().zip(kinds) {
                text.clear();
                if let Some(why) = column.show(*kind, &mut text) {
                    sink.flaw(why);
                    text.clear();
                }
                sink.cell(&text)?;
            }
            if sink.end_row().is_err() {
                return Ok(true);
            }
        }
        left -= now;
    }
    Ok(false)
}

/// One column of a row group, some rows at a time.
trait Cells {
    /// Exactly so many rows more.
    fn load(&mut self, rows: usize) -> Result<(), ParquetError>;

    /// The next of the rows loaded.
    fn show(&mut self, kind: Kind, text: &mut String) -> Option<&'static str>;
}

struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// 0 where the value is null; of a column that has no nulls nothing.
    levels: Option<Vec<i16>>,
    values: Vec<T::T>,
    row: usize,
    value: usize,
}

fn cells(reader: ColumnReader, optional: bool) -> Box<dyn Cells> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => typed(reader, optional),
        ColumnReader::Int32ColumnReader(reader) => typed(reader, optional),
        ColumnReader::Int64ColumnReader(reader) => typed(reader, optional),
        ColumnReader::Int96ColumnReader(reader) => typed(reader, optional),
        ColumnReader::FloatColumnReader(reader) => typed(reader, optional),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, optional),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader, optional),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader, optional),
    }
}

fn typed<T: DataType>(reader: ColumnReaderImpl<T>, optional: bool) -> Box<dyn Cells>
where
    T::T: Physical,
{
    let levels = optional.then(Vec::new);
    Box::new(Typed { reader, levels, values: Vec::new(), row: 0, value: 0 })
}

impl<T: DataType> Cells for Typed<T>
where
    T::T: Physical,
{
    fn load(&mut self, rows: usize) -> Result<(), ParquetError> {
        self.values.clear();
        if let Some(levels) = &mut self.levels {
            levels.clear();
        }
        (self.row, self.value) = (0, 0);
        let (got, ..) = self.reader.read_records(rows, self.levels.as_mut(), None, &mut self.values)?;
        if got == rows { Ok(()) } else { Err(ParquetError::EOF("fewer values than rows".to_owned())) }
    }

    fn show(&mut self, kind: Kind, text: &mut String) -> Option<&'static str> {
        let null = self.levels.as_ref().is_some_and(|levels| levels.get(self.row) == Some(&0));
        self.row += 1;
        if null {
            return None;
        }
        let Some(value) = self.values.get(self.value) else { return Some("a value that is not there") };
        self.value += 1;
        kind.show(value.value(), text)
    }
}

/// A physical type of Parquet.
trait Physical {
    fn value(&self) -> Value<'_>;
}

impl Physical for bool {
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl Physical for i32 {
    fn value(&self) -> Value<'_> {
        Value::Whole(i64::from(*self))
    }
}

impl Physical for i64 {
    fn value(&self) -> Value<'_> {
        Value::Whole(*self)
    }
}

impl Physical for Int96 {
    fn value(&self) -> Value<'_> {
        Value::Whole(self.to_micros())
    }
}

impl Physical for f32 {
    fn value(&self) -> Value<'_> {
        Value::Single(*self)
    }
}

impl Physical for f64 {
    fn value(&self) -> Value<'_> {
        Value::Double(*self)
    }
}

impl Physical for ByteArray {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self.data())
    }
}

impl Physical for FixedLenByteArray {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self.data())
    }
}

/// What the library says of damaged data may quote it, so it is not repeated.
fn damaged(error: &ParquetError, what: &str) -> ListError {
    if let ParquetError::External(inner) = error
        && let Some(TooLarge(most)) = inner.downcast_ref()
    {
        return ListError::TooLarge(*most);
    }
    ListError::Damaged(what.to_owned())
}

fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Seek;
    use std::sync::Arc;

    use parquet::basic::{GzipLevel, ZstdLevel};
    use parquet::data_type::{
        BoolType, ByteArrayType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::base::{Code, Rng, Wall};
    use crate::campaign::{ColumnKind, ColumnSpec, ListMap};
    use crate::contact::ColumnValue;
    use crate::feed::table::Table;
    use crate::feed::{Parsed, ReadOptions, Rows, fixture};

    /// 2026-12-01T01:30:00Z
    const AT: i64 = 1_796_088_600_000_000;

    type Group<'a> = SerializedRowGroupWriter<'a, File>;

    /// A file with so many row groups of the columns that `write` puts.
    fn file(schema: &str, properties: WriterProperties, groups: u32, write: impl Fn(&mut Group<'_>)) -> File {
        let schema = Arc::new(parse_message_type(&format!("message list {{ {schema} }}")).unwrap());
        let file = tempfile::tempfile().unwrap();
        let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, Arc::new(properties)).unwrap();
        for _ in 0..groups {
            let mut group = writer.next_row_group().unwrap();
            write(&mut group);
            group.close().unwrap();
        }
        writer.close().unwrap();
        (&file).rewind().unwrap();
        file
    }

    /// The next column of a row group; all columns here are optional.
    fn put<T: DataType>(group: &mut Group<'_>, cells: &[Option<T::T>]) {
        let values: Vec<T::T> = cells.iter().flatten().cloned().collect();
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
    }

    fn text(cells: &[&str]) -> Vec<Option<ByteArray>> {
        cells.iter().map(|cell| (!cell.is_empty()).then(|| ByteArray::from(*cell))).collect()
    }

    fn plain() -> WriterProperties {
        WriterProperties::builder().build()
    }

    /// Every row but the header, cells separated by `|`.
    fn cells_of(file: File) -> Result<Vec<String>, ListError> {
        let mut table = open(file)?;
        let mut rows = Vec::new();
        while let Some(record) = table.next()? {
            let cells: Vec<&str> = record.iter().collect();
            rows.push(format!("{}{}", cells.join("|"), record.flaw.map(|(_, why)| why).unwrap_or_default()));
        }
        Ok(rows.split_off(1.min(rows.len())))
    }

    fn one_column<T: DataType>(kind: &str, cells: &[Option<T::T>]) -> Vec<String> {
        cells_of(file(&format!("required int32 n; optional {kind};"), plain(), 1, |group| {
            let mut column = group.next_column().unwrap().unwrap();
            let numbers: Vec<i32> = (0..cells.len() as i32).collect();
            column.typed::<Int32Type>().write_batch(&numbers, None, None).unwrap();
            column.close().unwrap();
            put::<T>(group, cells);
        }))
        .unwrap()
    }

    const LIST: &str = "optional binary contact_id (UTF8); optional binary phone_e164 (UTF8); optional boolean consent;
        optional double score; optional int64 joined (TIMESTAMP(MICROS,true)); optional int64 local (TIMESTAMP(MICROS,false));";

    /// Rows of key and number; every second row has a score.
    fn list(rows: &[(&str, &str)], properties: WriterProperties, groups: u32) -> File {
        file(LIST, properties, groups, |group| {
            put::<ByteArrayType>(group, &text(&rows.iter().map(|row| row.0).collect::<Vec<_>>()));
            put::<ByteArrayType>(group, &text(&rows.iter().map(|row| row.1).collect::<Vec<_>>()));
            put::<BoolType>(group, &vec![Some(true); rows.len()]);
            let score = |at: usize| at.is_multiple_of(2).then_some(0.123_456_789_012_345_66);
            put::<DoubleType>(group, &(0..rows.len()).map(score).collect::<Vec<_>>());
            put::<Int64Type>(group, &vec![Some(AT); rows.len()]);
            put::<Int64Type>(group, &vec![Some(AT); rows.len()]);
        })
    }

    const TWO: [(&str, &str); 2] = [("客户一", "+999200000001"), ("k2", "+999200000002")];

    fn map(time: &str) -> ListMap {
        let at = ColumnSpec { kind: ColumnKind::Time, from: time.into() };
        ListMap { zone: None, attributes: None, columns: [("at".to_owned(), at)].into(), ..fixture::map() }
    }

    fn read(file: File, time: &str) -> Vec<Parsed> {
        Rows::of_file(file, &map(time), &ReadOptions::default()).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_parquet_file_reads_with_every_digit_and_instants_in_utc() {
        let read = read(list(&TWO, plain(), 1), "joined");
        let [Parsed::Row(row), Parsed::Reject(reject)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((row.key.reveal().as_str(), row.line, row.consent), ("客户一", 2, Some(true)));
        assert_eq!(row.score.to_bits(), 0.123_456_789_012_345_66_f64.to_bits());
        assert_eq!(row.columns.get("at"), Some(&ColumnValue::Time(Wall(AT))));
        assert_eq!((reject.line, reject.column.as_str(), reject.code), (3, "score", Code::ListScore));
    }

    #[test]
    fn a_time_without_a_zone_is_no_instant() {
        let read = read(list(&TWO[..1], plain(), 1), "local");
        let [Parsed::Reject(reject)] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((reject.column.as_str(), reject.code), ("local", Code::ListValue));
    }

    #[test]
    fn whatever_packs_or_encodes_it_the_rows_are_the_same() {
        let by = |compression| WriterProperties::builder().set_compression(compression).build();
        let expected = cells_of(list(&TWO, plain(), 1)).unwrap();
        for properties in [
            WriterProperties::builder().set_dictionary_enabled(false).build(),
            WriterProperties::builder()
                .set_writer_version(parquet::file::properties::WriterVersion::PARQUET_2_0)
                .build(),
            by(Compression::SNAPPY),
            by(Compression::GZIP(GzipLevel::default())),
            by(Compression::LZ4_RAW),
            by(Compression::ZSTD(ZstdLevel::default())),
        ] {
            assert_eq!(cells_of(list(&TWO, properties, 1)).unwrap(), expected);
        }
        assert_eq!(
            expected[0],
            "客户一|+999200000001|true|0.12345678901234566|2026-12-01T01:30:00Z|2026-12-01T01:30:00"
        );
    }

    #[test]
    fn values_of_every_type_read_as_lists_write_them_and_nulls_are_empty() {
        assert_eq!(one_column::<Int32Type>("int32 a (DATE)", &[Some(20_788), None]), ["0|2026-12-01", "1|"]);
        assert_eq!(one_column::<Int32Type>("int32 a (INTEGER(32,false))", &[Some(-1)]), ["0|4294967295"]);
        assert_eq!(one_column::<Int64Type>("int64 a", &[Some(i64::MIN), None]), ["0|-9223372036854775808", "1|"]);
        assert_eq!(one_column::<FloatType>("float a", &[Some(0.1), None]), ["0|0.1", "1|"]);
        assert_eq!(one_column::<BoolType>("boolean a", &[None, Some(false)]), ["0|", "1|false"]);
        assert_eq!(one_column::<Int64Type>("int64 a (DECIMAL(9,2))", &[Some(-5)]), ["0|-0.05"]);
        let fixed = FixedLenByteArray::from(vec![0xff, 0xfb]);
        assert_eq!(
            one_column::<FixedLenByteArrayType>("fixed_len_byte_array(2) a (DECIMAL(4,2))", &[Some(fixed)]),
            ["0|-0.05"]
        );
        for (kind, at) in
            [("TIMESTAMP(MILLIS,true)", AT / 1_000), ("TIMESTAMP_MICROS", AT), ("TIMESTAMP(NANOS,true)", AT * 1_000)]
        {
            assert_eq!(one_column::<Int64Type>(&format!("int64 a ({kind})"), &[Some(at)]), ["0|2026-12-01T01:30:00Z"]);
        }
        let mut at = Int96::new();
        // The Julian day of 1970-01-01 is 2,440,588.
        at.set_data(0, 0, 2_440_588 + 20_788);
        assert_eq!(one_column::<Int96Type>("int96 a", &[Some(at)]), ["0|2026-12-01T00:00:00Z"]);
        let bytes = one_column::<ByteArrayType>("binary a", &[Some(vec![0xff].into()), Some("x".into())]);
        assert_eq!(bytes, ["0|bytes that are no UTF-8 text", "1|x"]);
    }

    #[test]
    fn text_that_is_none_costs_its_row_and_is_not_repeated() {
        let rows =
            one_column::<ByteArrayType>("binary a (UTF8)", &[Some(b"+9992\xff".to_vec().into()), Some("x".into())]);
        assert_eq!(rows, ["0|bytes that are no UTF-8 text", "1|x"]);
    }

    #[test]
    fn a_nested_column_is_refused_by_its_name_before_any_row() {
        for schema in [
            "optional binary key (UTF8); optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }",
            "optional binary key (UTF8); repeated int32 tags;",
            "optional binary key (UTF8); optional group tags { optional int32 n; }",
        ] {
            let error = cells_of(file(schema, plain(), 0, |_| {})).unwrap_err();
            assert_eq!(error.code(), Code::ListColumns);
            assert!(error.to_string().starts_with("the column `tags` is nested"), "{error}");
        }
        let error = cells_of(file("optional fixed_len_byte_array(12) a (INTERVAL);", plain(), 0, |_| {})).unwrap_err();
        assert!(error.to_string().starts_with("the column `a` has a type"), "{error}");
    }

    #[test]
    fn row_groups_follow_one_another_and_lines_count_on() {
        let one: Vec<(String, String)> = (0..30_000).map(|n| (format!("k{n}"), format!("+999{n:09}"))).collect();
        let rows: Vec<(&str, &str)> = one.iter().map(|(key, number)| (key.as_str(), number.as_str())).collect();
        let mut table = open(list(&rows, plain(), 3)).unwrap();
        let mut lines = 0;
        while let Some(record) = table.next().unwrap() {
            lines += 1;
            assert_eq!(record.line, lines);
            let nth = lines.checked_sub(2).map(|nth| format!("k{}", nth % 30_000));
            assert_eq!(record.get(0), Some(nth.as_deref().unwrap_or("contact_id")));
        }
        assert_eq!(lines, 90_001);
    }

    #[test]
    fn a_few_kilobytes_that_unpack_to_more_than_memory_may_hold_are_refused() {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
        let properties = properties.set_dictionary_enabled(false).set_data_page_size_limit(1 << 30).build();
        let bomb = file("optional binary a;", properties, 1, |group| {
            put::<ByteArrayType>(group, &[Some(vec![b'x'; PAGE_MAX as usize + 1].into())]);
        });
        assert!(bomb.metadata().unwrap().len() < 100_000);
        assert!(matches!(cells_of(bomb), Err(ListError::TooLarge(PAGE_MAX))));
    }

    #[test]
    fn a_file_cut_short_is_damaged() {
        let whole = list(&TWO, plain(), 1);
        whole.set_len(whole.metadata().unwrap().len() - 9).unwrap();
        let error = Rows::of_file(whole, &map("joined"), &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, ListError::Damaged(_)), "{error}");
    }

    #[test]
    fn a_thousand_damaged_files_end_in_rows_or_an_error_that_quotes_nothing() {
        use std::os::unix::fs::FileExt;
        let whole = list(&TWO, plain(), 1);
        let mut bytes = vec![0; whole.metadata().unwrap().len() as usize];
        whole.read_exact_at(&mut bytes, 0).unwrap();
        let mut rng = Rng::seeded(17);
        for _ in 0..1_000 {
            let mut bytes = bytes.clone();
            for _ in 0..=rng.below(3) {
                let at = 4 + rng.below(bytes.len() as u32 - 4) as usize;
                bytes[at] = rng.below(256) as u8;
            }
            let damaged = tempfile::tempfile().unwrap();
            damaged.write_all_at(&bytes, 0).unwrap();
            if let Err(error) = cells_of(damaged) {
                assert!(!error.to_string().contains("+999"), "{error}");
            }
        }
    }
}
