//! The media sessions of all answered legs, by port, woken in order of time: O(log n) for each frame of each of them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{LegId, Now, Rng, Tick};
use crate::media::{self, Codec, Direction, Params, Session, Stats, Target};
use crate::sip::sdp;

use super::ports::Lane;

#[derive(Debug)]
pub(super) struct Sessions {
    /// By port index.
    slots: Vec<Option<Box<Slot>>>,
    /// When to look after which port. An entry counts if it is the one its slot is armed by; the first one always counts.
    due: BinaryHeap<Reverse<(Tick, u16)>>,
    /// Ports that may have packets to send.
    ready: VecDeque<u16>,
    /// What they reported.
    reports: VecDeque<(LegId, media::Output)>,
    rng: Rng,
    silence_after: Duration,
}

#[derive(Debug)]
struct Slot {
    leg: LegId,
    session: Session,
    armed: Tick,
    is_ready: bool,
}

impl Sessions {
    pub(super) fn new(ports: u16, rng: Rng, silence_after: Duration) -> Self {
        Self {
            slots: std::iter::repeat_with(|| None).take(usize::from(ports)).collect(),
            due: BinaryHeap::new(),
            ready: VecDeque::new(),
            reports: VecDeque::new(),
            rng,
            silence_after,
        }
    }

    /// `learn`: see `media::Params`.
    pub(super) fn start(&mut self, now: Now, ix: u16, leg: LegId, agreed: &sdp::Media, learn: bool) {
        let params = Params {
            target: target(agreed, agreed.remote),
            ssrc: self.rng.u32(),
            // In the lower half, so that no early loss hides a rollover (RFC 3711 §3.3.1).
            first_seq: self.rng.u32() as u16 >> 1,
            first_timestamp: self.rng.u32(),
            silence_after: self.silence_after,
            fill_silence: false,
            learn,
            report_seed: self.rng.u64(),
        };
        let session = Session::new(now, &params);
        if let Some(slot) = self.slots.get_mut(usize::from(ix)) {
            *slot = Some(Box::new(Slot { leg, session, armed: Tick::MAX, is_ready: false }));
        }
        self.input(now, ix, media::Input::SetDirection(direction(agreed.direction)));
    }

    /// A later offer moved it, or holds it. An unspecified address (RFC 3264 §8.4) holds it where it is.
    pub(super) fn change(&mut self, now: Now, ix: u16, agreed: &sdp::Media) {
        if !agreed.remote.ip().is_unspecified() {
            self.input(now, ix, media::Input::Retarget(target(agreed, agreed.remote)));
        }
        self.input(now, ix, media::Input::SetDirection(direction(agreed.direction)));
    }

    pub(super) fn stop(&mut self, ix: u16) -> Option<Stats> {
        let slot = self.slots.get_mut(usize::from(ix))?.take()?;
        self.forget();
        Some(slot.session.stats())
    }

    /// False if there is no session on this port.
    pub(super) fn input(&mut self, now: Now, ix: u16, input: media::Input<'_>) -> bool {
        let Some(Some(slot)) = self.slots.get_mut(usize::from(ix)) else { return false };
        slot.session.handle(now, input);
        self.settle(now.tick, ix);
        true
    }

    pub(super) fn timeout(&mut self, now: Now) {
        while let Some(Reverse((at, ix))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now.tick) {
            self.due.pop();
            if let Some(Some(slot)) = self.slots.get_mut(usize::from(ix))
                && slot.armed == at
            {
                slot.armed = Tick::MAX;
                slot.session.handle(now, media::Input::Timeout);
                self.settle(now.tick, ix);
            }
        }
        self.forget();
    }

    pub(super) fn poll_report(&mut self) -> Option<(LegId, media::Output)> {
        self.reports.pop_front()
    }

