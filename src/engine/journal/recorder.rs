//! Writes a journal: whoever pumps an engine tells it every input before, and every output after.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{Money, Now, Reach, Tariff, TrunkIx};
use crate::campaign::Folder;
use crate::engine::{EngineConfig, GroupSpec, Input, Member, Output, QueueSpec, Spend, TrunkSpec};

use super::bytes::{Pack, Unpack};
use super::decisions::Notes;
use super::{Entry, KIND_END, KIND_FILES, KIND_HEAD, KIND_INPUT, MAGIC, check, inputs};

/// Bytes are taken with [`Recorder::take`] as often as the shell likes; they are whole records.
#[derive(Debug)]
pub struct Recorder {
    out: Vec<u8>,
    check: u64,
    notes: Notes,
    /// The input whose outputs are being noted.
    open: Option<Pack>,
}

impl Recorder {
    /// `now` and `config` are those of `Engine::new`.
    pub fn new(version: &str, now: Now, config: &EngineConfig) -> Self {
        let mut recorder = Self { out: MAGIC.to_vec(), check: 0, notes: Notes::default(), open: None };
        let mut p = Pack::default();
        p.text(version);
        time(&mut p, now);
        pack_config(&mut p, config);
        recorder.record(KIND_HEAD, &p.0);
        recorder
    }

    /// Comes before the input that brings their plan.
    pub fn files(&mut self, folder: &Folder) {
        self.close();
        let mut p = Pack::default();
        p.text(&folder.root);
        p.list(folder.files.iter(), |p, (path, bytes)| {
            p.text(path);
            p.bytes(bytes);
        });
        self.record(KIND_FILES, &p.0);
    }

    pub fn input(&mut self, now: Now, input: &Input) {
        self.close();
        let mut p = Pack::default();
        time(&mut p, now);
        inputs::pack(&mut p, input);
        self.open = Some(p);
    }

    /// Of the last input, in order.
    pub fn output(&mut self, output: &Output) {
        self.notes.note(output);
    }

    /// Nothing comes after it.
    pub fn end(&mut self, why: &str) {
        self.close();
        let mut p = Pack::default();
        p.text(why);
        self.record(KIND_END, &p.0);
    }

    /// The records that are complete. What followed the last input is complete once the next one comes.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// How much [`Recorder::take`] would give.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    fn close(&mut self) {
        let Some(mut p) = self.open.take() else { return };
        let decisions = self.notes.take();
        p.list(decisions.lines.iter(), |p, line| p.text(line));
        p.eight(decisions.digest);
        self.record(KIND_INPUT, &p.0);
    }

    fn record(&mut self, kind: u8, body: &[u8]) {
        let from = self.out.len();
        self.out.push(kind);
        self.out.extend_from_slice(&(body.len() as u32).to_be_bytes());
        self.out.extend_from_slice(body);
        self.check = check(self.check, self.out.get(from..).unwrap_or_default());
        self.out.extend_from_slice(&self.check.to_be_bytes());
    }
}

fn time(p: &mut Pack, now: Now) {
    p.number(now.tick.0);
    p.wall(now.wall);
}

fn pack_config(p: &mut Pack, config: &EngineConfig) {
    p.number(config.seed);
    p.list(config.trunks.iter(), |p, trunk| {
        p.text(&trunk.name);
        p.yes(trunk.live);
        p.number(trunk.max_calls.into());
        p.number(trunk.max_cps.into());
        p.list(trunk.caller_ids.iter(), |p, id| p.text(id));
        p.list(trunk.pools.iter(), |p, (name, ids)| {
            p.text(name);
            p.list(ids.iter(), |p, id| p.text(id));
        });
        p.list(trunk.shown_max.iter(), |p, (number, max)| {
            p.text(number);
            p.number((*max).into());
        });
        p.maybe(trunk.spend, |p, spend| {
            let Spend { max_per_day, tariff: Tariff { per_minute, per_call, billed_by_s } } = spend;
            p.number(max_per_day.millionths);
            p.number(per_minute.millionths);
            p.number(per_call.millionths);
            p.number(billed_by_s.into());
        });
        p.list(trunk.reach.prefixes().iter(), |p, (prefix, allowed)| {
            p.text(prefix);
            p.yes(*allowed);
        });
        p.yes(trunk.reach.test_numbers());
    });
    p.list(config.groups.iter(), |p, group| {
        p.text(&group.name);
        p.list(group.members.iter(), |p, member| {
            p.number(member.trunk.0.into());
            p.number(member.priority.into());
            p.number(member.weight.into());
        });
    });
    p.list(config.queues.iter(), |p, queue| {
        p.text(&queue.name);
        p.text(&queue.uri);
        p.number(queue.seats.into());
    });
    p.yes(config.test_numbers_only);
    p.text(config.zone.iana_name().unwrap_or("UTC"));
    p.real(config.wall_rate);
    p.number(u64::try_from(config.permit.as_micros()).unwrap_or(u64::MAX));
}

fn unpack_config(u: &mut Unpack) -> Option<EngineConfig> {
    let id = |u: &mut Unpack| u.text().map(Arc::from);
    let money = |u: &mut Unpack| u.number().map(Money::from_millionths);
    let spend = |u: &mut Unpack| {
        let max_per_day = money(u)?;
        let tariff = Tariff { per_minute: money(u)?, per_call: money(u)?, billed_by_s: u.small()? };
        Some(Spend { max_per_day, tariff })
    };
    let trunk = |u: &mut Unpack| {
        Some(TrunkSpec {
            name: u.text()?,
            live: u.yes()?,
            max_calls: u.small()?,
            max_cps: u.small()?,
            caller_ids: u.list(id)?.into(),
            pools: u.list(|u| Some((u.text()?, u.list(id)?.into())))?.into_iter().collect(),
            shown_max: u.list(|u| Some((u.text().map(Arc::from)?, u.small()?)))?.into_iter().collect(),
            spend: u.maybe(spend)?,
            reach: Arc::new(Reach::from_parts(u.list(|u| Some((u.text()?, u.yes()?)))?, u.yes()?)),
        })
    };
    let member = |u: &mut Unpack| Some(Member { trunk: TrunkIx(u.small()?), priority: u.small()?, weight: u.small()? });
    Some(EngineConfig {
        seed: u.number()?,
        trunks: u.list(trunk)?,
        groups: u.list(|u| Some(GroupSpec { name: u.text()?, members: u.list(member)? }))?,
        queues: u.list(|u| Some(QueueSpec { name: u.text()?, uri: u.text()?, seats: u.small()? }))?,
        test_numbers_only: u.yes()?,
        zone: TimeZone::get(&u.text()?).ok()?,
        wall_rate: u.real()?,
        permit: Duration::from_micros(u.number()?),
    })
}

pub(super) fn unpack_time(u: &mut Unpack) -> Option<Now> {
    Some(Now { tick: crate::base::Tick(u.number()?), wall: u.wall()? })
}

pub(super) fn unpack_head(u: &mut Unpack) -> Option<Entry> {
    Some(Entry::Head { version: u.text()?, began: unpack_time(u)?, config: unpack_config(u)? })
}
