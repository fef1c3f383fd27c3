//! Outcomes read back, with the decision behind them and, for exports, the person as of the dial.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, ListId, PhoneId, Share, Wall};
use crate::call::{Codec, MediaQuality, OneWay, ReleaseSide};
use crate::contact::{CallResult, Columns, ContactKind, OutcomeKind};
use crate::engine::{Context, InTrial, Outcome, Times};
use crate::rank::Reachability;
use crate::store::keys::Sealed;
use crate::store::records::{Label, OutcomeRow, OutcomeSource, PlanVersion};
use crate::store::{Keys, StoreError, columns};

use super::batch::read_state;
use super::sql::{self, Cells};

/// What the chain is made of: of seal `s`, outcome `o`, attempt `a`, plan version `v`, campaign `c`, list `i`.
const FIELDS: &[&str] = &[
    "coalesce(s.seq, 0)",
    "hex(s.h)",
    "o.seq",
    "o.source",
    "o.recorded",
    "o.label_at",
    "#o.label_amount",
    "hex(o.attempt)",
    "o.revision",
    "o.result",
    "o.disposition",
    "o.outcome",
    "o.contact_kind",
    "o.complaint",
    "o.t_queued",
    "o.t_authorised",
    "o.t_sent",
    "o.t_ringing",
    "o.t_answered",
    "o.t_connected",
    "o.t_ended",
    "o.t_wrap_ended",
    "o.sip_status",
    "o.q850",
    "o.released_by",
    "o.digits",
    "o.callback_at",
    "o.free",
    "o.phone_dead",
    "o.lead_state",
    "o.lead_until",
    "o.next_phone",
    "o.next_free",
    "o.media_codec",
    "o.media_received",
    "o.media_lost",
    "o.media_jitter_us",
    "o.media_sent",
    "o.media_lost_there",
    "o.media_round_trip_us",
    "o.one_way",
    "a.at",
    "a.decided",
    "a.lead",
    "a.contact",
    "a.phone",
    "a.campaign",
    "a.trunk",
    "a.caller_id",
    "a.list",
    "#a.score",
    "#a.value",
    "#a.p_answer",
    "#a.index_value",
    "#a.propensity",
    "a.explore",
    "a.segment",
    "a.slot_weekday",
    "a.slot_half_hour",
    "a.golden",
    "a.attempt_no",
    "a.same_slot_fails",
    "a.reachability",
    "a.since_last",
    "a.experiment",
    "a.arm",
    "a.arm_share",
    "v.campaign_hash",
    "v.policy",
    "v.policy_hash",
    "v.scenario",
    "v.purpose",
    "v.rank_by",
    "v.pacing",
    "v.ring_ms",
    "iif(i.model_id IS NULL, v.model_id, i.model_id)",
    "iif(i.model_id IS NULL, v.model_version, i.model_version)",
    "coalesce(i.model_alias, 'champion')",
    "c.name",
    "i.name",
    "hex(coalesce(i.sha256, zeroblob(32)))",
];

/// Of contact `k` and of what the list of the dial said, `r`.
const PERSON: &[&str] = &["hex(k.sealed)", "r.consent", "r.language", "r.tags", "r.zones", "r.columns"];

/// `from` joins seal `s` and outcome `o`; `which` is what follows `WHERE`. Records for [`read`].
pub(super) fn outcomes(from: &str, which: &str) -> Arc<str> {
    select(FIELDS, from, "", which)
}

/// Records for [`read_person`].
pub(super) fn outcomes_with_person(from: &str, which: &str) -> Arc<str> {
    let joins = "LEFT JOIN contact k ON k.id = a.contact LEFT JOIN listed r ON r.lead = a.lead AND r.list = a.list";
    select(&[FIELDS, PERSON].concat(), from, joins, which)
}

fn select(fields: &[&str], from: &str, joins: &str, which: &str) -> Arc<str> {
    let fields: Vec<String> =
        fields.iter().map(|field| field.strip_prefix('#').map_or((*field).to_owned(), sql::digits)).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let from = format!(
        "FROM {from} JOIN attempt a ON a.id = o.attempt JOIN plan_version v ON v.id = a.plan_version
            JOIN campaign c ON c.ix = a.campaign LEFT JOIN list i ON i.id = a.list {joins} WHERE {which}"
    );
    Arc::from(sql::pack_some(&fields, &from))
}

