//! What a transaction writes of attempts and outcomes: collected while it decides, flushed in one statement per table.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::base::{AttemptId, ContactId, PhoneId, Wall};
use crate::call::{MediaQuality, OneWay};
use crate::contact::LeadState;
use crate::engine::{Epoch, Intent, Marks, Outcome};
use crate::store::StoreError;
use crate::store::records::{Label, OutcomeSource};

use super::sql::{self, Binds, Sizes};

pub(super) struct Writes<'a> {
    epoch: Epoch,
    pub(super) attempts: Vec<NewAttempt<'a>>,
    /// Attempts under way that go over another trunk, by name.
    pub(super) rerouted: Vec<(&'a Intent, Arc<str>)>,
    pub(super) finished: Vec<Finished<'a>>,
}

pub(super) struct NewAttempt<'a> {
    pub(super) intent: &'a Intent,
    pub(super) version: i64,
    pub(super) trunk: Arc<str>,
    pub(super) at: Wall,
}

/// A revision to append. Revision 0 moves the lead too.
pub(super) struct Finished<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) source: OutcomeSource,
    pub(super) contact: ContactId,
    pub(super) phone: PhoneId,
    /// Where the lead stands from now on, do-not-call considered.
    pub(super) state: LeadState,
    pub(super) marks: Marks,
    pub(super) label: Option<Label>,
}

static NEW_ATTEMPTS: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::insert(
        "attempt(id, state, revisions, result, contacted, free, callback, epoch, at, decided, lead, contact, phone, campaign, plan_version, trunk, caller_id,
            list, score, value, p_answer, index_value, propensity, explore, segment, slot_weekday, slot_half_hour,
            golden, attempt_no, same_slot_fails, reachability, since_last, experiment, arm, arm_share)",
        ATTEMPT_COLUMNS,
    )
});

static NEW_OUTCOMES: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::insert(
        "outcome(attempt, revision, source, recorded, result, disposition, outcome, contact_kind, complaint, t_queued,
            t_authorised, t_sent, t_ringing, t_answered, t_connected, t_ended, t_wrap_ended, sip_status, q850,
            released_by, digits, callback_at, free, phone_dead, lead_state, lead_until, next_phone, next_free,
            label_at, label_amount, media_codec, media_received, media_lost, media_jitter_us, media_sent,
            media_lost_there, media_round_trip_us, one_way)",
        OUTCOME_COLUMNS,
    )
});

static DONE_ATTEMPTS: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::new(
        "UPDATE OR ROLLBACK attempt SET state = 'done', revisions = v.column2, result = v.column3, contacted = v.column4,
            free = v.column5, callback = v.column6 FROM (VALUES ",
        "(?,?,?,?,?,?)",
        ") AS v WHERE attempt.id = v.column1",
    )
});

static MOVED_LEADS: LazyLock<Sizes> = LazyLock::new(|| {
    Sizes::new(
        "UPDATE OR ROLLBACK lead SET state = v.column2, until = v.column3, next_phone = v.column4, next_free = v.column5
            FROM (VALUES ",
        "(?,?,?,?,?)",
        ") AS v WHERE lead.id = v.column1",
    )
});

impl Writes<'_> {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { epoch, attempts: Vec::new(), rerouted: Vec::new(), finished: Vec::new() }
    }

    /// What ends before what begins: a person whose attempt ends in this batch may have a new one in it.
    pub(super) async fn flush(self, conn: &mut SqliteConnection, now: Wall) -> Result<(), StoreError> {
        let parts = self.parts();
        self.mark_all(conn).await?;
        sql::run_all(conn, &DONE_ATTEMPTS, &parts.ended, |binds, outcome| bind_done(binds, outcome)).await?;
        sql::run_all(conn, &NEW_ATTEMPTS, &self.attempts, |binds, new| {
            bind_attempt(binds, new, self.epoch, parts.ends.get(&new.intent.attempt).copied());
        })
        .await?;
        self.reroute_all(conn).await?;
        sql::run_all(conn, &NEW_OUTCOMES, &self.finished, |binds, done| bind_outcome(binds, done, now)).await?;
        sql::run_all(conn, &MOVED_LEADS, &parts.moved, |binds, done| bind_moved(binds, done)).await?;
        Ok(())
    }

    /// In one step where it fits.
    pub(super) async fn flush_and_commit(self, conn: &mut SqliteConnection, now: Wall) -> Result<(), StoreError> {
        let parts = self.parts();
        let class = Sizes::class(self.attempts.len().max(self.finished.len()));
        let Some(class) = class.filter(|_| self.rerouted.is_empty()) else {
            self.flush(conn, now).await?;
            super::operate::set_high_water(conn, now).await?;
            sql::run(conn, "COMMIT", Binds::default()).await?;
            return Ok(());
        };
        self.mark_all(conn).await?;
        let mut binds = Binds::default();
        for outcome in &parts.ended {
            bind_done(&mut binds, outcome);
        }
        binds.nulls((class - parts.ended.len()) * DONE_COLUMNS);
        for new in &self.attempts {
            bind_attempt(&mut binds, new, self.epoch, parts.ends.get(&new.intent.attempt).copied());
        }
        binds.nulls((class - self.attempts.len()) * ATTEMPT_COLUMNS);
        for done in &self.finished {
            bind_outcome(&mut binds, done, now);
        }
        binds.nulls((class - self.finished.len()) * OUTCOME_COLUMNS);
        for done in &parts.moved {
            bind_moved(&mut binds, done);
        }
        binds.nulls((class - parts.moved.len()) * MOVED_COLUMNS);
        binds.int(now.0).int(now.0);
        let Some((_, text)) = AT_ONCE.iter().find(|(size, _)| *size == class) else { return Ok(()) };
        sql::run_text(conn, text, binds).await
    }

    fn parts(&self) -> Parts<'_> {
        let newest = last_of_each(&self.finished, |done| done.outcome.attempt);
        let new: HashSet<AttemptId> = self.attempts.iter().map(|new| new.intent.attempt).collect();
        let first = self.finished.iter().filter(|done| done.outcome.revision == 0);
        Parts {
            ends: newest.iter().map(|done| (done.outcome.attempt, done.outcome)).collect(),
            ended: newest.iter().map(|done| done.outcome).filter(|end| !new.contains(&end.attempt)).collect(),
            moved: last_of_each(first, |done| done.outcome.lead),
        }
    }

    async fn reroute_all(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        for (intent, trunk) in &self.rerouted {
            let mut binds = Binds::default();
            binds.text(trunk).text(&intent.caller_id).blob(&intent.attempt.bytes());
            sql::run(conn, "UPDATE OR ROLLBACK attempt SET trunk = ?, caller_id = ? WHERE id = ?", binds).await?;
        }
        Ok(())
    }

    async fn mark_all(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        for done in self.finished.iter().filter(|done| !done.marks.is_empty()) {
            mark(conn, done).await?;
        }
        Ok(())
    }
}

