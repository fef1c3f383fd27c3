//! Raw sections → a checked campaign: names are resolved, defaults filled in, and what contradicts is shown.

mod attempts;
mod campaign;
mod caps;
mod cases;
mod experiment;
mod flow;
mod goals;
mod golden;
mod hours;
pub(crate) mod lint;
mod names;
mod shared;
mod vectors;

pub use campaign::campaign;
pub use cases::{cases, one_of};
pub use lint::same_customers;
pub use names::Names;
pub use shared::Shared;
pub use vectors::vector_campaign;
