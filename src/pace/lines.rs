//! Concurrent calls: a count with a ceiling.

/// A line is taken from the moment a dial is decided until its leg has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    max: u32,
    busy: u32,
}

impl Lines {
    pub const fn new(max_calls: u32) -> Self {
        Self { max: max_calls, busy: 0 }
    }

    pub const fn free(self) -> u32 {
        self.max.saturating_sub(self.busy)
    }

    pub const fn busy(self) -> u32 {
        self.busy
    }

    /// After a reload: what is under way keeps counting.
    pub fn set_max(&mut self, max_calls: u32) {
        self.max = max_calls;
    }

    pub fn take(&mut self) {
        self.busy = self.busy.saturating_add(1);
    }

    pub fn release(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_never_go_below_none() {
        let mut lines = Lines::new(2);
        lines.take();
        lines.take();
        // A reload may have lowered the ceiling below what is under way.
        lines.take();
        assert_eq!(lines.free(), 0);
        lines.release();
        assert_eq!(lines.free(), 0);
        lines.release();
        assert_eq!((lines.free(), lines.busy()), (1, 1));
    }
}
