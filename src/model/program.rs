//! A tree as straight code for many rows at once. Every step asks one question of all rows and blends the answers of its two
//! children, deepest first; nobody branches. What the answers are is the number of a leaf.

use super::columns::Columns;
use super::simd::{LEAVES_MAX, SLOTS};
use super::tree::{Node, Split, Test, Tree};

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// 64 together, filled up with zeros.
    pub(super) leaves: Vec<[f32; 64]>,
    pub(super) sets: Vec<[u8; 16]>,
}

/// `left` and `right` are slots: a leaf below `LEAVES_MAX`, the result of an earlier step from there on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Right is what lies above `rank` in the column.
    Above { column: u16, rank: i8, left: u16, right: u16 },
    /// Right is what is in the set, by the two columns of a category.
    Member { column: u16, set: u16, left: u16, right: u16 },
}

impl Step {
    #[inline]
    pub(super) fn left(&self) -> u16 {
        match *self {
            Self::Above { left, .. } | Self::Member { left, .. } => left,
        }
    }

    #[inline]
    pub(super) fn right(&self) -> u16 {
        match *self {
            Self::Above { right, .. } | Self::Member { right, .. } => right,
        }
    }
}

impl Program {
    /// `None` for a tree that is too large for it, or needs more columns than there may be.
    pub(super) fn compile(tree: &Tree, columns: &mut Columns) -> Option<Self> {
        let mut program = Self { steps: Vec::new(), leaves: Vec::new(), sets: Vec::new() };
        let mut slots = vec![0_u16; tree.nodes.len()];
        let leaves = || tree.nodes.iter().filter(|node| matches!(node, Node::Leaf(_)));
        if leaves().count() > LEAVES_MAX {
            return None;
        }
        let values: Vec<f32> = leaves().map(|node| if let Node::Leaf(value) = node { *value } else { 0.0 }).collect();
        for chunk in values.chunks(64) {
            let mut leaves = [0.0; 64];
            for (leaf, value) in leaves.iter_mut().zip(chunk) {
                *leaf = *value;
            }
            program.leaves.push(leaves);
        }
        let mut leaf = values.len() as u16;
        // Children come after their parents, so backwards they come first.
        for (at, node) in tree.nodes.iter().enumerate().rev() {
            let slot = match node {
                Node::Leaf(_) => {
                    leaf -= 1;
                    leaf
                }
                Node::Split(split) => {
                    let (left, right) = (*slots.get(split.left)?, *slots.get(split.right)?);
                    program.push(split, left, right, columns)?
                }
            };
            *slots.get_mut(at)? = slot;
        }
        Some(program)
    }

    /// The slot of the result. `None` where there is none left.
    fn push(&mut self, split: &Split, left: u16, right: u16, columns: &mut Columns) -> Option<u16> {
        match &split.test {
            Test::Below(threshold) => {
                let (column, rank) = columns.of_number(split.feature, *threshold, split.missing_goes_left)?;
                self.result(Step::Above { column, rank, left, right })
            }
            Test::Set(set) => {
                // A large set takes several steps: what is not in this part of it may be in the next.
                let mut left = left;
                for (column, bits) in columns.of_set(split.feature, set, split.missing_goes_left)? {
                    self.sets.push(bits);
                    let set = (self.sets.len() - 1) as u16;
                    left = self.result(Step::Member { column, set, left, right })?;
                }
                Some(left)
            }
        }
    }

    fn result(&mut self, step: Step) -> Option<u16> {
        let slot = LEAVES_MAX + self.steps.len();
        self.steps.push(step);
        (slot < SLOTS).then_some(slot as u16)
    }
}
