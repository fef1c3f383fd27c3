//! Pulls a list row by row: a lead or a reject for every line, in bounded memory. `import`, `--dry-run` and the bench
//! all read through this.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::base::Code;
use crate::campaign::ListMap;
use crate::contact::{Country, Row};

use super::ListError;
use super::csv::{Records, Shape};
use super::drift::Scores;
use super::facts::counted;
use super::header::Layout;
use super::list_model::ListModel;
use super::reject::Reject;
use super::row_reader::{ReadRow, Refusal, RowReader, with_built_ins};
use super::source::{self, Source};
use super::spool::rewind;
use super::table::{Table, is_forbidden};
use super::xlsx;

/// Fingerprints of keys and numbers are kept for the whole file, some 25 bytes a row.
pub const ROWS_MAX: u64 = 20_000_000;

/// Rows that a model scores together, and about how many bytes they are at most.
const SCORED_TOGETHER: usize = 1_024;
const SCORED_BYTES: usize = 4 * 1024 * 1024;

/// So many different people are never equally likely to agree: the model knows nothing of them.
const LEVEL_LEADS: u64 = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// A WHATWG label; UTF-8 without one.
    pub encoding: Option<String>,
    /// Of numbers without a country code.
    pub country: Option<Country>,
    /// The campaigns folder, which `list.model.dir` is relative to.
    pub campaigns: PathBuf,
    /// Whatever the campaign's model says, everybody has the same score: the model is broken.
    pub plain_order: bool,
}

impl ReadOptions {
    /// What somebody says of this one list, else what the campaign says of all of its lists, else what holds in the house.
    pub fn new(map: &ListMap, encoding: Option<&str>, country: Option<Country>, campaigns: &Path) -> Self {
        let encoding = encoding.or(map.encoding.as_deref()).map(str::to_owned);
        Self { encoding, country: map.country.or(country), campaigns: campaigns.to_owned(), plain_order: false }
    }

    /// What can be wrong before there is a file.
    pub fn check(&self) -> Result<(), ListError> {
        source::known(self.encoding.as_deref()).map(drop)
    }
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    Row(Row),
    Reject(Reject),
}

/// Of the rows pulled so far: `rows = leads + rejects`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub rows: u64,
    pub leads: u64,
    pub rejects: u64,
    /// Of the rejects: the key stood in an earlier row, which is the one that was kept.
    pub duplicate_keys: u64,
    /// Numbers of leads, each counted once.
    pub phones: u64,
    /// Numbers that more than one lead has.
    pub shared_phones: u64,
    /// Bad numbers of contacts that have a good one.
    pub dropped_phones: u64,
    /// Leads whose zone neither the list nor the number tells.
    pub without_zone: u64,
    /// Of the rejects: the score is missing, or is none, or what the model needs for it is.
    pub without_score: u64,
}

/// Fingerprints are hashes already.
type Prints = HashSet<u64, BuildHasherDefault<AsItIs>>;