/// The row number of the outcome, and everything but the person.
pub(super) fn read(mut cells: Cells<'_>) -> Result<(i64, OutcomeRow, Cells<'_>), StoreError> {
    let seal = cells.small()?;
    let hash = match cells.maybe_blob()? {
        Some(hash) => hash.try_into().map_err(|_| StoreError::Chain { seal })?,
        None => [0; 32],
    };
    let seq = cells.int()?;
    let source = cells.word(OutcomeSource::parse)?;
    let recorded_at = Wall(cells.int()?);
    let (label_at, amount) = (cells.maybe_int()?, cells.maybe_real()?);
    let mut outcome = read_outcome(&mut cells)?;
    let authorised_at = Wall(cells.int()?);
    let decided_at = Wall(cells.int()?);
    outcome.lead = LeadId(cells.small()?);
    outcome.contact = ContactId(cells.small()?);
    outcome.phone = PhoneId(cells.small()?);
    outcome.campaign_ix = CampaignIx(cells.small()?);
    let (trunk, caller_id) = (cells.text()?.to_owned(), cells.text()?.to_owned());
    let context = read_context(&mut cells)?;
    let plan = read_plan(&mut cells, outcome.campaign_ix)?;
    let row = OutcomeRow {
        seal,
        hash,
        outcome,
        source,
        recorded_at,
        label: label_at.map(|at| Label { at: Wall(at), amount }),
        context,
        plan: Arc::new(plan),
        authorised_at,
        decided_at,
        trunk,
        caller_id,
        campaign: cells.text()?.to_owned(),
        list_name: cells.text()?.to_owned(),
        list_sha256: cells.bytes()?,
        customer_key: None,
        consent: None,
        language: None,
        tags: Vec::new(),
        zones: Vec::new(),
        columns: Columns::default(),
    };
    Ok((seq, row, cells))
}

pub(super) fn read_person(cells: Cells, keys: &Keys) -> Result<OutcomeRow, StoreError> {
    let (_, mut out, mut cells) = read(cells)?;
    out.customer_key = cells.maybe_blob()?.and_then(|sealed| keys.open(Sealed::Contact, &sealed));
    out.consent = cells.maybe_int()?.map(|yes| yes != 0);
    out.language = cells.maybe_text()?.map(str::to_owned);
    out.tags = cells.maybe_text()?.and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default();
    out.zones = cells.maybe_text()?.unwrap_or("").split_whitespace().map(str::to_owned).collect();
    let text = cells.maybe_text()?.unwrap_or("{}");
    out.columns = columns::from_json(text)
        .ok_or_else(|| StoreError::Corrupt(format!("the columns of lead {}", out.outcome.lead)))?;
    Ok(out)
}

/// Ids of lead, contact, phone and campaign come from the attempt.
fn read_outcome(cells: &mut Cells) -> Result<Outcome, StoreError> {
    Ok(Outcome {
        attempt: AttemptId::from_bytes(cells.bytes()?),
        lead: LeadId::default(),
        contact: ContactId::default(),
        phone: PhoneId::default(),
        campaign_ix: CampaignIx::default(),
        revision: cells.small()?,
        result: cells.word(CallResult::parse)?,
        disposition: cells.maybe_text()?.map(Arc::from),
        outcome: cells.word(outcome_kind)?,
        contact_kind: cells.word(contact_kind)?,
        complaint: cells.yes()?,
        times: read_times(cells)?,
        sip_status: cells.maybe_small()?,
        q850: cells.maybe_small()?,
        by: match cells.maybe_text()? {
            Some(text) => release_side(text),
            None => None,
        },
        digits: cells.text()?.to_owned(),
        callback_at: cells.maybe_int()?.map(Wall),
        free: cells.yes()?,
        phone_dead: cells.yes()?,
        lead_state: read_state(cells)?,
        next_phone: cells.small()?,
        next_free: cells.yes()?,
        media: read_media(cells)?,
    })
}

