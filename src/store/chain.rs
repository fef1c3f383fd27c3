//! The chain over sealed outcomes: each link is SHA-256 over the link before and a canonical form of the row.
//!
//! Nothing that erasure takes away is in it, so that a person can be erased and the chain still holds.

use ring::digest::{Context, SHA256};

use crate::base::Wall;

use super::{OutcomeRow, OutcomeSource};

/// What the first link follows from.
pub(crate) const START: [u8; 32] = [0; 32];

/// The form of the fields below; it changes with them.
const VERSION: u8 = 1;

pub(crate) fn link(before: &[u8; 32], seal: u64, row: &OutcomeRow) -> [u8; 32] {
    let mut form = Form(Context::new(&SHA256));
    form.0.update(before);
    form.bytes(&[VERSION]);
    form.int(seal as i64);
    decision(&mut form, row);
    ending(&mut form, row);
    let mut out = [0; 32];
    out.iter_mut().zip(form.0.finish().as_ref()).for_each(|(to, from)| *to = *from);
    out
}

fn decision(form: &mut Form, row: &OutcomeRow) {
    let (outcome, context, plan) = (&row.outcome, &row.context, &row.plan);
    form.bytes(&outcome.attempt.bytes());
    for id in [outcome.lead.0, outcome.contact.0, outcome.phone.0, context.list.0] {
        form.int(i64::from(id));
    }
    for text in [&row.campaign, &plan.campaign_hash, &plan.policy, &plan.policy_hash, &row.trunk, &row.caller_id] {
        form.bytes(text.as_bytes());
    }
    form.bytes(&row.list_sha256);
    form.int(row.authorised_at.0);
    form.int(row.decided_at.0);
    for real in [context.score, context.value, context.p_answer, context.index_value] {
        form.bytes(&real.to_bits().to_be_bytes());
    }
    form.bytes(&context.propensity.to_bits().to_be_bytes());
    let small = [
        i64::from(context.explore),
        i64::from(context.segment),
        i64::from(context.slot_weekday),
        i64::from(context.slot_half_hour),
        i64::from(context.golden),
        i64::from(context.attempt_no),
        i64::from(context.same_slot_fails),
    ];
    for value in small {
        form.int(value);
    }
    form.maybe(context.since_last.map(|since| since.as_micros() as i64));
}

fn ending(form: &mut Form, row: &OutcomeRow) {
    let outcome = &row.outcome;
    form.int(i64::from(outcome.revision));
    form.bytes(OutcomeSource::as_str(row.source).as_bytes());
    form.int(row.recorded_at.0);
    form.bytes(outcome.result.as_str().as_bytes());
    form.bytes(outcome.disposition.as_deref().unwrap_or("").as_bytes());
    form.bytes(outcome.outcome.as_str().as_bytes());
    form.bytes(outcome.contact_kind.as_str().as_bytes());
    form.int(i64::from(outcome.complaint));
    let later = [outcome.callback_at, row.label.map(|label| label.at)];
    for at in outcome.times.in_order().into_iter().chain(later) {
        form.maybe(at.map(|Wall(micros)| micros));
    }
    form.maybe(outcome.sip_status.map(i64::from));
    form.maybe(outcome.q850.map(i64::from));
    form.bytes(outcome.by.map_or("", crate::call::ReleaseSide::as_str).as_bytes());
    form.bytes(outcome.digits.as_bytes());
    form.int(i64::from(outcome.free));
    form.int(i64::from(outcome.phone_dead));
    form.bytes(format!("{:?}", outcome.lead_state).as_bytes());
    form.int(i64::from(outcome.next_phone));
    form.int(i64::from(outcome.next_free));
    form.maybe(row.label.and_then(|label| label.amount).map(|amount| amount.to_bits() as i64));
}

/// Every field with its length, so that no two rows have one form.
struct Form(Context);

impl Form {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn int(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    fn maybe(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.int(value),
            None => self.bytes(&[]),
        }
    }
}
