//! What a column of a Parquet file holds, and how a list would write one value of it.

use std::fmt::{Display, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::schema::types::ColumnDescriptor;
use uuid::Uuid;

/// A double tells neighbours apart up to here with room to spare; a key beyond has been rounded on the way.
const EXACT_MAX: f64 = 1e15;
/// 2^24: a float of 32 bits skips whole numbers from here on.
const SINGLE_EXACT_MAX: f32 = 16_777_216.0;
const ROUNDED: &str = "a floating-point number with more digits than it can hold: write the column as text";
const NOT_TEXT: &str = "bytes that are no UTF-8 text";
const BEYOND: &str = "a time beyond the year 9999";
const TOO_LONG: &str = "a number of more than 38 digits";
const NO_SUCH: &str = "a value that is not of its column's type";

/// The annotation of a column (Apache Parquet format, LogicalTypes.md), as far as a list can hold its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Integer,
    Unsigned {
        wide: bool,
    },
    Number,
    Text,
    Date,
    Decimal {
        scale: usize,
    },
    /// Ticks since 1970. Without a zone it is no instant, and the cell shows none.
    Instant {
        nanos_per_tick: i64,
        local: bool,
    },
    /// Ticks since midnight.
    TimeOfDay {
        nanos_per_tick: i64,
    },
    Uuid,
}

/// One value as the file's physical type gives it.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Bool(bool),
    Whole(i64),
    Single(f32),
    Double(f64),
    Bytes(&'a [u8]),
}

