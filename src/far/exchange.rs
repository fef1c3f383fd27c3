//! What the gateway does when a call comes, is answered, is transferred and ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{LegId, Now};
use crate::media;
use crate::sim::Kind;
use crate::sip::header::Name;
use crate::sip::message::Message;
use crate::sip::sdp::{Codec, Local, Media, Secret};
use crate::sip::{Cause, Command, Counter, End, Event, Incoming, Side};

use super::call::{Call, Step};
use super::gateway::Gateway;
use super::media::Talk;
use super::people::Callee;
use super::refusal::{RANG_OUT, Refusal, refusal_of, word};
use super::stats::Stats;
use super::witness::Seen;

/// Longer ones are cut in the witness log.
const CALL_ID_MAX: usize = 256;
/// A transferred caller that does not let go of its leg.
const LET_GO: Duration = Duration::from_secs(10);
/// How long somebody stays whose transfer came to nothing, at the pace of the world.
const AFTER_REFUSAL: Duration = Duration::from_secs(8);

impl Gateway {
    pub(super) fn on_event(&mut self, now: Now, leg: LegId, event: Event, datagram: &[u8]) {
        match event {
            Event::Incoming(incoming) => self.on_incoming(now, leg, &incoming, datagram),
            Event::Acked { media } => self.on_acked(now, leg, &media),
            Event::MediaChanged { media } => self.on_media_changed(now, leg, &media),
            Event::Refer { target } => self.on_refer(now, leg, target.reveal()),
            Event::Ended(end) => self.on_ended(now, leg, &end),
            // We place no calls, and what callers press means nothing to people.
            Event::Trying
            | Event::Ringing { .. }
            | Event::EarlyMedia { .. }
            | Event::Answered { .. }
            | Event::Digit { .. }
            | Event::ReferProgress { .. } => {}
        }
    }

    pub(super) fn on_step(&mut self, now: Now, leg: LegId, step: Step) {
        match step {
            Step::Ring => {
                self.command(now, Command::Provisional { leg, status: 180, media: None });
                if let Some(call) = self.calls.get_mut(&leg) {
                    call.rang(now.tick);
                }
            }
            Step::Final => self.answer(now, leg),
            Step::RangOut => self.refuse(now, leg, RANG_OUT),
            Step::HeardNothing => {
                self.stats.heard_nothing += 1;
                self.hang_up(now, leg);
            }
            Step::Key(key) => self.press(now, leg, key),
            Step::Agent(status) => self.on_agent(now, leg, status),
            Step::HangUp => self.hang_up(now, leg),
        }
    }

    /// Our side ends an answered call.
    pub(super) fn hang_up(&mut self, now: Now, leg: LegId) {
        self.stats.hung_up += 1;
        self.fall_silent(leg);
        self.command(now, Command::Hangup { leg });
    }

    fn on_incoming(&mut self, now: Now, leg: LegId, incoming: &Incoming, datagram: &[u8]) {
        self.stats.invites += 1;
        let user = incoming.to_user.reveal();
        let full = self.calls.len() >= self.town.max_calls;
        let Callee { number, ordinal, behaviour } =
            if full { self.people.not_called(user) } else { self.people.called(now.wall, user) };
        let will = if full { "over_limit" } else { word(&behaviour.kind) };
        let mut call = Call::new(now.tick, call_id(datagram), number, behaviour);
        let offer = incoming.offer.as_ref();
        // We speak as we are spoken to.
        let srtp = offer.filter(|offer| offer.is_secure()).map(|_| Secret::of(&self.srtp_key, leg));
        let remote = offer.and_then(|offer| offer.agree_on(false, None, srtp)).map(|media| media.remote);
        (call.remote, call.srtp) = (remote, srtp);
        if full {
            call.clear();
        }
        self.calls.insert(leg, call);
        self.stats.most_live = self.stats.most_live.max(self.calls.len() as u64);
        self.testify(now, leg, Seen::Invite { number, tail: tail(user), ordinal, will });
        if full {
            self.stats.over_limit += 1;
            let retry_after_s = Some(self.town.retry_after_s);
            self.command(now, Command::Reject { leg, status: 503, q850: None, retry_after_s });
        }
    }

    fn answer(&mut self, now: Now, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        if let Some(refusal) = refusal_of(&call.behaviour.kind, call.number) {
            return self.refuse(now, leg, refusal);
        }
        let Some((port, rtp)) = self.ports.choose(call.remote) else {
            // Out of RTP ports: no circuit available.
            return self.refuse(now, leg, Refusal { status: 503, q850: Some(34) });
        };
        call.port = Some(port);
        let srtp = call.srtp;
        if let Some(remote) = call.remote {
            self.ports.claim(port, remote, leg);
        }
        self.command(now, Command::Accept { leg, media: Local { rtp, prefer: Codec::Pcma, srtp } });
    }

    fn refuse(&mut self, now: Now, leg: LegId, refusal: Refusal) {
        let Refusal { status, q850 } = refusal;
        self.stats.refused += 1;
        self.command(now, Command::Reject { leg, status, q850, retry_after_s: None });
    }

