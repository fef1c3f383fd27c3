//! A caller for the gateway's tests: the same user agent and media session as the line's, in virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{AttemptId, LegId, Now, Pii, Tick, TrunkIx, Wall};
use crate::media::{self, Codec, Params, Session, Target};
use crate::sim::Population;
use crate::sip::{self, Command, End, Event, Invite, Network, Peer, Ua, sdp};

use super::gateway::{Gateway, Input, Output, Setup};
use super::town::Town;
use super::witness::Witness;

pub(super) const FAR: &str = "127.0.0.1:5080";
const CALLER: &str = "127.0.0.1:5060";
/// A Tuesday evening in Shanghai.
const AT: &str = "2026-12-01T18:30:00+08:00";

/// A town in which every dial of a number that is not vacant is answered at once by somebody who presses `keys`.
pub(super) fn person(keys: [(char, f64); 4]) -> Town {
    let people = Population {
        answers_by_hour: [10.0; 24],
        vacant_numbers: 0.0,
        suspended_numbers: 0.0,
        keys,
        ..Population::default()
    };
    Town { people, ..Town::default() }
}

/// A town in which nobody answers, and `change` says what happens instead.
pub(super) fn nobody(change: impl FnOnce(&mut Population)) -> Town {
    let mut town = person([('1', 0.0); 4]);
    town.people = Population {
        answers_by_hour: [0.0; 24],
        machine: 0.0,
        busy: 0.0,
        rejected: 0.0,
        powered_off: 0.0,
        not_reachable: 0.0,
        congestion: 0.0,
        ..town.people
    };
    change(&mut town.people);
    town
}

/// The gateway, a caller, and the network between them, which takes no time.
pub(super) struct Rig {
    pub(super) now: Now,
    pub(super) gateway: Gateway,
    ua: Ua,
    sounds: BTreeMap<LegId, Session>,
    /// Whether answered calls are given a prompt.
    pub(super) plays: bool,
    pub(super) events: Vec<(Tick, LegId, Event)>,
    pub(super) digits: Vec<(Tick, LegId, char)>,
    pub(super) witness: Vec<Witness>,
    /// Datagrams of the gateway to us.
    pub(super) from_far: Vec<Vec<u8>>,
    rtp_from_far: u64,
    calls: u16,
}

impl Rig {
    pub(super) fn new(town: Town) -> Self {
        let (far, caller): (SocketAddr, SocketAddr) = (FAR.parse().unwrap(), CALLER.parse().unwrap());
        let setup = Setup {
            town,
            local: far,
            rtp: (0..8).map(|n| SocketAddr::new(far.ip(), 30_000 + 2 * n)).collect(),
            callers: vec![Network::parse("127.0.0.0/8").unwrap()],
            key: [7; 32],
            witness: true,
        };
        let config = sip::Config { peers: vec![Peer::new(far)], ..sip::Config::new(caller, [1; 32]) };
        Self {
            now: Now { tick: Tick(1_000_000), wall: Wall::parse(AT).unwrap() },
            gateway: Gateway::new(setup),
            ua: Ua::new(config),
            sounds: BTreeMap::new(),
            plays: true,
            events: vec![],
            digits: vec![],
            witness: vec![],
            from_far: vec![],
            rtp_from_far: 0,
            calls: 0,
        }
    }

