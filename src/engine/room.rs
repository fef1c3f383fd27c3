//! How many dials a campaign has room for in a stretch of time: lines and seats by how long a dial keeps them, and rates.

use std::time::Duration;

use crate::base::{Now, Wall};

use super::Engine;
use super::live::Live;
use super::run::Run;

/// How long a dial keeps its line, and its seat, on the average of those made so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    line_s: f32,
    seat_s: f32,
    dials: f32,
}

impl Default for Holding {
    /// Most dials ring for half a minute and reach nobody.
    fn default() -> Self {
        Self { line_s: 30.0, seat_s: 40.0, dials: Self::GUESS }
    }
}

impl Holding {
    /// How many dials the first guess is worth.
    const GUESS: f32 = 20.0;
    /// Beyond so many an average follows what is new.
    const MEMORY: f32 = 500.0;

    fn note(&mut self, line: Duration, seat: Duration) {
        self.dials = (self.dials + 1.0).min(Self::MEMORY);
        self.line_s += (line.as_secs_f32() - self.line_s) / self.dials;
        self.seat_s += (seat.as_secs_f32() - self.seat_s) / self.dials;
    }
}

impl Engine {
    /// A dial is over; its seat may be busy for a while yet.
    pub(super) fn note_holding(&mut self, now: Now, live: &Live, connected: bool) {
        let line = now.tick.since(live.decided.tick);
        let wrap_up = live.campaign.agents.as_ref().filter(|_| connected).map(|agents| agents.wrap_up);
        if let Some(run) = self.runs.get_mut(live.run) {
            run.holding.note(line, line + wrap_up.unwrap_or_default());
        }
    }

    /// In dials per second of the wall clock: the least of what lines, seats and rates allow. What campaigns share they
    /// share evenly, as turns of the decision do.
    pub(super) fn dials_per_s(&self, run: &Run) -> f32 {
        let sharing = |uses: &dyn Fn(&Run) -> bool| {
            let others = self.runs.iter().filter(|other| other.may_dial() && !other.frontier.is_empty() && uses(other));
            others.count().max(1) as f32
        };
        let (mut lines, mut rate) = (0.0, 0.0);
        for ix in self.carrying(run) {
            let Some(trunk) = self.config.trunk(ix) else { continue };
            let share = sharing(&|other| other.route.trunks().any(|its| its == ix));
            lines += trunk.max_calls as f32 / share;
            rate += trunk.max_cps as f32 / share;
        }
        let own = &run.campaign.trunk;
        let lines = own.max_calls.map_or(lines, |own| lines.min(own as f32));
        let rate = own.max_cps.map_or(rate, |own| rate.min(own as f32));
        let mut dials = rate.min(lines / run.holding.line_s.max(1.0));
        if let Some((ix, queue)) = run.queue.and_then(|ix| Some((ix, self.config.queues.get(ix.ix())?))) {
            let share = sharing(&|other| other.queue == Some(ix));
            dials = dials.min(queue.seats as f32 / share / run.holding.seat_s.max(1.0));
        }
        dials / self.config.wall_rate.max(1e-6) as f32
    }

    /// What it has learned, and what the slots ahead are worth: on the quarter hour, and when the plan has changed.
    pub(super) fn replan(&mut self, now: Wall, at: usize) {
        let Some(rate) = self.runs.get(at).map(|run| self.dials_per_s(run)) else { return };
        let Some(run) = self.runs.get_mut(at) else { return };
        let room = |from: Wall, to: Wall| rate * to.since(from).as_secs_f32();
        run.ranking.replan((&run.campaign, &self.zones, &self.zone_sets), &mut run.frontier, now, room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_starts_from_the_guess_and_follows_what_is_seen() {
        let mut holding = Holding::default();
        for _ in 0..2_000 {
            holding.note(Duration::from_secs(10), Duration::from_secs(100));
        }
        assert!((holding.line_s - 10.0).abs() < 0.5 && (holding.seat_s - 100.0).abs() < 1.5, "{holding:?}");
        holding.note(Duration::from_secs(1_010), Duration::ZERO);
        assert!(holding.line_s < 13.0, "one odd call moves it little");
    }
}
