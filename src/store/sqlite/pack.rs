//! Many rows in one statement with a handful of parameters: a column travels as one blob of fields of equal width, and
//! SQLite cuts it up again. To bind a value costs the driver several times what SQLite needs to cut one out.

use std::ops::Range;

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

use super::sql::Binds;

/// Of one statement. `nth.i` counts them, from 0.
pub(super) const ROWS: usize = 4_096;

const NTH: &str = "CREATE TEMP TABLE IF NOT EXISTS nth(i INTEGER PRIMARY KEY);
    INSERT OR IGNORE INTO nth
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4095) SELECT i FROM n";

/// Digits of a field: `u32`, and where a text begins.
const INT: usize = 10;
/// `u64` below 2^63.
const LONG: usize = 19;

/// Once per connection.
pub(super) async fn prepare(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql(NTH).execute(conn).await?;
    Ok(())
}

/// Of the parameter `at`: so many bytes of each row.
pub(super) fn fixed(at: u8, width: usize) -> String {
    format!("substr(?{at}, i * {width} + 1, {width})")
}

/// Of [`Ints`], which take three parameters from `at` on.
pub(super) fn int(at: u8) -> String {
    let (step, each) = (at + 1, fixed(at + 2, INT));
    format!("coalesce(?{at} + i * ?{step}, CAST({each} AS INTEGER))")
}

/// Of one digit a row.
pub(super) fn digit(at: u8) -> String {
    format!("CAST({} AS INTEGER)", fixed(at, 1))
}

/// Of [`Blobs`] that were bound as such; three parameters.
pub(super) fn blob(at: u8) -> String {
    let bytes = at + 1;
    format!("coalesce(substr(?{bytes}, i * ?{at} + 1, ?{at}), {})", span(bytes))
}

/// Of [`Blobs`] that were bound as texts; three parameters.
pub(super) fn text(at: u8) -> String {
    format!("coalesce(?{at}, CAST({} AS TEXT))", span(at + 1))
}

/// An empty one is NULL.
pub(super) fn maybe_text(at: u8) -> String {
    format!("nullif({}, '')", text(at))
}

/// Of [`Reals`]; three parameters.
pub(super) fn real<const BITS: u32>(at: u8) -> String {
    let part = |at: u8| format!("CAST(CAST({} AS INTEGER) AS REAL)", fixed(at, LONG));
    let (whole, rest) = (part(at + 1), part(at + 2));
    format!("coalesce(?{at}, {whole} / (1 << {BITS}) + coalesce({rest} / (1 << 62) / (1 << {BITS}), 0.0))")
}

fn span(bytes: u8) -> String {
    let (spans, width) = (bytes + 1, 2 * INT);
    let part = |from: usize| format!("CAST(substr(?{spans}, i * {width} + {from}, {INT}) AS INTEGER)");
    format!("substr(?{bytes}, {}, {})", part(1), part(1 + INT))
}

/// Numbers that fit 32 bits. As long as they are all the same, or count up by one, they are two parameters.
#[derive(Default)]
pub(super) struct Ints {
    count: u32,
    first: u32,
    step: u32,
    each: Vec<u8>,
}

/// Bytes of any length.
#[derive(Default)]
pub(super) struct Blobs {
    bytes: Vec<u8>,
    spans: Vec<u8>,
    first: Option<Range<usize>>,
    last: Range<usize>,
    /// Not all rows say the same.
    vary: bool,
    /// Not all have the same length.
    ragged: bool,
}

/// Numbers of at least 0 and below 2^(63 - BITS), in two integers: what SQLite makes of decimal digits is not always the
/// nearest double, but integers and powers of two are exact.
#[derive(Default)]
pub(super) struct Reals<const BITS: u32> {
    count: usize,
    first: f64,
    /// Not all rows say the same.
    vary: bool,
    whole: Vec<u8>,
    rest: Vec<u8>,
    some_rest: bool,
}

impl Ints {
    pub(super) fn push(&mut self, value: u32) {
        match self.count {
            0 => self.first = value,
            1 => self.step = u32::from(Some(value) == self.first.checked_add(1)),
            _ => {}
        }
        let mut each = !self.each.is_empty();
        if !each && value != self.regular(self.count) {
            for nth in 0..self.count {
                let before = self.regular(nth);
                digits(&mut self.each, INT, u64::from(before));
            }
            each = true;
        }
        if each {
            digits(&mut self.each, INT, u64::from(value));
        }
        self.count += 1;
    }

