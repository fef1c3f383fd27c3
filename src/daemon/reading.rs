//! Which leads the engine still has to be told of: read a step at a time, so that commits go on between.

use std::collections::VecDeque;

use crate::base::{CampaignIx, LeadId, ListId};
use crate::engine::{Input, LeadRow};
use crate::store::{Store, StoreError};

/// In the order in which it was asked for.
#[derive(Debug, Default)]
pub struct Reading {
    parts: VecDeque<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Everybody who waits, because the plan changed.
    Campaign { ix: CampaignIx, after: LeadId },
    /// Whom a list names that was just published.
    List { list: ListId, after: LeadId },
}

impl Reading {
    /// Leads of one step. A step takes about as long as a commit.
    const PAGE: usize = 2_000;
    /// Ids that a step looks at for those of one list.
    const SPAN: u32 = 20_000;

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// From its first lead, also where it was half read: its plan has changed since.
    pub fn campaign(&mut self, ix: CampaignIx) {
        self.parts.retain(|part| !matches!(part, Part::Campaign { ix: known, .. } if *known == ix));
        self.parts.push_back(Part::Campaign { ix, after: LeadId(0) });
    }

    pub fn list(&mut self, list: ListId) {
        self.parts.push_back(Part::List { list, after: LeadId(0) });
    }

    /// The next step, for the engine. After an error the same step comes again.
    pub async fn step(&mut self, store: &mut impl Store) -> Result<Option<Input>, StoreError> {
        match self.parts.front().copied() {
            None => Ok(None),
            Some(Part::Campaign { ix, after }) => {
                let rows = store.leads(ix, after, Self::PAGE).await?;
                let next = rows.last().map(|row: &LeadRow| Part::Campaign { ix, after: row.lead });
                self.go_on(next);
                Ok(Some(if next.is_some() { Input::Leads(rows) } else { Input::LeadsRead(ix) }))
            }
            Some(Part::List { list, after }) => {
                let (rows, next) = store.leads_of_list(list, after, Self::SPAN).await?;
                self.go_on(next.map(|after| Part::List { list, after }));
                Ok(Some(Input::Leads(rows)))
            }
        }
    }

    fn go_on(&mut self, next: Option<Part>) {
        match (self.parts.front_mut(), next) {
            (Some(part), Some(next)) => *part = next,
            (Some(_), None) => drop(self.parts.pop_front()),
            (None, _) => {}
        }
    }
}
