//! Presses keys: for each, a begin, an update every 20 ms, three ends, a pause.

use std::collections::VecDeque;

use super::Event;
use crate::media::FRAME_SAMPLES;

/// Frames of 20 ms that a key is held: 100 ms, above the 40–80 ms that decoders need.
const HELD: u16 = 5;

/// The end goes out three times in all (RFC 4733 §2.5.1.4).
const REPEATS: u16 = 2;

/// Frames of nothing before the next key, so that two equal keys are two.
const PAUSE: u16 = 2;

/// In −dBm0.
const VOLUME: u8 = 10;

/// Keys waiting; more are not taken.
const QUEUE_MAX: usize = 32;

/// What a frame of pressing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// `since` frames after the first of this press; the first carries the marker.
    Event {
        event: Event,
        since: u16,
    },
    Pause,
}

/// The keys still to press. One `frame` per 20 ms.
#[derive(Clone, Debug, Default)]
pub struct Presser {
    queue: VecDeque<u8>,
    frame: u16,
}

impl Presser {
    /// Takes the keys in order; what is no key, or does not fit, is left out. Returns how many were taken.
    pub fn press(&mut self, keys: &str) -> usize {
        let before = self.queue.len();
        self.queue.extend(keys.chars().filter_map(super::code).take(QUEUE_MAX - before));
        self.queue.len() - before
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next 20 ms; `None` if no key is left.
    pub fn frame(&mut self) -> Option<Press> {
        let code = *self.queue.front()?;
        let since = self.frame;
        self.frame += 1;
        if since < HELD + REPEATS {
            let duration = (since + 1).min(HELD) * FRAME_SAMPLES as u16;
            let event = Event { code, end: since + 1 >= HELD, volume: VOLUME, duration };
            return Some(Press::Event { event, since });
        }
        if self.frame == HELD + REPEATS + PAUSE {
            self.frame = 0;
            self.queue.pop_front();
        }
        Some(Press::Pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_begins_grows_ends_three_times_and_pauses() {
        let mut presser = Presser::default();
        assert_eq!(presser.press("#x"), 1);
        let shape: Vec<_> = std::iter::from_fn(|| presser.frame())
            .map(|press| match press {
                Press::Event { event, since } => (since, event.duration, event.end),
                Press::Pause => (0, 0, false),
            })
            .collect();
        let held = [(0, 160, false), (1, 320, false), (2, 480, false), (3, 640, false)];
        let ends = [(4, 800, true), (5, 800, true), (6, 800, true), (0, 0, false), (0, 0, false)];
        assert_eq!(shape, [held.as_slice(), &ends].concat());
        assert!(presser.is_idle());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut presser = Presser::default();
        assert_eq!(presser.press(&"1".repeat(1_000)), QUEUE_MAX);
        assert_eq!(presser.press("1"), 0);
    }
}
