//! Rows of a CSV as a model reads them, batch after batch, with the cells of other columns beside them.

use std::fmt;
use std::io;
use std::path::Path;

use crate::model::Scorer;

use super::ListError;
use super::csv::Records;
use super::score::ScoreError;
use super::source::Source;
use super::table::Record;

/// Rows that are scored together: some 2 MB of a wide table.
pub(super) const BATCH: usize = 4_096;

pub struct TableRows<'a> {
    records: Records<Box<dyn io::BufRead + Send>>,
    layout: Layout,
    model: &'a Scorer,
}

#[derive(Debug, Default)]
pub struct Batch {
    /// Of each row the line on which it begins.
    pub lines: Vec<u64>,
    /// Row after row, the cells of the columns that were named.
    named: Vec<String>,
    /// Row after row, the model's features in its order.
    pub values: Vec<f32>,
}

/// Where in a record what is wanted stands.
struct Layout {
    width: usize,
    named: Vec<usize>,
    features: Vec<usize>,
}

impl fmt::Debug for TableRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableRows").finish_non_exhaustive()
    }
}

impl<'a> TableRows<'a> {
    /// `named` are columns that are no features: one at least.
    pub fn open(model: &'a Scorer, data: &Path, named: &[&str]) -> Result<Self, ScoreError> {
        let mut records = Records::new(Source::open(data, None)?.text);
        let layout = layout(records.next()?.ok_or(ListError::Empty("it has no header"))?, model, named)?;
        Ok(Self { records, layout, model })
    }

    /// The next rows, one at least; `None` at the end.
    pub fn batch(&mut self) -> Result<Option<Batch>, ScoreError> {
        let mut batch = Batch::default();
        while batch.lines.len() < BATCH
            && let Some(record) = self.records.next()?
        {
            self.layout.read(record, self.model, &mut batch)?;
        }
        Ok((!batch.lines.is_empty()).then_some(batch))
    }
}

impl Batch {
    /// Of each row the cells of the columns that were named, in the order in which they were.
    pub fn named(&self) -> impl Iterator<Item = &[String]> {
        self.named.chunks((self.named.len() / self.lines.len().max(1)).max(1))
    }
}

impl Layout {
    fn read(&self, record: Record<'_>, model: &Scorer, batch: &mut Batch) -> Result<(), ScoreError> {
        let line = record.line;
        if record.len() != self.width {
            let what = format!("{} cells, and the header has {}", record.len(), self.width);
            return Err(ScoreError::Row { line, what });
        }
        batch.lines.push(line);
        batch.named.extend(self.named.iter().map(|place| record.get(*place).unwrap_or_default().to_owned()));
        for (feature, place) in model.manifest().features.iter().zip(&self.features) {
            // The cell is not shown: a table may hold a person where a number belongs.
            let value = feature.value(record.get(*place).unwrap_or_default()).map_err(|error| ScoreError::Row {
                line,
                what: format!("the column `{}` holds what is {error}", feature.name),
            })?;
            batch.values.push(value);
        }
        Ok(())
    }
}

fn layout(header: Record<'_>, model: &Scorer, named: &[&str]) -> Result<Layout, ScoreError> {
    let find = |name: &str| {
        let mut places = header.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
        let wrong = |what| ScoreError::Column { name: name.to_owned(), what };
        let place = places.next().ok_or_else(|| wrong("missing"))?;
        if places.next().is_some() {
            return Err(wrong("there twice"));
        }
        Ok(place)
    };
    let features = model.manifest().features.iter().map(|feature| find(&feature.name));
    Ok(Layout {
        width: header.len(),
        features: features.collect::<Result<_, _>>()?,
        named: named.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    })
}
