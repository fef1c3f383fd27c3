//! What the daemon shows of itself while it runs: a copy made by the engine's thread now and then.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::CampaignView;

/// A few times a second.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// By campaign name.
    pub campaigns: BTreeMap<Arc<str>, CampaignView>,
    pub live_attempts: usize,
    /// Nobody can be dialled before this instant, if anybody at all.
    pub next_due: Option<crate::base::Wall>,
    pub at: Option<crate::base::Now>,
}
