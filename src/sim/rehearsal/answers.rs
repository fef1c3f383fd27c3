//! How often the people of a rehearsal answer: as calls before it have told, or as the campaign's file has it.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::Wall;
use crate::campaign::Campaign;
use crate::engine::{Heard, tally_of};
use crate::rank::{AnswerModel, learn};

/// What people answer by, and what the engine is told of it, which learns for itself where the campaign lets it.
#[derive(Clone, Debug)]
pub struct Answers {
    pub model: AnswerModel,
    pub heard: Vec<Heard>,
    pub curves: Curves,
}

/// Whose figures the people of a rehearsal answer by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curves {
    /// The `golden_hours` of the campaign's file; nobody was asked for more.
    Seeded,
    /// The same: nothing that was heard says more.
    NothingLearned,
    /// From so many attempts, the last of them on that day (UTC).
    Learned { attempts: u64, until: Date },
}

impl Answers {
    pub fn seeded(campaign: &Campaign) -> Self {
        Self { model: AnswerModel::of(campaign), heard: Vec::new(), curves: Curves::Seeded }
    }

    /// As a daemon that starts then would believe. People answer as they do whatever the campaign makes of it:
    /// `golden_hours.learn: off` keeps what was heard from the engine's order, not from the people.
    pub fn learned(campaign: &Campaign, heard: Vec<Heard>, start: Wall) -> Self {
        let tally = tally_of(&heard, campaign, start);
        let own = || heard.iter().filter(|of| of.place(campaign).is_some());
        let Some(last) = own().map(|of| of.day).max().filter(|_| !tally.is_empty()) else {
            return Self { curves: Curves::NothingLearned, ..Self::seeded(campaign) };
        };
        let attempts = own().map(|of| u64::from(of.dials)).sum();
        let model = learn(&AnswerModel::of(campaign), &tally, campaign.golden_hours.prior_weight_calls);
        Self { model, heard, curves: Curves::Learned { attempts, until: date_of(last) } }
    }
}

/// Of a day in days since 1970.
fn date_of(day: i64) -> Date {
    Wall(day.saturating_mul(86_400_000_000)).timestamp().to_zoned(TimeZone::UTC).date()
}
