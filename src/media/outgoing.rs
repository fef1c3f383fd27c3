//! What we send: prompts, key presses, silence, on an absolute schedule of 20 ms that no late pump can bend.

use std::sync::Arc;
use std::time::Duration;

use super::dtmf::{Press, Presser};
use super::reports::Sent;
use super::{Codec, Header};
use crate::base::Tick;

/// One packet's worth of sound, both ways.
pub const FRAME: Duration = Duration::from_millis(20);
pub const FRAME_SAMPLES: usize = 160;

/// Later than this, the schedule moves instead of bursting: the peer's jitter buffer would drop the burst anyway.
/// The prompt goes on where it was, so that nobody misses a word of it.
const CATCH_UP: Duration = Duration::from_millis(200);

#[derive(Debug)]
struct Playing {
    pcm: Arc<[i16]>,
    /// Samples already sent.
    at: usize,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) codec: Codec,
    pub(super) payload_type: u8,
    pub(super) event_pt: Option<u8>,
    /// Silence is sent while there is nothing else to send.
    pub(super) fill: bool,
    /// The direction allows sending. While it does not, prompts and keys wait.
    pub(super) allowed: bool,
    ssrc: u32,
    seq: u16,
    first_timestamp: u32,
    /// When `first_timestamp` was; every timestamp follows from its frame's due time.
    origin: Tick,
    /// When the next frame is due. Never before the end of the last one.
    next: Tick,
    /// The last frame was sound and the next follows it without a gap: no marker (RFC 3551 §4.1).
    in_spurt: bool,
    /// Timestamp of the press under way: all its packets carry it.
    press_timestamp: u32,
    prompt: Option<Playing>,
    presser: Presser,
    done: bool,
    pub(super) sent: u64,
    octets: u32,
    pub(super) slips: u32,
}

impl Outgoing {
    pub(super) fn new(now: Tick, params: &super::Params) -> Self {
        Self {
            codec: params.target.codec,
            payload_type: params.target.payload_type,
            event_pt: params.target.telephone_event_pt,
            fill: params.fill_silence,
            allowed: true,
            ssrc: params.ssrc,
            seq: params.first_seq,
            first_timestamp: params.first_timestamp,
            origin: now,
            next: now,
            in_spurt: false,
            press_timestamp: 0,
            prompt: None,
            presser: Presser::default(),
            done: false,
            sent: 0,
            octets: 0,
            slips: 0,
        }
    }

    pub(super) fn so_far(&self, now: Tick) -> Sent {
        Sent { ssrc: self.ssrc, timestamp: self.timestamp(now), packets: self.sent as u32, octets: self.octets }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(super) fn play(&mut self, pcm: Arc<[i16]>) {
        (self.prompt, self.done) = (Some(Playing { pcm, at: 0 }), false);
    }

    pub(super) fn stop(&mut self) {
        (self.prompt, self.done) = (None, false);
    }

    /// Without a telephone-event payload type there is no way to press a key: nothing is taken.
    pub(super) fn press(&mut self, keys: &str) {
        if self.event_pt.is_some() {
            self.presser.press(keys);
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.allowed && (self.fill || self.prompt.is_some() || (self.event_pt.is_some() && !self.presser.is_idle()))
    }

    /// Sending begins anew: at once, or when the last frame has been heard out.
    pub(super) fn start(&mut self, now: Tick) {
        if self.next < now {
            (self.next, self.in_spurt) = (now, false);
        }
    }

    pub(super) fn due(&self) -> Option<Tick> {
        self.is_active().then_some(self.next)
    }

    /// True once, after the last frame of a prompt has been heard out.
    pub(super) fn take_done(&mut self, now: Tick) -> bool {
        self.finish_prompt(now);
        std::mem::take(&mut self.done)
    }

    /// Writes the next packet that is due into `out`, until there is none. At most `CATCH_UP / FRAME + 1` per call of the pump.
    pub(super) fn packet(&mut self, now: Tick, out: &mut Vec<u8>) -> bool {
        loop {
            self.finish_prompt(now);
            if !self.is_active() || self.next > now {
                return false;
            }
            if now.since(self.next) > CATCH_UP {
                (self.next, self.in_spurt) = (now, false);
                self.slips = self.slips.saturating_add(1);
            }
            let due = self.next;
            self.next = due + FRAME;
            if self.frame(due, out) {
                self.sent += 1;
                return true;
            }
        }
    }

    fn finish_prompt(&mut self, now: Tick) {
        let over = self.prompt.as_ref().is_some_and(|playing| playing.at >= playing.pcm.len());
        if over && self.allowed && self.next <= now {
            (self.prompt, self.done) = (None, true);
        }
    }

    /// False if this frame is one of nothing.
    fn frame(&mut self, due: Tick, out: &mut Vec<u8>) -> bool {
        let timestamp = self.timestamp(due);
        let press = self.event_pt.and_then(|pt| self.presser.frame().map(|press| (pt, press)));
        match press {
            Some((payload_type, Press::Event { event, since })) => {
                if since == 0 {
                    self.press_timestamp = timestamp;
                }
                self.in_spurt = false;
                self.write(payload_type, since == 0, self.press_timestamp, &event.bytes(), out)
            }
            Some((_, Press::Pause)) => false,
            None => self.sound(timestamp, out),
        }
    }

    fn sound(&mut self, timestamp: u32, out: &mut Vec<u8>) -> bool {
        let mut octets = [self.codec.silence(); FRAME_SAMPLES];
        match &mut self.prompt {
            Some(playing) if playing.at < playing.pcm.len() => {
                let rest = playing.pcm.get(playing.at..).unwrap_or_default();
                playing.at += self.codec.encode_into(rest, &mut octets);
            }
            Some(_) | None if self.fill => {}
            Some(_) | None => return false,
        }
        let marker = !std::mem::replace(&mut self.in_spurt, true);
        self.write(self.payload_type, marker, timestamp, &octets, out)
    }

    fn write(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let header = Header { payload_type, marker, seq: self.seq, timestamp, ssrc: self.ssrc };
        self.seq = self.seq.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        header.write(payload, out).is_ok()
    }

    /// 8 kHz ticks since `origin`, so that gaps count and a frame is exactly 160 (RFC 3550 §5.1).
    fn timestamp(&self, due: Tick) -> u32 {
        let ticks = due.0.saturating_sub(self.origin.0) / 125;
        self.first_timestamp.wrapping_add(ticks as u32)
    }
}
