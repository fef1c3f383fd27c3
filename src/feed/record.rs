//! The columns of an exported outcome: one list, from which files are written and `docs/OUTCOMES.md` is checked.

use std::borrow::Cow;

use crate::base::{Pii, Wall, hex};
use crate::call::MediaQuality;
use crate::contact::{ContactKind, OutcomeKind};
use crate::store::OutcomeRow;

/// Grows when a column changes its meaning or goes; a new column alone does not change it.
pub const SCHEMA_VERSION: u16 = 1;

/// One column of the record.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub meaning: &'static str,
    pub get: for<'a> fn(&'a OutcomeRow) -> Cell<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Number,
    Bool,
    Time,
}

/// A value of one row. `None` is an empty cell of CSV and `null` in JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    None,
    Text(Cow<'a, str>),
    /// Shown whole by the machine profile only.
    Personal(&'a Pii<String>),
    Integer(i64),
    /// Printed with the digits that a 32-bit float has.
    Short(f32),
    Number(f64),
    Bool(bool),
    Time(Wall),
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Time => "time",
        }
    }
}

macro_rules! columns {
    ($($name:ident $kind:ident $meaning:literal => $get:expr,)*) => {
        /// In the order of the file.
        pub const COLUMNS: &[Column] =
            &[$(Column { name: stringify!($name), kind: Kind::$kind, meaning: $meaning, get: $get },)*];
    };
}