    /// Each call has an RTP address of its own, as from a line.
    pub(super) fn call(&mut self, number: &str) -> LegId {
        self.calls += 1;
        let leg = LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.calls)));
        let rtp = SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * self.calls));
        let invite = Invite {
            leg,
            trunk: TrunkIx(0),
            hop: 0,
            permit_until: crate::base::Tick::MAX,
            request_uri: Pii::new(format!("sip:{number}@{FAR}")),
            from_user: Pii::new("+999100000099".to_owned()),
            from_display: None,
            asserted: None,
            identity: None,
            ring_timeout: Duration::from_secs(40),
            media: sdp::Local { rtp, prefer: sdp::Codec::Pcma, srtp: None },
        };
        self.command(Command::Invite(Box::new(invite)));
        leg
    }

    pub(super) fn command(&mut self, command: Command) {
        self.ua.handle(self.now, sip::Input::Command(command));
        self.settle();
    }

    /// Lets everybody act for `secs` seconds of virtual time.
    pub(super) fn run(&mut self, secs: u64) {
        let end = self.now.tick + Duration::from_secs(secs);
        while let Some(at) = self.next().filter(|at| *at <= end) {
            let by = at.since(self.now.tick);
            self.now = self.now.plus(by);
            self.gateway.handle(self.now, Input::Timeout);
            self.ua.handle(self.now, sip::Input::Timeout);
            let due: Vec<_> = self.sounds.keys().copied().collect();
            for leg in due {
                self.sound(leg, media::Input::Timeout);
            }
            self.settle();
        }
        self.now = self.now.plus(end.since(self.now.tick));
    }

    pub(super) fn end(&self, leg: LegId) -> Option<End> {
        self.events
            .iter()
            .filter(|(_, of, _)| *of == leg)
            .find_map(|(.., event)| if let Event::Ended(end) = event { Some(*end) } else { None })
    }

    pub(super) fn at(&self, leg: LegId, is: impl Fn(&Event) -> bool) -> Option<Tick> {
        self.events.iter().find(|(_, of, event)| *of == leg && is(event)).map(|(at, ..)| *at)
    }

    pub(super) fn keys(&self, leg: LegId) -> String {
        self.digits.iter().filter(|(_, of, _)| *of == leg).map(|(_, _, key)| *key).collect()
    }

    /// Everything that could be observed, to be compared.
    pub(super) fn story(&self) -> String {
        format!("{:?} {:?} {:?} {}", self.events, self.digits, self.gateway.stats(), self.rtp_from_far)
    }

    pub(super) fn rtp_from_far(&self) -> u64 {
        self.rtp_from_far
    }

    fn next(&self) -> Option<Tick> {
        let sounds = self.sounds.values().filter_map(Session::poll_timeout).map(|(at, _)| at);
        let far = self.gateway.poll_timeout().map(|(at, _)| at);
        let ua = self.ua.poll_timeout().map(|(at, _)| at);
        sounds.chain(far).chain(ua).min().map(|at| at.max(self.now.tick))
    }

    /// Delivers until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.ua.poll_output() {
                quiet = false;
                self.deliver(output);
            }
            while let Some(output) = self.gateway.poll_output() {
                quiet = false;
                match output {
                    Output::Sip { to, bytes } => {
                        assert_eq!(to, CALLER.parse().unwrap());
                        self.from_far.push(bytes.to_vec());
                        self.ua.handle(self.now, sip::Input::Datagram { from: FAR.parse().unwrap(), bytes: &bytes });
                    }
                    Output::Witness(witness) => self.witness.push(*witness),
                }
            }
            let mut packet = Vec::new();
            while let Some((port, to)) = self.gateway.poll_packet(&mut packet) {
                quiet = false;
                self.rtp_from_far += 1;
                let from = SocketAddr::from(([127, 0, 0, 1], 30_000 + 2 * port));
                let leg =
                    LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from((to.port() - 20_000) / 2)));
                self.sound(leg, media::Input::Packet { from, bytes: &packet });
            }
            if quiet {
                return;
            }
        }
    }

    fn deliver(&mut self, output: sip::Output) {
        match output {
            sip::Output::Send { to, bytes } => {
                assert_eq!(to.to_string(), FAR);
                self.gateway.handle(self.now, Input::Datagram { from: CALLER.parse().unwrap(), bytes: &bytes });
            }
            sip::Output::Event { leg, event } => {
                if let Event::Answered { media } = &event {
                    self.answered(leg, media);
                } else if matches!(event, Event::Ended(_)) {
                    self.sounds.remove(&leg);
                }
                self.events.push((self.now.tick, leg, event));
            }
            sip::Output::Journal(_)
            | sip::Output::Tried(_)
            | sip::Output::Unauthorised { .. }
            | sip::Output::Registration { .. }
            | sip::Output::Pong { .. }
            | sip::Output::Count(_) => {}
        }
    }

    fn answered(&mut self, leg: LegId, media: &sdp::Media) {
        let target = Target {
            remote: media.remote,
            codec: Codec::Pcma,
            payload_type: 8,
            telephone_event_pt: media.event_payload_type,
            rtcp: None,
            srtp: None,
        };
        let params = Params {
            target,
            ssrc: 1,
            first_seq: 1,
            first_timestamp: 1,
            silence_after: Duration::ZERO,
            fill_silence: false,
            learn: false,
            report_seed: 0,
        };
        self.sounds.insert(leg, Session::new(self.now, &params));
        if self.plays {
            self.play(leg);
        }
    }

    /// A prompt of half a minute.
    pub(super) fn play(&mut self, leg: LegId) {
        self.sound(leg, media::Input::Play(media::silence(30_000).into()));
    }

    fn sound(&mut self, leg: LegId, input: media::Input<'_>) {
        let Some(session) = self.sounds.get_mut(&leg) else { return };
        session.handle(self.now, input);
        while let Some(output) = session.poll_output() {
            if let media::Output::Digit(key) = output {
                self.digits.push((self.now.tick, leg, key));
            }
        }
        let from = SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * (leg.0.0 as u16)));
        let mut packet = Vec::new();
        while let Some(to) = self.sounds.get_mut(&leg).and_then(|session| session.poll_packet(&mut packet)) {
            let port = (to.port() - 30_000) / 2;
            self.gateway.handle(self.now, Input::Rtp { port, from, bytes: &packet });
        }
    }
}