    fn regular(&self, nth: u32) -> u32 {
        self.first.wrapping_add(self.step * nth)
    }

    pub(super) fn bind(self, binds: &mut Binds) {
        if self.each.is_empty() {
            binds.int(i64::from(self.first)).int(i64::from(self.step)).nulls(1);
        } else {
            binds.nulls(2).bytes(self.each);
        }
    }
}

impl Blobs {
    /// Lets `write` add the bytes of a row.
    pub(super) fn push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let from = self.bytes.len();
        write(&mut self.bytes)?;
        self.span(from..self.bytes.len());
        Ok(())
    }

    /// A row that says what the row before said costs nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.bytes.get(self.last.clone()) == Some(bytes) {
            self.span(self.last.clone());
            return;
        }
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.span(from..self.bytes.len());
    }

    fn span(&mut self, span: Range<usize>) {
        digits(&mut self.spans, INT, span.start as u64 + 1);
        digits(&mut self.spans, INT, span.len() as u64);
        let first = self.first.get_or_insert_with(|| span.clone());
        self.vary |= *first != span;
        self.ragged |= first.len() != span.len();
        self.last = span;
    }

    /// Of rows that were all given to [`Blobs::push_with`].
    pub(super) fn bind_blobs(self, binds: &mut Binds) {
        let width = self.first.map_or(0, |first| first.len());
        if self.ragged {
            binds.nulls(1).bytes(self.bytes).bytes(self.spans);
        } else {
            binds.int(width as i64).bytes(self.bytes).nulls(1);
        }
    }

    pub(super) fn bind_texts(self, binds: &mut Binds) {
        if self.vary {
            binds.nulls(1).bytes(self.bytes).bytes(self.spans);
        } else {
            binds.text(&String::from_utf8_lossy(&self.bytes)).nulls(2);
        }
    }
}

impl<const BITS: u32> Reals<BITS> {
    /// `false` for a number that two integers cannot hold exactly: zero may stand for it.
    pub(super) fn push(&mut self, value: f64) -> bool {
        if self.count == 0 {
            self.first = value;
        }
        if !self.vary && value.to_bits() != self.first.to_bits() {
            self.vary = true;
            for _ in 0..self.count {
                self.split(self.first);
            }
        }
        self.count += 1;
        if self.vary { self.split(value) } else { Self::parts(value).is_some() }
    }

    fn split(&mut self, value: f64) -> bool {
        let parts = Self::parts(value);
        let (whole, rest) = parts.unwrap_or((0, 0));
        digits(&mut self.whole, LONG, whole);
        digits(&mut self.rest, LONG, rest);
        self.some_rest |= rest > 0;
        parts.is_some()
    }

    fn parts(value: f64) -> Option<(u64, u64)> {
        const TWO_62: f64 = (1_u64 << 62) as f64;
        let scaled = value * (1_u64 << BITS) as f64;
        let whole = scaled.floor();
        let rest = (scaled - whole) * TWO_62;
        let exact = (0.0..2.0 * TWO_62).contains(&scaled) && rest.fract() == 0.0;
        exact.then_some((whole as u64, rest as u64))
    }

    pub(super) fn bind(self, binds: &mut Binds) {
        if !self.vary {
            binds.real(self.first).nulls(2);
            return;
        }
        binds.nulls(1).bytes(self.whole);
        if self.some_rest {
            binds.bytes(self.rest);
        } else {
            binds.nulls(1);
        }
    }
}

