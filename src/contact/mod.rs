//! People and how calls to them end: list rows, phones, zones, and the vocabulary of results.

mod call_result;
mod columns;
mod country;
mod lead_state;
mod meaning;
mod phone;
mod prefix_zone;
mod province;
mod row;
mod zone;

pub use crate::base::is_test_number;
pub use call_result::CallResult;
pub use columns::{ColumnValue, Columns};
pub use country::Country;
pub use lead_state::{ClosedWhy, LeadState};
pub use meaning::{ContactKind, Meaning, OutcomeKind, Then};
pub use phone::{Normalised, PhoneError, normalise};
pub use prefix_zone::zones_of;
pub use province::province_of;
pub use row::Row;
pub use zone::{ZoneIx, Zones};
