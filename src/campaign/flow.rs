//! What the machine does on an answered call: steps that play, collect a key, and branch.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Wall;

use super::{Minute, Prompt};

/// Position in [`Flow::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIx(pub u16);

/// Every branch points to a step that exists, and every step can reach an end: checked when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub start: StepIx,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    pub play: Option<Prompt>,
    /// Noted when the step is entered; the last one noted stands.
    pub disposition: Option<String>,
    /// With a disposition that asks for a callback: when.
    pub callback: Option<Promise>,
    pub collect: Option<Collect>,
    /// Where to go on a key or a timeout; empty for a step that ends.
    pub on: BTreeMap<Key, StepIx>,
    pub then: Option<FlowEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    pub digits: u8,
    /// From the end of the prompt; a key while it plays cuts it short.
    pub timeout: Duration,
    /// The prompt is played again after a timeout or a key nobody asked for, this often in all.
    pub tries: u8,
}

/// When a customer is to be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// When their own clock next shows it.
    Clock(Minute),
    /// So long after the call.
    After(Duration),
    At(Wall),
}

impl Flow {
    /// Queues it may transfer to, in the order of its steps.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.then {
            Some(FlowEnd::Transfer { queue }) => Some(queue.as_str()),
            Some(FlowEnd::Hangup) | None => None,
        })
    }
}

impl Collect {
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
    pub const DEFAULT_TRIES: u16 = 2;
}

/// A key of `on:`. Digits compare whole, so `"12"` needs `digits: 2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Digits(String),
    /// No key in time, after the last try.
    Timeout,
    /// A transfer that failed.
    Failed,
}

/// How a step without `on:` ends, once its prompt has been heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    Hangup,
    /// `transfer:QUEUE`: REFER to the queue's URI.
    Transfer {
        queue: String,
    },
}
