//! One cell to one typed value, or the reason why not. None of the reasons shows the value, only its shape.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::base::Wall;
use crate::campaign::ColumnKind;
use crate::contact::ColumnValue;

use super::reject::shape;

/// Of the attributes column.
pub const ATTRIBUTES_MAX: usize = 512;

/// Of the tags column.
pub const TAGS_MAX: usize = 64;

/// A probability in `[0, 1]`.
pub fn score(text: &str) -> Result<f64, String> {
    match number(text) {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        Ok(_) => Err(format!("a score lies between 0 and 1, this is `{}`", shape(text))),
        Err(reason) => Err(reason),
    }
}

/// Finite, with a decimal point.
pub fn number(text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Err("the cell is empty".into());
    }
    if text.contains(',') {
        return Err(format!("`{}` has a comma; numbers are written with a point, without grouping", shape(text)));
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(n),
        Ok(_) => Err("NaN and infinity are not numbers here".into()),
        Err(_) => Err(format!("not a number, but `{}`", shape(text))),
    }
}

/// `3` and, since data frames with gaps write whole numbers so, `3.0`.
pub fn integer(text: &str) -> Result<i64, String> {
    if let Ok(n) = text.parse() {
        return Ok(n);
    }
    // Above 2^53 a float no longer tells neighbours apart.
    match number(text)? {
        n if n.fract() == 0.0 && n.abs() < 9e15 => Ok(n as i64),
        _ => Err(format!("not a whole number, but `{}`", shape(text))),
    }
}

/// What the bank may have spent on this contact before.
pub fn attempts_used(text: &str) -> Result<u16, String> {
    u16::try_from(integer(text)?).map_err(|_| format!("between 0 and 65535, this is `{}`", shape(text)))
}

/// What a success is worth: not negative.
pub fn value(text: &str) -> Result<f64, String> {
    match number(text)? {
        n if (0.0..=1e15).contains(&n) => Ok(n),
        _ => Err(format!("a value lies between 0 and 1e15, this is `{}`", shape(text))),
    }
}

pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" => Ok(true),
        "0" | "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" => Ok(false),
        _ => Err(format!("neither yes nor no (1/0, true/false, yes/no, Y/N), but `{}`", shape(text))),
    }
}

/// RFC 3339, or a date, which means its first instant in UTC.
pub fn time(text: &str) -> Result<Wall, String> {
    if let Ok(at) = Wall::parse(text) {
        return Ok(at);
    }
    let day = text.parse::<Date>().ok().filter(|_| text.len() == "2026-12-01".len());
    day.and_then(|day| day.to_zoned(TimeZone::UTC).ok())
        .map(|midnight| Wall::from(midnight.timestamp()))
        .ok_or_else(|| format!("neither 2026-12-01T09:30:00+08:00 nor 2026-12-01, but `{}`", shape(text)))
}

/// Separated by semicolons, as `age=40s;util=low`.
pub fn tags(text: &str) -> Result<Vec<String>, String> {
    let tags: Vec<String> =
        text.split(';').map(str::trim).filter(|t| !t.is_empty()).take(TAGS_MAX + 1).map(str::to_owned).collect();
    if tags.len() > TAGS_MAX { Err(format!("more than {TAGS_MAX} tags")) } else { Ok(tags) }
}

pub fn typed(kind: ColumnKind, text: &str) -> Result<ColumnValue, String> {
    Ok(match kind {
        ColumnKind::Number => ColumnValue::Number(number(text)?),
        ColumnKind::Integer => ColumnValue::Integer(integer(text)?),
        ColumnKind::Text => ColumnValue::Text(text.to_owned()),
        ColumnKind::Bool => ColumnValue::Bool(boolean(text)?),
        ColumnKind::Time => ColumnValue::Time(time(text)?),
    })
}

/// A JSON object. Its own types are kept; `null` is no value; what is nested is kept as JSON text.
pub fn attributes(text: &str) -> Result<BTreeMap<String, ColumnValue>, String> {
    let object: Object = serde_json::from_str(text).map_err(|error| {
        // serde_json's own text quotes what it found.
        let place = format!("character {}", error.column());
        match error.classify() {
            serde_json::error::Category::Data => format!("not a JSON object ({place})"),
            serde_json::error::Category::Eof => format!("the JSON object is cut short ({place})"),
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => format!("not JSON ({place})"),
        }
    })?;
    if object.0.len() > ATTRIBUTES_MAX { Err(format!("more than {ATTRIBUTES_MAX} attributes")) } else { Ok(object.0) }
}

