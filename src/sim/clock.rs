//! Two simulated clocks: a tick that only goes on, and a wall clock that jumps (TigerBeetle's `testing/time.zig`).

use std::time::Duration;

use crate::base::{Now, Tick, Wall};

#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    tick: Tick,
    /// What the wall clock shows when the tick is zero.
    wall_at_zero: i64,
}

impl SimClock {
    pub fn starting(at: Wall) -> Self {
        Self { tick: Tick(0), wall_at_zero: at.0 }
    }

    pub fn now(&self) -> Now {
        Now { tick: self.tick, wall: Wall(self.wall_at_zero.saturating_add_unsigned(self.tick.0)) }
    }

    /// Never back.
    pub fn advance_to(&mut self, tick: Tick) {
        self.tick = self.tick.max(tick);
    }

    pub fn jump_ahead(&mut self, by: Duration) {
        self.wall_at_zero = self.wall_at_zero.saturating_add(by.as_micros() as i64);
    }

    pub fn jump_back(&mut self, by: Duration) {
        self.wall_at_zero = self.wall_at_zero.saturating_sub(by.as_micros() as i64);
    }
}
