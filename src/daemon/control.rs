//! The daemon as the API sees it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Clock as _, Diagnostic, Now};
use crate::engine::CampaignView;
use crate::http::{Control, Swapped};
use crate::line::Capture;
use crate::wire::Captures;

use super::view::View;
use super::{OsClock, Reloader};

#[derive(Debug)]
pub struct ApiControl {
    clock: Arc<OsClock>,
    view: Arc<Mutex<View>>,
    reloader: Arc<Reloader>,
    captures: Arc<Captures>,
}

impl ApiControl {
    pub fn new(
        clock: &Arc<OsClock>,
        view: &Arc<Mutex<View>>,
        reloader: &Arc<Reloader>,
        captures: &Arc<Captures>,
    ) -> Self {
        let captures = Arc::clone(captures);
        Self { clock: Arc::clone(clock), view: Arc::clone(view), reloader: Arc::clone(reloader), captures }
    }
}

impl Control for ApiControl {
    fn now(&self) -> Now {
        self.clock.now()
    }

    fn campaigns(&self) -> Vec<CampaignView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).campaigns.values().cloned().collect()
    }

    fn capture(&self, visit: &mut dyn FnMut(&mut Option<Capture>)) {
        self.captures.visit(self.clock.now().tick, visit);
    }

    fn reload(&self) -> Result<Swapped, Vec<Diagnostic>> {
        let reloaded = self.reloader.reload()?;
        Ok(Swapped { campaigns: reloaded.campaigns, warnings: reloaded.warnings })
    }
}
