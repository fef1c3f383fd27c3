//! The leads of one step of a load, each with what the list says of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, ContactId, LeadId, ListId, Wall};
use crate::contact::{ClosedWhy, LeadState, Row};
use crate::store::{ImportCounts, StoreError};

use super::batch::read_state;
use super::import::NextId;
use super::listed::{self, Lines, Listed};
use super::load_contacts::Contacts;
use super::load_phones::Four;
use super::pack::{self, Ints};
use super::sql::{self, Binds};

/// Of one list.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) list: ListId,
    pub(super) campaign: CampaignIx,
    /// The first contact that the load made.
    pub(super) first_contact: u32,
}

pub(super) struct Leads {
    place: Place,
    first: u32,
    /// Of the new leads.
    contacts: Ints,
    new: usize,
    lines: Lines,
}

/// What was known of leads before the step.
struct Before {
    leads: BTreeMap<ContactId, (LeadId, LeadState)>,
    lines: HashMap<LeadId, (ListId, Listed)>,
}

static KNOWN: LazyLock<Arc<str>> = LazyLock::new(|| {
    let from = "FROM (SELECT ? AS campaign) k CROSS JOIN json_each(?) j
        CROSS JOIN lead l ON l.contact = j.value AND l.campaign = k.campaign";
    Arc::from(sql::pack(&["l.id", "l.contact", "l.state", "l.until"], from))
});

static NEW: LazyLock<Arc<str>> = LazyLock::new(|| {
    let contact = pack::int(3);
    Arc::from(format!("INSERT INTO lead(id, campaign, contact) SELECT ?1 + i, ?2, {contact} FROM nth WHERE i < ?6"))
});

impl Leads {
    /// Before the writer's lock is taken: leads come from loads alone, and one runs at a time. What an outcome changes
    /// meanwhile only moves a count.
    pub(super) async fn find(
        conn: &mut SqliteConnection,
        place: Place,
        next: &mut NextId,
        (rows, contacts, phones): (&[Row], &Contacts, &[Four]),
        counts: &mut ImportCounts,
    ) -> Result<Self, StoreError> {
        let mut before = Before::of(conn, place, contacts).await?;
        let lines = Lines::default();
        let mut out = Self { place, first: next.peek(), contacts: Ints::default(), new: 0, lines };
        let cells = contacts.ids.iter().zip(&contacts.made).zip(phones);
        for (row, ((contact, made), phones)) in rows.iter().zip(cells) {
            if *made {
                let lead = out.add(next, *contact)?;
                out.lines.push(lead, row, phones)?;
                counts.new_leads += 1;
            } else if contact.0 >= place.first_contact {
                // Nobody but this load knows the contact.
                counts.repeated += 1;
            } else {
                out.note_older(next, &mut before, (row, *contact, phones), counts)?;
            }
        }
        Ok(out)
    }

    pub(super) async fn write(self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.new > 0 {
            let mut binds = Binds::default();
            binds.int(i64::from(self.first)).int(i64::from(self.place.campaign.0));
            self.contacts.bind(&mut binds);
            binds.int(self.new as i64);
            sql::run_text(conn, &NEW, binds).await?;
        }
        self.lines.write(conn, self.place.list).await
    }

    fn add(&mut self, next: &mut NextId, contact: ContactId) -> Result<LeadId, StoreError> {
        self.contacts.push(contact.0);
        self.new += 1;
        next.take().map(LeadId)
    }

    /// Compares with what the list before said.
    fn note_older(
        &mut self,
        next: &mut NextId,
        before: &mut Before,
        (row, contact, phones): (&Row, ContactId, &Four),
        counts: &mut ImportCounts,
    ) -> Result<(), StoreError> {
        let (lead, state) = match before.leads.get(&contact) {
            Some(known) => *known,
            None => (self.add(next, contact)?, LeadState::Waiting { until: Wall::default() }),
        };
        before.leads.insert(contact, (lead, state));
        let line = Listed::of(row, phones);
        match before.lines.get(&lead) {
            Some((list, _)) if *list == self.place.list => {
                counts.repeated += 1;
                return Ok(());
            }
            Some((_, old)) if *old == line => counts.unchanged += 1,
            Some(_) => counts.updated_leads += 1,
            None => counts.new_leads += 1,
        }
        if matches!(state, LeadState::Closed(why) if ClosedWhy::reopens_with_a_newer_list(why)) {
            counts.reopened += 1;
        }
        self.lines.push(lead, row, phones)?;
        before.lines.insert(lead, (self.place.list, line));
        Ok(())
    }
}

impl Before {
    async fn of(conn: &mut SqliteConnection, place: Place, contacts: &Contacts) -> Result<Self, StoreError> {
        let older = contacts.ids.iter().map(|id| id.0).filter(|id| *id < place.first_contact);
        let ids = sql::json_ids(older);
        let mut leads = BTreeMap::new();
        if ids == "[]" {
            return Ok(Self { leads, lines: HashMap::new() });
        }
        let mut binds = Binds::default();
        binds.int(i64::from(place.campaign.0)).text(&ids);
        let [packed] = sql::texts(conn, &KNOWN, binds).await?;
        for mut cells in sql::records(&packed) {
            let (lead, contact) = (LeadId(cells.small()?), ContactId(cells.small()?));
            leads.insert(contact, (lead, read_state(&mut cells)?));
        }
        let ids: Vec<LeadId> = leads.values().map(|(lead, _)| *lead).collect();
        let lines = listed::newest(conn, &ids, place.list).await?;
        Ok(Self { leads, lines })
    }
}
