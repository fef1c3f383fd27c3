//! 64 rows in one register: a step is one comparison and one blend, a sum takes its leaves from registers.

#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for these instructions")]

use pulp::x86::V4;
use pulp::{NullaryFnOnce, cast, f32x16, i8x64, u8x16, u8x64, u32x16};

use super::{Block, LANES, LEAVES_MAX, Lanes, SLOTS, Task};
use crate::model::ladder::{Climb, Ladder};
use crate::model::program::{Program, Step};

pub(super) fn run(v4: V4, task: Task<'_>) {
    v4.vectorize(Run(v4, task));
}

struct Run<'a>(V4, Task<'a>);

impl NullaryFnOnce for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(v4, Task { forest, rows, block }) = self;
        forest.columns.fill(rows, &mut block.columns, v4);
        for (nth, program) in forest.programs.iter().enumerate() {
            if let Some(program) = program {
                let ends = steps(v4, program, block);
                add(v4, program, ends, &mut block.sums);
            } else {
                forest.walk(nth, rows, &mut block.sums);
            }
        }
    }
}

/// The leaf of every row.
#[inline(always)]
fn steps(v4: V4, program: &Program, block: &mut Block) -> u8x64 {
    let Block { columns, slots, .. } = block;
    let mut last: u8x64 = v4.splat_u8x64(0);
    let Some(slots) = slots.first_chunk_mut::<SLOTS>() else { return last };
    for (step, at) in program.steps.iter().zip(LEAVES_MAX..SLOTS) {
        let left: u8x64 = load(slots, step.left());
        let right: u8x64 = load(slots, step.right());
        let goes_right = match *step {
            Step::Above { column, rank, .. } => {
                let bins: i8x64 = cast(columns[column as usize].0);
                v4.cmp_gt_i8x64(bins, v4.splat_i8x64(rank))
            }
            Step::Member { column, set, .. } => {
                let place: pulp::u8x64 = cast(columns[column as usize].0);
                let bit: pulp::u8x64 = cast(columns[column as usize + 1].0);
                let set = v4.avx512f._mm512_broadcast_i32x4(cast(program.sets[set as usize]));
                let words = v4.avx512bw._mm512_shuffle_epi8(set, cast(place));
                pulp::b64(v4.avx512bw._mm512_test_epi8_mask(words, cast(bit)))
            }
        };
        last = v4.select_u8x64(goes_right, right, left);
        slots[at] = Lanes(cast(last));
    }
    last
}

#[inline(always)]
fn load(slots: &[Lanes; SLOTS], slot: u16) -> u8x64 {
    cast(slots[slot as usize % SLOTS].0)
}

#[inline(always)]
fn add(v4: V4, program: &Program, ends: u8x64, sums: &mut [f32; LANES]) {
    let quarters: [u8x16; 4] = cast(ends);
    for (sums, ends) in sums.as_chunks_mut::<16>().0.iter_mut().zip(quarters) {
        let at = v4.convert_u8x16_to_u32x16(ends);
        let mut found: f32x16 = v4.splat_f32x16(0.0);
        for (chunk, leaves) in program.leaves.iter().enumerate() {
            let [a, b, c, d]: [f32x16; 4] = cast(*leaves);
            let here = either(v4, 32, at, [pick(v4, [a, b], at), pick(v4, [c, d], at)]);
            // The first one is right for every leaf below 64, and the others mend what it says of those above.
            let chunks: u32x16 = cast(v4.avx512f._mm512_srli_epi32::<6>(cast(at)));
            let is_here = v4.cmp_eq_u32x16(chunks, v4.splat_u32x16(chunk as u32));
            found = if chunk == 0 { here } else { v4.select_f32x16(is_here, here, found) };
        }
        *sums = cast(v4.add_f32x16(cast(*sums), found));
    }
}

/// 16 rows together: the places of a level lie in one register, or in a few.
impl Climb for V4 {
    #[inline(always)]
    fn climb(self, ladder: &Ladder, values: &[f32; LANES]) -> [u8; LANES] {
        let heap: [f32x16; 16] = cast(*ladder.heap);
        let values: [f32x16; 4] = cast(*values);
        let mut ranks = [[0_u8; 16]; 4];
        for (ranks, value) in ranks.iter_mut().zip(values) {
            let mut at = self.splat_u32x16(1);
            for step in 0..ladder.steps {
                let is_right = self.cmp_le_f32x16(threshold(self, &heap, step, at), value);
                let left = self.wrapping_add_u32x16(at, at);
                at = self.select_u32x16(is_right, self.wrapping_add_u32x16(left, self.splat_u32x16(1)), left);
            }
            let rank = self.wrapping_sub_u32x16(at, self.splat_u32x16(1 << ladder.steps));
            *ranks = cast(self.avx512f._mm512_cvtepi32_epi8(cast(rank)));
        }
        cast(ranks)
    }
}

#[inline(always)]
fn threshold(v4: V4, heap: &[f32x16; 16], step: u32, at: u32x16) -> f32x16 {
    match step {
        0..4 => pick(v4, [heap[0]; 2], at),
        4 => pick(v4, [heap[1]; 2], at),
        5 => pick(v4, [heap[2], heap[3]], at),
        6 => either(v4, 32, at, [pick(v4, [heap[4], heap[5]], at), pick(v4, [heap[6], heap[7]], at)]),
        _ => {
            let low = [pick(v4, [heap[8], heap[9]], at), pick(v4, [heap[10], heap[11]], at)];
            let high = [pick(v4, [heap[12], heap[13]], at), pick(v4, [heap[14], heap[15]], at)];
            either(v4, 64, at, [either(v4, 32, at, low), either(v4, 32, at, high)])
        }
    }
}

/// One of 32, by the five lowest bits.
#[inline(always)]
fn pick(v4: V4, [low, high]: [f32x16; 2], at: u32x16) -> f32x16 {
    cast(v4.avx512f._mm512_permutex2var_ps(cast(low), cast(at), cast(high)))
}

/// The second where that bit is set.
#[inline(always)]
fn either(v4: V4, bit: u32, at: u32x16, [clear, set]: [f32x16; 2]) -> f32x16 {
    let is_set = v4.avx512f._mm512_test_epi32_mask(cast(at), cast(v4.splat_u32x16(bit)));
    cast(v4.avx512f._mm512_mask_blend_ps(is_set, cast(clear), cast(set)))
}
