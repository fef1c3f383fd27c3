//! Ends what a crash left on the wire: CANCEL for what may ring, BYE for what was answered, a few times each, unhurried.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Tick;
use crate::sip::{self, Invite, Packet, Target, recovery};

/// Between two messages, so that thousands of legs do not burst into one socket buffer.
const SPACING: Duration = Duration::from_millis(1);
/// When each goes out, from its turn on. Nobody waits for the answers; UDP may lose any of them (RFC 3261 §17.1.2.1).
const REPEATS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_millis(1_500), Duration::from_millis(3_500)];

#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// By time and order of arrival.
    waiting: BTreeMap<(Tick, u64), (Target, Packet)>,
    count: u64,
}

impl Recovery {
    /// `invite` as it was sent before the crash, as far as the intent knows it.
    pub(super) fn end(
        &mut self,
        now: Tick,
        config: &sip::Config,
        invite: &Invite,
        left: (Option<&sip::DialogFacts>, Option<&sip::Tried>),
    ) {
        let (dialog, tried) = left;
        let confirmed = dialog.is_some_and(|facts| facts.confirmed);
        let bye = dialog.and_then(|facts| recovery::bye(config, invite, facts));
        // Each answer to a challenge was a further INVITE.
        let authenticates = config.peers.get(invite.trunk.ix()).is_some_and(|peer| peer.auth.is_some());
        let last = if authenticates { 1 + u32::from(sip::MAX_TRIES) } else { 1 };
        let cancels =
            (1..=last).filter(|_| !confirmed).filter_map(|cseq| recovery::cancel(config, invite, tried, cseq));
        for (to, bytes) in bye.into_iter().chain(cancels) {
            self.count += 1;
            let turn = now + SPACING * u32::try_from(self.waiting.len() / REPEATS.len()).unwrap_or(u32::MAX);
            for after in REPEATS {
                self.waiting.insert((turn + after, self.count), (to, bytes.clone()));
            }
        }
    }

    pub(super) fn poll(&mut self, now: Tick) -> Option<(Target, Packet)> {
        let first = self.waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    pub(super) fn poll_timeout(&self) -> Option<Tick> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }
}
