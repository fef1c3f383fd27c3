//! `simulate --outcomes DIR`: what `goldenhour export --features` would have written of these days, had they been lived.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{CampaignIx, Code, Diagnostic};
use crate::cli::exit::{Exit, Stop};
use crate::engine::SlotRow;
use crate::feed::{DayFiles, ExportError, Format, Profile, Style, write_slots};
use crate::sim::{AttemptRecord, Record, Setting};
use crate::store::{Label, ListInfo, OutcomeRow, OutcomeSource, PlanVersion};

/// Nobody has to guess which records were never lived.
const TRUNK: &str = "simulated";
const STYLE: Style = Style { format: Format::Jsonl, profile: Profile::Machine, features: true };
/// Rows in one file, and so at most in memory.
const CHUNK: usize = 20_000;

/// Files of one rehearsal.
#[derive(Debug)]
pub(super) struct Outcomes<'a> {
    out: PathBuf,
    setting: &'a Setting,
    list: &'a ListInfo,
    plan: Arc<PlanVersion>,
    seals: u64,
    files: DayFiles,
    slots: Vec<SlotRow>,
    last_slot: u64,
}

impl<'a> Outcomes<'a> {
    /// In a folder of its own: among those of real calls they would be learned from.
    pub(super) fn begin(out: PathBuf, setting: &'a Setting, list: &'a ListInfo) -> Result<Self, Stop> {
        let failed = |source| stop(&ExportError::Write { path: out.clone(), source });
        fs::create_dir_all(&out).map_err(failed)?;
        if fs::read_dir(&out).map_err(failed)?.next().is_some() {
            let message = format!("{} is not empty, and outcomes of a rehearsal belong to no others", out.display());
            let hint = "name a new folder";
            return Err(Stop::one(Exit::Usage, Diagnostic::error(Code::ExportWrite, message).hint(hint)));
        }
        let plan = Arc::new(PlanVersion {
            model_id: list.model_id.clone(),
            model_version: list.model_version.clone(),
            model_alias: list.model_alias.as_str().to_owned(),
            ..PlanVersion::of(CampaignIx(0), &setting.campaign)
        });
        let files = DayFiles::new(STYLE);
        Ok(Self { out, setting, list, plan, seals: 0, files, slots: Vec::new(), last_slot: 0 })
    }

    pub(super) fn take(&mut self, records: Vec<Record>) -> Result<(), Stop> {
        for record in records {
            match record {
                Record::Attempt(record) => {
                    self.seals += 1;
                    let row = self.row(*record);
                    self.files.take(&row).map_err(|error| stop(&error))?;
                }
                Record::Slot(slot) => {
                    let rows = SlotRow::of(&slot, self.last_slot + self.slots.len() as u64);
                    self.slots.extend(rows);
                }
            }
            if self.files.rows() + self.slots.len() >= CHUNK {
                self.flush()?;
            }
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<(), Stop> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let files = std::mem::replace(&mut self.files, DayFiles::new(STYLE));
        files.write(&self.out).map_err(|error| stop(&error))?;
        write_slots(&self.out, &self.slots, STYLE.format).map_err(|error| stop(&error))?;
        self.last_slot += self.slots.len() as u64;
        self.slots.clear();
        Ok(())
    }

    fn row(&self, record: AttemptRecord) -> OutcomeRow {
        let AttemptRecord { intent, outcome, recorded_at, noted_at } = record;
        let card = self.setting.leads.card(intent.lead);
        let authorised_at = outcome.times.authorised.unwrap_or(intent.decided.wall);
        OutcomeRow {
            seal: self.seals,
            hash: [0; 32],
            outcome: *outcome,
            source: if noted_at.is_some() { OutcomeSource::Label } else { OutcomeSource::Engine },
            recorded_at,
            label: noted_at.map(|at| Label { at, amount: None }),
            context: intent.context,
            campaign: self.setting.campaign.name.clone(),
            plan: Arc::clone(&self.plan),
            authorised_at,
            decided_at: intent.decided.wall,
            trunk: TRUNK.to_owned(),
            caller_id: intent.caller_id.to_string(),
            customer_key: card.map(|card| card.key.clone()),
            list_name: self.list.name.clone(),
            list_sha256: self.list.sha256,
            consent: intent.facts.consent,
            language: card.and_then(|card| card.language.clone()),
            tags: card.map(|card| card.tags.clone()).unwrap_or_default(),
            zones: card.map(|card| card.zones.clone()).unwrap_or_default(),
            columns: card.map(|card| card.columns.clone()).unwrap_or_default(),
        }
    }
}

fn stop(error: &ExportError) -> Stop {
    Stop::one(Exit::Failure, error.diagnostic().hint("make room, or name a folder that can be written"))
}
