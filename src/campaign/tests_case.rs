//! Tests that a campaign or a policy pack carries: one contact, a past, a moment, and what must come of it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{SourceText, Wall};
use crate::contact::{CallResult, Columns};

use super::decode::Spanned;
use super::{Campaign, Expect};

/// The tests of one file. The engine's `trial` runs them; nothing here decides anything.
#[derive(Clone, Debug)]
pub struct TestSet {
    /// For the places of failures.
    pub source: Arc<SourceText>,
    pub subject: TestSubject,
    pub cases: Vec<TestCase>,
}

#[derive(Clone, Debug)]
pub enum TestSubject {
    Campaign(Arc<Campaign>),
    /// A campaign made for the purpose, with no rules but the pack's.
    Policy(Arc<Campaign>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct TestCase {
    pub name: Spanned<String>,
    pub at: TestMoment,
    /// The customer's clock, as far as anybody knows it: an IANA name. Times in messages are read on it.
    pub zone: Option<String>,
    pub customer: TestCustomer,
    /// Of the campaign's experiment; `None`: the champion.
    pub arm: Option<Arc<str>>,
    pub history: Vec<PastEvent>,
    /// `None`: only the question is asked.
    pub call: Option<TestCall>,
    /// Never empty; all of them must hold.
    pub expect: Vec<Spanned<Expect>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMoment {
    Given(Wall),
    /// The first moment of calling hours at or after it.
    FirstOpenFrom(Wall),
}

/// What the list, the do-not-call list and the numbers say of them.
#[derive(Clone, Debug, PartialEq)]
pub struct TestCustomer {
    pub score: f32,
    pub value: f32,
    pub attempts_used: u16,
    pub consent: Option<bool>,
    /// For conditions, the built-in names `language` and `tags` among them.
    pub columns: Columns,
    /// In dial order; never empty.
    pub phones: Vec<TestPhone>,
    pub dnc: Option<TestDnc>,
    pub list_age: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestPhone {
    /// The list's column.
    pub column: String,
    /// IANA names of all zones that it may ring in.
    pub zones: Vec<String>,
    pub dead: bool,
    pub dnc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDnc {
    Forever,
    Until(Wall),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    pub when: When,
    pub what: Past,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the test's moment.
    Ago(Duration),
    At(Wall),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    Attempt {
        /// `None`: the campaign under test.
        campaign: Option<String>,
        /// Position in the customer's phones; `None` leaves it to the engine.
        phone: Option<u8>,
        /// `None`: it is still under way.
        result: Option<CallResult>,
        disposition: Option<String>,
        /// When they asked to be called back.
        callback_at: Option<Wall>,
    },
    Said(Said),
}

/// What somebody told us outside a call: by letter, at the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Declined,
    Complaint,
    OptOut,
}

/// The call is made at the moment of the test, and this comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCall {
    pub result: CallResult,
    pub disposition: Option<String>,
    pub callback_at: Option<Wall>,
}

impl TestSubject {
    pub fn campaign(&self) -> &Arc<Campaign> {
        match self {
            Self::Campaign(campaign) | Self::Policy(campaign) => campaign,
        }
    }

    /// How people call it: a campaign's name, or a pack's with its version.
    pub fn name(&self) -> String {
        match self {
            Self::Campaign(campaign) => campaign.name.clone(),
            Self::Policy(campaign) => campaign.policy.reference(),
        }
    }
}