    /// The next packet or report that is due, in place of what `out` holds: from which port, and where to.
    pub(super) fn poll_packet(&mut self, out: &mut Vec<u8>) -> Option<(u16, Lane, SocketAddr)> {
        while let Some(&ix) = self.ready.front() {
            if let Some(Some(slot)) = self.slots.get_mut(usize::from(ix)) {
                if let Some(to) = slot.session.poll_packet(out) {
                    return Some((ix, Lane::Rtp, to));
                }
                if let Some(to) = slot.session.poll_report(out) {
                    return Some((ix, Lane::Rtcp, to));
                }
                slot.is_ready = false;
                self.arm(ix);
            }
            self.ready.pop_front();
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<Tick> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Collects reports and notes the port for sending. A session with packets to send is armed after they have gone.
    fn settle(&mut self, now: Tick, ix: u16) {
        let Some(Some(slot)) = self.slots.get_mut(usize::from(ix)) else { return };
        while let Some(report) = slot.session.poll_output() {
            self.reports.push_back((slot.leg, report));
        }
        let sends = slot.session.poll_timeout().is_some_and(|(at, why)| match why {
            media::Why::Frame => true,
            media::Why::Report => at <= now,
            media::Why::Silence => false,
        });
        if sends && !slot.is_ready {
            slot.is_ready = true;
            self.ready.push_back(ix);
        } else if !slot.is_ready {
            self.arm(ix);
        }
    }

    /// Throws entries away that do not count, up to the first that does: calls that are over must wake nobody.
    fn forget(&mut self) {
        while let Some(Reverse((at, ix))) = self.due.peek() {
            let slot = self.slots.get(usize::from(*ix)).and_then(Option::as_ref);
            if slot.is_some_and(|slot| slot.armed == *at) {
                return;
            }
            self.due.pop();
        }
    }

    /// A wake that is due earlier than the new one stays: it finds nothing to do and arms again. So a packet received,
    /// which only moves the silence timer on, costs nothing here.
    fn arm(&mut self, ix: u16) {
        let Some(Some(slot)) = self.slots.get_mut(usize::from(ix)) else { return };
        if let Some((at, _)) = slot.session.poll_timeout().filter(|(at, _)| *at < slot.armed) {
            slot.armed = at;
            self.due.push(Reverse((at, ix)));
        }
    }
}

fn target(agreed: &sdp::Media, remote: SocketAddr) -> Target {
    let codec = match agreed.codec {
        sdp::Codec::Pcma => Codec::Pcma,
        sdp::Codec::Pcmu => Codec::Pcmu,
    };
    Target {
        remote,
        codec,
        payload_type: agreed.payload_type,
        telephone_event_pt: agreed.event_payload_type,
        rtcp: agreed.rtcp,
        srtp: agreed.srtp.as_ref().map(keys),
    }
}

/// As the media room knows them.
pub(super) fn keys(agreed: &sdp::Srtp) -> media::Keys {
    let suite = match agreed.suite {
        sdp::Suite::AeadAes256Gcm => media::Suite::AeadAes256Gcm,
        sdp::Suite::AesCm128HmacSha1_80 => media::Suite::AesCm128HmacSha1_80,
    };
    media::Keys { suite, ours: media::MasterKey(agreed.ours.0), theirs: media::MasterKey(agreed.theirs.0) }
}

fn direction(agreed: sdp::Direction) -> Direction {
    match agreed {
        sdp::Direction::SendRecv => Direction::SendRecv,
        sdp::Direction::SendOnly => Direction::SendOnly,
        sdp::Direction::RecvOnly => Direction::RecvOnly,
        sdp::Direction::Inactive => Direction::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::AttemptId;
    use crate::media::silence;

    fn media(port: u16) -> sdp::Media {
        sdp::Media {
            remote: SocketAddr::from(([127, 0, 0, 1], port)),
            rtcp: None,
            srtp: None,
            codec: sdp::Codec::Pcma,
            payload_type: 8,
            event_payload_type: Some(101),
            recv_event_payload_type: Some(101),
            ptime_ms: 20,
            direction: sdp::Direction::SendRecv,
        }
    }

    fn sessions(silence_ms: u64) -> Sessions {
        Sessions::new(4, Rng::seeded(1), Duration::from_millis(silence_ms))
    }

    /// Runs to `end` ms; counts packets by port.
    fn run(sessions: &mut Sessions, now: &mut Now, end_ms: u64, out: &mut Vec<u8>) -> Vec<(u64, u16)> {
        let mut sent = Vec::new();
        loop {
            while let Some((ix, ..)) = sessions.poll_packet(out) {
                sent.push((now.tick.0 / 1_000, ix));
            }
            let Some(at) = sessions.poll_timeout().filter(|at| at.0 <= end_ms * 1_000) else { return sent };
            *now = now.plus(at.since(now.tick));
            sessions.timeout(*now);
        }
    }

    #[test]
    fn two_prompts_are_paced_side_by_side_without_allocating_for_packets() {
        let (mut sessions, mut now, mut out) = (sessions(0), Now::default(), Vec::with_capacity(200));
        for ix in [0, 2] {
            sessions.start(now, ix, LegId(AttemptId(u128::from(ix))), &media(4_000 + ix), false);
            sessions.input(now, ix, media::Input::Play(silence(60).into()));
        }
        let sent = run(&mut sessions, &mut now, 1_000, &mut out);
        assert_eq!(sent, [(0, 0), (0, 2), (20, 0), (20, 2), (40, 0), (40, 2)]);
        let done: Vec<_> = std::iter::from_fn(|| sessions.poll_report()).collect();
        assert_eq!(done, [0, 2].map(|n| (LegId(AttemptId(n)), media::Output::PlayDone)));
        assert_eq!(out.capacity(), 200);
        assert_eq!(sessions.poll_timeout(), None, "nothing is watched and nothing is played");
    }

    #[test]
    fn a_talking_peer_costs_no_timer_for_each_packet_and_a_silent_one_is_reported() {
        let (mut sessions, mut now, mut out) = (sessions(100), Now::default(), Vec::new());
        sessions.start(now, 0, LegId::default(), &media(4_000), false);
        for n in 0..200u16 {
            let header = media::Header { payload_type: 8, marker: false, seq: n, timestamp: 0, ssrc: 5 };
            let mut bytes = Vec::new();
            header.write(&[0xd5; 160], &mut bytes).unwrap();
            now = now.plus(Duration::from_millis(20));
            sessions.timeout(now);
            sessions.input(now, 0, media::Input::Packet { from: media(4_000).remote, bytes: &bytes });
            assert!(sessions.due.len() <= 1);
        }
        assert_eq!(sessions.poll_report(), None);
        run(&mut sessions, &mut now, 10_000, &mut out);
        assert_eq!(now.tick, Tick(4_100_000));
        assert_eq!(sessions.poll_report(), Some((LegId::default(), media::Output::Silent)));
    }

    #[test]
    fn a_port_that_changes_hands_forgets_the_timers_of_its_last_leg() {
        let (mut sessions, mut now, mut out) = (sessions(100), Now::default(), Vec::new());
        sessions.start(now, 0, LegId(AttemptId(1)), &media(4_000), false);
        assert!(sessions.stop(0).is_some());
        now = now.plus(Duration::from_millis(50));
        sessions.start(now, 0, LegId(AttemptId(2)), &media(4_000), false);
        run(&mut sessions, &mut now, 10_000, &mut out);
        assert_eq!(now.tick, Tick(150_000));
        assert_eq!(sessions.poll_report(), Some((LegId(AttemptId(2)), media::Output::Silent)));
        assert_eq!(sessions.poll_report(), None);
    }

    #[test]
    fn a_call_that_is_over_wakes_nobody() {
        let (mut sessions, now) = (sessions(100), Now::default());
        sessions.start(now, 0, LegId(AttemptId(1)), &media(4_000), false);
        sessions.start(now.plus(Duration::from_millis(50)), 2, LegId(AttemptId(2)), &media(4_002), false);
        assert_eq!(sessions.poll_timeout(), Some(Tick(100_000)));
        sessions.stop(0);
        assert_eq!(sessions.poll_timeout(), Some(Tick(150_000)), "the other one is still watched");
        sessions.stop(2);
        assert_eq!(sessions.poll_timeout(), None);
    }

    #[test]
    fn a_hold_by_an_unspecified_address_keeps_the_address_for_the_resume() {
        let (mut sessions, mut now, mut out) = (sessions(0), Now::default(), Vec::new());
        sessions.start(now, 0, LegId::default(), &media(4_000), false);
        sessions.input(now, 0, media::Input::Play(silence(40).into()));
        let held =
            sdp::Media { remote: "0.0.0.0:4000".parse().unwrap(), direction: sdp::Direction::RecvOnly, ..media(4_000) };
        sessions.change(now, 0, &held);
        assert!(run(&mut sessions, &mut now, 1_000, &mut out).is_empty());
        sessions.input(now, 0, media::Input::SetDirection(Direction::SendRecv));
        assert_eq!(sessions.poll_packet(&mut out), Some((0, Lane::Rtp, media(4_000).remote)));
    }
}
