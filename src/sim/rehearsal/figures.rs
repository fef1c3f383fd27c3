//! What came of one run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Wall;
use crate::contact::CallResult;
use crate::sim::witness::Violation;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunFigures {
    pub seed: u64,
    /// On the list, or in the database.
    pub leads: u64,
    /// Dialled at least once.
    pub called: u64,
    /// Phones that were dialled.
    pub attempts: u64,
    /// By somebody or something.
    pub answered: u64,
    /// Of `answered`: by a machine that the dialler takes for a person.
    pub machines: u64,
    /// Conversations with the right person.
    pub contacts: u64,
    pub successes: u64,
    pub refusals: u64,
    pub by_result: BTreeMap<CallResult, u64>,
    pub by_disposition: BTreeMap<Arc<str>, u64>,
    pub queue: QueueFigures,
    /// By the hour that the contact's own clock shows.
    pub hours: [HourFigures; 24],
    /// In the campaign's order.
    pub segments: Vec<SegmentFigures>,
    /// Leads never dialled, by why not.
    pub uncalled: BTreeMap<&'static str, u64>,
    pub violations: u64,
    pub first_violations: Vec<Violation>,
    /// Turns of the simulated world.
    pub steps: u64,
}

/// Of calls that went to agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueFigures {
    pub handed_over: u64,
    /// They hung up before anybody was there.
    pub lost: u64,
    /// Nobody was there within two seconds, the lost ones included where they waited so long.
    pub late: u64,
    /// Of agents: talk and wrap-up, and the time that they were there for it.
    pub busy_us: u64,
    pub staffed_us: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourFigures {
    pub attempts: u64,
    pub answered: u64,
    pub contacts: u64,
    pub successes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentFigures {
    pub called: u64,
    pub attempts: u64,
    pub contacts: u64,
    pub successes: u64,
    /// When its first phone was dialled.
    pub first: Option<Wall>,
}

impl RunFigures {
    /// Of the list.
    pub fn penetration(&self) -> f64 {
        share(self.called, self.leads)
    }

    pub fn answer_rate(&self) -> f64 {
        share(self.answered, self.attempts)
    }

    /// `None` without agents, or where none of them was ever there.
    pub fn agent_idle(&self) -> Option<f64> {
        let QueueFigures { busy_us, staffed_us, .. } = self.queue;
        // Whoever finishes a talk after their shift is busy and not there.
        (staffed_us > 0).then(|| share(staffed_us.saturating_sub(busy_us), staffed_us))
    }

    pub fn contacts_per_agent_hour(&self) -> Option<f64> {
        let hours = self.queue.staffed_us as f64 / 3.6e9;
        (hours > 0.0).then(|| self.contacts as f64 / hours)
    }

    pub fn queue_lost(&self) -> f64 {
        share(self.queue.lost, self.queue.handed_over)
    }

    pub fn queue_late(&self) -> f64 {
        share(self.queue.late, self.queue.handed_over)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
