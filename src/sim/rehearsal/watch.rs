//! The witness of a rehearsal: sees every phone ring and counts what should not have been, at the cost of a few look-ups.
//!
//! As [`crate::sim::witness`] it shares no code with the gate. Of each contact and phone it keeps the dials alone.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{AttemptId, ContactId, PhoneId, Tick, Wall};
use crate::campaign::{Calendar, Campaign, CapPer, CapRule, DayKind, HolidayRule, WeekHours, ZoneRule};
use crate::engine::{Intent, LeadRow, LedgerPage};
use crate::gate::DncMark;
use crate::sim::witness::{Violation, local};

use super::Setting;

#[derive(Debug)]
pub struct Watch {
    campaign: Arc<Campaign>,
    zones: BTreeMap<String, TimeZone>,
    fallback: Option<TimeZone>,
    fixed: Option<TimeZone>,
    contacts: HashMap<ContactId, Vec<Rang>>,
    phones: HashMap<PhoneId, Vec<Rang>>,
    /// Who must not be called, as outcomes and lists have it.
    silent_contacts: HashSet<ContactId>,
    silent_phones: HashSet<PhoneId>,
    live: HashMap<AttemptId, (ContactId, PhoneId)>,
    busy_contacts: HashSet<ContactId>,
    busy_phones: HashSet<PhoneId>,
    sent: VecDeque<Tick>,
    lines: u32,
    max_calls: u32,
    max_cps: u32,
    /// All of them, and the first few in words.
    pub count: u64,
    pub first: Vec<Violation>,
}

#[derive(Clone, Copy, Debug)]
struct Rang {
    at: Wall,
    /// In this campaign. Dials of others count for caps alone.
    own: bool,
    free: bool,
}

impl Watch {
    const SHOWN: usize = 20;

    pub fn new(setting: &Setting) -> Self {
        let campaign = Arc::clone(&setting.campaign);
        let zone = |ix| setting.zones.get(ix).clone();
        let (max_calls, max_cps) = setting.line();
        let mut watch = Self {
            fallback: campaign.calling_hours.fallback_zone.map(zone),
            fixed: match campaign.calling_hours.zone {
                ZoneRule::Customer => None,
                ZoneRule::Fixed(ix) => Some(zone(ix)),
            },
            max_calls,
            max_cps: max_cps.min(campaign.trunk.max_cps.unwrap_or(u32::MAX)),
            campaign,
            zones: BTreeMap::new(),
            contacts: HashMap::new(),
            phones: HashMap::new(),
            silent_contacts: HashSet::new(),
            silent_phones: HashSet::new(),
            live: HashMap::new(),
            busy_contacts: HashSet::new(),
            busy_phones: HashSet::new(),
            sent: VecDeque::new(),
            lines: 0,
            count: 0,
            first: Vec::new(),
        };
        watch.know(setting);
        watch
    }

    /// What happened before, and where everybody is.
    fn know(&mut self, setting: &Setting) {
        let leads = &setting.leads;
        let LedgerPage { contacts, phones } = &leads.ledgers;
        let dial =
            |dial: &crate::gate::PastDial| Rang { at: dial.at, own: dial.campaign == leads.campaign, free: dial.free };
        let silent = |mark: Option<DncMark>| mark.is_some_and(|mark| mark.until.is_none());
        for (contact, ledger) in contacts {
            self.contacts.insert(*contact, ledger.dials.iter().map(dial).collect());
            if silent(ledger.dnc) {
                self.silent_contacts.insert(*contact);
            }
        }
        for (phone, ledger) in phones {
            self.phones.insert(*phone, ledger.dials.iter().map(dial).collect());
            if silent(ledger.dnc) {
                self.silent_phones.insert(*phone);
            }
        }
        for name in leads.rows.iter().flat_map(|row| row.phones.iter()).flat_map(|phone| &phone.zones) {
            if !self.zones.contains_key(name)
                && let Ok(zone) = TimeZone::get(name)
            {
                self.zones.insert(name.clone(), zone);
            }
        }
    }

    /// Somebody said no, or an outcome did it for them.
    pub fn silence(&mut self, contact: Option<ContactId>, phones: impl Iterator<Item = PhoneId>) {
        self.silent_contacts.extend(contact);
        self.silent_phones.extend(phones);
    }

    /// A phone rings. `row`: whose it is, as the list has it.
    pub fn rings(&mut self, intent: &Intent, row: &LeadRow, now: Wall, tick: Tick) {
        let (contact, phone, attempt) = (intent.contact, intent.phone, intent.attempt);
        let rang = Rang { at: now, own: true, free: intent.facts.free_of_daily_budget };
        let free = (self.busy_contacts.insert(contact), self.busy_phones.insert(phone));
        if free != (true, true) {
            self.object(now, format!("{attempt} rang beside another call of the same contact or phone"));
        }
        if self.silent_contacts.contains(&contact) || self.silent_phones.contains(&phone) {
            self.object(now, format!("{attempt} rang somebody who had said no"));
        }
        let zones = self.zones_of(row, phone);
        self.check_hours(&zones, attempt, now);
        self.check_counts(&zones, intent, rang);
        self.check_line(now, tick);
        self.contacts.entry(contact).or_default().push(rang);
        self.phones.entry(phone).or_default().push(rang);
        self.live.insert(attempt, (contact, phone));
    }

