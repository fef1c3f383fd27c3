//! When whom: golden hours, the due queue of each campaign, when a lead is called again.

mod clearing;
mod clock;
mod frontier;
mod golden;
mod history;
mod lead_table;
mod place;
mod prices;
mod promise;
mod ranking;
mod retry;
mod slot;
#[cfg(test)]
mod testing;
mod view;
pub mod windows;
mod zone_sets;

pub use clock::Clock;
pub use frontier::{Best, CellIx, CellKey, CellView, Frontier, GRAIN, Later};
pub use golden::{golden_end, golden_now, golden_week, is_golden, is_golden_slot, next_golden};
pub use history::{History, SlotFails, daypart_at};
pub use lead_table::{LeadFlags, LeadIx, LeadRow, LeadTable};
pub use place::{Dayparts, Placed, Wish, again_at, place};
pub use prices::{Prices, Step};
pub use promise::promised_at;
pub use ranking::{Ranking, day_number};
pub use retry::{After, Again, Finished, Next, RetryRules, Standing, after_disposition, after_result};
pub use slot::{next_slot, slot_at};
pub use view::Viewer;
pub use zone_sets::{ZoneSetIx, ZoneSets};
