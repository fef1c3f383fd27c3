//! The sound of one answered call: a session, its place, and what the callee says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Now, Rng};
use crate::media::{self, Codec, Direction, Input, Params, Session, Target, Tone};
use crate::sip::sdp;

/// A caller that has been silent for so long has crashed. Gateways with media supervision do the same.
const CALLER_IS_GONE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Talk {
    pub(super) session: Session,
    pub(super) remote: SocketAddr,
    pub(super) heard: bool,
    /// It stands in the queue of those that may have packets to send.
    pub(super) loud: bool,
}

impl Talk {
    pub(super) fn new(now: Now, agreed: &sdp::Media, voice: bool, rng: &mut Rng) -> Box<Self> {
        let params = Params {
            target: target(agreed),
            ssrc: rng.u32(),
            first_seq: rng.u32() as u16 >> 1,
            first_timestamp: rng.u32(),
            silence_after: CALLER_IS_GONE,
            fill_silence: voice,
            learn: false,
            report_seed: 0,
        };
        let mut session = Session::new(now, &params);
        session.handle(now, Input::SetDirection(direction(agreed.direction)));
        Box::new(Self { session, remote: agreed.remote, heard: false, loud: false })
    }

    pub(super) fn change(&mut self, now: Now, media: &sdp::Media) {
        self.remote = media.remote;
        self.session.handle(now, Input::Retarget(target(media)));
        self.session.handle(now, Input::SetDirection(direction(media.direction)));
    }

    pub(super) fn press(&mut self, now: Now, key: char) {
        self.session.handle(now, Input::SendDigits(key.encode_utf8(&mut [0; 4])));
    }
}

/// What callees say, made once.
#[derive(Debug)]
pub(super) struct Voices {
    person: Arc<[i16]>,
    machine: Arc<[i16]>,
}

impl Default for Voices {
    fn default() -> Self {
        let hello = Tone { hz: (220.0, 330.0), on_ms: 300, off_ms: 0, level: 0.2 };
        let mut greeting = Tone { hz: (200.0, 310.0), on_ms: 400, off_ms: 150, level: 0.2 }.render(3_000);
        greeting.extend(Tone::BEEP.render(500));
        Self { person: hello.render(300).into(), machine: greeting.into() }
    }
}

impl Voices {
    pub(super) fn of(&self, is_machine: bool) -> Arc<[i16]> {
        Arc::clone(if is_machine { &self.machine } else { &self.person })
    }
}

fn target(media: &sdp::Media) -> Target {
    let codec = match media.codec {
        sdp::Codec::Pcma => Codec::Pcma,
        sdp::Codec::Pcmu => Codec::Pcmu,
    };
    Target {
        remote: media.remote,
        codec,
        payload_type: media.payload_type,
        telephone_event_pt: media.event_payload_type,
        rtcp: None,
        srtp: media.srtp.as_ref().map(keys),
    }
}

fn keys(agreed: &sdp::Srtp) -> media::Keys {
    let suite = match agreed.suite {
        sdp::Suite::AeadAes256Gcm => media::Suite::AeadAes256Gcm,
        sdp::Suite::AesCm128HmacSha1_80 => media::Suite::AesCm128HmacSha1_80,
    };
    media::Keys { suite, ours: media::MasterKey(agreed.ours.0), theirs: media::MasterKey(agreed.theirs.0) }
}

const fn direction(of: sdp::Direction) -> Direction {
    match of {
        sdp::Direction::SendRecv => Direction::SendRecv,
        sdp::Direction::SendOnly => Direction::SendOnly,
        sdp::Direction::RecvOnly => Direction::RecvOnly,
        sdp::Direction::Inactive => Direction::Inactive,
    }
}
