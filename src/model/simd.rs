//! The two loops that cost the time, for the instruction sets that a machine may have. All give the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use super::forest::Forest;

/// Rows that are walked together.
pub(super) const LANES: usize = 64;

/// One byte for each of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [u8; LANES]);

/// Slots `0..LEAVES_MAX` hold the number of their leaf in every lane, those behind them the results of a tree's steps.
pub(super) const LEAVES_MAX: usize = 256;
pub(super) const SLOTS: usize = 2 * LEAVES_MAX;

/// What a batch is evaluated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Row by row and node by node.
    Scalar,
    Avx2,
    /// With the byte and word instructions (x86-64-v4).
    Avx512,
}

impl Simd {
    /// The widest that this processor has.
    pub fn best() -> Self {
        [Self::Avx512, Self::Avx2].into_iter().find(|simd| simd.is_available()).unwrap_or(Self::Scalar)
    }

    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Avx2 => pulp::x86::V3::is_available(),
            Self::Avx512 => pulp::x86::V4::is_available(),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Self::Scalar
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// What a block of rows needs besides the trees; used again for the next one.
#[derive(Debug)]
pub(super) struct Block {
    /// By column.
    pub(super) columns: Vec<Lanes>,
    /// `SLOTS` of them.
    pub(super) slots: Vec<Lanes>,
    pub(super) sums: [f32; LANES],
}

/// A block of rows and the trees that are to be added to its sums.
pub(super) struct Task<'a> {
    pub(super) forest: &'a Forest,
    pub(super) rows: &'a [f32],
    pub(super) block: &'a mut Block,
}

impl Block {
    pub(super) fn new(columns: usize) -> Self {
        let slots = (0..SLOTS).map(|slot| Lanes([slot as u8; LANES])).collect();
        Self { columns: vec![Lanes([0; LANES]); columns], slots, sums: [0.0; LANES] }
    }
}

/// All that is done with a block of rows, in the instructions that were asked for. False where this machine has them not.
#[cfg(target_arch = "x86_64")]
pub(super) fn run(simd: Simd, task: Task<'_>) -> bool {
    match simd {
        Simd::Scalar => false,
        Simd::Avx2 => pulp::x86::V3::try_new().map(|v3| avx2::run(v3, task)).is_some(),
        Simd::Avx512 => pulp::x86::V4::try_new().map(|v4| avx512::run(v4, task)).is_some(),
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn run(_: Simd, _: Task<'_>) -> bool {
    false
}