columns! {
    attempt_id Text "UUIDv7; with `revision` the key to drop duplicates by" => |r| text(r.outcome.attempt.to_string()),
    revision Integer "0 as the engine wrote it; labels and corrections count up" => |r| int(r.outcome.revision),
    event_timestamp Time "when the dial was authorised, in all revisions: join features as of this instant" => |r| Cell::Time(r.authorised_at),
    created_timestamp Time "when this revision was recorded; of one attempt the latest holds" => |r| Cell::Time(r.recorded_at),
    source Text "who wrote the revision: `engine`, `recovery`, `label`" => |r| word(r.source.as_str()),
    seal Integer "gap-free number in the sealed chain" => |r| Cell::Integer(r.seal as i64),
    customer_key Text "the bank's key, verbatim in the machine profile; empty once erased" => |r| r.customer_key.as_ref().map_or(Cell::None, Cell::Personal),
    campaign Text "name of the campaign" => |r| word(&r.campaign),
    campaign_hash Text "SHA-256 of the campaign's file" => |r| word(&r.plan.campaign_hash),
    scenario Text "stage of the card's life: `issuance`, `activation`, …" => |r| word(&r.plan.scenario),
    purpose Text "`marketing`, `service`, `collection`" => |r| word(&r.plan.purpose),
    policy_version Text "policy pack and version, `cn-bank-marketing@3`" => |r| word(&r.plan.policy),
    policy_hash Text "SHA-256 of the policy pack" => |r| word(&r.plan.policy_hash),
    list Text "file name of the list" => |r| word(&r.list_name),
    list_version Text "digest of the list's file and mapping, hex" => |r| text(hex(&r.list_sha256)),
    model_id Text "the model that scored the list" => |r| maybe(r.plan.model_id.as_deref()),
    model_version Text "its version" => |r| maybe(r.plan.model_version.as_deref()),
    model_alias Text "whose turn it was: `champion`, `challenger`, or `plain_order` where the model was broken and everybody had the same score" => |r| word(&r.plan.model_alias),
    score Number "of the list, in [0, 1]" => |r| Cell::Short(r.context.score),
    value Number "what a success is worth, in the list's unit" => |r| Cell::Short(r.context.value),
    p_answer Number "probability of an answer in this slot, as believed at the dial" => |r| Cell::Short(r.context.p_answer),
    index_value Number "what the order was made by" => |r| Cell::Short(r.context.index_value),
    rank_by Text "`score` or `expected_value`" => |r| word(&r.plan.rank_by),
    propensity Number "probability that the policy chose this lead in this slot, in (0, 1]; 1 where greedy" => |r| Cell::Number(r.context.propensity),
    explore Bool "drawn by chance ahead of the order" => |r| Cell::Bool(r.context.explore),
    segment Integer "position of the segment in the campaign's file, from 0" => |r| int(r.context.segment),
    slot_weekday Integer "in the contact's zone, Monday 0" => |r| int(r.context.slot_weekday),
    slot_half_hour Integer "in the contact's zone, 0 to 47" => |r| int(r.context.slot_half_hour),
    local_hour Integer "in the contact's zone, 0 to 23" => |r| int(r.context.slot_half_hour / 2),
    golden Bool "was the slot among the golden hours" => |r| Cell::Bool(r.context.golden),
    zones Text "the contact's possible zones, IANA names with blanks between" => |r| joined(&r.zones, " "),
    language Text "of the list" => |r| maybe(r.language.as_deref()),
    consent Bool "of the list" => |r| r.consent.map_or(Cell::None, Cell::Bool),
    tags Text "of the list, semicolons between" => |r| joined(&r.tags, ";"),
    attempt_no Integer "this one included, from 1" => |r| int(r.context.attempt_no),
    same_slot_fails Integer "of the last two attempts that reached nobody, how many were in this local hour" => |r| int(r.context.same_slot_fails),
    reachability Integer "how easily dials of any campaign reached the person before, in steps of 0.4 of log-odds; 0 says nothing" => |r| int(r.context.reachability.steps()),
    experiment_id Text "the campaign's experiment; empty without one, as are the two columns after it" => |r| r.context.trial.as_ref().map_or(Cell::None, |t| word(&t.experiment)),
    arm Text "the arm that the customer is in" => |r| r.context.trial.as_ref().map_or(Cell::None, |t| word(&t.arm)),
    experiment_prob Number "the chance of a customer to be in this arm, in (0, 1]" => |r| r.context.trial.as_ref().map_or(Cell::None, |t| Cell::Number(t.share.fraction())),
    hours_since_last Number "since the contact's last dial in any campaign" => |r| r.context.since_last.map_or(Cell::None, |d| Cell::Short(d.as_secs_f32() / 3_600.0)),
    dial_mode Text "`agentless`, `progressive`" => |r| word(&r.plan.pacing),
    ring_timeout_ms Integer "how long it was allowed to ring: a `no_answer` is censored here" => |r| Cell::Integer(r.plan.ring_ms as i64),
    trunk Text "route to the gateway" => |r| word(&r.trunk),
    caller_id Text "the number we showed" => |r| word(&r.caller_id),
    call_result Text "what the network and the classifier say" => |r| word(r.outcome.result.as_str()),
    disposition Text "what the flow or the agent recorded, or a label" => |r| maybe(r.outcome.disposition.as_deref()),
    outcome Text "`success`, `neutral`, `failure`, by the disposition" => |r| word(r.outcome.outcome.as_str()),
    contact_kind Text "`right_party`, `wrong_party`, `nobody`" => |r| word(r.outcome.contact_kind.as_str()),
    converted Bool "true for a success, false for a right party without one, empty where nobody could say" => converted,
    complaint Bool "the callee complained" => |r| Cell::Bool(r.outcome.complaint),
    sip_status Integer "final SIP status" => |r| maybe_int(r.outcome.sip_status),
    q850 Integer "cause of a Reason header" => |r| maybe_int(r.outcome.q850),
    release_side Text "`us`, `them`, `nobody`" => |r| maybe(r.outcome.by.map(crate::call::ReleaseSide::as_str)),
    media_codec Text "of an answered call with sound: `PCMA`, `PCMU`; empty without, as are the nine columns after it" => |r| media(r, |m| word(m.codec.as_str())),
    media_received Integer "packets of the gateway, without duplicates" => |r| media(r, |m| int(m.received)),
    media_lost Integer "packets of the gateway that never came" => |r| media(r, |m| int(m.lost)),
    media_lost_share Number "lost among those that should have come, in [0, 1]" => |r| media(r, |m| maybe_number(m.lost_share())),
    media_jitter_ms Number "interarrival jitter (RFC 3550) at the end" => |r| media(r, |m| Cell::Number(m.jitter_ms())),
    media_sent Integer "packets of ours" => |r| media(r, |m| int(m.sent)),
    media_lost_there Integer "packets of ours that the gateway reports as lost; empty where it reports nothing" => |r| media(r, |m| maybe_int(m.lost_there)),
    media_lost_share_there Number "the same among those we sent, in [0, 1]" => |r| media(r, |m| maybe_number(m.lost_share_there())),
    media_round_trip_ms Number "to the gateway and back, by its reports" => |r| media(r, |m| maybe_number(m.round_trip_ms())),
    one_way Text "`we_hear_nothing`, `they_hear_nothing`; empty if sound went both ways" => |r| media(r, |m| maybe(m.one_way.map(crate::call::OneWay::as_str))),
    t_decided Time "when the engine chose it" => |r| Cell::Time(r.decided_at),
    t_queued Time "when it was asked for" => |r| time(r.outcome.times.queued),
    t_authorised Time "when it was durable" => |r| Cell::Time(r.authorised_at),
    t_sent Time "INVITE" => |r| time(r.outcome.times.sent),
    t_ringing Time "first 18x" => |r| time(r.outcome.times.ringing),
    t_answered Time "200" => |r| time(r.outcome.times.answered),
    t_connected Time "an agent or a queue took over" => |r| time(r.outcome.times.connected),
    t_ended Time "the leg was gone" => |r| time(r.outcome.times.ended),
    t_wrap_ended Time "the agent was done" => |r| time(r.outcome.times.wrap_ended),
    ring_ms Integer "first 18x to answer or end" => |r| millis(r.outcome.times.ringing, r.outcome.times.answered.or(r.outcome.times.ended)),
    wait_ms Integer "answer to agent" => |r| millis(r.outcome.times.answered, r.outcome.times.connected),
    talk_ms Integer "answer to end" => |r| millis(r.outcome.times.answered, r.outcome.times.ended),
    wrap_ms Integer "end to wrap-up done" => |r| millis(r.outcome.times.ended, r.outcome.times.wrap_ended),
    digits Text "keys pressed in the flow" => |r| if r.outcome.digits.is_empty() { Cell::None } else { word(&r.outcome.digits) },
    callback_at Time "the callee asked to be called back: from when on they will be" => |r| time(r.outcome.callback_at),
    label_at Time "of a label: when it happened" => |r| time(r.label.map(|label| label.at)),
    label_amount Number "of a label: money, in the bank's unit" => |r| r.label.and_then(|label| label.amount).map_or(Cell::None, Cell::Number),
    record_schema_version Integer "grows when a column changes its meaning" => |_| int(SCHEMA_VERSION),
}

