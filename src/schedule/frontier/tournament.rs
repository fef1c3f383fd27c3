//! A tournament over cell heads: the winner in one look, one head replaced in log2(cells) comparisons.

use std::cmp::Ordering;

/// What a cell sends into the tournament: what its best lead is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    pub tier: u8,
    pub value: f64,
    pub lead: u32,
}

/// A complete binary tree; leaf `i` is cell `i`.
#[derive(Debug, Default)]
pub(super) struct Tournament {
    /// Of each cell; `None` if it is closed or empty.
    heads: Vec<Option<Head>>,
    /// Winning cell of each inner node, the root at 1; node `n` has children `2n` and `2n + 1`. Leaves are implicit.
    winners: Vec<u32>,
}

impl Head {
    /// Greater is better: tier, then value, then the lower lead.
    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        self.tier.cmp(&other.tier).then(self.value.total_cmp(&other.value)).then(other.lead.cmp(&self.lead))
    }
}

impl Tournament {
    pub(super) fn winner(&self) -> Option<(usize, Head)> {
        let cell = if self.heads.len() == 1 { 0 } else { *self.winners.get(1)? as usize };
        Some((cell, (*self.heads.get(cell)?)?))
    }

    /// The highest value among all heads, whatever their tiers.
    pub(super) fn best_value(&self) -> Option<f64> {
        self.heads.iter().flatten().map(|head| head.value).max_by(f64::total_cmp)
    }

    pub(super) fn head(&self, cell: usize) -> Option<Head> {
        self.heads.get(cell).copied().flatten()
    }

    /// A new cell at the end, without a head. Rebuilds at powers of two.
    pub(super) fn grow(&mut self) {
        self.heads.push(None);
        if self.heads.len().next_power_of_two() != self.winners.len() {
            self.rebuild();
        }
    }

    /// Without playing: for many at once, then [`Tournament::rebuild`].
    pub(super) fn put(&mut self, cell: usize, head: Option<Head>) {
        if let Some(slot) = self.heads.get_mut(cell) {
            *slot = head;
        }
    }

    pub(super) fn set(&mut self, cell: usize, head: Option<Head>) {
        self.put(cell, head);
        let mut node = (self.winners.len() + cell) >> 1;
        while node > 0 {
            let best = self.play(node);
            if let Some(winner) = self.winners.get_mut(node) {
                *winner = best;
            }
            node /= 2;
        }
    }

    pub(super) fn rebuild(&mut self) {
        let leaves = self.heads.len().next_power_of_two();
        self.winners.clear();
        self.winners.resize(leaves, 0);
        for node in (1..leaves).rev() {
            let best = self.play(node);
            if let Some(winner) = self.winners.get_mut(node) {
                *winner = best;
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Option<Head>>() + self.winners.capacity() * size_of::<u32>()
    }

    fn play(&self, node: usize) -> u32 {
        let (left, right) = (self.entrant(2 * node), self.entrant(2 * node + 1));
        match (self.head(left as usize), self.head(right as usize)) {
            (Some(a), Some(b)) if b.cmp(&a).is_gt() => right,
            (None, Some(_)) => right,
            _ => left,
        }
    }

    fn entrant(&self, node: usize) -> u32 {
        let leaves = self.winners.len();
        if node >= leaves { (node - leaves) as u32 } else { self.winners.get(node).copied().unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn the_winner_is_the_best_head_after_every_change() {
        let mut rng = Rng::seeded(11);
        let mut tree = Tournament::default();
        let mut heads: Vec<Option<Head>> = Vec::new();
        assert!(tree.winner().is_none());
        for lead in 0..5_000 {
            if heads.len() < 70 && rng.chance(0.05) {
                tree.grow();
                heads.push(None);
            }
            if heads.is_empty() {
                continue;
            }
            let at = rng.below(heads.len() as u32) as usize;
            let head = Head { tier: rng.below(2) as u8, value: f64::from(rng.below(9)), lead };
            heads[at] = rng.chance(0.7).then_some(head);
            tree.set(at, heads[at]);
            let best = heads.iter().flatten().max_by(|a, b| a.cmp(b)).copied();
            assert_eq!(tree.winner().map(|(_, head)| head), best);
        }
    }
}
