//! Somebody outside the system who sees every phone ring, and holds the promises against what they saw.
//!
//! It shares no code with the gate: hours, days and caps are counted anew, slowly and plainly.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::base::{AttemptId, CampaignIx, ContactId, PhoneId, Tick, TrunkIx, Wall};
use crate::campaign::{Campaign, CapPer, CapRule, WeekHours};
use crate::contact::CallResult;
use crate::engine::Intent;

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub at: Wall,
    pub what: String,
}

/// One phone that rang.
#[derive(Clone, Debug)]
pub struct Rang {
    pub attempt: AttemptId,
    pub contact: ContactId,
    pub phone: PhoneId,
    pub campaign_ix: CampaignIx,
    pub campaign: Arc<Campaign>,
    /// From the list, by name: not what the engine made of it.
    pub zones: Vec<TimeZone>,
    pub free: bool,
    /// As the daemon's own clock showed it, never earlier than it had shown before.
    pub at: Wall,
    pub tick: Tick,
}

#[derive(Debug, Default)]
pub struct Witness {
    pub rang: Vec<Rang>,
    pub violations: Vec<Violation>,
    intents: BTreeMap<AttemptId, Intent>,
    authorised: BTreeSet<AttemptId>,
    /// From when on somebody must not be called.
    dnc_contacts: BTreeMap<ContactId, Tick>,
    dnc_phones: BTreeMap<PhoneId, Tick>,
    /// Of each trunk, in their order.
    max_cps: Vec<u32>,
    sent: Vec<(TrunkIx, Tick)>,
    over_another: BTreeSet<AttemptId>,
    /// Phones that rang over another trunk than their first.
    pub rerouted: usize,
    homes: BTreeMap<ContactId, Vec<TimeZone>>,
    /// What the folder says, and since when.
    rules: BTreeMap<CampaignIx, Arc<Campaign>>,
    ruled_since: Tick,
}

impl Witness {
    /// `homes`: the zones of each contact's numbers, by name.
    pub fn new(max_cps: Vec<u32>, homes: impl Iterator<Item = (ContactId, Vec<String>)>) -> Self {
        let zones = |names: Vec<String>| names.iter().filter_map(|name| TimeZone::get(name).ok()).collect();
        let homes = homes.map(|(contact, names)| (contact, zones(names))).collect();
        Self { max_cps, homes, ..Self::default() }
    }

    /// The store has committed it.
    pub fn authorised(&mut self, intent: Intent) {
        self.authorised.insert(intent.attempt);
        self.intents.insert(intent.attempt, intent);
    }

    /// It may go over another trunk now, and over no other.
    pub fn moved(&mut self, intent: Intent) {
        self.over_another.insert(intent.attempt);
        self.intents.insert(intent.attempt, intent);
    }

    pub fn intent(&self, attempt: AttemptId) -> Option<&Intent> {
        self.intents.get(&attempt)
    }

    /// The folder was saved.
    pub fn rules(&mut self, campaigns: &[(CampaignIx, Arc<Campaign>)], tick: Tick) {
        self.rules = campaigns.iter().cloned().collect();
        self.ruled_since = tick;
    }

    pub fn dnc_contact(&mut self, contact: ContactId, tick: Tick) {
        self.dnc_contacts.entry(contact).or_insert(tick);
    }

    pub fn dnc_phone(&mut self, phone: PhoneId, tick: Tick) {
        self.dnc_phones.entry(phone).or_insert(tick);
    }

    /// An INVITE left over this trunk, whatever came of it.
    pub fn sent(&mut self, attempt: AttemptId, trunk: TrunkIx, law: Wall, tick: Tick) {
        let stored = self.intents.get(&attempt).map(|intent| intent.trunk);
        if stored != Some(trunk) {
            self.object(law, format!("{attempt} went over trunk {trunk}, and the store says {stored:?}"));
        }
        self.sent.push((trunk, tick));
        self.check_rate(law, trunk, tick);
    }

    /// A phone rings.
    pub fn rings(&mut self, attempt: AttemptId, law: Wall, tick: Tick) {
        let Some(intent) = self.intents.get(&attempt).cloned() else {
            return self.object(law, format!("{attempt} rang without a committed intent"));
        };
        let rang = Rang {
            attempt,
            contact: intent.contact,
            phone: intent.phone,
            campaign_ix: intent.campaign_ix,
            campaign: Arc::clone(&intent.campaign),
            zones: self.homes.get(&intent.contact).cloned().unwrap_or_default(),
            free: intent.facts.free_of_daily_budget,
            at: law,
            tick,
        };
        if self.rang.iter().any(|before| before.attempt == attempt) {
            self.object(law, format!("{attempt} rang twice"));
        }
        self.check_rules(&rang);
        self.check_hours(&rang);
        self.check_dnc(&rang);
        self.check_counts(&rang);
        self.rerouted += usize::from(self.over_another.contains(&attempt));
        self.rang.push(rang);
    }

    /// It still rings, unanswered.
    pub fn still_rings(&mut self, attempt: AttemptId, law: Wall) {
        let Some(rang) = self.rang.iter().rev().find(|rang| rang.attempt == attempt).cloned() else { return };
        let open = rang.zones.iter().all(|zone| is_open(&rang.campaign.policy.hours, zone, law));
        if !open && law > rang.at {
            self.object(law, format!("{attempt} still rings after closing time"));
        }
    }

