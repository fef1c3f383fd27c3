//! What was sent in reply to something that may come again: ACKs of final answers, and answers of requests. This is all
//! that is left of a finished call: bytes, destination, deadline.

use std::collections::{HashMap, VecDeque};

use crate::base::{LegId, Tick};
use crate::sip::bytes::fingerprint;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::target::Target;

/// More than this and the oldest are forgotten early: 32 s of 10,000 calls a second.
const MAX_ECHOES: usize = 640_000;

/// Which message of a leg a memory answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(LegId, u64);

impl Key {
    /// A final answer to our INVITE: by CSeq, branch and To tag. Forks share the branch, and two targets of one trunk may
    /// answer with the same tag.
    pub(super) fn answer(leg: LegId, cseq: u32, branch: &[u8], to_tag: &[u8]) -> Self {
        Self(leg, fingerprint(to_tag) ^ fingerprint(branch).rotate_left(32) ^ (u64::from(cseq) << 8) ^ 1)
    }

    /// A request of the peer: by method, CSeq and branch.
    pub(super) fn request(leg: LegId, method: Method, cseq: u32, branch: &[u8]) -> Self {
        Self(leg, fingerprint(branch) ^ (u64::from(cseq) << 8) ^ ((method as u64) << 1 | 1 << 63))
    }
}

/// What is remembered of a message that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is new.
    Nothing,
    /// Dealt with; it needs no answer.
    Silence,
    /// Dealt with; send this again.
    Again(Target, Packet),
}

#[derive(Debug)]
struct Echo {
    /// `None`: absorb it in silence.
    bytes: Option<Packet>,
    to: Target,
    until: Tick,
}

/// The memory. All lives are equally long, so that the oldest entry is the first to go.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    by_key: HashMap<Key, Echo>,
    order: VecDeque<(Tick, Key)>,
}

impl Echoes {
    pub(super) fn remember(&mut self, key: Key, to: Target, bytes: Option<Packet>, until: Tick) {
        if self.by_key.len() >= MAX_ECHOES
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
        self.by_key.insert(key, Echo { bytes, to, until });
        self.order.push_back((until, key));
    }

    pub(super) fn find(&self, key: Key, now: Tick) -> Found {
        match self.by_key.get(&key).filter(|echo| now < echo.until) {
            None => Found::Nothing,
            Some(Echo { bytes: None, .. }) => Found::Silence,
            Some(Echo { bytes: Some(bytes), to, .. }) => Found::Again(*to, bytes.clone()),
        }
    }

    /// Forgets what is past its time. Not worth a wake-up of its own.
    pub(super) fn expire(&mut self, now: Tick) {
        while let Some((until, key)) = self.order.front().copied().filter(|(until, _)| *until <= now) {
            self.order.pop_front();
            if self.by_key.get(&key).is_some_and(|echo| echo.until <= until) {
                self.by_key.remove(&key);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_lives_until_its_deadline_and_a_newer_one_outlives_the_older() {
        let mut echoes = Echoes::default();
        let to = "127.0.0.1:1".parse().unwrap();
        let key = Key::answer(LegId::default(), 1, b"b", b"t");
        echoes.remember(key, to, Some(Packet::from(&b"a"[..])), Tick(10));
        echoes.remember(key, to, None, Tick(20));
        assert_eq!(echoes.find(key, Tick(5)), Found::Silence);
        echoes.expire(Tick(10));
        assert_eq!(echoes.len(), 1);
        assert_eq!(echoes.find(Key::answer(LegId::default(), 2, b"b", b"t"), Tick(5)), Found::Nothing);
        echoes.expire(Tick(20));
        assert_eq!((echoes.len(), echoes.find(key, Tick(21))), (0, Found::Nothing));
    }
}
