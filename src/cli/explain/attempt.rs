//! One call: what the store knows of it, and its SIP as a ladder. Numbers are masked.

use std::fmt;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::{AttemptId, Code, Diagnostic, Wall};
use crate::call::{MediaQuality, OneWay, ReleaseSide};
use crate::cli::exit::{Exit, Stop};
use crate::cli::site::Site;
use crate::daemon::traces::{Found, find};
use crate::store::{AttemptRow, Browse as _, OutcomeRow, Store as _};

use super::ladder::{Rung, ladder};

#[derive(Debug, Serialize)]
pub(super) struct Report {
    attempt: String,
    campaign: String,
    /// A mask; `erased` where the person was taken out.
    number: String,
    attempt_no: u16,
    trunk: String,
    /// `None` while it is under way.
    outcome: Option<Outcome>,
    authorised_at: String,
    /// Where there is no trace: why.
    no_ladder: Option<String>,
    ladder: Vec<Rung>,
    /// Instants are shown on this clock.
    zone: String,
    #[serde(skip)]
    clock: TimeZone,
}

/// Of the newest revision.
#[derive(Debug, Serialize)]
struct Outcome {
    call_result: &'static str,
    disposition: Option<String>,
    sip_status: Option<u16>,
    q850: Option<u8>,
    ended_by: Option<&'static str>,
    list: String,
    caller_id: String,
    sent_at: Option<String>,
    ringing_at: Option<String>,
    answered_at: Option<String>,
    connected_at: Option<String>,
    ended_at: Option<String>,
    media: Option<Media>,
}

#[derive(Debug, Serialize)]
struct Media {
    codec: &'static str,
    received: u32,
    lost: u32,
    jitter_ms: f64,
    sent: u32,
    lost_there: Option<u32>,
    round_trip_ms: Option<f64>,
    one_way: Option<&'static str>,
}

pub(super) async fn explain(config: &Path, attempt: AttemptId) -> Result<Report, Stop> {
    let site = Site::read(config)?;
    let mut store = site.look().await?;
    let failed = |error| Stop::store(&error);
    let Some(row) = store.attempt_row(attempt).await.map_err(failed)? else {
        let finding = Diagnostic::error(Code::UnknownName, "the database has no attempt with this id");
        let hint = "`goldenhour export` and GET /api/v1/attempts name attempts";
        return Err(Stop::one(Exit::Failure, finding.hint(hint)));
    };
    let revisions = store.attempt(attempt).await.map_err(failed)?;
    let folder = site.config().traces_folder();
    let found = find(&folder, attempt).map_err(|error| {
        let finding = Diagnostic::error(Code::File, format!("{}: {error}", folder.display()));
        Stop::one(Exit::Unreachable, finding)
    })?;
    let no_ladder = why_none(&found, &row, site.config().traces_bytes == 0);
    let clock = site.config().zone.clone();
    let outcome = revisions.last().map(outcome);
    Ok(Report {
        attempt: attempt.to_string(),
        campaign: row.campaign.clone(),
        number: row.number.as_ref().map_or_else(|| "erased".to_owned(), ToString::to_string),
        attempt_no: row.attempt_no,
        trunk: row.trunk.clone(),
        outcome,
        authorised_at: row.authorised_at.to_string(),
        no_ladder,
        ladder: ladder(&found),
        zone: clock.iana_name().unwrap_or("UTC").to_owned(),
        clock,
    })
}

/// In words, so that nobody takes a missing trace for a call that was not made.
fn why_none(found: &Found, row: &AttemptRow, is_off: bool) -> Option<String> {
    if !found.steps.is_empty() {
        return None;
    }
    let why = match found.oldest {
        _ if is_off => "traces are off (`traces` in the configuration)".to_owned(),
        None => "no trace has been written yet".to_owned(),
        Some(oldest) if row.authorised_at < oldest => format!(
            "rotated away: the oldest trace that is left begins at {oldest}; `traces.max_mb` says how much is kept"
        ),
        Some(_) if row.result.is_none() => "nothing has been sent for this attempt yet".to_owned(),
        Some(_) => "nothing was sent for this attempt, or its messages were lost (`goldenhour_traces_lost_total`), or \
                    traces were off then"
            .to_owned(),
    };
    Some(why)
}

fn outcome(row: &OutcomeRow) -> Outcome {
    let (known, times) = (&row.outcome, &row.outcome.times);
    let time = |at: Option<Wall>| at.map(|at| at.to_string());
    Outcome {
        call_result: known.result.as_str(),
        disposition: known.disposition.as_deref().map(str::to_owned),
        sip_status: known.sip_status,
        q850: known.q850,
        ended_by: known.by.map(ReleaseSide::as_str),
        list: row.list_name.clone(),
        caller_id: row.caller_id.clone(),
        sent_at: time(times.sent),
        ringing_at: time(times.ringing),
        answered_at: time(times.answered),
        connected_at: time(times.connected),
        ended_at: time(times.ended),
        media: known.media.as_deref().map(media),
    }
}

