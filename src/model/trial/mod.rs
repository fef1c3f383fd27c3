//! One way of calling against another: figures by arm, intervals that hold however often somebody looks, a stop rule.

mod arms;
mod complaints;
mod sequential;

pub use arms::{ArmFigures, ArmsTable, Comparison, Rules, Verdict, arms};
pub use complaints::Evidence;
pub use sequential::Interval;
