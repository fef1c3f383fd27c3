//! The chain over sealed outcomes: each link is SHA-256 over the link before and a canonical form of the row.
//!
//! Nothing that erasure takes away is in it, so that a person can be erased and the chain still holds.

use ring::digest::{Context, SHA256};

use crate::base::Wall;
use crate::call::{MediaQuality, OneWay};

use super::{OutcomeRow, OutcomeSource};

/// What the first link follows from.
pub(crate) const START: [u8; 32] = [0; 32];

/// The form of the fields below; it changes with them. What came later is added where there is something to say, so that a
/// chain from before it was kept still holds.
const VERSION: u8 = 1;
/// How the sound was, of a call that had media.
const WITH_MEDIA: u8 = 1;
/// How easily the person was reached, where the past says something.
const WITH_REACHABILITY: u8 = 2;
/// Which arm of an experiment it belongs to.
const WITH_TRIAL: u8 = 4;

pub(crate) fn link(before: &[u8; 32], seal: u64, row: &OutcomeRow) -> [u8; 32] {
    let mut form = Form(Context::new(&SHA256));
    form.0.update(before);
    let reachability = Some(row.context.reachability.steps()).filter(|steps| *steps != 0);
    let media = row.outcome.media.as_ref();
    let trial = row.context.trial.as_ref();
    let more =
        [(media.is_some(), WITH_MEDIA), (reachability.is_some(), WITH_REACHABILITY), (trial.is_some(), WITH_TRIAL)];
    form.bytes(&[more.iter().filter(|(has, _)| *has).fold(VERSION, |form, (_, more)| form + more)]);
    form.int(seal as i64);
    decision(&mut form, row);
    ending(&mut form, row);
    if let Some(media) = media {
        sound(&mut form, media);
    }
    if let Some(steps) = reachability {
        form.int(i64::from(steps));
    }
    if let Some(trial) = trial {
        form.bytes(trial.experiment.as_bytes());
        form.bytes(trial.arm.as_bytes());
        form.int(i64::from(trial.share.ppm));
    }
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
    let (state, until) = outcome.lead_state.stored();
    form.bytes(state.as_bytes());
    form.int(until.0);
    form.int(i64::from(outcome.next_phone));
    form.int(i64::from(outcome.next_free));
    form.maybe(row.label.and_then(|label| label.amount).map(|amount| amount.to_bits() as i64));
}

