//! What a dial is worth in each slot ahead, if every slot goes to those who gain most by it: prices that clear a market.

/// Who competes: groups of leads, each with what one of them is worth in every slot.
#[derive(Debug, Default)]
pub struct Bidders {
    /// How many leads a group stands for.
    weights: Vec<f32>,
    /// By group, then by slot; 0 where its leads may not be dialled.
    values: Vec<f32>,
}

impl Bidders {
    pub fn push(&mut self, weight: f32, values: impl Iterator<Item = f32>) {
        self.weights.push(weight);
        self.values.extend(values);
    }

    pub fn len(&self) -> usize {
        self.weights.len()
    }

    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    fn rows(&self, slots: usize) -> impl Iterator<Item = (f32, &[f32])> {
        self.weights.iter().copied().zip(self.values.chunks_exact(slots))
    }
}

/// The dual of the transport problem `max Σ x v` with `Σ_i x_it ≤ capacity_t` and `Σ_t x_it ≤ 1`: at these prices each lead
/// picks the slot where value less price is highest (or none), and no slot is picked by more leads than it has room for. A
/// slot with room to spare costs nothing. `prices` holds a first guess, last time's or zeros; a slot without capacity keeps
/// what it has and takes part in nothing.
///
/// Coordinate descent on the dual (Bertsekas, Linear Network Optimization, 1991, ch. 4): one slot at a time takes the
/// price at which it is just full while the others hold still. Where all of them must rise together that crawls, so each
/// round first moves all by the same amount, to where as many leads bid as there is room in all.
pub fn clear(bidders: &Bidders, capacity: &[f32], prices: &mut [f32]) {
    let slots = capacity.len().min(prices.len());
    if slots == 0 || bidders.is_empty() {
        prices.fill(0.0);
        return;
    }
    let room: f32 = capacity.iter().sum();
    let mut gains = Vec::with_capacity(bidders.len());
    for _ in 0..ROUNDS {
        gains.clear();
        gains.extend(bidders.rows(slots).map(|(weight, values)| (best(values, prices, capacity, None), weight)));
        let by = just_full(&mut gains, room, f32::NEG_INFINITY);
        for price in prices.iter_mut() {
            *price = (*price + by).max(0.0);
        }
        let mut moved = 0.0_f32;
        for slot in 0..slots {
            let Some(room) = capacity.get(slot).copied().filter(|room| *room > 0.0) else { continue };
            gains.clear();
            gains.extend(bidders.rows(slots).filter_map(|(weight, values)| {
                let own = *values.get(slot)?;
                let gain = own - best(values, prices, capacity, Some(slot)).max(0.0);
                (gain > 0.0).then_some((gain, weight))
            }));
            let price = just_full(&mut gains, room, 0.0);
            if let Some(own) = prices.get_mut(slot) {
                moved = moved.max((price - *own).abs());
                *own = price;
            }
        }
        if moved <= prices.iter().copied().fold(0.0, f32::max) * STILL {
            return;
        }
    }
}

/// Twelve rounds bring prices within a hundredth of where they end, four if last time's are the first guess.
const ROUNDS: usize = 12;
const STILL: f32 = 0.005;

/// The best value less price among the slots that have room, but for one.
fn best(values: &[f32], prices: &[f32], capacity: &[f32], but: Option<usize>) -> f32 {
    let slots = values.iter().zip(prices).zip(capacity).enumerate();
    let others = slots.filter(|(at, (_, room))| **room > 0.0 && Some(*at) != but);
    others.map(|(_, ((value, price), _))| value - price).fold(f32::NEG_INFINITY, f32::max)
}

