//! Which packets of each source came already (RFC 3711 §3.3.2), and how often its numbers have rolled over (§3.3.1).

use crate::media::extend;

/// Sources of one leg. Only packets that verify make one, so that it takes a strange peer to reach this; further ones are
/// not heard, because forgetting one would let its packets come again.
const SOURCES_MAX: usize = 16;
/// Packets behind the newest that may still come.
const WINDOW: u64 = 128;

#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    newest: u64,
    /// Bit n: `newest - n` came.
    seen: u128,
}

impl Sources {
    /// The number with its rollovers that lies nearest to the newest. A new source has none behind it.
    pub(super) fn index(&self, ssrc: u32, seq: u16) -> u64 {
        self.find(ssrc).map_or(u64::from(seq), |source| extend(source.newest, seq))
    }

    /// It may be heard, if it verifies.
    pub(super) fn is_new(&self, ssrc: u32, index: u64) -> bool {
        let Some(source) = self.find(ssrc) else { return self.known.len() < SOURCES_MAX };
        match source.newest.checked_sub(index) {
            None => true,
            Some(behind) => behind < WINDOW && source.seen >> behind & 1 == 0,
        }
    }

    /// It verified.
    pub(super) fn mark(&mut self, ssrc: u32, index: u64) {
        let Some(source) = self.known.iter_mut().find(|source| source.ssrc == ssrc) else {
            return self.known.push(Source { ssrc, newest: index, seen: 1 });
        };
        if let Some(behind) = source.newest.checked_sub(index) {
            source.seen |= 1_u128.checked_shl(behind as u32).unwrap_or(0);
        } else {
            let ahead = index - source.newest;
            source.seen = if ahead < WINDOW { source.seen << ahead | 1 } else { 1 };
            source.newest = index;
        }
    }

    fn find(&self, ssrc: u32) -> Option<&Source> {
        self.known.iter().find(|source| source.ssrc == ssrc)
    }
}
