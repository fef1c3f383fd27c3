//! Who is called first, and how far ahead that looks.

use crate::base::Share;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rank {
    pub by: RankBy,
    /// With `expected_value`: a lead waits, although a line is free, if a slot within so many of its own calendar days,
    /// today included, is worth more to it. `None`: later slots of today count in the order, and a free line is used.
    pub lookahead_days: Option<u8>,
    /// In the unit of the value column. Nobody is dialled for less.
    pub cost_per_dial: f32,
    /// Share of each slot's dials that is drawn by chance from those that the order would not reach.
    pub explore: Share,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankBy {
    Score,
    /// p_answer(slot) × score × value.
    ExpectedValue,
}

impl Rank {
    /// How many calendar days count in the order.
    pub fn horizon_days(&self) -> u8 {
        self.lookahead_days.unwrap_or(1)
    }
}

impl Default for Rank {
    fn default() -> Self {
        Self { by: RankBy::ExpectedValue, lookahead_days: None, cost_per_dial: 0.0, explore: Share::default() }
    }
}