#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |head| u64::from_ne_bytes(*head));
    }

    fn write_u64(&mut self, print: u64) {
        self.0 = print;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Ends after an error: nothing behind it can be trusted.
pub struct Rows {
    records: Box<dyn Table>,
    reader: RowReader,
    model: Option<ListModel>,
    /// Read, scored, and not yet pulled.
    ahead: VecDeque<Ahead>,
    /// Of the row that was pulled last.
    notes: Vec<Reject>,
    tally: Tally,
    scores: Scores,
    /// The lowest and the highest of the leads.
    range: Option<(f64, f64)>,
    /// Rows that a model came to no probability of.
    no_probability: u64,
    keys: Prints,
    phones: Prints,
    shared: Prints,
    had_bom: bool,
    read_bytes: Arc<AtomicU64>,
    /// There is no further record.
    drained: bool,
    ended: bool,
}

/// A record on its way to whoever pulls it.
struct Ahead {
    read: Result<ReadRow, Refusal>,
    notes: Vec<Reject>,
}

impl Rows {
    pub fn open(path: &Path, map: &ListMap, options: &ReadOptions) -> Result<Self, ListError> {
        Self::of_file(File::open(path).map_err(ListError::Io)?, map, options)
    }

    /// Whatever format it has: its first bytes tell.
    pub fn of_file(mut file: File, map: &ListMap, options: &ReadOptions) -> Result<Self, ListError> {
        let mut magic = [0; 4];
        let mut known = 0;
        while let Some(room) = magic.get_mut(known..).filter(|room| !room.is_empty()) {
            match file.read(room).map_err(ListError::Io)? {
                0 => break,
                got => known += got,
            }
        }
        rewind(&mut file)?;
        match &magic {
            b"PK\x03\x04" => Self::of_table(Box::new(xlsx::open(file)?), false, Arc::default(), map, options),
            #[cfg(feature = "parquet")]
            b"PAR1" => Self::of_table(Box::new(super::parquet::open(file)?), false, Arc::default(), map, options),
            #[cfg(not(feature = "parquet"))]
            b"PAR1" => Err(ListError::NoFeature("parquet")),
            _ => Self::from_reader(file, map, options),
        }
    }

    pub fn from_reader(
        input: impl Read + Send + 'static,
        map: &ListMap,
        options: &ReadOptions,
    ) -> Result<Self, ListError> {
        Self::over(Source::from_reader(input, options.encoding.as_deref())?, map, options)
    }

    fn over(source: Source, map: &ListMap, options: &ReadOptions) -> Result<Self, ListError> {
        let Source { text, had_bom, read_bytes } = source;
        Self::of_table(Box::new(Records::new(text)), had_bom, read_bytes, map, options)
    }

    fn of_table(
        mut records: Box<dyn Table>,
        had_bom: bool,
        read_bytes: Arc<AtomicU64>,
        map: &ListMap,
        options: &ReadOptions,
    ) -> Result<Self, ListError> {
        let Some(header) = records.next()? else {
            return Err(ListError::Empty("there is not even a header"));
        };
        let bad = |c: &char| is_forbidden(*c) || *c == '\n';
        let found = header.iter().enumerate().find_map(|(at, name)| name.chars().find(bad).map(|c| (at, c)));
        if let Some((column, c)) = found {
            return Err(ListError::HeaderCharacter { column: column + 1, point: u32::from(c) });
        }
        let model = ListModel::of(map, options)?;
        let features = model.as_ref().map(ListModel::features);
        let layout = Layout::new(header, map, features).map_err(ListError::Header)?;
        let phone = layout.phones.first().copied().unwrap_or(0);
        records.set_shape(Shape { width: layout.names.len(), phone });
        Ok(Self {
            records,
            reader: RowReader::new(layout, options.country),
            model,
            ahead: VecDeque::new(),
            notes: Vec::new(),
            tally: Tally::default(),
            scores: Scores::default(),
            range: None,
            no_probability: 0,
            keys: Prints::default(),
            phones: Prints::default(),
            shared: Prints::default(),
            had_bom,
            read_bytes,
            drained: false,
            ended: false,
        })
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Cells that the row pulled last was loaded without.
    pub fn notes(&self) -> &[Reject] {
        &self.notes
    }

    /// That scores the list, where it does not bring its scores.
    pub fn model(&self) -> Option<&ListModel> {
        self.model.as_ref()
    }

    /// Of the leads pulled so far.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// Why nobody should go by the scores that the model gave to the rows pulled so far.
    pub fn broken_model(&self) -> Option<String> {
        self.model.as_ref()?;
        let (none, rows) = (counted(self.no_probability), counted(self.tally.rows));
        if self.no_probability > 0 {
            return Some(format!("the model comes to no probability for {none} of {rows} rows"));
        }
        let is_level = self.range.is_some_and(|(low, high)| low >= high);
        let leads = self.tally.leads;
        (is_level && leads >= LEVEL_LEADS)
            .then(|| format!("the model gives the same score to all {} leads", counted(leads)))
    }

    pub fn had_bom(&self) -> bool {
        self.had_bom
    }

    /// Of the file as it lies there, for progress.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    fn pull(&mut self) -> Result<Option<Parsed>, ListError> {
        if self.ahead.is_empty() {
            self.read_ahead();
        }
        let Some(Ahead { read, notes }) = self.ahead.pop_front() else {
            return if self.tally.rows == 0 { Err(ListError::Empty("there is a header and no row")) } else { Ok(None) };
        };
        if let Err(Refusal::File(error)) = read {
            return Err(error);
        }
        if self.tally.rows == ROWS_MAX {
            return Err(ListError::TooManyRows(ROWS_MAX));
        }
        self.tally.rows += 1;
        self.notes = notes;
        match read {
            Ok(ReadRow { row, .. }) => Ok(Some(self.admit(with_built_ins(row)))),
            Err(Refusal::File(error)) => Err(error),
            Err(Refusal::Row(reject)) => {
                self.tally.rejects += 1;
                self.tally.without_score += u64::from(reject.code == Code::ListScore);
                Ok(Some(Parsed::Reject(reject)))
            }
        }
    }

    /// One record, or as many as a model scores together.
    fn read_ahead(&mut self) {
        let most = if self.model.is_some() { SCORED_TOGETHER } else { 1 };
        let mut bytes = 0;
        while self.ahead.len() < most && bytes < SCORED_BYTES && !self.drained {
            let read = match self.records.next() {
                Ok(Some(record)) => self.reader.read(record),
                Ok(None) => {
                    self.drained = true;
                    break;
                }
                Err(error) => Err(Refusal::File(error)),
            };
            self.drained = matches!(read, Err(Refusal::File(_)));
            bytes += read.as_ref().map_or(0, |read| read.row.weight());
            self.ahead.push_back(Ahead { read, notes: std::mem::take(&mut self.reader.notes) });
        }
        if let Some(model) = &self.model {
            self.no_probability += score(model, &mut self.ahead);
        }
    }

    /// The first row of a key is kept. One number may serve several people: that is counted, and caps hold per number.
    fn admit(&mut self, row: Row) -> Parsed {
        if !self.keys.insert(fingerprint(row.key.reveal())) {
            self.tally.rejects += 1;
            self.tally.duplicate_keys += 1;
            self.notes.clear();
            let reason = "the customer key stood in an earlier row, which was kept";
            return Parsed::Reject(Reject::row(row.line, Code::ListDuplicateKey, reason));
        }
        for phone in &row.phones {
            let print = fingerprint(phone.reveal());
            if self.phones.insert(print) {
                self.tally.phones += 1;
            } else if self.shared.insert(print) {
                self.tally.shared_phones += 1;
            }
        }
        self.tally.leads += 1;
        self.scores.add(row.score);
        let (low, high) = self.range.unwrap_or((row.score, row.score));
        self.range = Some((low.min(row.score), high.max(row.score)));
        self.tally.dropped_phones += self.notes.len() as u64;
        self.tally.without_zone += u64::from(row.zones.is_empty());
        Parsed::Row(row)
    }
}

impl Iterator for Rows {
    type Item = Result<Parsed, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let pulled = self.pull();
        self.ended = !matches!(pulled, Ok(Some(_)));
        pulled.transpose()
    }
}