fn sound(form: &mut Form, media: &MediaQuality) {
    let MediaQuality { codec, received, lost, jitter_us, sent, lost_there, round_trip_us, one_way } = *media;
    form.bytes(codec.as_str().as_bytes());
    for count in [received, lost, jitter_us, sent] {
        form.int(i64::from(count));
    }
    for count in [lost_there, round_trip_us] {
        form.maybe(count.map(i64::from));
    }
    form.bytes(one_way.map_or("", OneWay::as_str).as_bytes());
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, PhoneId, hex};
    use crate::contact::{CallResult, ClosedWhy, Columns, ContactKind, LeadState, OutcomeKind};
    use crate::engine::{Context, Outcome, Times};
    use crate::store::records::{Label, PlanVersion};

    fn row(lead_state: LeadState) -> OutcomeRow {
        let plan = PlanVersion {
            campaign_ix: CampaignIx(1),
            campaign_hash: "c0".into(),
            policy: "p@1".into(),
            policy_hash: "d0".into(),
            scenario: "activation".into(),
            purpose: "marketing".into(),
            rank_by: "score".into(),
            pacing: "agentless".into(),
            ring_ms: 30_000,
            model_id: None,
            model_version: None,
            model_alias: "champion".into(),
        };
        OutcomeRow {
            seal: 7,
            hash: START,
            outcome: outcome(lead_state),
            source: OutcomeSource::Engine,
            recorded_at: Wall(1_009),
            label: Some(Label { at: Wall(1_010), amount: Some(2.5) }),
            context: context(),
            campaign: "spring".into(),
            plan: Arc::new(plan),
            authorised_at: Wall(1_001),
            decided_at: Wall(1_000),
            trunk: "gw-a".into(),
            caller_id: "+999100000001".into(),
            customer_key: None,
            list_name: "a.csv".into(),
            list_sha256: [3; 32],
            consent: None,
            language: None,
            tags: Vec::new(),
            zones: Vec::new(),
            columns: Columns::default(),
        }
    }

    fn context() -> Context {
        Context {
            list: ListId(4),
            score: 0.5,
            value: 1.0,
            p_answer: 0.25,
            index_value: 0.125,
            propensity: 1.0,
            explore: false,
            segment: 2,
            slot_weekday: 1,
            slot_half_hour: 20,
            golden: true,
            attempt_no: 1,
            same_slot_fails: 0,
            reachability: crate::rank::Reachability::default(),
            since_last: Some(Duration::from_micros(77)),
            trial: None,
        }
    }

    fn outcome(lead_state: LeadState) -> Outcome {
        Outcome {
            attempt: AttemptId(0x0102),
            lead: LeadId(1),
            contact: ContactId(2),
            phone: PhoneId(3),
            campaign_ix: CampaignIx(1),
            revision: 0,
            result: CallResult::Answered,
            disposition: Some("thinking".into()),
            outcome: OutcomeKind::Neutral,
            contact_kind: ContactKind::RightParty,
            complaint: false,
            times: Times { queued: Some(Wall(1_000)), ended: Some(Wall(1_008)), ..Times::default() },
            sip_status: Some(200),
            q850: None,
            by: None,
            media: None,
            digits: "2".into(),
            callback_at: Some(Wall(2_000)),
            free: false,
            phone_dead: false,
            lead_state,
            next_phone: 0,
            next_free: true,
        }
    }

    /// Counted outside this program, from the form as it is written down above. What changes it breaks every chain that
    /// was ever sealed: then it needs a new `VERSION`, and the old form beside it.
    #[test]
    fn a_link_is_what_it_was_when_the_first_chain_was_sealed() {
        let waiting = link(&START, 7, &row(LeadState::Waiting { until: Wall(2_000) }));
        assert_eq!(hex(&waiting), "dab2e6e621015262ca8278b4925a782994a3a23d3f6f2858e3514b99457c3241");
        let closed = link(&START, 7, &row(LeadState::Closed(ClosedWhy::UnknownCounted)));
        assert_eq!(hex(&closed), "32307b04ec3ac755eaf7393a4f2883f76ba8827162d439ec6d3fa2401cdf46f4");
    }

    #[test]
    fn how_the_sound_was_is_sealed_and_cannot_be_taken_out() {
        let heard = MediaQuality {
            codec: crate::call::Codec::Pcma,
            received: 1,
            lost: 2,
            jitter_us: 3,
            sent: 4,
            lost_there: None,
            round_trip_us: None,
            one_way: None,
        };
        let variants = [
            heard,
            MediaQuality { codec: crate::call::Codec::Pcmu, ..heard },
            MediaQuality { lost: 3, ..heard },
            MediaQuality { lost_there: Some(0), ..heard },
            MediaQuality { round_trip_us: Some(0), ..heard },
            MediaQuality { one_way: Some(OneWay::WeHearNothing), ..heard },
        ];
        let mut links: Vec<_> = variants
            .map(Some)
            .into_iter()
            .chain([None])
            .map(|media| {
                let mut row = row(LeadState::Waiting { until: Wall(0) });
                row.outcome.media = media.map(Box::new);
                link(&START, 7, &row)
            })
            .collect();
        links.sort_unstable();
        links.dedup();
        assert_eq!(links.len(), 7);
    }

    #[test]
    fn the_arm_of_an_experiment_is_sealed_with_and_without_sound() {
        let trial = |arm: &str, ppm: u32| {
            let share = crate::base::Share::from_ppm(ppm);
            Some(crate::engine::InTrial { experiment: "e".into(), arm: arm.into(), share })
        };
        let heard = MediaQuality {
            codec: crate::call::Codec::Pcma,
            received: 1,
            lost: 2,
            jitter_us: 3,
            sent: 4,
            lost_there: None,
            round_trip_us: None,
            one_way: None,
        };
        let mut links = Vec::new();
        for media in [None, Some(Box::new(heard))] {
            for trial in [None, trial("a", 1), trial("b", 1), trial("a", 2)] {
                let mut row = row(LeadState::Waiting { until: Wall(0) });
                (row.outcome.media, row.context.trial) = (media.clone(), trial);
                links.push(link(&START, 7, &row));
            }
        }
        links.sort_unstable();
        links.dedup();
        assert_eq!(links.len(), 8);
    }

    #[test]
    fn where_the_lead_went_and_until_when_is_sealed() {
        let waits = |until| link(&START, 7, &row(LeadState::Waiting { until: Wall(until) }));
        let closed = |why| link(&START, 7, &row(LeadState::Closed(why)));
        let mut links = vec![waits(0), waits(1)];
        links.extend(ClosedWhy::ALL.iter().map(|why| closed(*why)));
        links.sort_unstable();
        links.dedup();
        assert_eq!(links.len(), 2 + ClosedWhy::ALL.len());
    }
}
