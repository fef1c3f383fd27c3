//! Universal Binary JSON (draft 12 of ubjson.org), as far as XGBoost writes it: big-endian numbers, counted and typed
//! containers. The result is the same value that JSON would give.

use serde_json::{Map, Number, Value};

use super::refusal::Refusal;

/// A model of a thousand trees of depth 8 has some six million.
const VALUES_MAX: usize = 8_000_000;
/// XGBoost nests seven deep.
const DEPTH_MAX: usize = 32;

pub(super) fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    let mut reader = Reader { bytes, at: 0, values: 0 };
    let marker = reader.byte()?;
    let value = reader.value(marker, 0)?;
    if reader.at != bytes.len() {
        return Err(reader.wrong("something follows the model"));
    }
    Ok(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, marker: u8, depth: usize) -> Result<Value, Refusal> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(Refusal::TooMany { most: VALUES_MAX, what: "values in the file" });
        }
        if depth > DEPTH_MAX {
            return Err(self.wrong("nested too deep"));
        }
        Ok(match marker {
            b'{' => Value::Object(self.object(depth)?),
            b'[' => Value::Array(self.array(depth)?),
            b'S' => Value::String(self.text()?),
            b'C' => Value::String(char::from(self.byte()?).to_string()),
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'Z' => Value::Null,
            b'd' => {
                let value = f32::from_be_bytes(self.take()?);
                self.float(f64::from(value))?
            }
            b'D' => {
                let value = f64::from_be_bytes(self.take()?);
                self.float(value)?
            }
            _ => Value::Number(self.integer(marker)?.into()),
        })
    }

    fn float(&self, value: f64) -> Result<Value, Refusal> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| self.wrong("a number that is not finite"))
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Refusal> {
        Ok(match marker {
            b'i' => i64::from(i8::from_be_bytes(self.take()?)),
            b'U' => i64::from(u8::from_be_bytes(self.take()?)),
            b'I' => i64::from(i16::from_be_bytes(self.take()?)),
            b'l' => i64::from(i32::from_be_bytes(self.take()?)),
            b'L' => i64::from_be_bytes(self.take()?),
            _ => return Err(self.wrong("an unknown marker")),
        })
    }

    fn object(&mut self, depth: usize) -> Result<Map<String, Value>, Refusal> {
        let mut fields = Map::new();
        loop {
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(fields);
            }
            let name = self.text()?;
            let marker = self.byte()?;
            let value = self.value(marker, depth + 1)?;
            if fields.insert(name, value).is_some() {
                return Err(self.wrong("a key that stands twice"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Refusal> {
        let kind = self.skip(b'$').then(|| self.byte()).transpose()?;
        let mut items = Vec::new();
        if self.skip(b'#') {
            // The capacity grows with what is really there: a count alone reserves nothing.
            for _ in 0..self.count()? {
                let marker = kind.map_or_else(|| self.byte(), Ok)?;
                items.push(self.value(marker, depth + 1)?);
            }
            return Ok(items);
        }
        if kind.is_some() {
            return Err(self.wrong("a type without a count"));
        }
        while !self.skip(b']') {
            let marker = self.byte()?;
            items.push(self.value(marker, depth + 1)?);
        }
        Ok(items)
    }

    fn text(&mut self) -> Result<String, Refusal> {
        let length = self.count()?;
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.get(..length));
        let bytes = bytes.ok_or_else(|| self.wrong("the file ends within a text"))?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.wrong("a text that is not UTF-8"))?.to_owned();
        self.at += length;
        Ok(text)
    }

    fn count(&mut self) -> Result<usize, Refusal> {
        let marker = self.byte()?;
        let count = self.integer(marker)?;
        usize::try_from(count).map_err(|_| self.wrong("a negative length"))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, marker: u8) -> bool {
        let is_there = self.peek() == Some(marker);
        self.at += usize::from(is_there);
        is_there
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk()).copied();
        let bytes = bytes.ok_or_else(|| self.wrong("the file ends too early"))?;
        self.at += N;
        Ok(bytes)
    }

    fn wrong(&self, what: &'static str) -> Refusal {
        Refusal::Ubj { at: self.at, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_texts_and_containers_are_read_as_the_format_says() {
        let bytes =
            b"{U\x01aSU\x02hiU\x01b[$d#U\x02\x3f\x80\x00\x00\xbf\x00\x00\x00U\x01c[i\xffI\x01\x00]U\x01dLffffffff}";
        let value = parse(bytes).unwrap();
        assert_eq!(value["a"], "hi");
        assert_eq!(value["b"], serde_json::json!([1.0, -0.5]));
        assert_eq!(value["c"], serde_json::json!([-1, 256]));
        assert_eq!(value["d"], serde_json::json!(0x6666_6666_6666_6666_i64));
    }

    #[test]
    fn a_count_of_billions_reserves_nothing() {
        let refusal = parse(b"[$U#L\x7f\xff\xff\xff\xff\xff\xff\xff").unwrap_err();
        assert_eq!(refusal, Refusal::Ubj { at: 13, what: "the file ends too early" });
    }

    #[test]
    fn endless_values_of_no_bytes_are_bounded() {
        let refusal = parse(b"[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff").unwrap_err();
        assert_eq!(refusal, Refusal::TooMany { most: VALUES_MAX, what: "values in the file" });
    }

    #[test]
    fn what_the_format_does_not_say_is_refused() {
        for (bytes, why) in [
            (&b"ZZ"[..], "something follows the model"),
            (b"{U\x01aZU\x01aZ}", "a key that stands twice"),
            (b"[$U]", "a type without a count"),
            (b"[#i\xff", "a negative length"),
            (b"d\x7f\x80\x00\x00", "a number that is not finite"),
        ] {
            let refusal = parse(bytes).unwrap_err();
            assert!(matches!(refusal, Refusal::Ubj { what, .. } if what == why), "{why}: {refusal}");
        }
    }

    #[test]
    fn a_tower_of_arrays_is_refused() {
        let refusal = parse(&[b'['; 1_000]).unwrap_err();
        assert!(matches!(refusal, Refusal::Ubj { what: "nested too deep", .. }), "{refusal}");
    }
}
