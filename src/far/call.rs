//! One call that came in: who was called, and what they will do when.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Tick;
use crate::sim::{Behaviour, Kind, Person};
use crate::sip::sdp::Secret;

use super::media::Talk;
use super::refusal::rings;

/// Ringing without an answer ends here (RFC 3261 §16.6, Timer C).
const RINGS_AT_MOST: Duration = Duration::from_mins(3);
/// Whoever hears nothing at all says hello twice and hangs up.
pub(super) const HEARS_NOTHING: Duration = Duration::from_secs(10);

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// 180.
    Ring,
    /// 200, or the final answer of a network or a person who does not want to.
    Final,
    /// Nobody picked up, and the caller did not give up either.
    RangOut,
    HeardNothing,
    Key(char),
    /// The agent answers a transfer, or the queue has no room: status of the last report.
    Agent(u16),
    HangUp,
}

#[derive(Debug)]
pub(super) struct Call {
    /// Call-ID as it came.
    pub(super) sip_id: Arc<str>,
    pub(super) number: u64,
    pub(super) behaviour: Behaviour,
    /// Where the caller said it wants its RTP.
    pub(super) remote: Option<SocketAddr>,
    /// Behind our keys, for a caller who offered SRTP.
    pub(super) srtp: Option<Secret>,
    /// Few: an answer plans at most a handful of keys and one end.
    agenda: Vec<(Tick, Step)>,
    /// RTP port held since the answer.
    pub(super) port: Option<u16>,
    pub(super) talk: Option<Box<Talk>>,
    pub(super) answered: bool,
    /// When the machine was asked to look at this call again.
    pub(super) armed: Tick,
}

impl Call {
    pub(super) fn new(now: Tick, sip_id: Arc<str>, number: u64, behaviour: Behaviour) -> Self {
        let first = if rings(&behaviour.kind) { Step::Ring } else { Step::Final };
        let quiet_ms = if first == Step::Final { behaviour.ring_ms } else { 0 };
        let mut call = Self {
            sip_id,
            number,
            behaviour,
            remote: None,
            srtp: None,
            agenda: Vec::new(),
            port: None,
            talk: None,
            answered: false,
            armed: Tick::MAX,
        };
        call.plan(now + ms(call.behaviour.post_dial_delay_ms) + ms(quiet_ms), first);
        call
    }

    pub(super) fn plan(&mut self, at: Tick, step: Step) {
        self.agenda.push((at, step));
    }

    pub(super) fn clear(&mut self) {
        self.agenda.clear();
    }

    pub(super) fn drop_steps(&mut self, unwanted: impl Fn(Step) -> bool) {
        self.agenda.retain(|(_, step)| !unwanted(*step));
    }

    pub(super) fn next(&self) -> Option<Tick> {
        self.agenda.iter().map(|(at, _)| *at).min()
    }

    /// The earliest step that is due; of two at one instant the one planned first.
    pub(super) fn due(&mut self, now: Tick) -> Option<Step> {
        let (ix, (at, _)) = self.agenda.iter().enumerate().min_by_key(|(_, (at, _))| *at)?;
        (*at <= now).then(|| self.agenda.remove(ix).1)
    }

    /// After the 180.
    pub(super) fn rang(&mut self, now: Tick) {
        match self.behaviour.kind {
            Kind::NoAnswer => self.plan(now + ms(self.behaviour.ring_ms).min(RINGS_AT_MOST), Step::RangOut),
            Kind::Person(_)
            | Kind::Machine { .. }
            | Kind::Busy
            | Kind::Rejected
            | Kind::Vacant
            | Kind::Suspended
            | Kind::PoweredOff
            | Kind::NotReachable
            | Kind::Congestion => self.plan(now + ms(self.behaviour.ring_ms), Step::Final),
        }
    }

    /// After the ACK: people listen, machines talk.
    pub(super) fn picked_up(&mut self, now: Tick) {
        self.answered = true;
        match self.behaviour.kind {
            Kind::Machine { talk_ms } => self.plan(now + ms(talk_ms), Step::HangUp),
            Kind::Person(_)
            | Kind::Busy
            | Kind::Rejected
            | Kind::NoAnswer
            | Kind::Vacant
            | Kind::Suspended
            | Kind::PoweredOff
            | Kind::NotReachable
            | Kind::Congestion => self.plan(now + HEARS_NOTHING, Step::HeardNothing),
        }
    }

    /// After the first sound of the caller: keys and patience count from here.
    pub(super) fn heard(&mut self, now: Tick) {
        self.drop_steps(|step| step == Step::HeardNothing);
        let Kind::Person(Person { keys, patience_ms }) = self.behaviour.kind.clone() else { return };
        let mut at = now;
        for (after_ms, key) in keys {
            at = at + ms(after_ms);
            self.plan(at, Step::Key(key));
        }
        if patience_ms < u32::MAX {
            self.plan(now + ms(patience_ms), Step::HangUp);
        }
    }
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: Kind) -> Call {
        Call::new(Tick(0), "x".into(), 1, Behaviour { post_dial_delay_ms: 200, ring_ms: 300, kind })
    }

    #[test]
    fn the_network_answers_without_ringing_and_people_ring_first() {
        let mut busy = call(Kind::Busy);
        assert_eq!((busy.due(Tick(499_999)), busy.due(Tick(500_000))), (None, Some(Step::Final)));
        let mut person = call(Kind::Person(Person { keys: vec![], patience_ms: 1 }));
        assert_eq!(person.due(Tick(200_000)), Some(Step::Ring));
        person.rang(Tick(200_000));
        assert_eq!((person.next(), person.due(Tick(500_000))), (Some(Tick(500_000)), Some(Step::Final)));
    }

    #[test]
    fn steps_come_in_order_and_those_of_one_instant_as_planned() {
        let mut call = call(Kind::Busy);
        call.clear();
        for (at, step) in [(9, Step::HangUp), (5, Step::Key('1')), (5, Step::Key('2'))] {
            call.plan(Tick(at), step);
        }
        let steps: Vec<_> = std::iter::from_fn(|| call.due(Tick(10))).collect();
        assert_eq!(steps, [Step::Key('1'), Step::Key('2'), Step::HangUp]);
    }

    #[test]
    fn what_is_heard_starts_the_keys_and_the_patience() {
        let mut call = call(Kind::Person(Person { keys: vec![(100, '1'), (50, '2')], patience_ms: 400 }));
        call.clear();
        call.picked_up(Tick(0));
        assert_eq!(call.next(), Some(Tick(0) + HEARS_NOTHING));
        call.heard(Tick(1_000_000));
        assert_eq!(
            call.agenda,
            [(Tick(1_100_000), Step::Key('1')), (Tick(1_150_000), Step::Key('2')), (Tick(1_400_000), Step::HangUp),]
        );
    }
}
