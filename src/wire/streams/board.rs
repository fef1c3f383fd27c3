//! How the connections to trunks stand, for metrics; and said in the log, once for each change.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::line::Target;

use super::failure::Failure;

/// A trunk's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    pub connected: bool,
    /// Why not, or why not any more.
    pub failure: Option<Failure>,
    /// When the gateway's certificate runs out, in seconds since 1970.
    pub theirs_runs_out: Option<i64>,
    /// When ours does.
    pub ours_runs_out: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Board(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    links: BTreeMap<Target, LinkState>,
    /// Name and targets of each trunk.
    trunks: Vec<(String, Vec<Target>)>,
}

impl Board {
    /// Of each trunk: the first of its connections that stands, else its first.
    pub fn links(&self) -> Vec<Option<LinkState>> {
        let board = self.lock();
        let link = |targets: &Vec<Target>| {
            let links = || targets.iter().filter_map(|to| board.links.get(to));
            links().find(|link| link.connected).or(links().next()).cloned()
        };
        board.trunks.iter().map(|(_, targets)| link(targets)).collect()
    }

    pub(super) fn set_trunks(&self, trunks: Vec<(String, Vec<Target>)>) {
        self.lock().trunks = trunks;
    }

    pub(super) fn close(&self, to: Target) {
        self.lock().links.remove(&to);
    }

    pub(super) fn open(&self, to: Target, ours_runs_out: Option<i64>) {
        self.lock().links.insert(to, LinkState { ours_runs_out, ..LinkState::default() });
    }

    pub(super) fn up(&self, to: Target, theirs_runs_out: Option<i64>) {
        let mut board = self.lock();
        tracing::info!(trunk.name = board.named(to), %to, "connected");
        if let Some(state) = board.links.get_mut(&to) {
            *state = LinkState { connected: true, failure: None, theirs_runs_out, ..*state };
        }
    }

    /// `is_news`: the log has not said it since the connection last carried anything.
    pub(super) fn down(&self, to: Target, failure: &Failure, is_news: bool) {
        let mut board = self.lock();
        let name = board.named(to);
        let Some(state) = board.links.get_mut(&to) else { return };
        if is_news {
            let remedy = failure.remedy();
            tracing::warn!(trunk.name = name, %to, %failure, remedy, "no connection to the trunk: it takes no calls; trying again");
        }
        state.connected = false;
        state.failure = Some(failure.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// The trunk of a connection; of several the first.
    fn named(&self, to: Target) -> String {
        let of = self.trunks.iter().find(|(_, targets)| targets.contains(&to));
        of.map_or_else(String::new, |(name, _)| name.clone())
    }
}
