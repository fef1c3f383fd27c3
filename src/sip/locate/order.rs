//! In which order the ways of a name are tried: by priority, and among equals by chance as their weights say (RFC 2782).

use std::net::SocketAddr;

use crate::base::Rng;
use crate::sip::target::Target;

/// One way to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Lower ones first.
    pub priority: u16,
    /// Its share among those of the same priority.
    pub weight: u16,
    pub target: Target,
    /// Our end of the connection to it, where there is one.
    pub our_end: Option<SocketAddr>,
}

impl Route {
    pub const fn new(target: Target) -> Self {
        Self { priority: 0, weight: 1, target, our_end: None }
    }
}

/// All of them, each once.
pub fn order(routes: &[Route], rng: &mut Rng) -> Vec<Target> {
    let mut left = routes.to_vec();
    // Those without weight first: they are drawn only by a zero (RFC 2782, "Weight").
    left.sort_by_key(|route| (route.priority, route.weight > 0));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first().copied() {
        let equals = left.iter().take_while(|route| route.priority == first.priority);
        let weights: Vec<u32> = equals.map(|route| u32::from(route.weight)).collect();
        let drawn = if weights.len() > 1 { rng.below(weights.iter().sum::<u32>() + 1) } else { 0 };
        let sums = weights.iter().scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        let at = sums.take_while(|sum| *sum < drawn).count();
        ordered.push(left.remove(at.min(weights.len() - 1)).target);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(last: u8, priority: u16, weight: u16) -> Route {
        let addr = SocketAddr::from(([192, 0, 2, last], 5060));
        Route { priority, weight, ..Route::new(Target::udp(addr)) }
    }

    /// How often each comes first in 10,000 orders.
    fn firsts(routes: &[Route]) -> Vec<usize> {
        let mut rng = Rng::seeded(7);
        let mut firsts = vec![0; routes.len()];
        for _ in 0..10_000 {
            let first = order(routes, &mut rng)[0];
            firsts[routes.iter().position(|route| route.target == first).unwrap()] += 1;
        }
        firsts
    }

    #[test]
    fn priorities_are_kept_and_nobody_is_lost_or_doubled() {
        let routes = [route(1, 20, 9), route(2, 10, 0), route(3, 10, 5), route(4, 30, 0)];
        let mut rng = Rng::seeded(1);
        for _ in 0..100 {
            let ordered = order(&routes, &mut rng);
            assert_eq!(ordered[2..], [routes[0].target, routes[3].target]);
            assert!(ordered[..2].contains(&routes[1].target) && ordered[..2].contains(&routes[2].target));
        }
    }

    #[test]
    fn among_equals_each_comes_first_as_often_as_its_weight_says() {
        let seen = firsts(&[route(1, 0, 10), route(2, 0, 30), route(3, 0, 60), route(4, 1, 900)]);
        for (seen, want) in seen.iter().zip([1_000, 3_000, 6_000, 0]) {
            assert!(seen.abs_diff(want) < 250, "{seen} of {want}");
        }
    }

    #[test]
    fn without_weight_a_way_is_rarely_first_beside_one_with_and_without_any_all_are_tried() {
        let seen = firsts(&[route(1, 0, 100), route(2, 0, 0)]);
        assert!(seen[1] > 0 && seen[1] < 250, "{seen:?}");
        assert_eq!(order(&[route(1, 0, 0), route(2, 0, 0)], &mut Rng::seeded(1)).len(), 2);
    }

    #[test]
    fn the_same_seed_gives_the_same_order() {
        let routes = [route(1, 0, 1), route(2, 0, 1), route(3, 0, 1)];
        let drawn = |seed| {
            let mut rng = Rng::seeded(seed);
            (0..20).map(|_| order(&routes, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
    }
}