    /// After everything has come to rest: exactly one outcome for each intent, and none void of those that rang.
    pub fn closed(&mut self, law: Wall, outcomes: &BTreeMap<AttemptId, Vec<CallResult>>) {
        for attempt in self.authorised.clone() {
            match outcomes.get(&attempt).map(Vec::as_slice) {
                Some([_]) => {}
                Some(several) => self.object(law, format!("{attempt} has {} outcomes", several.len())),
                None => self.object(law, format!("{attempt} has no outcome")),
            }
        }
        for rang in self.rang.clone() {
            if outcomes.get(&rang.attempt).is_some_and(|results| results.contains(&CallResult::Void)) {
                self.object(law, format!("{} rang and is called void", rang.attempt));
            }
        }
    }

    /// What was asked of the store under the rules before may still ring: a slow commit, and then the permit's half second.
    fn check_rules(&mut self, rang: &Rang) {
        let in_force = self.rules.get(&rang.campaign_ix).is_some_and(|rules| rules.judges_as(&rang.campaign));
        if !in_force && rang.tick > self.ruled_since + Duration::from_millis(1_300) {
            self.object(rang.at, format!("{} rang under rules that are no longer in force", rang.attempt));
        }
    }

    fn check_hours(&mut self, rang: &Rang) {
        let ring_end = rang.at + rang.campaign.pacing.ring;
        for zone in &rang.zones {
            let hours = [&rang.campaign.policy.hours, &rang.campaign.calling_hours.week];
            for (when, name) in [(rang.at, "at the dial"), (Wall(ring_end.0 - 1), "at the end of ringing")] {
                if !hours.iter().all(|hours| is_open(hours, zone, when)) {
                    let local = local(zone, when);
                    self.object(rang.at, format!("{} is outside hours {name}: {local}", rang.attempt));
                }
            }
        }
        if rang.zones.is_empty() {
            self.object(rang.at, format!("{} was dialled without knowing a zone", rang.attempt));
        }
    }

    /// A permit that was out already may still be used for its half second.
    fn check_dnc(&mut self, rang: &Rang) {
        let permit = Duration::from_millis(500);
        let told = [self.dnc_contacts.get(&rang.contact), self.dnc_phones.get(&rang.phone)];
        if told.into_iter().flatten().any(|since| rang.tick > *since + permit) {
            self.object(rang.at, format!("{} rang somebody who had said no", rang.attempt));
        }
    }

    fn check_counts(&mut self, rang: &Rang) {
        let mut objections = Vec::new();
        let own = |before: &&Rang| before.contact == rang.contact && before.campaign_ix == rang.campaign_ix;
        let made = self.rang.iter().filter(own).count() + 1;
        if made > usize::from(rang.campaign.attempts.max) {
            objections.push(format!("{} is attempt {made} of {}", rang.attempt, rang.campaign.attempts.max));
        }
        for zone in &rang.zones {
            let day = |at| local(zone, at).date();
            let today = self.rang.iter().filter(own).filter(|before| !before.free && day(before.at) == day(rang.at));
            let today = today.count() + 1;
            // What is excused goes out though a new plan's budget is smaller than what the day has seen.
            if !rang.free && today > usize::from(rang.campaign.attempts.max_per_day) {
                objections.push(format!("{} is number {today} of its local day", rang.attempt));
            }
        }
        for cap in &rang.campaign.caps {
            let CapRule::Within { within, max_dials: Some(max), .. } = cap.rule else { continue };
            let same = |before: &&Rang| match cap.per {
                CapPer::Customer => before.contact == rang.contact,
                CapPer::Phone => before.phone == rang.phone,
            };
            let recent = |before: &&Rang| before.at + within > rang.at;
            let before: Vec<String> =
                self.rang.iter().filter(same).filter(recent).map(|rang| rang.at.to_string()).collect();
            let dials = before.len() + 1;
            if dials > usize::from(max) {
                let (attempt, per, before) = (rang.attempt, cap.per, before.join(", "));
                objections
                    .push(format!("{attempt} is dial {dials} of {max} per {per:?} in {within:?}, after {before}"));
            }
        }
        for what in objections {
            self.object(rang.at, what);
        }
    }

    fn check_rate(&mut self, law: Wall, trunk: TrunkIx, tick: Tick) {
        let second = Duration::from_secs(1);
        let within = self.sent.iter().rev().take_while(|(_, before)| *before + second > tick);
        let window = within.filter(|(over, _)| *over == trunk).count();
        let allowed = self.max_cps.get(trunk.ix()).copied().unwrap_or(0);
        if window > allowed as usize {
            self.object(law, format!("{window} dials over trunk {trunk} within a second, {allowed} allowed"));
        }
    }

    fn object(&mut self, at: Wall, what: String) {
        self.violations.push(Violation { at, what });
    }
}

pub(super) fn local(zone: &TimeZone, at: Wall) -> DateTime {
    zone.to_datetime(at.timestamp())
}

fn is_open(hours: &WeekHours, zone: &TimeZone, at: Wall) -> bool {
    let local = local(zone, at);
    let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
    let weekday = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
    hours.day(weekday).iter().any(|window| window.from.0 <= minute && minute < window.to.0)
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}