/// The price at which those with a higher gain fill the room; `spare` if all of them find room.
fn just_full(gains: &mut [(f32, f32)], room: f32, spare: f32) -> f32 {
    gains.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut taken = 0.0;
    for (gain, weight) in gains.iter() {
        taken += weight;
        if taken > room {
            return *gain;
        }
    }
    spare
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// What each slot is picked by at these prices.
    fn picked(bidders: &Bidders, prices: &[f32]) -> Vec<f32> {
        let mut picked = vec![0.0; prices.len()];
        for (weight, values) in bidders.rows(prices.len()) {
            let gains = values.iter().zip(prices).map(|(value, price)| value - price);
            let best = gains.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, gain)| *gain > 0.0);
            if let Some((slot, _)) = best {
                picked[slot] += weight;
            }
        }
        picked
    }

    fn crowd(seed: u64, groups: usize, slots: usize) -> Bidders {
        let mut rng = Rng::seeded(seed);
        let mut bidders = Bidders::default();
        let hours: Vec<f32> = (0..slots).map(|_| 0.1 + 0.4 * rng.f64() as f32).collect();
        for _ in 0..groups {
            let key = rng.f64() as f32;
            let values: Vec<f32> = hours.iter().map(|p| key * p * (0.7 + 0.6 * rng.f64() as f32)).collect();
            bidders.push(1.0, values.into_iter());
        }
        bidders
    }

    /// The dual's value is a ceiling of what any assignment can bring; the picks, cut to the room, are one.
    fn gap(bidders: &Bidders, capacity: &[f32], prices: &[f32]) -> f32 {
        let mut dual: f32 = prices.iter().zip(capacity).map(|(price, room)| price * room).sum();
        let mut by_slot: Vec<Vec<f32>> = vec![Vec::new(); prices.len()];
        for (weight, values) in bidders.rows(prices.len()) {
            let gains = values.iter().zip(prices).map(|(value, price)| value - price);
            let best = gains.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, gain)| *gain > 0.0);
            if let Some((slot, gain)) = best {
                dual += weight * gain;
                by_slot[slot].push(values[slot]);
            }
        }
        let primal: f32 = by_slot
            .iter_mut()
            .zip(capacity)
            .map(|(values, room)| {
                values.sort_by(|a, b| b.total_cmp(a));
                values.iter().take(*room as usize).sum::<f32>()
            })
            .sum();
        1.0 - primal / dual
    }

    fn near(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn every_slot_is_just_full_and_nothing_is_left_to_gain() {
        for seed in 0..20 {
            let (bidders, capacity) = (crowd(seed, 2_000, 9), [60.0, 60.0, 80.0, 40.0, 60.0, 60.0, 90.0, 60.0, 60.0]);
            let mut prices = [0.0; 9];
            clear(&bidders, &capacity, &mut prices);
            for (picked, room) in picked(&bidders, &prices).iter().zip(capacity) {
                assert!((picked - room).abs() <= 0.12 * room, "seed {seed}: {picked} for {room} at {prices:?}");
            }
            assert!(gap(&bidders, &capacity, &prices) < 0.01, "seed {seed}: {}", gap(&bidders, &capacity, &prices));
        }
    }

    #[test]
    fn room_to_spare_costs_nothing() {
        let bidders = crowd(3, 100, 4);
        let mut prices = [0.5; 4];
        clear(&bidders, &[100.0; 4], &mut prices);
        assert!(prices.iter().all(|price| *price <= 0.0), "{prices:?}");
        clear(&Bidders::default(), &[1.0; 4], &mut prices);
        assert!(prices.iter().all(|price| *price <= 0.0), "{prices:?}");
    }

    #[test]
    fn a_slot_without_room_takes_part_in_nothing() {
        let bidders = crowd(5, 500, 3);
        let (mut with, mut without) = ([0.0; 3], [0.0; 2]);
        clear(&bidders, &[50.0, 50.0, 0.0], &mut with);
        let mut two = Bidders::default();
        bidders.rows(3).for_each(|(weight, values)| two.push(weight, values[..2].iter().copied()));
        clear(&two, &[50.0, 50.0], &mut without);
        assert!(near(&with[..2], &without), "{with:?} {without:?}");
    }

    #[test]
    fn groups_weigh_as_many_as_they_stand_for() {
        let (mut single, mut triple) = (Bidders::default(), Bidders::default());
        for (weight, values) in crowd(7, 600, 5).rows(5) {
            (0..3).for_each(|_| single.push(weight, values.iter().copied()));
            triple.push(3.0 * weight, values.iter().copied());
        }
        let (mut a, mut b) = ([0.0; 5], [0.0; 5]);
        clear(&single, &[90.0; 5], &mut a);
        clear(&triple, &[90.0; 5], &mut b);
        assert!(near(&a, &b), "{a:?} {b:?}");
    }
}
