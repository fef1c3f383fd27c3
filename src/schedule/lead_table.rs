//! Who the leads of one campaign are, by dense index: columns of plain numbers, 22 bytes a lead.

use crate::base::{ContactId, LeadId, ListId, PhoneId};
use crate::campaign::ArmIx;

/// More than [`crate::campaign::Experiment::MOST_ARMS`].
const NO_ARM: u8 = u8::MAX;

/// Position in the [`LeadTable`] and in the frontier of its campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadIx(pub u32);

/// Small facts of a lead, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeadFlags(pub u8);

/// One lead, as it goes in and out of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LeadRow {
    pub lead: LeadId,
    pub contact: ContactId,
    /// The phone to dial next. The others of a contact with several are with its owner.
    pub phone: PhoneId,
    /// The factor of its worth that the frontier's key does not tell: the score under a key of score × value, else the
    /// value.
    pub factor: f32,
    /// Which list; cut to 65,535 lists in one process.
    pub list: ListId,
    /// Attempts that the bank made before the list; cut at 255.
    pub attempts_used: u8,
    pub flags: LeadFlags,
    /// Of the campaign's experiment, if it has one.
    pub arm: Option<ArmIx>,
}

/// Structure of arrays. Rows are added at the end and never taken out.
#[derive(Debug, Default)]
pub struct LeadTable {
    lead: Vec<LeadId>,
    contact: Vec<ContactId>,
    phone: Vec<PhoneId>,
    factor: Vec<f32>,
    list: Vec<u16>,
    attempts_used: Vec<u8>,
    flags: Vec<LeadFlags>,
    arm: Vec<u8>,
    /// Free for its owner: the engine's state of the lead.
    state: Vec<u8>,
}

impl LeadIx {
    pub fn ix(self) -> usize {
        self.0 as usize
    }
}

impl LeadFlags {
    pub const CONSENT_YES: Self = Self(1);
    pub const CONSENT_NO: Self = Self(2);
    /// The phone to dial next is a test number.
    pub const TEST_PHONE: Self = Self(4);
    /// The next attempt does not use the daily budget.
    pub const FREE: Self = Self(8);
    pub const SEVERAL_PHONES: Self = Self(16);

    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    #[must_use]
    pub fn with(self, flag: Self, on: bool) -> Self {
        if on { Self(self.0 | flag.0) } else { Self(self.0 & !flag.0) }
    }

    /// As the list said it.
    #[must_use]
    pub fn with_consent(self, consent: Option<bool>) -> Self {
        self.with(Self::CONSENT_YES, consent == Some(true)).with(Self::CONSENT_NO, consent == Some(false))
    }

    pub fn consent(self) -> Option<bool> {
        match (self.has(Self::CONSENT_YES), self.has(Self::CONSENT_NO)) {
            (true, false) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        }
    }
}

impl LeadTable {
    pub fn reserve(&mut self, more: usize) {
        self.lead.reserve_exact(more);
        self.contact.reserve_exact(more);
        self.phone.reserve_exact(more);
        self.factor.reserve_exact(more);
        self.list.reserve_exact(more);
        self.attempts_used.reserve_exact(more);
        self.flags.reserve_exact(more);
        self.arm.reserve_exact(more);
        self.state.reserve_exact(more);
    }

    pub fn push(&mut self, row: LeadRow) -> LeadIx {
        if self.lead.len() == self.lead.capacity() {
            self.reserve((self.lead.len() / 8).max(64));
        }
        let ix = LeadIx(self.lead.len() as u32);
        self.lead.push(row.lead);
        self.contact.push(row.contact);
        self.phone.push(row.phone);
        self.factor.push(row.factor);
        self.list.push(u16::try_from(row.list.0).unwrap_or(u16::MAX));
        self.attempts_used.push(row.attempts_used);
        self.flags.push(row.flags);
        self.arm.push(row.arm.map_or(NO_ARM, |arm| arm.0));
        self.state.push(0);
        ix
    }