fn digits(out: &mut Vec<u8>, width: usize, mut value: u64) {
    let from = out.len();
    out.resize(from + width, b'0');
    for place in out.iter_mut().skip(from).rev() {
        if value == 0 {
            break;
        }
        *place = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::store::sqlite::sql::{self, Cells};

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    async fn memory() -> SqliteConnection {
        let mut conn = SqliteConnectOptions::new().filename(":memory:").connect().await.unwrap();
        prepare(&mut conn).await.unwrap();
        conn
    }

    /// What SQLite makes of a column: the expression's values, in order.
    async fn column(text: String, binds: Binds) -> Vec<sqlx::sqlite::SqliteRow> {
        sql::rows(&mut memory().await, Box::leak(text.into_boxed_str()), binds).await.unwrap()
    }

    #[test]
    fn there_are_as_many_rows_as_a_statement_takes() {
        run(async {
            let mut conn = memory().await;
            prepare(&mut conn).await.unwrap();
            let count = sql::number(&mut conn, "SELECT count(*) FROM nth", Binds::default()).await.unwrap();
            assert_eq!(count, ROWS as i64);
        });
    }

    #[test]
    fn numbers_come_out_as_they_went_in() {
        run(async {
            let u32s = [[0, 1, 10, 99, u32::MAX], [7; 5], [7, 8, 9, 10, 11], [7, 8, 9, 10, 10], [7, 7, 7, 7, 8]];
            for (wanted, regular) in u32s.into_iter().zip([false, true, true, false, false]) {
                let (mut ints, mut binds) = (Ints::default(), Binds::default());
                for value in wanted {
                    ints.push(value);
                }
                assert_eq!(ints.each.is_empty(), regular, "{wanted:?}");
                ints.bind(&mut binds);
                let rows = column(format!("SELECT {} FROM nth WHERE i < 5", int(1)), binds).await;
                let got: Vec<u32> = rows.iter().map(|row| Cells::of(row).small().unwrap()).collect();
                assert_eq!(got, wanted);
            }
        });
    }

    #[test]
    fn texts_of_any_length_come_out_and_empty_ones_are_null() {
        run(async {
            for (wanted, bytes) in [(["账单", "账单", "", "a", "{\"x\":1}"], 6 + 1 + 7), (["b"; 5], 1), ([""; 5], 0)]
            {
                let (mut blobs, mut binds) = (Blobs::default(), Binds::default());
                for text in wanted {
                    blobs.push(text.as_bytes());
                }
                assert_eq!(blobs.bytes.len(), bytes, "what repeats is sent once");
                blobs.bind_texts(&mut binds);
                let rows = column(format!("SELECT {} FROM nth WHERE i < 5", maybe_text(1)), binds).await;
                let got: Vec<Option<String>> =
                    rows.iter().map(|row| Cells::of(row).maybe_text().unwrap().map(str::to_owned)).collect();
                assert_eq!(got, wanted.map(|text| (!text.is_empty()).then(|| text.to_owned())));
            }
        });
    }

    #[test]
    fn blobs_come_out_whether_their_lengths_differ_or_not() {
        run(async {
            for wanted in [[&[1, 0, 2][..], &[255], &[9, 9]], [&[1], &[0], &[1]]] {
                let (mut blobs, mut binds) = (Blobs::default(), Binds::default());
                for bytes in wanted {
                    let write = |into: &mut Vec<u8>| {
                        into.extend_from_slice(bytes);
                        Ok::<(), StoreError>(())
                    };
                    blobs.push_with(write).unwrap();
                }
                blobs.bind_blobs(&mut binds);
                let rows = column(format!("SELECT {} FROM nth WHERE i < 3", blob(1)), binds).await;
                let got: Vec<Vec<u8>> = rows.iter().map(|row| Cells::of(row).maybe_blob().unwrap().unwrap()).collect();
                assert_eq!(got, wanted);
            }
        });
    }

    #[test]
    fn doubles_are_the_same_to_the_last_bit_or_refused() {
        run(async {
            let mut rng = crate::base::Rng::seeded(11);
            let mut wanted = vec![0.0, 1.0, 0.1, 1e-9, 1e-18, f64::EPSILON, 1.0 - f64::EPSILON / 2.0];
            wanted.extend((0..2_000).map(|_| rng.f64() * 10_f64.powi(-(rng.below(12) as i32))));
            let (mut reals, mut binds) = (Reals::<62>::default(), Binds::default());
            assert!(wanted.iter().all(|value| reals.push(*value)));
            reals.bind(&mut binds);
            let text = format!("SELECT {} FROM nth WHERE i < {}", real::<62>(1), wanted.len());
            let rows = column(text, binds).await;
            let got: Vec<f64> = rows.iter().map(|row| Cells::of(row).real().unwrap()).collect();
            assert_eq!(got, wanted);
            let mut reals = Reals::<62>::default();
            assert!([1e-30, f64::MIN_POSITIVE, -1.0, f64::NAN, 2.5].iter().all(|odd| !reals.push(*odd)));
            let (mut reals, mut binds) = (Reals::<12>::default(), Binds::default());
            assert!([1e15; 3].iter().all(|value| reals.push(*value)));
            reals.bind(&mut binds);
            let rows = column(format!("SELECT {} FROM nth WHERE i < 3", real::<12>(1)), binds).await;
            let got: Vec<f64> = rows.iter().map(|row| Cells::of(row).real().unwrap()).collect();
            assert_eq!(got, [1e15; 3], "what all rows say is sent once");
        });
    }
}
