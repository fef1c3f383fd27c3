//! What codes mean, for readers who know none of them.

use crate::contact::{CallResult, ClosedWhy};
use crate::engine::{Blocked, Later};
use crate::gate::Rule;

pub const fn result(result: CallResult) -> &'static str {
    match result {
        CallResult::Answered => "answered",
        CallResult::Machine => "an answering machine",
        CallResult::Fax => "a fax tone",
        CallResult::Busy => "busy",
        CallResult::NoAnswer => "no answer",
        CallResult::Rejected => "declined by the callee",
        CallResult::VacantNumber => "the number does not exist",
        CallResult::Suspended => "the subscription is suspended",
        CallResult::PoweredOff => "switched off",
        CallResult::NotReachable => "out of reach",
        CallResult::NetworkFailure => "the network failed",
        CallResult::TrunkRefused => "our trunk refused",
        CallResult::Abandoned => "answered, no agent in time",
        CallResult::Cancelled => "we gave up while it rang",
        CallResult::Void => "never sent",
        CallResult::UnknownCounted => "in doubt after a crash",
    }
}

pub const fn closed(why: ClosedWhy) -> &'static str {
    match why {
        ClosedWhy::Success => "success",
        ClosedWhy::Refused => "refused by the customer",
        ClosedWhy::Dnc => "asked not to be called",
        ClosedWhy::Invalid => "no number left that can be dialled",
        ClosedWhy::Exhausted => "attempts used up",
        ClosedWhy::Expired => "list expired",
        ClosedWhy::UnknownCounted => "in doubt after a crash",
    }
}

pub const fn blocked(why: Blocked) -> &'static str {
    match why {
        Blocked::Rule(of) => rule(of),
        Blocked::NoPhone => "no usable number",
    }
}

pub const fn later(why: Later) -> &'static str {
    match why {
        Later::Rule(of) => rule(of),
        Later::Retry => "waiting for a retry or a callback",
        Later::GoldenHours => "waiting for golden hours",
    }
}

const fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::CampaignState => "the campaign is not running",
        Rule::ListExpiry => "the list has expired",
        Rule::Eligible => "not eligible by the campaign's conditions",
        Rule::Holdout => "held out by an experiment",
        Rule::Consent => "no consent",
        Rule::Dnc => "on the do-not-call list",
        Rule::CallingHours => "outside calling hours",
        Rule::Holidays => "a public holiday",
        Rule::ContactCaps => "contact caps",
        Rule::CoolingOff => "quiet period after a contact",
        Rule::Attempts => "attempts budget and gaps",
        Rule::LiveAttempt => "a call is under way",
        Rule::Number => "the number must not be dialled",
        Rule::Destination => "the trunk must not call this number",
        Rule::Trunk => "the trunk is stopped",
    }
}
