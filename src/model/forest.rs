//! A booster made ready for many rows at once. Its margins are those of [`Booster::margin`], bit for bit.

use super::booster::Booster;
use super::columns::Columns;
use super::program::Program;
use super::simd::{self, Block, LANES, Simd, Task};

#[derive(Clone, Debug)]
pub struct Forest {
    booster: Booster,
    /// By tree; none for those that are walked node by node.
    pub(super) programs: Vec<Option<Program>>,
    pub(super) columns: Columns,
}

impl Forest {
    pub fn new(booster: Booster) -> Self {
        let mut columns = Columns::new(&booster.trees, booster.features);
        let programs = booster.trees.iter().map(|tree| Program::compile(tree, &mut columns)).collect();
        Self { booster, programs, columns }
    }

    pub fn booster(&self) -> &Booster {
        &self.booster
    }

    /// Of rows that stand one after the other, as many features each as the booster has. A row that is not whole is left out.
    pub fn margins(&self, rows: &[f32], simd: Simd) -> Vec<f32> {
        let width = self.booster.features;
        if simd == Simd::Scalar || !simd.is_available() {
            return rows.chunks_exact(width).map(|row| self.booster.margin(row)).collect();
        }
        let mut margins = Vec::with_capacity(rows.len() / width);
        let mut block = Block::new(self.columns.count());
        for rows in rows.chunks(LANES * width) {
            block.sums = [self.booster.base; LANES];
            simd::run(simd, Task { forest: self, rows, block: &mut block });
            margins.extend(block.sums.iter().take(rows.len() / width));
        }
        margins
    }

    /// Adds a tree that has no program.
    pub(super) fn walk(&self, tree: usize, rows: &[f32], sums: &mut [f32; LANES]) {
        let Some(tree) = self.booster.trees.get(tree) else { return };
        for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(self.booster.features)) {
            *sum += tree.leaf(row);
        }
    }
}