fn media(heard: &MediaQuality) -> Media {
    Media {
        codec: heard.codec.as_str(),
        received: heard.received,
        lost: heard.lost,
        jitter_ms: heard.jitter_ms(),
        sent: heard.sent,
        lost_there: heard.lost_there,
        round_trip_ms: heard.round_trip_ms(),
        one_way: heard.one_way.map(OneWay::as_str),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {}\n  call       {} in {}", self.attempt, self.number, self.campaign)?;
        write!(f, ", attempt {} over {}", self.attempt_no, self.trunk)?;
        write!(f, "\n  authorised {}", on(&self.authorised_at, &self.clock))?;
        match &self.outcome {
            Some(outcome) => outcome.show(f, &self.clock)?,
            None => f.write_str("\n  result     under way")?,
        }
        if let Some(why) = &self.no_ladder {
            return write!(f, "\n\nno SIP to show: {why}");
        }
        write!(f, "\n\nSIP, times of {}; -> is ours", self.zone)?;
        self.ladder.iter().try_for_each(|rung| rung.show(f, &self.clock))
    }
}

impl Outcome {
    fn show(&self, f: &mut fmt::Formatter<'_>, clock: &TimeZone) -> fmt::Result {
        write!(f, "\n  list       {}, shown as {}", self.list, self.caller_id)?;
        let times = [
            ("sent", &self.sent_at),
            ("ringing", &self.ringing_at),
            ("answered", &self.answered_at),
            ("connected", &self.connected_at),
            ("ended", &self.ended_at),
        ];
        for (what, at) in times {
            if let Some(at) = at {
                write!(f, "\n  {what:<10} {}", on(at, clock))?;
            }
        }
        write!(f, "\n  result     {}", self.call_result)?;
        if let Some(disposition) = &self.disposition {
            write!(f, ", {disposition}")?;
        }
        if let Some(status) = self.sip_status {
            write!(f, ", SIP {status}")?;
        }
        if let Some(cause) = self.q850 {
            write!(f, ", Q.850 {cause}")?;
        }
        if let Some(by) = self.ended_by {
            write!(f, ", ended by {by}")?;
        }
        self.media.as_ref().map_or(Ok(()), |media| media.show(f))
    }
}

impl Media {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { codec, received, lost, jitter_ms, sent, .. } = self;
        write!(f, "\n  media      {codec}, {received} packets in, {lost} lost, jitter {jitter_ms:.1} ms, {sent} out")?;
        if let Some(lost) = self.lost_there {
            write!(f, ", {lost} lost there")?;
        }
        if let Some(trip) = self.round_trip_ms {
            write!(f, ", round trip {trip:.0} ms")?;
        }
        match self.one_way {
            Some(way) => write!(f, ", ONE WAY: {way}"),
            None => Ok(()),
        }
    }
}

/// To the millisecond, as the ladder below has it.
fn on(at: &str, clock: &TimeZone) -> String {
    let said = |at: Wall| at.timestamp().to_zoned(clock.clone()).strftime("%a %Y-%m-%d %H:%M:%S%.3f %Z").to_string();
    Wall::parse(at).map_or_else(|_| at.to_owned(), said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pii;
    use crate::contact::CallResult;

    fn row(result: Option<CallResult>) -> AttemptRow {
        AttemptRow {
            attempt: AttemptId(1),
            campaign: "c".to_owned(),
            authorised_at: Wall(1_000_000),
            trunk: "gw-a".to_owned(),
            number: Some(Pii::new("+999100000001".to_owned())),
            result,
            disposition: None,
            ended_at: None,
            revisions: 0,
            golden: false,
            attempt_no: 1,
        }
    }

    #[test]
    fn an_attempt_without_a_trace_is_told_why() {
        let left = |oldest: Option<i64>| Found { oldest: oldest.map(Wall), ..Found::default() };
        let busy = Some(CallResult::Busy);
        for (found, result, is_off, says) in [
            (left(Some(0)), busy, true, "traces are off"),
            (left(None), busy, false, "no trace has been written"),
            (
                left(Some(2_000_000)),
                busy,
                false,
                "rotated away: the oldest trace that is left begins at 1970-01-01T00:00:02Z",
            ),
            (left(Some(0)), None, false, "nothing has been sent for this attempt yet"),
            (left(Some(0)), busy, false, "nothing was sent"),
        ] {
            let said = why_none(&found, &row(result), is_off).unwrap();
            assert!(said.starts_with(says), "{said}");
        }
    }
}
