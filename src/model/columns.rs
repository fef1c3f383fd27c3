//! Rows as bytes. A number becomes its rank among all thresholds of its feature, so that comparing ranks is comparing
//! numbers; a category becomes the place of its bit.

#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for the instructions of its caller")]

use super::ladder::{Climb, Ladder, RANKS};
use super::simd::{LANES, Lanes};
use super::tree::{CategorySet, Node, Test, Tree, category};

/// 256 KiB for a block of rows. Trees that need more are walked node by node.
const COLUMNS_MAX: usize = 4_096;
/// Categories that share two columns and 16 bytes of bits; the last bit is what is missing.
const CODES: u32 = 127;

#[derive(Clone, Debug)]
pub(super) struct Columns {
    features: Vec<Feature>,
    count: usize,
}

#[derive(Clone, Debug, Default)]
struct Feature {
    scales: Vec<Scale>,
    /// Which `CODES` categories, and the first of their two columns.
    categories: Vec<(u32, u16)>,
}

/// Some of the thresholds of a feature. A column of ranks for nodes where what is missing goes left, and one for those
/// where it goes right.
#[derive(Clone, Debug)]
struct Scale {
    thresholds: Vec<f32>,
    ladder: Ladder,
    left: Option<u16>,
    right: Option<u16>,
}

impl Columns {
    pub(super) fn new(trees: &[Tree], features: usize) -> Self {
        let mut thresholds = vec![Vec::new(); features];
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            if let Node::Split(split) = node
                && let Test::Below(threshold) = split.test
                && let Some(all) = thresholds.get_mut(split.feature)
            {
                all.push(one_zero(threshold));
            }
        }
        let feature = |mut all: Vec<f32>| {
            all.sort_by(f32::total_cmp);
            all.dedup();
            Feature { scales: all.chunks(RANKS).map(Scale::new).collect(), categories: Vec::new() }
        };
        Self { features: thresholds.into_iter().map(feature).collect(), count: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The column, and the rank above which a number is not less than the threshold.
    pub(super) fn of_number(&mut self, feature: usize, threshold: f32, missing_left: bool) -> Option<(u16, i8)> {
        let scales = &mut self.features.get_mut(feature)?.scales;
        let (scale, rank) = scales.iter_mut().find_map(|scale| {
            let rank = scale.thresholds.binary_search_by(|other| other.total_cmp(&one_zero(threshold))).ok()?;
            Some((scale, rank))
        })?;
        let column = if missing_left { &mut scale.left } else { &mut scale.right };
        if column.is_none() {
            *column = Some(take(&mut self.count, 1)?);
        }
        Some(((*column)?, signed(rank as u8)))
    }

    /// For each `CODES` categories that the set has some of, the first of two columns, and the bits. What is missing has a
    /// bit among the first of them.
    pub(super) fn of_set(
        &mut self,
        feature: usize,
        set: &CategorySet,
        missing_left: bool,
    ) -> Option<Vec<(u16, [u8; 16])>> {
        let feature = self.features.get_mut(feature)?;
        let mut bits = vec![(0, [0_u8; 16])];
        if !missing_left {
            mark(&mut bits, CODES)?;
        }
        for code in set.codes() {
            let chunk = code / CODES;
            if bits.last().is_none_or(|(last, _)| *last != chunk) {
                bits.push((chunk, [0; 16]));
            }
            mark(&mut bits, code % CODES)?;
        }
        let mut found = Vec::with_capacity(bits.len());
        for (chunk, bits) in bits {
            let column = match feature.categories.iter().find(|(other, _)| *other == chunk) {
                Some((_, column)) => *column,
                None => take(&mut self.count, 2)?,
            };
            if feature.categories.iter().all(|(other, _)| *other != chunk) {
                feature.categories.push((chunk, column));
            }
            found.push((column, bits));
        }
        Some(found)
    }

    /// `rows` are the rows of one block, one after the other.
    #[inline(always)]
    pub(super) fn fill(&self, rows: &[f32], columns: &mut [Lanes], by: impl Climb) {
        let width = self.features.len();
        let mut values = [0.0_f32; LANES];
        for (at, feature) in self.features.iter().enumerate() {
            for (value, row) in values.iter_mut().zip(rows.chunks_exact(width)) {
                *value = row.get(at).copied().unwrap_or(f32::NAN);
            }
            for scale in &feature.scales {
                scale.fill(&values, by.climb(&scale.ladder, &values), columns);
            }
            for (chunk, column) in &feature.categories {
                let places = columns.get_mut(*column as usize..).and_then(|rest| rest.first_chunk_mut());
                let Some([places, bits]) = places else { continue };
                for ((value, place), bit) in values.iter().zip(&mut places.0).zip(&mut bits.0) {
                    (*place, *bit) = bit_of(*value, *chunk);
                }
            }
        }
    }
}

impl Scale {
    fn new(some: &[f32]) -> Self {
        Self { thresholds: some.to_vec(), ladder: Ladder::new(some), left: None, right: None }
    }

    #[inline(always)]
    fn fill(&self, values: &[f32; LANES], ranks: [u8; LANES], columns: &mut [Lanes]) {
        for (column, missing) in [(self.left, 0), (self.right, u8::MAX)] {
            let Some(lanes) = column.and_then(|column| columns.get_mut(column as usize)) else { continue };
            for ((lane, rank), value) in lanes.0.iter_mut().zip(ranks).zip(values) {
                *lane = signed(if value.is_nan() { missing } else { rank }) as u8;
            }
        }
    }
}

/// Which byte of a set of 127 categories, and which bit of it. Other categories ask for a byte beyond them, which a shuffle
/// gives as 0.
#[inline(always)]
fn bit_of(value: f32, chunk: u32) -> (u8, u8) {
    let first = chunk * CODES;
    let code = match category(value) {
        Some(code) if (first..first + CODES).contains(&code) => code - first,
        None if value.is_nan() && chunk == 0 => CODES,
        Some(_) | None => return (0x80, 1),
    };
    ((code / 8) as u8, 1 << (code % 8))
}

fn mark(bits: &mut [(u32, [u8; 16])], code: u32) -> Option<()> {
    let (_, bits) = bits.last_mut()?;
    *bits.get_mut(code as usize / 8)? |= 1 << (code % 8);
    Some(())
}

/// 0 and -0 are one threshold.
fn one_zero(threshold: f32) -> f32 {
    threshold + 0.0
}

/// 0 to 255 in the order of signed bytes, the only one that AVX2 compares in.
fn signed(rank: u8) -> i8 {
    (rank ^ 0x80) as i8
}

fn take(count: &mut usize, more: usize) -> Option<u16> {
    let first = *count;
    if first + more > COLUMNS_MAX {
        return None;
    }
    *count += more;
    u16::try_from(first).ok()
}