impl Kind {
    /// `Err`: lists have no such values; what to write instead.
    pub fn of(column: &ColumnDescriptor) -> Result<Self, &'static str> {
        let physical = column.physical_type();
        match column.logical_type_ref() {
            Some(logical) => Self::annotated(logical, physical),
            None => Self::converted(column, physical),
        }
    }

    fn annotated(logical: &LogicalType, physical: Physical) -> Result<Self, &'static str> {
        Ok(match logical {
            LogicalType::String | LogicalType::Enum | LogicalType::Json => Self::Text,
            LogicalType::Decimal(about) => Self::decimal(about.scale),
            LogicalType::Date => Self::Date,
            LogicalType::Time(about) => Self::TimeOfDay { nanos_per_tick: nanos(about.unit) },
            LogicalType::Timestamp(about) => {
                Self::Instant { nanos_per_tick: nanos(about.unit), local: !about.is_adjusted_to_u_t_c }
            }
            LogicalType::Integer(about) if about.is_signed => Self::Integer,
            LogicalType::Integer(about) => Self::Unsigned { wide: about.bit_width == 64 },
            // Every value is null.
            LogicalType::Unknown => Self::bare(physical),
            LogicalType::Uuid => Self::Uuid,
            LogicalType::Map | LogicalType::List => return Err(NESTED),
            LogicalType::Float16 => return Err("holds numbers of half precision: write it as float or double"),
            LogicalType::Bson
            | LogicalType::Variant(_)
            | LogicalType::Geometry(_)
            | LogicalType::Geography(_)
            | LogicalType::File
            | LogicalType::_Unknown { .. } => return Err("has a type that no list has: write it as text"),
        })
    }

    /// Of files older than the annotations above.
    fn converted(column: &ColumnDescriptor, physical: Physical) -> Result<Self, &'static str> {
        let ticks = |unit| Self::TimeOfDay { nanos_per_tick: nanos(unit) };
        // They count from an instant in UTC, by definition.
        let instant = |unit| Self::Instant { nanos_per_tick: nanos(unit), local: false };
        Ok(match column.converted_type() {
            ConvertedType::NONE => Self::bare(physical),
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
            ConvertedType::DECIMAL => Self::decimal(column.type_scale()),
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => ticks(TimeUnit::MILLIS),
            ConvertedType::TIME_MICROS => ticks(TimeUnit::MICROS),
            ConvertedType::TIMESTAMP_MILLIS => instant(TimeUnit::MILLIS),
            ConvertedType::TIMESTAMP_MICROS => instant(TimeUnit::MICROS),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 => Self::Unsigned { wide: false },
            ConvertedType::UINT_64 => Self::Unsigned { wide: true },
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64 => {
                Self::Integer
            }
            ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE | ConvertedType::LIST => return Err(NESTED),
            ConvertedType::BSON | ConvertedType::INTERVAL => {
                return Err("has a type that no list has: write it as text");
            }
        })
    }

    fn bare(physical: Physical) -> Self {
        match physical {
            Physical::BOOLEAN => Self::Bool,
            Physical::INT32 | Physical::INT64 => Self::Integer,
            // The timestamps of older Spark and Hive: in UTC, given here as microseconds.
            Physical::INT96 => Self::Instant { nanos_per_tick: nanos(TimeUnit::MICROS), local: false },
            Physical::FLOAT | Physical::DOUBLE => Self::Number,
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Self::Text,
        }
    }

    fn decimal(scale: i32) -> Self {
        Self::Decimal { scale: usize::try_from(scale).unwrap_or(0) }
    }

    /// Appends the value as a list would write it. `Some`: it cannot be written, and why.
    pub fn show(self, value: Value<'_>, text: &mut String) -> Option<&'static str> {
        match (self, value) {
            (Self::Bool, Value::Bool(yes)) => put(text, yes),
            (Self::Integer, Value::Whole(n)) => put(text, n),
            (Self::Unsigned { wide: true }, Value::Whole(n)) => put(text, n as u64),
            (Self::Unsigned { wide: false }, Value::Whole(n)) => put(text, n as u32),
            (Self::Number, Value::Single(n)) if n.abs() >= SINGLE_EXACT_MAX => Some(ROUNDED),
            (Self::Number, Value::Single(n)) => put(text, n),
            (Self::Number, Value::Double(n)) if n.abs() >= EXACT_MAX => Some(ROUNDED),
            (Self::Number, Value::Double(n)) => put(text, n),
            (Self::Text, Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                Ok(s) => put(text, s),
                Err(_) => Some(NOT_TEXT),
            },
            (Self::Uuid, Value::Bytes(bytes)) => {
                Uuid::from_slice(bytes).map_or(Some(NO_SUCH), |id| put(text, id.hyphenated()))
            }
            (Self::Decimal { scale }, Value::Whole(n)) => decimal(i128::from(n), scale, text),
            (Self::Decimal { scale }, Value::Bytes(bytes)) => match whole(bytes) {
                Some(n) => decimal(n, scale, text),
                None => Some(TOO_LONG),
            },
            (Self::Date, Value::Whole(days)) => {
                let midnight = days.checked_mul(86_400).and_then(|seconds| Timestamp::from_second(seconds).ok());
                midnight.map_or(Some(BEYOND), |at| put(text, at.to_zoned(TimeZone::UTC).date()))
            }
            (Self::Instant { nanos_per_tick, local }, Value::Whole(ticks)) => {
                let at = Timestamp::from_nanosecond(i128::from(ticks) * i128::from(nanos_per_tick));
                match at {
                    Ok(at) if local => put(text, at.to_zoned(TimeZone::UTC).datetime()),
                    Ok(at) => put(text, at),
                    Err(_) => Some(BEYOND),
                }
            }
            (Self::TimeOfDay { nanos_per_tick }, Value::Whole(ticks)) => {
                let at = Timestamp::from_nanosecond(i128::from(ticks) * i128::from(nanos_per_tick));
                at.map_or(Some(BEYOND), |at| put(text, at.to_zoned(TimeZone::UTC).time()))
            }
            (_, _) => Some(NO_SUCH),
        }
    }
}

pub const NESTED: &str = "is nested: write it as JSON text, or leave it out";

fn nanos(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    }
}

fn put(text: &mut String, what: impl Display) -> Option<&'static str> {
    let _infallible = write!(text, "{what}");
    None
}

/// Big-endian two's complement.
fn whole(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let start = if negative { -1 } else { 0 };
    (bytes.len() <= 16).then(|| bytes.iter().fold(start, |n: i128, byte| (n << 8) | i128::from(*byte)))
}