struct Object(BTreeMap<String, ColumnValue>);
struct Member(Option<ColumnValue>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut out = BTreeMap::new();
                while let Some((name, Member(value))) = map.next_entry::<String, Member>()? {
                    if let Some(value) = value {
                        out.insert(name, value);
                    }
                }
                Ok(Object(out))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Member, E> {
                Ok(Member(None))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Member, E> {
                Ok(Member(Some(ColumnValue::Bool(value))))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Member, E> {
                Ok(Member(Some(ColumnValue::Integer(value))))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Member, E> {
                let whole = i64::try_from(value).map(ColumnValue::Integer);
                Ok(Member(Some(whole.unwrap_or(ColumnValue::Number(value as f64)))))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Member, E> {
                Ok(Member(Some(ColumnValue::Number(value))))
            }

            fn visit_str<E>(self, value: &str) -> Result<Member, E> {
                Ok(Member(Some(ColumnValue::Text(value.to_owned()))))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Member, A::Error> {
                let inner = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Member(Some(ColumnValue::Text(inner.to_string()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Member, A::Error> {
                let inner = serde_json::Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
                Ok(Member(Some(ColumnValue::Text(inner.to_string()))))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_probability_with_a_point() {
        for (text, p) in [("0", 0.0), ("1", 1.0), ("0.713106", 0.713_106), ("1e-3", 0.001), (".5", 0.5)] {
            assert_eq!(score(text), Ok(p));
        }
        for bad in ["NaN", "nan", "inf", "-0.1", "1.0001", "0,83", "", "83%", "０.５", "0.5 0.6", "1e999"] {
            assert!(score(bad).is_err(), "{bad}");
        }
        assert!(score("0,83").unwrap_err().contains("comma"));
        assert!(!score("0.5x77").unwrap_err().contains("77"));
    }

    #[test]
    fn whole_numbers_come_from_data_frames_too() {
        assert_eq!(integer("3.0"), Ok(3));
        assert_eq!(integer("-9007199254740993"), Ok(-9_007_199_254_740_993));
        assert!(integer("3.5").is_err() && integer("1e30").is_err() && integer("").is_err());
        assert_eq!(attempts_used("2"), Ok(2));
        assert!(attempts_used("-1").is_err() && attempts_used("65536").is_err());
        assert!(value("-1").is_err() && value("12.5") == Ok(12.5));
    }

    #[test]
    fn yes_and_no_have_these_spellings_and_no_others() {
        for (yes, no) in [("1", "0"), ("true", "false"), ("yes", "no"), ("Y", "N"), ("TRUE", "False")] {
            assert_eq!((boolean(yes), boolean(no)), (Ok(true), Ok(false)));
        }
        for bad in ["", "2", "ja", "on", "-1", "1.0"] {
            assert!(boolean(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_its_first_instant_in_utc() {
        assert_eq!(time("2026-12-01"), Ok(Wall::parse("2026-12-01T00:00:00Z").unwrap()));
        assert_eq!(time("2026-12-01T09:30:00+08:00"), Ok(Wall::parse("2026-12-01T01:30:00Z").unwrap()));
        for bad in ["01/12/2026", "2026-13-01", "2026-12-01 09:30", "20261201", ""] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn attributes_keep_the_types_of_their_author() {
        let read = attributes(r#"{"a":"1.0","b":1,"c":1.5,"d":true,"e":null,"f":[1,"x"],"g":{"h":2}}"#).unwrap();
        assert_eq!(read.get("a"), Some(&ColumnValue::Text("1.0".into())));
        assert_eq!(read.get("b"), Some(&ColumnValue::Integer(1)));
        assert_eq!(read.get("c"), Some(&ColumnValue::Number(1.5)));
        assert_eq!(read.get("d"), Some(&ColumnValue::Bool(true)));
        assert_eq!(read.get("e"), None);
        assert_eq!(read.get("f"), Some(&ColumnValue::Text("[1,\"x\"]".into())));
        assert_eq!(read.get("g"), Some(&ColumnValue::Text("{\"h\":2}".into())));
    }

    #[test]
    fn broken_attributes_are_refused_without_being_quoted() {
        for bad in ["[1]", "\"Zhang\"", "{\"a\":", "{'a':1}", "", "{\"a\":NaN}", "Zhang", "{} Zhang"] {
            let reason = attributes(bad).unwrap_err();
            assert!(!reason.contains("Zhang") && reason.contains("JSON"), "{reason}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(attributes(&deep).is_err());
    }

    #[test]
    fn tags_are_split_and_bounded() {
        assert_eq!(tags("age=40s; dpd=0;;x").unwrap(), ["age=40s", "dpd=0", "x"]);
        assert!(tags(&"t;".repeat(65)).is_err());
    }
}