/// What the outcomes of a batch change besides being appended.
struct Parts<'w> {
    /// The newest of each attempt.
    ends: HashMap<AttemptId, &'w Outcome>,
    /// Those of attempts that were there before the batch.
    ended: Vec<&'w Outcome>,
    /// The newest first revision of each lead.
    moved: Vec<&'w Finished<'w>>,
}

const DONE_COLUMNS: usize = 6;
const ATTEMPT_COLUMNS: usize = 35;
const OUTCOME_COLUMNS: usize = 38;
const MOVED_COLUMNS: usize = 5;

/// Everything in every size, the commit included.
static AT_ONCE: LazyLock<Vec<(usize, Arc<str>)>> = LazyLock::new(|| {
    let all = |class: usize| {
        let [done, attempts, outcomes, moved] =
            [&DONE_ATTEMPTS, &NEW_ATTEMPTS, &NEW_OUTCOMES, &MOVED_LEADS].map(|sizes| sizes.text(class));
        Arc::from(format!(
            "{done}; {attempts}; {outcomes}; {moved}; UPDATE meta SET v = ? WHERE k = 'high_water' AND v < ?; COMMIT"
        ))
    };
    Sizes::ALL.into_iter().map(|class| (class, all(class))).collect()
});

/// An `UPDATE ... FROM` takes any of several rows for one target, so only the last may be offered.
fn last_of_each<'f, K: Ord + Copy>(
    items: impl IntoIterator<Item = &'f Finished<'f>>,
    key: impl Fn(&Finished<'f>) -> K,
) -> Vec<&'f Finished<'f>> {
    let mut items: Vec<_> = items.into_iter().collect();
    // A stable sort: within one key the later request stays later.
    items.sort_by_key(|item| key(item));
    items.reverse();
    items.dedup_by_key(|item| key(item));
    items
}