fn decimal(unscaled: i128, scale: usize, text: &mut String) -> Option<&'static str> {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    let point = if scale == 0 { "" } else { "." };
    put(text, format_args!("{sign}{whole}{point}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, value: Value<'_>) -> String {
        let mut text = String::new();
        match kind.show(value, &mut text) {
            None => text,
            Some(why) => format!("! {why}"),
        }
    }

    #[test]
    fn numbers_keep_every_digit_or_are_refused() {
        assert_eq!(shown(Kind::Integer, Value::Whole(-9_007_199_254_740_993)), "-9007199254740993");
        assert_eq!(shown(Kind::Unsigned { wide: true }, Value::Whole(-1)), "18446744073709551615");
        assert_eq!(shown(Kind::Unsigned { wide: false }, Value::Whole(-1)), "4294967295");
        assert_eq!(shown(Kind::Number, Value::Single(0.1)), "0.1");
        assert_eq!(shown(Kind::Number, Value::Double(13_800_138_000.0)), "13800138000");
        // As a float of 32 bits this number is that of somebody else.
        assert!(shown(Kind::Number, Value::Single(13_800_138_000.0)).starts_with('!'));
        assert!(shown(Kind::Number, Value::Double(6.2e18)).starts_with('!'));
    }

    #[test]
    fn decimals_are_written_with_their_point() {
        for (unscaled, scale, text) in [(12_345, 2, "123.45"), (-5, 3, "-0.005"), (7, 0, "7"), (0, 2, "0.00")] {
            assert_eq!(shown(Kind::Decimal { scale }, Value::Whole(unscaled)), text);
        }
        assert_eq!(shown(Kind::Decimal { scale: 2 }, Value::Bytes(&[0xff, 0x85])), "-1.23");
        assert_eq!(shown(Kind::Decimal { scale: 2 }, Value::Bytes(&[0x01, 0x00])), "2.56");
        assert!(shown(Kind::Decimal { scale: 0 }, Value::Bytes(&[1; 17])).starts_with('!'));
    }

    #[test]
    fn times_have_their_unit_and_only_instants_have_a_zone() {
        let instant = |nanos_per_tick, local| Kind::Instant { nanos_per_tick, local };
        // 2026-12-01T01:30:00.5Z
        let ms = 1_796_088_600_500;
        assert_eq!(shown(instant(1_000_000, false), Value::Whole(ms)), "2026-12-01T01:30:00.5Z");
        assert_eq!(shown(instant(1_000, false), Value::Whole(ms * 1_000)), "2026-12-01T01:30:00.5Z");
        assert_eq!(shown(instant(1, true), Value::Whole(ms * 1_000_000)), "2026-12-01T01:30:00.5");
        assert_eq!(shown(Kind::Date, Value::Whole(20_788)), "2026-12-01");
        assert_eq!(shown(Kind::Date, Value::Whole(-1)), "1969-12-31");
        assert_eq!(shown(Kind::TimeOfDay { nanos_per_tick: 1_000_000 }, Value::Whole(34_200_000)), "09:30:00");
        assert!(shown(instant(1_000_000, false), Value::Whole(i64::MAX)).starts_with('!'));
        assert!(shown(Kind::Date, Value::Whole(i64::from(i32::MAX))).starts_with('!'));
    }

    #[test]
    fn bytes_are_text_or_an_identifier_or_nothing() {
        assert_eq!(shown(Kind::Text, Value::Bytes("账".as_bytes())), "账");
        assert!(shown(Kind::Text, Value::Bytes(b"\xd5\xcb")).starts_with('!'));
        assert_eq!(shown(Kind::Uuid, Value::Bytes(&[0xab; 16])), "abababab-abab-abab-abab-abababababab");
        assert!(shown(Kind::Uuid, Value::Bytes(b"short")).starts_with('!'));
        assert!(shown(Kind::Date, Value::Bool(true)).starts_with('!'));
    }
}