    fn on_acked(&mut self, now: Now, leg: LegId, media: &Media) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let is_machine = matches!(call.behaviour.kind, Kind::Machine { .. });
        *if is_machine { &mut self.stats.machines } else { &mut self.stats.people } += 1;
        let mut talk = Talk::new(now, media, self.town.voice, &mut self.rng);
        if self.town.voice {
            talk.session.handle(now, media::Input::Play(self.voices.of(is_machine)));
        }
        call.talk = Some(talk);
        call.picked_up(now.tick);
        self.move_claim(leg, media.remote);
        self.testify(now, leg, Seen::Answered);
        self.touch(now, leg);
    }

    fn on_media_changed(&mut self, now: Now, leg: LegId, media: &Media) {
        if let Some(talk) = self.calls.get_mut(&leg).and_then(|call| call.talk.as_mut()) {
            talk.change(now, media);
            self.move_claim(leg, media.remote);
            self.touch(now, leg);
        }
    }

    /// The caller's RTP comes from `remote` now.
    fn move_claim(&mut self, leg: LegId, remote: SocketAddr) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        let Some(port) = call.port else { return };
        if let Some(old) = call.remote.replace(remote).filter(|old| *old != remote) {
            self.ports.disclaim(port, old, leg);
        }
        self.ports.claim(port, remote, leg);
    }

    fn press(&mut self, now: Now, leg: LegId, key: char) {
        let Some(talk) = self.calls.get_mut(&leg).and_then(|call| call.talk.as_mut()) else { return };
        talk.press(now, key);
        self.stats.keys += 1;
        self.testify(now, leg, Seen::Key(key));
        self.touch(now, leg);
    }

    /// 202 is out already. Whoever is being transferred waits, whatever their patience.
    fn on_refer(&mut self, now: Now, leg: LegId, target: &str) {
        self.command(now, Command::NotifyRefer { leg, status: 100 });
        let fate = self.queues.transfer(now.tick, target, &mut self.rng);
        if let Some(call) = self.calls.get_mut(&leg) {
            call.clear();
            call.plan(now.tick + fate.after, Step::Agent(fate.status));
        }
    }

    fn on_agent(&mut self, now: Now, leg: LegId, status: u16) {
        let accepted = status == 200;
        *if accepted { &mut self.stats.transfers } else { &mut self.stats.transfers_refused } += 1;
        self.command(now, Command::NotifyRefer { leg, status });
        self.testify(now, leg, Seen::Transfer { status });
        let stays = if accepted { LET_GO } else { self.town.paced(AFTER_REFUSAL) };
        if let Some(call) = self.calls.get_mut(&leg) {
            call.plan(now.tick + stays, Step::HangUp);
        }
    }

    fn on_ended(&mut self, now: Now, leg: LegId, end: &End) {
        let (cause, by) = words(end);
        self.stats.cancelled += u64::from(end.cause == Cause::Cancelled);
        self.testify(now, leg, Seen::Ended { cause, status: end.status, by });
        self.fall_silent(leg);
        self.calls.remove(&leg);
    }

    /// No more steps, no more sound, and the port is free again.
    fn fall_silent(&mut self, leg: LegId) {
        let Some(call) = self.calls.get_mut(&leg) else { return };
        call.clear();
        call.talk = None;
        if let Some(port) = call.port.take() {
            if let Some(remote) = call.remote {
                self.ports.disclaim(port, remote, leg);
            }
            self.ports.release(port);
        }
    }
}

impl Stats {
    pub(super) fn count(&mut self, counter: Counter) {
        match counter {
            Counter::Resent => self.sip_resent += 1,
            Counter::Repeated => self.sip_repeated += 1,
            Counter::UnknownSource
            | Counter::Unreadable
            | Counter::StrayResponse
            | Counter::RequestRefused
            | Counter::InboundInvite
            | Counter::ForkEnded
            | Counter::Authenticated
            | Counter::LegInUse => self.sip_odd += 1,
        }
    }
}

/// As the caller wrote it; a leg's id is only a hash of it where it is no UUID.
fn call_id(datagram: &[u8]) -> Arc<str> {
    let message = Message::parse(datagram);
    let call_id = message.as_ref().ok().and_then(|message| message.get(Name::CallId)).unwrap_or(&[]);
    String::from_utf8_lossy(call_id.get(..call_id.len().min(CALL_ID_MAX)).unwrap_or(&[])).into()
}

fn tail(user: &str) -> String {
    let digits: Vec<char> = user.chars().filter(char::is_ascii_digit).collect();
    digits.iter().skip(digits.len().saturating_sub(4)).collect()
}

const fn words(end: &End) -> (&'static str, &'static str) {
    let cause = match end.cause {
        Cause::Refused => "refused",
        Cause::NoReply => "no_reply",
        Cause::NoFinal => "no_final",
        Cause::Unreachable => "unreachable",
        Cause::RingTimeout => "ring_timeout",
        Cause::Cancelled => "cancelled",
        Cause::Bye => "bye",
        Cause::BadMedia => "bad_media",
        Cause::NoAck => "no_ack",
        Cause::Gone => "gone",
        Cause::Expired => "expired",
        Cause::NotSent => "not_sent",
    };
    let by = match end.by {
        Side::Us => "far",
        Side::Them => "caller",
        Side::Nobody => "nobody",
    };
    (cause, by)
}
