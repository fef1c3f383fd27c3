//! What the API asks of the daemon around it: the engine's view, a reload, the time.

use crate::base::{Diagnostic, Now};
use crate::engine::CampaignView;
use crate::line::Capture;

/// Implemented by the daemon, and by whoever tests the API without one.
pub trait Control: Send + Sync {
    fn now(&self) -> Now;

    /// A fraction of a second old.
    fn campaigns(&self) -> Vec<CampaignView>;

    /// The capture of a call, if there is one; what is put there begins.
    fn capture(&self, visit: &mut dyn FnMut(&mut Option<Capture>));

    /// Reads and checks everything, then swaps once or not at all. Blocks.
    fn reload(&self) -> Result<Swapped, Vec<Diagnostic>>;
}

#[derive(Clone, Debug)]
pub struct Swapped {
    pub campaigns: usize,
    pub warnings: Vec<Diagnostic>,
}