/// How many rows have no probability.
fn score(model: &ListModel, ahead: &mut VecDeque<Ahead>) -> u64 {
    let mut none = 0;
    let rows = ahead.iter().filter_map(|one| one.read.as_ref().ok());
    let values: Vec<f32> = rows.flat_map(|read| read.features.iter().copied()).collect();
    for (one, score) in ahead.iter_mut().filter(|one| one.read.is_ok()).zip(model.scores(&values)) {
        let Ok(ReadRow { row, .. }) = &mut one.read else { continue };
        match score {
            Ok(score) => row.score = score,
            Err(reason) => {
                none += 1;
                let reason = format!("the model gives no probability: {reason}");
                one.read = Err(Refusal::Row(Reject::row(row.line, Code::ListScore, reason)));
            }
        }
    }
    none
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("tally", &self.tally).finish_non_exhaustive()
    }
}

/// 64 bits: with ten million different keys the chance that two of them meet is 3 in a million, and then one row is
/// reported as a duplicate.
fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::fixture;

    #[test]
    fn rows_are_leads_and_rejects_and_nothing_else() {
        let list = fixture::with("k9,nonsense,,1,0.5,");
        let mut rows = fixture::rows(list, &fixture::map()).unwrap();
        assert!(rows.by_ref().all(|parsed| parsed.is_ok()));
        let tally = rows.tally();
        assert_eq!((tally.rows, tally.leads, tally.rejects), (4, 3, 1));
        assert!(rows.next().is_none());
    }

    #[test]
    fn of_two_rows_with_one_key_the_first_good_one_is_kept() {
        let list = format!("{}\nk1,bad,,1,0.5,\nk1,+999200000001,,1,0.6,\nk1,+999200000002,,1,0.7,\n", fixture::HEADER);
        let (leads, rejects) = fixture::read(list, &fixture::map()).unwrap();
        assert_eq!((leads.len(), leads[0].score), (1, 0.6));
        assert_eq!((rejects[1].line, rejects[1].code), (4, Code::ListDuplicateKey));
    }

    #[test]
    fn a_number_of_three_people_is_one_shared_number() {
        let row = |n: u8| format!("k{n},+999200000001,,1,0.5,\n");
        let list = format!("{}\n{}{}{}", fixture::HEADER, row(1), row(2), row(3));
        let mut rows = fixture::rows(list, &fixture::map()).unwrap();
        rows.by_ref().for_each(drop);
        let tally = rows.tally();
        assert_eq!((tally.leads, tally.phones, tally.shared_phones, tally.without_zone), (3, 1, 1, 3));
    }

    #[test]
    fn the_iterator_ends_with_the_first_error_of_the_file() {
        let list = format!("{}k4,+999200000004,,1,0.4,\"open\n", fixture::good());
        let mut rows = fixture::rows(list, &fixture::map()).unwrap();
        assert_eq!(rows.by_ref().flatten().count(), 3);
        assert!(rows.next().is_none());
    }
}
