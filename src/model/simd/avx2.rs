//! 32 rows in one register, twice; leaves are looked up one by one, which costs no more than eight at a time would.

#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for these instructions")]

use pulp::x86::V3;
use pulp::{NullaryFnOnce, cast, i8x32, m8x32, u8x32};

use super::{Block, LANES, LEAVES_MAX, Lanes, SLOTS, Task};
use crate::model::ladder::{Climb, Ladder, RANKS};
use crate::model::program::{Program, Step};

pub(super) fn run(v3: V3, task: Task<'_>) {
    v3.vectorize(Run(v3, task));
}

struct Run<'a>(V3, Task<'a>);

impl NullaryFnOnce for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(v3, Task { forest, rows, block }) = self;
        forest.columns.fill(rows, &mut block.columns, v3);
        for (nth, program) in forest.programs.iter().enumerate() {
            if let Some(program) = program {
                let ends = steps(v3, program, block);
                for (sum, end) in block.sums.iter_mut().zip(ends) {
                    *sum += program.leaves.as_flattened().get(end as usize).copied().unwrap_or(0.0);
                }
            } else {
                forest.walk(nth, rows, &mut block.sums);
            }
        }
    }
}

/// The leaf of every row.
#[inline(always)]
fn steps(v3: V3, program: &Program, block: &mut Block) -> [u8; LANES] {
    let Block { columns, slots, .. } = block;
    let mut last = Lanes([0; LANES]);
    let Some(slots) = slots.first_chunk_mut::<SLOTS>() else { return last.0 };
    for (step, at) in program.steps.iter().zip(LEAVES_MAX..SLOTS) {
        let left: [u8x32; 2] = cast(slots[step.left() as usize % SLOTS].0);
        let right: [u8x32; 2] = cast(slots[step.right() as usize % SLOTS].0);
        let goes_right = match *step {
            Step::Above { column, rank, .. } => {
                let bins: [i8x32; 2] = cast(columns[column as usize].0);
                let rank = v3.splat_i8x32(rank);
                [v3.cmp_gt_i8x32(bins[0], rank), v3.cmp_gt_i8x32(bins[1], rank)]
            }
            Step::Member { column, set, .. } => {
                let places: [u8x32; 2] = cast(columns[column as usize].0);
                let bits: [u8x32; 2] = cast(columns[column as usize + 1].0);
                let set: u8x32 = cast([program.sets[set as usize]; 2]);
                [is_member(v3, set, places[0], bits[0]), is_member(v3, set, places[1], bits[1])]
            }
        };
        let [a, b] = goes_right;
        last = Lanes(cast([v3.select_u8x32(a, right[0], left[0]), v3.select_u8x32(b, right[1], left[1])]));
        slots[at] = last;
    }
    last.0
}

#[inline(always)]
fn is_member(v3: V3, set: u8x32, place: u8x32, bit: u8x32) -> m8x32 {
    let words: u8x32 = cast(v3.avx2._mm256_shuffle_epi8(cast(set), cast(place)));
    v3.cmp_eq_u8x32(v3.and_u8x32(words, bit), bit)
}

/// One by one: the eight steps of many rows overlap, and AVX2 has no registers that would hold the places.
impl Climb for V3 {
    #[inline(always)]
    fn climb(self, ladder: &Ladder, values: &[f32; LANES]) -> [u8; LANES] {
        let mut ranks = [0_u8; LANES];
        for (rank, value) in ranks.iter_mut().zip(values) {
            let mut at = 1;
            for _ in 0..ladder.steps {
                at = 2 * at + usize::from(ladder.heap[at % (RANKS + 1)] <= *value);
            }
            *rank = (at - (1 << ladder.steps)) as u8;
        }
        ranks
    }
}