fn bind_attempt(binds: &mut Binds, new: &NewAttempt, epoch: Epoch, end: Option<&Outcome>) {
    let intent = new.intent;
    let context = &intent.context;
    let since_last = context.since_last.map(|since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
    binds
        .blob(&intent.attempt.bytes())
        .text(if end.is_some() { "done" } else { "authorised" })
        .int(end.map_or(0, |end| i64::from(end.revision) + 1))
        .maybe_text(end.map(|end| end.result.as_str()))
        .int(i64::from(end.is_some_and(Outcome::is_contact)))
        .int(i64::from(end.map_or(intent.facts.free_of_daily_budget, |end| end.free)))
        .int(i64::from(end.is_some_and(Outcome::asks_for_callback)))
        .int(epoch.0 as i64)
        .int(new.at.0)
        .int(intent.decided.wall.0)
        .int(i64::from(intent.lead.0))
        .int(i64::from(intent.contact.0))
        .int(i64::from(intent.phone.0))
        .int(i64::from(intent.campaign_ix.0))
        .int(new.version)
        .text(&new.trunk)
        .text(&intent.caller_id)
        .int(i64::from(context.list.0))
        .real(f64::from(context.score))
        .real(f64::from(context.value))
        .real(f64::from(context.p_answer))
        .real(f64::from(context.index_value))
        .real(context.propensity)
        .int(i64::from(context.explore))
        .int(i64::from(context.segment))
        .int(i64::from(context.slot_weekday))
        .int(i64::from(context.slot_half_hour))
        .int(i64::from(context.golden))
        .int(i64::from(context.attempt_no))
        .int(i64::from(context.same_slot_fails))
        .int(i64::from(context.reachability.steps()))
        .maybe_int(since_last)
        .maybe_text(context.trial.as_ref().map(|trial| &*trial.experiment))
        .maybe_text(context.trial.as_ref().map(|trial| &*trial.arm))
        .maybe_int(context.trial.as_ref().map(|trial| i64::from(trial.share.ppm)));
}

fn bind_outcome(binds: &mut Binds, done: &Finished, now: Wall) {
    let outcome = done.outcome;
    let (state, until) = done.state.stored();
    binds
        .blob(&outcome.attempt.bytes())
        .int(i64::from(outcome.revision))
        .text(done.source.as_str())
        .int(now.0)
        .text(outcome.result.as_str())
        .maybe_text(outcome.disposition.as_deref())
        .text(outcome.outcome.as_str())
        .text(outcome.contact_kind.as_str())
        .int(i64::from(outcome.complaint));
    for time in outcome.times.in_order() {
        binds.maybe_int(time.map(|at| at.0));
    }
    binds
        .maybe_int(outcome.sip_status.map(i64::from))
        .maybe_int(outcome.q850.map(i64::from))
        .maybe_text(outcome.by.map(crate::call::ReleaseSide::as_str))
        .text(&outcome.digits)
        .maybe_int(outcome.callback_at.map(|at| at.0))
        .int(i64::from(outcome.free))
        .int(i64::from(outcome.phone_dead))
        .text(state)
        .int(until.0)
        .int(i64::from(outcome.next_phone))
        .int(i64::from(outcome.next_free))
        .maybe_int(done.label.map(|label| label.at.0))
        .maybe_real(done.label.and_then(|label| label.amount));
    bind_media(binds, outcome.media.as_deref());
}

fn bind_media(binds: &mut Binds, media: Option<&MediaQuality>) {
    let count = |of: fn(&MediaQuality) -> Option<u32>| media.and_then(of).map(i64::from);
    binds
        .maybe_text(media.map(|media| media.codec.as_str()))
        .maybe_int(count(|media| Some(media.received)))
        .maybe_int(count(|media| Some(media.lost)))
        .maybe_int(count(|media| Some(media.jitter_us)))
        .maybe_int(count(|media| Some(media.sent)))
        .maybe_int(count(|media| media.lost_there))
        .maybe_int(count(|media| media.round_trip_us))
        .maybe_text(media.and_then(|media| media.one_way).map(OneWay::as_str));
}

fn bind_done(binds: &mut Binds, outcome: &Outcome) {
    binds
        .blob(&outcome.attempt.bytes())
        .int(i64::from(outcome.revision) + 1)
        .text(outcome.result.as_str())
        .int(i64::from(outcome.is_contact()))
        .int(i64::from(outcome.free))
        .int(i64::from(outcome.asks_for_callback()));
}

fn bind_moved(binds: &mut Binds, done: &Finished) {
    let outcome = done.outcome;
    let (state, until) = done.state.stored();
    binds
        .int(i64::from(outcome.lead.0))
        .text(state)
        .int(until.0)
        .int(i64::from(outcome.next_phone))
        .int(i64::from(outcome.next_free));
}

/// Rare enough for a statement each. `max()` of SQLite is NULL if any argument is.
async fn mark(conn: &mut SqliteConnection, done: &Finished<'_>) -> Result<(), StoreError> {
    let marks = &done.marks;
    let three = [marks.refused, marks.complained, marks.abandoned];
    let mut binds = Binds::default();
    for at in three {
        binds.maybe_int(at.map(|at| at.0));
    }
    binds.int(i64::from(done.contact.0));
    sql::run(
        conn,
        "UPDATE contact SET refused_at = coalesce(max(refused_at, v.a), refused_at, v.a),
            complained_at = coalesce(max(complained_at, v.b), complained_at, v.b),
            abandoned_at = coalesce(max(abandoned_at, v.c), abandoned_at, v.c)
         FROM (SELECT ? AS a, ? AS b, ? AS c) AS v WHERE id = ?",
        binds,
    )
    .await?;
    let mut binds = Binds::default();
    for at in three.into_iter().chain([marks.phone_dead]) {
        binds.maybe_int(at.map(|at| at.0));
    }
    binds.int(i64::from(done.phone.0));
    sql::run(
        conn,
        "UPDATE phone SET refused_at = coalesce(max(refused_at, v.a), refused_at, v.a),
            complained_at = coalesce(max(complained_at, v.b), complained_at, v.b),
            abandoned_at = coalesce(max(abandoned_at, v.c), abandoned_at, v.c), dead_at = coalesce(dead_at, v.d)
         FROM (SELECT ? AS a, ? AS b, ? AS c, ? AS d) AS v WHERE id = ?",
        binds,
    )
    .await?;
    Ok(())
}
