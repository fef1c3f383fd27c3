//! One tree that has been looked over: every node is reached once, every child and every feature exists.

use super::refusal::Refusal;
use super::wire::WireTree;

/// A leaf of depth 1,000 is nothing that training gives; walking it would still end.
pub(super) const NODES_MAX: usize = 1 << 20;
/// From here on XGBoost takes no category for one (`OutOfRangeCat`): single precision cannot tell them apart.
const CATEGORIES_MAX: u32 = (1 << 24) - 1;

/// In the order in which a walk from the root meets them, left before right: a child always comes after its parent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Leaf(f32),
    Split(Split),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) test: Test,
    pub(super) missing_goes_left: bool,
    pub(super) left: usize,
    pub(super) right: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// Left of it means less than it.
    Below(f32),
    /// What is in it goes right.
    Set(CategorySet),
}

/// Category codes, ascending: as large as the file made them and no larger.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CategorySet(Vec<u32>);

impl CategorySet {
    fn new(mut codes: Vec<u32>) -> Self {
        codes.sort_unstable();
        Self(codes)
    }

    pub(super) fn contains(&self, code: u32) -> bool {
        self.0.binary_search(&code).is_ok()
    }

    pub(super) fn codes(&self) -> &[u32] {
        &self.0
    }
}

impl Split {
    /// As `GetNextNode` and `common::Decision` of XGBoost: a category is cut to a whole number, and what cannot be one
    /// goes left like any category outside of the set.
    pub(super) fn goes_left(&self, value: f32) -> bool {
        if value.is_nan() {
            return self.missing_goes_left;
        }
        match &self.test {
            Test::Below(threshold) => value < *threshold,
            Test::Set(set) => category(value).is_none_or(|code| !set.contains(code)),
        }
    }
}

/// The code of a category, if it can be one that a set holds.
pub(super) fn category(value: f32) -> Option<u32> {
    (value >= 0.0 && value < CATEGORIES_MAX as f32).then_some(value as u32)
}

impl Tree {
    /// The value of the leaf where this row ends.
    pub(super) fn leaf(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        while let Some(Node::Split(split)) = self.nodes.get(at) {
            let value = row.get(split.feature).copied().unwrap_or(f32::NAN);
            at = if split.goes_left(value) { split.left } else { split.right };
        }
        match self.nodes.get(at) {
            Some(Node::Leaf(value)) => *value,
            Some(Node::Split(_)) | None => 0.0,
        }
    }

    /// `number` is for the refusal.
    pub(super) fn check(wire: &WireTree, number: usize, features: usize) -> Result<Self, Refusal> {
        let nodes = wire.left_children.len();
        let of_tree = |what| Refusal::Tree { tree: number, what };
        if nodes == 0 || nodes > NODES_MAX {
            return Err(of_tree("it has no nodes, or more than a million"));
        }
        if !matches!(wire.tree_param.size_leaf_vector.as_str(), "0" | "1") {
            return Err(of_tree("its leaves are vectors"));
        }
        let lengths =
            [wire.right_children.len(), wire.split_indices.len(), wire.split_conditions.len(), wire.default_left.len()];
        let is_whole = lengths.iter().all(|length| *length == nodes) && [0, nodes].contains(&wire.split_type.len());
        if !is_whole {
            return Err(of_tree("its arrays are not of one length"));
        }
        let mut sets = sets(wire).ok_or_else(|| of_tree("its sets of categories do not fit its nodes"))?;
        let mut walk = Walk { wire, number, features, seen: vec![false; nodes], nodes: Vec::new() };
        walk.everywhere(&mut sets)?;
        Ok(Self { nodes: walk.nodes })
    }
}

struct Walk<'a> {
    wire: &'a WireTree,
    number: usize,
    features: usize,
    seen: Vec<bool>,
    nodes: Vec<Node>,
}

impl Walk<'_> {
    fn everywhere(&mut self, sets: &mut [Option<CategorySet>]) -> Result<(), Refusal> {
        // Node of the file, and the place of its parent whose right child it is.
        let mut open: Vec<(usize, Option<usize>)> = vec![(0, None)];
        while let Some((id, right_of)) = open.pop() {
            match self.seen.get_mut(id) {
                Some(seen) if !*seen => *seen = true,
                Some(_) => return Err(self.wrong(id, "it is reached twice")),
                None => return Err(self.wrong(id, "there is no such node")),
            }
            let here = self.nodes.len();
            if let Some(Node::Split(parent)) = right_of.and_then(|parent| self.nodes.get_mut(parent)) {
                parent.right = here;
            }
            let node = self.node(id, here, sets)?;
            if matches!(node, Node::Split(_)) {
                open.push((self.child(&self.wire.right_children, id)?, Some(here)));
                open.push((self.child(&self.wire.left_children, id)?, None));
            }
            self.nodes.push(node);
        }
        Ok(())
    }

    fn node(&self, id: usize, here: usize, sets: &mut [Option<CategorySet>]) -> Result<Node, Refusal> {
        let value = self.wire.split_conditions.get(id).map_or(f32::NAN, |value| value.0);
        if !value.is_finite() {
            return Err(self.wrong(id, "its value is not finite"));
        }
        if self.wire.left_children.get(id) == Some(&-1) {
            return Ok(Node::Leaf(value));
        }
        let feature = self.wire.split_indices.get(id).and_then(|index| usize::try_from(*index).ok());
        let feature = feature.filter(|feature| *feature < self.features);
        let feature = feature.ok_or_else(|| self.wrong(id, "its feature does not exist"))?;
        let test = if self.wire.split_type.get(id).is_some_and(|kind| kind.is_set()) {
            let set = sets.get_mut(id).and_then(Option::take);
            Test::Set(set.ok_or_else(|| self.wrong(id, "it has no set of categories"))?)
        } else {
            Test::Below(value)
        };
        let missing_goes_left = self.wire.default_left.get(id).is_some_and(|flag| flag.is_set());
        // The left child comes next; the right one says its place when it is met.
        Ok(Node::Split(Split { feature, test, missing_goes_left, left: here + 1, right: here + 1 }))
    }

    fn child(&self, children: &[i64], id: usize) -> Result<usize, Refusal> {
        let child = children.get(id).and_then(|child| usize::try_from(*child).ok());
        child.ok_or_else(|| self.wrong(id, "a child is missing"))
    }

    fn wrong(&self, node: usize, what: &'static str) -> Refusal {
        Refusal::Node { tree: self.number, node, what }
    }
}

/// By node, from the segments of one array. `None` where they do not fit each other.
fn sets(wire: &WireTree) -> Option<Vec<Option<CategorySet>>> {
    let count = wire.categories_nodes.len();
    if wire.categories_segments.len() != count || wire.categories_sizes.len() != count {
        return None;
    }
    let mut sets = vec![None; wire.left_children.len()];
    let mut used = 0;
    for at in 0..count {
        let number = |of: &[i64]| of.get(at).and_then(|number| usize::try_from(*number).ok());
        let (node, from) = (number(&wire.categories_nodes)?, number(&wire.categories_segments)?);
        let size = number(&wire.categories_sizes)?;
        // Segments that overlap would let a small file make large sets.
        used = size.checked_add(used)?;
        if used > wire.categories.len() {
            return None;
        }
        let codes = wire.categories.get(from..from.checked_add(size)?)?.iter();
        let codes = codes.map(|code| u32::try_from(*code).ok().filter(|code| *code < CATEGORIES_MAX));
        *sets.get_mut(node)? = Some(CategorySet::new(codes.collect::<Option<_>>()?));
    }
    Some(sets)
}