/// Half of it is as good as none: whatever was written was written whole.
fn read_media(cells: &mut Cells) -> Result<Option<Box<MediaQuality>>, StoreError> {
    let codec = cells.maybe_text()?.and_then(Codec::parse);
    let mut count = || cells.maybe_small::<u32>();
    let (received, lost, jitter_us, sent) = (count()?, count()?, count()?, count()?);
    let (lost_there, round_trip_us) = (count()?, count()?);
    let one_way = cells.maybe_text()?.and_then(OneWay::parse);
    let (Some(codec), Some(received), Some(lost), Some(jitter_us), Some(sent)) =
        (codec, received, lost, jitter_us, sent)
    else {
        return Ok(None);
    };
    let media = MediaQuality { codec, received, lost, jitter_us, sent, lost_there, round_trip_us, one_way };
    Ok(Some(Box::new(media)))
}

fn read_times(cells: &mut Cells) -> Result<Times, StoreError> {
    let mut time = || Ok::<_, StoreError>(cells.maybe_int()?.map(Wall));
    Ok(Times {
        queued: time()?,
        authorised: time()?,
        sent: time()?,
        ringing: time()?,
        answered: time()?,
        connected: time()?,
        ended: time()?,
        wrap_ended: time()?,
    })
}

fn read_context(cells: &mut Cells) -> Result<Context, StoreError> {
    Ok(Context {
        list: ListId(cells.small()?),
        score: cells.real()? as f32,
        value: cells.real()? as f32,
        p_answer: cells.real()? as f32,
        index_value: cells.real()? as f32,
        propensity: cells.real()?,
        explore: cells.yes()?,
        segment: cells.small()?,
        slot_weekday: cells.small()?,
        slot_half_hour: cells.small()?,
        golden: cells.yes()?,
        attempt_no: cells.small()?,
        same_slot_fails: cells.small()?,
        reachability: Reachability::from_steps(i8::try_from(cells.int()?).unwrap_or(0)),
        since_last: cells.maybe_small()?.map(Duration::from_micros),
        trial: read_trial(cells)?,
    })
}

/// Written whole or not at all.
fn read_trial(cells: &mut Cells) -> Result<Option<InTrial>, StoreError> {
    let experiment = cells.maybe_text()?.map(Arc::from);
    let arm = cells.maybe_text()?.map(Arc::from);
    let share = cells.maybe_small()?.map(Share::from_ppm);
    let (Some(experiment), Some(arm), Some(share)) = (experiment, arm, share) else { return Ok(None) };
    Ok(Some(InTrial { experiment, arm, share }))
}

fn read_plan(cells: &mut Cells, campaign_ix: CampaignIx) -> Result<PlanVersion, StoreError> {
    Ok(PlanVersion {
        campaign_ix,
        campaign_hash: cells.text()?.to_owned(),
        policy: cells.text()?.to_owned(),
        policy_hash: cells.text()?.to_owned(),
        scenario: cells.text()?.to_owned(),
        purpose: cells.text()?.to_owned(),
        rank_by: cells.text()?.to_owned(),
        pacing: cells.text()?.to_owned(),
        ring_ms: cells.small()?,
        model_id: cells.maybe_text()?.map(str::to_owned),
        model_version: cells.maybe_text()?.map(str::to_owned),
        model_alias: cells.text()?.to_owned(),
    })
}

fn outcome_kind(text: &str) -> Option<OutcomeKind> {
    [OutcomeKind::Success, OutcomeKind::Neutral, OutcomeKind::Failure].into_iter().find(|kind| kind.as_str() == text)
}

fn contact_kind(text: &str) -> Option<ContactKind> {
    [ContactKind::RightParty, ContactKind::WrongParty, ContactKind::Nobody]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}

fn release_side(text: &str) -> Option<ReleaseSide> {
    [ReleaseSide::Us, ReleaseSide::Them, ReleaseSide::Nobody].into_iter().find(|side| side.as_str() == text)
}