    /// Its outcome was written.
    pub fn ended(&mut self, attempt: AttemptId, now: Wall, rang: bool) {
        let known = match self.live.remove(&attempt) {
            Some((contact, phone)) => self.busy_contacts.remove(&contact) && self.busy_phones.remove(&phone),
            None => false,
        };
        self.lines = self.lines.saturating_sub(u32::from(known));
        if known != rang {
            self.object(now, format!("{attempt} has an outcome that does not fit: it rang {known}, and counts {rang}"));
        }
    }

    /// Everything has come to rest.
    pub fn close(&mut self, now: Wall) {
        let left = self.live.len();
        if left > 0 {
            self.object(now, format!("{left} attempts have no outcome"));
        }
    }

    fn zones_of(&self, row: &LeadRow, phone: PhoneId) -> Vec<TimeZone> {
        if let Some(fixed) = &self.fixed {
            return vec![fixed.clone()];
        }
        let names = row.phones.iter().filter(|own| own.phone == phone).flat_map(|own| &own.zones);
        let own: Vec<TimeZone> = names.filter_map(|name| self.zones.get(name).cloned()).collect();
        if own.is_empty() { self.fallback.iter().cloned().collect() } else { own }
    }

    fn check_hours(&mut self, zones: &[TimeZone], attempt: AttemptId, now: Wall) {
        if zones.is_empty() {
            self.object(now, format!("{attempt} was dialled without knowing a zone"));
        }
        let campaign = Arc::clone(&self.campaign);
        let calendar = campaign.calendar.as_deref();
        let laws = [
            (&campaign.policy.hours, campaign.policy.holidays),
            (&campaign.calling_hours.week, campaign.calling_hours.holidays),
        ];
        let last = Wall((now + campaign.pacing.ring).0 - 1);
        for zone in zones {
            for at in [now, last] {
                if !laws.iter().all(|(week, holidays)| is_open(week, *holidays, calendar, zone, at)) {
                    self.object(now, format!("{attempt} is outside hours: {}", local(zone, at)));
                }
            }
        }
    }

    fn check_counts(&mut self, zones: &[TimeZone], intent: &Intent, rang: Rang) {
        let campaign = Arc::clone(&self.campaign);
        let attempt = intent.attempt;
        let of_contact = self.contacts.get(&intent.contact).map(Vec::as_slice).unwrap_or_default();
        let of_phone = self.phones.get(&intent.phone).map(Vec::as_slice).unwrap_or_default();
        let own = || of_contact.iter().filter(|before| before.own);
        let mut objections = Vec::new();
        let made = own().count() + 1;
        if made > usize::from(campaign.attempts.max) {
            objections.push(format!("{attempt} is attempt {made} of {}", campaign.attempts.max));
        }
        for zone in zones {
            let day = |at| local(zone, at).date();
            let today = own().filter(|before| !before.free && day(before.at) == day(rang.at)).count() + 1;
            if !rang.free && today > usize::from(campaign.attempts.max_per_day) {
                objections.push(format!("{attempt} is number {today} of its local day"));
            }
        }
        for cap in &campaign.caps {
            let CapRule::Within { within, max_dials: Some(max), .. } = cap.rule else { continue };
            let before = match cap.per {
                CapPer::Customer => of_contact,
                CapPer::Phone => of_phone,
            };
            let dials = before.iter().filter(|before| before.at + within > rang.at).count() + 1;
            if dials > usize::from(max) {
                objections.push(format!("{attempt} is dial {dials} of {max} per {:?} in {within:?}", cap.per));
            }
        }
        for what in objections {
            self.object(rang.at, what);
        }
    }

    fn check_line(&mut self, now: Wall, tick: Tick) {
        self.lines += 1;
        self.sent.push_back(tick);
        while self.sent.front().is_some_and(|before| *before + Duration::from_secs(1) <= tick) {
            self.sent.pop_front();
        }
        if self.sent.len() > self.max_cps as usize {
            self.object(now, format!("{} dials within a second, {} allowed", self.sent.len(), self.max_cps));
        }
        if self.lines > self.max_calls {
            self.object(now, format!("{} calls at once, {} allowed", self.lines, self.max_calls));
        }
    }

    fn object(&mut self, at: Wall, what: String) {
        self.count += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(Violation { at, what });
        }
    }
}

/// A make-up working day has the hours of a Monday; what is not published is closed.
fn is_open(week: &WeekHours, holidays: HolidayRule, calendar: Option<&Calendar>, zone: &TimeZone, at: Wall) -> bool {
    let local = local(zone, at);
    let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
    let weekday = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
    let weekday = match holidays {
        HolidayRule::Open => weekday,
        HolidayRule::Closed => match calendar.map(|calendar| calendar.kind(local.date())) {
            None | Some(Err(_) | Ok(Some(DayKind::Holiday))) => return false,
            Some(Ok(Some(DayKind::Workday))) if weekday >= 5 => 0,
            Some(Ok(Some(DayKind::Workday) | None)) => weekday,
        },
    };
    week.day(weekday).iter().any(|window| window.from.0 <= minute && minute < window.to.0)
}
