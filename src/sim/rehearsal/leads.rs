//! Whose phones ring in a rehearsal: rows of a list, or leads of a database. No number is kept, and of keys only cards.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use crate::base::{CampaignIx, ContactId, LeadId, ListId, PhoneId, Pii, Split, Wall};
use crate::campaign::Campaign;
use crate::contact::{Columns, LeadState, Row};
use crate::engine::{Intent, LeadRow, LedgerPage, PhoneRow};

/// In ascending order of `LeadId`, as the engine wants them.
#[derive(Debug, Default)]
pub struct Leads {
    /// The one that is rehearsed; past dials name it.
    pub(super) campaign: CampaignIx,
    pub(super) rows: Vec<LeadRow>,
    pub(super) ledgers: LedgerPage,
    /// Columns that conditions ask for; the others would only take room.
    wanted: BTreeSet<String>,
    expires: Option<Wall>,
    phones: HashMap<Pii<String>, PhoneId>,
    by_contact: HashMap<ContactId, u32>,
    /// One for each row, or none at all.
    cards: Vec<Card>,
    /// The chance of each row that the right person says yes, or none at all.
    truths: Vec<f64>,
}

/// What only outcomes on record say of a customer.
#[derive(Clone, Debug)]
pub struct Card {
    pub key: Pii<String>,
    pub language: Option<String>,
    pub tags: Vec<String>,
    pub zones: Vec<String>,
    pub columns: Columns,
}

impl Leads {
    /// A list that is loaded at `start`, to be filled by [`Leads::add`].
    pub fn of_list(campaign: &Campaign, start: Wall) -> Self {
        let conditions = campaign.eligible.iter().chain(campaign.segments.iter().map(|segment| &segment.when));
        let wanted = conditions.flat_map(|condition| condition.columns().map(str::to_owned).collect::<Vec<_>>());
        Self {
            wanted: wanted.collect(),
            expires: campaign.list.expires_after.map(|after| start + after),
            ..Self::default()
        }
    }

    /// Leads as they stand in a store, with what happened to them before.
    pub fn of_store(campaign: CampaignIx, rows: Vec<LeadRow>, ledgers: LedgerPage) -> Self {
        let by_contact = rows.iter().zip(0..).map(|(row, at)| (row.contact, at)).collect();
        Self { campaign, rows, ledgers, by_contact, ..Self::default() }
    }

    /// As [`Leads::add`], for a rehearsal whose outcomes go on record.
    pub fn add_with_card(&mut self, row: Row) {
        let Row { key, language, tags, zones, columns, .. } = row.clone();
        self.cards.push(Card { key, language, tags, zones, columns });
        self.add(row);
    }

    /// Of the row that was added last: the chance that the right person says yes, whatever the score says.
    pub fn tell_truth(&mut self, chance: f64) {
        self.truths.push(chance);
    }

    /// The reader has made sure that no customer comes twice.
    pub fn add(&mut self, row: Row) {
        let nth = self.rows.len() as u32 + 1;
        let zones = &row.zones;
        let known = &mut self.phones;
        let mut phone = |number: Pii<String>| {
            let next = PhoneId(known.len() as u32 + 1);
            let phone = *known.entry(number).or_insert(next);
            PhoneRow { phone, is_test: false, dead: false, zones: zones.clone() }
        };
        let phones = row.phones.into_iter().take(4).map(&mut phone).collect();
        let columns = row.columns.0.into_iter().filter(|(name, _)| self.wanted.contains(name)).collect();
        // Without the bank's secret: who falls where is not who will, but as many do.
        let digest = Sha256::digest(row.key.reveal().as_bytes());
        let split = Split(digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)));
        self.by_contact.insert(ContactId(nth), nth - 1);
        self.rows.push(LeadRow {
            lead: LeadId(nth),
            contact: ContactId(nth),
            campaign_ix: self.campaign,
            list: ListId(1),
            list_expires: self.expires,
            phones,
            score: row.score as f32,
            value: row.value as f32,
            consent: row.consent,
            attempts_used: row.attempts_used,
            columns: Columns(columns),
            state: LeadState::Waiting { until: Wall::default() },
            next_phone: 0,
            next_free: false,
            split,
        });
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn card(&self, lead: LeadId) -> Option<&Card> {
        self.cards.get(self.place(lead)?)
    }

    pub(super) fn keeps_cards(&self) -> bool {
        !self.cards.is_empty()
    }

    pub(super) fn says_yes(&self, intent: &Intent) -> f64 {
        let truth = self.place(intent.lead).and_then(|at| self.truths.get(at));
        truth.copied().unwrap_or_else(|| f64::from(intent.context.score))
    }

    pub(super) fn phones_of(&self, contact: ContactId) -> impl Iterator<Item = PhoneId> {
        let own = self.by_contact.get(&contact).and_then(|at| self.rows.get(*at as usize));
        own.into_iter().flat_map(|row| row.phones.iter().map(|phone| phone.phone))
    }

    pub(super) fn place(&self, lead: LeadId) -> Option<usize> {
        self.rows.binary_search_by_key(&lead, |row| row.lead).ok()
    }
}
