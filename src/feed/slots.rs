//! What slots had to offer and what was made of it, as files beside the outcomes: propensities are checked against them.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::engine::SlotRow;
use crate::rank::Slot;
use crate::store::Store;

use super::day_files::write_file;
use super::export::ExportError;
use super::write_record::{Format, rfc3339};

/// Rows held in memory, and so at most in one file; after each such chunk the cursor moves.
const CHUNK: usize = 20_000;

/// One line: leads of one segment that were alike to the answer model, in one half hour.
#[derive(Debug, Serialize)]
struct Line<'a> {
    slot_from: String,
    slot_to: String,
    campaign: &'a str,
    campaign_hash: &'a str,
    segment: &'a str,
    slot_weekday: u8,
    slot_half_hour: u16,
    attempts: u8,
    same_slot_fails: u8,
    reachability: i8,
    eligible: u32,
    dialled: u32,
    drawn: u32,
    propensity: f64,
}

impl<'a> From<&'a SlotRow> for Line<'a> {
    fn from(row: &'a SlotRow) -> Self {
        Self {
            slot_from: rfc3339(row.from),
            slot_to: rfc3339(row.to),
            campaign: &row.campaign,
            campaign_hash: &row.campaign_hash,
            segment: &row.segment,
            slot_weekday: row.slot.weekday(),
            slot_half_hour: row.slot.minute() / Slot::MINUTES,
            attempts: row.past.attempts,
            same_slot_fails: row.past.same_hour_fails,
            reachability: row.past.reachability.steps(),
            eligible: row.eligible,
            dialled: row.dialled,
            drawn: row.drawn,
            propensity: row.chance,
        }
    }
}

/// What was written for one consumer.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) files: Vec<PathBuf>,
    pub(super) size_bytes: u64,
}

/// Everything behind the consumer's cursor, or from the start. At least once, as outcomes are: a row is known by `slot_from`
/// and all columns before `eligible`.
pub(super) async fn export_slots<S: Store>(
    store: &mut S,
    consumer: &str,
    from_start: bool,
    out: &Path,
    format: Format,
) -> Result<Written, ExportError> {
    let mut written = Written::default();
    let known = store.cursor(consumer).await?;
    let mut after = if from_start { 0 } else { known };
    loop {
        let rows = store.slots(after, CHUNK).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(written) };
        for (path, bytes) in write_slots(out, &rows, format)? {
            written.size_bytes += bytes;
            written.files.push(path);
        }
        written.rows += rows.len() as u64;
        after = last;
        if after > known {
            store.set_cursor(consumer, after).await?;
        }
    }
}

/// To `dt=YYYY-MM-DD/` inside `out`, by the day in UTC on which a slot began; each file with its size in bytes.
pub fn write_slots(out: &Path, rows: &[SlotRow], format: Format) -> Result<Vec<(PathBuf, u64)>, ExportError> {
    let mut days: BTreeMap<Date, Vec<&SlotRow>> = BTreeMap::new();
    for row in rows {
        days.entry(row.from.timestamp().to_zoned(TimeZone::UTC).date()).or_default().push(row);
    }
    let seq = |row: Option<&&SlotRow>| row.map_or(0, |row| row.seq);
    let one = |(day, part): (Date, Vec<&SlotRow>)| {
        let name = format!("slots-{:012}-{:012}.{}", seq(part.first()), seq(part.last()), format.as_str());
        write_file(&out.join(format!("dt={day}")), &name, lines(&part, format))
    };
    days.into_iter().map(one).collect()
}

fn lines(rows: &[&SlotRow], format: Format) -> io::Result<Vec<u8>> {
    match format {
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in rows {
                writer.serialize(Line::from(*row))?;
            }
            writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
        }
        Format::Jsonl => {
            let mut out = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut out, &Line::from(*row))?;
                out.write_all(b"\n")?;
            }
            Ok(out)
        }
    }
}