    pub fn get(&self, lead: LeadIx) -> Option<LeadRow> {
        let at = lead.ix();
        Some(LeadRow {
            lead: *self.lead.get(at)?,
            contact: *self.contact.get(at)?,
            phone: *self.phone.get(at)?,
            factor: *self.factor.get(at)?,
            list: ListId(u32::from(*self.list.get(at)?)),
            attempts_used: *self.attempts_used.get(at)?,
            flags: *self.flags.get(at)?,
            arm: Some(*self.arm.get(at)?).filter(|arm| *arm != NO_ARM).map(ArmIx),
        })
    }

    /// Leads come in ascending order of their ids, as the store's pages do.
    pub fn find(&self, lead: LeadId) -> Option<LeadIx> {
        self.lead.binary_search(&lead).ok().map(|at| LeadIx(at as u32))
    }

    /// By [`LeadIx`].
    pub fn contacts(&self) -> impl Iterator<Item = ContactId> {
        self.contact.iter().copied()
    }

    /// In place of what was there, its state apart.
    pub fn set(&mut self, lead: LeadIx, row: LeadRow) {
        let at = lead.ix();
        replace(&mut self.contact, at, row.contact);
        replace(&mut self.phone, at, row.phone);
        replace(&mut self.factor, at, row.factor);
        replace(&mut self.list, at, u16::try_from(row.list.0).unwrap_or(u16::MAX));
        replace(&mut self.attempts_used, at, row.attempts_used);
        replace(&mut self.flags, at, row.flags);
        replace(&mut self.arm, at, row.arm.map_or(NO_ARM, |arm| arm.0));
    }

    pub fn factor(&self, lead: LeadIx) -> f32 {
        self.factor.get(lead.ix()).copied().unwrap_or(0.0)
    }

    pub fn set_phone(&mut self, lead: LeadIx, phone: PhoneId) {
        if let Some(own) = self.phone.get_mut(lead.ix()) {
            *own = phone;
        }
    }

    pub fn set_flag(&mut self, lead: LeadIx, flag: LeadFlags, on: bool) {
        if let Some(own) = self.flags.get_mut(lead.ix()) {
            *own = own.with(flag, on);
        }
    }

    pub fn state(&self, lead: LeadIx) -> u8 {
        self.state.get(lead.ix()).copied().unwrap_or(0)
    }

    pub fn set_state(&mut self, lead: LeadIx, state: u8) {
        if let Some(own) = self.state.get_mut(lead.ix()) {
            *own = state;
        }
    }

    pub fn len(&self) -> usize {
        self.lead.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lead.is_empty()
    }

    /// All in, with allocated room.
    pub fn bytes(&self) -> usize {
        4 * (self.lead.capacity() + self.contact.capacity() + self.phone.capacity() + self.factor.capacity())
            + 2 * self.list.capacity()
            + self.attempts_used.capacity()
            + self.flags.capacity()
            + self.arm.capacity()
            + self.state.capacity()
    }
}

fn replace<T>(column: &mut [T], at: usize, value: T) {
    if let Some(own) = column.get_mut(at) {
        *own = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_went_in() {
        let mut table = LeadTable::default();
        let row = LeadRow {
            lead: LeadId(7),
            contact: ContactId(8),
            phone: PhoneId(9),
            factor: 0.5,
            list: ListId(3),
            attempts_used: 2,
            flags: LeadFlags::default().with_consent(Some(false)).with(LeadFlags::TEST_PHONE, true),
            arm: Some(ArmIx(3)),
        };
        let ix = table.push(row);
        assert_eq!(table.get(ix), Some(row));
        assert_eq!(row.flags.consent(), Some(false));
        table.set_flag(ix, LeadFlags::TEST_PHONE, false);
        assert!(table.get(ix).is_some_and(|row| !row.flags.has(LeadFlags::TEST_PHONE)));
        assert_eq!(table.get(LeadIx(1)), None);
    }

    #[test]
    fn growing_one_by_one_leaves_little_slack() {
        let mut table = LeadTable::default();
        for n in 0..100_000 {
            table.push(LeadRow { lead: LeadId(n), ..LeadRow::default() });
        }
        assert!(table.bytes() < 100_000 * 25, "{}", table.bytes());
    }
}
