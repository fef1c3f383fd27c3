//! The rank of a number among thresholds, by halving without branches: thresholds lie as a heap lies in an array, so that
//! every step goes from `at` to one of the two places behind `2 * at`.

use super::simd::LANES;

/// Thresholds of one ladder: ranks 0 to 255 lie around them.
pub(super) const RANKS: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// From place 1. Filled up with infinities on the right.
    pub(super) heap: Box<[f32; RANKS + 1]>,
    pub(super) steps: u32,
}

impl Ladder {
    /// Of at most `RANKS` thresholds, ascending.
    pub(super) fn new(thresholds: &[f32]) -> Self {
        let steps = usize::BITS - thresholds.len().min(RANKS).leading_zeros();
        let mut heap = Box::new([f32::INFINITY; RANKS + 1]);
        for level in 0..steps {
            for nth in 0..1_usize << level {
                let place = ((2 * nth + 1) << (steps - 1 - level)) - 1;
                if let (Some(slot), Some(threshold)) = (heap.get_mut((1 << level) + nth), thresholds.get(place)) {
                    *slot = *threshold;
                }
            }
        }
        Self { heap, steps }
    }
}

/// In the instructions of a processor. No closures: what they hold is not compiled for those instructions.
pub(super) trait Climb: Copy {
    /// How many thresholds are not above each value. Of what is no number it says something.
    fn climb(self, ladder: &Ladder, values: &[f32; LANES]) -> [u8; LANES];
}