/// Never "not converted" where nobody was asked: two models, answer and conversion, learn from different rows.
fn converted(row: &OutcomeRow) -> Cell<'_> {
    match (row.outcome.outcome, row.outcome.contact_kind) {
        (OutcomeKind::Success, _) => Cell::Bool(true),
        (OutcomeKind::Neutral | OutcomeKind::Failure, ContactKind::RightParty) => Cell::Bool(false),
        (OutcomeKind::Neutral | OutcomeKind::Failure, ContactKind::WrongParty | ContactKind::Nobody) => Cell::None,
    }
}

fn media<'a>(row: &'a OutcomeRow, of: impl Fn(&'a MediaQuality) -> Cell<'a>) -> Cell<'a> {
    row.outcome.media.as_deref().map_or(Cell::None, of)
}

fn maybe_number(n: Option<f64>) -> Cell<'static> {
    n.map_or(Cell::None, Cell::Number)
}

fn word(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

fn text(text: String) -> Cell<'static> {
    Cell::Text(Cow::Owned(text))
}

fn maybe(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::None, word)
}

fn joined<'a>(parts: &'a [String], between: &str) -> Cell<'a> {
    match parts {
        [] => Cell::None,
        [one] => word(one),
        more => text(more.join(between)),
    }
}

fn int(n: impl Into<i64>) -> Cell<'static> {
    Cell::Integer(n.into())
}

fn maybe_int(n: Option<impl Into<i64>>) -> Cell<'static> {
    n.map_or(Cell::None, int)
}

fn time(at: Option<Wall>) -> Cell<'static> {
    at.map_or(Cell::None, Cell::Time)
}

/// Wall clocks may step back between the two: then zero.
fn millis(from: Option<Wall>, to: Option<Wall>) -> Cell<'static> {
    match (from, to) {
        (Some(from), Some(to)) => Cell::Integer(to.since(from).as_millis() as i64),
        (_, None) | (None, _) => Cell::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::fixture;

    fn table() -> String {
        let rows = COLUMNS.iter().map(|c| format!("| `{}` | {} | {} |\n", c.name, c.kind.as_str(), c.meaning));
        format!("| column | type | meaning |\n|---|---|---|\n{}", rows.collect::<String>())
    }

    #[test]
    fn the_documented_table_is_this_list() {
        let docs = include_str!("../../docs/OUTCOMES.md");
        assert!(docs.contains(&table()), "put this table into docs/OUTCOMES.md:\n{}", table());
    }

    #[test]
    fn names_are_unique_and_values_have_their_columns_type() {
        let row = fixture::outcome(1);
        for (at, column) in COLUMNS.iter().enumerate() {
            assert!(COLUMNS.iter().skip(at + 1).all(|other| other.name != column.name), "{}", column.name);
            let fits = match (column.get)(&row) {
                Cell::None => true,
                Cell::Text(_) | Cell::Personal(_) => column.kind == Kind::Text,
                Cell::Integer(_) => column.kind == Kind::Integer,
                Cell::Short(_) | Cell::Number(_) => column.kind == Kind::Number,
                Cell::Bool(_) => column.kind == Kind::Bool,
                Cell::Time(_) => column.kind == Kind::Time,
            };
            assert!(fits, "{}", column.name);
        }
    }

    #[test]
    fn nobody_reached_is_not_a_customer_who_said_no() {
        let mut row = fixture::outcome(1);
        row.outcome.outcome = OutcomeKind::Failure;
        row.outcome.contact_kind = ContactKind::Nobody;
        assert_eq!(converted(&row), Cell::None);
        row.outcome.contact_kind = ContactKind::RightParty;
        assert_eq!(converted(&row), Cell::Bool(false));
        row.outcome.outcome = OutcomeKind::Success;
        assert_eq!(converted(&row), Cell::Bool(true));
    }

    #[test]
    fn a_clock_that_stepped_back_makes_no_negative_duration() {
        assert_eq!(millis(Some(Wall(2_000)), Some(Wall(1_000))), Cell::Integer(0));
        assert_eq!(millis(Some(Wall(1_000)), Some(Wall(61_000))), Cell::Integer(60));
    }
}
