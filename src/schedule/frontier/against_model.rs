//! The frontier against a naive one: a table, and a look at every lead for each answer.

use super::*;
use crate::base::Rng;
use crate::schedule::{SlotFails, ZoneSetIx};

#[derive(Clone, Copy)]
enum Seat {
    Out,
    Queued,
    Parked(i64),
}

#[derive(Clone, Copy)]
struct Lead {
    seat: Seat,
    cell: CellIx,
    key: f32,
}

struct Model {
    leads: Vec<Lead>,
    views: Vec<CellView>,
}

impl Model {
    fn best(&self) -> Option<Best> {
        let rank = |ix: usize| {
            let lead = self.leads[ix];
            let view = &self.views[usize::from(lead.cell.0)];
            (view.tier, view.worth(lead.key), std::cmp::Reverse(ix))
        };
        let open = |ix: &usize| {
            let lead = self.leads[*ix];
            matches!(lead.seat, Seat::Queued) && self.views[usize::from(lead.cell.0)].goes(lead.key)
        };
        let best = (0..self.leads.len()).filter(open).max_by(|a, b| {
            let (a, b) = (rank(*a), rank(*b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        })?;
        let (cell, key) = (self.leads[best].cell, self.leads[best].key);
        let view = &self.views[usize::from(cell.0)];
        Some(Best { lead: LeadIx(best as u32), cell, tier: view.tier, index_value: view.worth(key) as f32 })
    }

    fn count(&self, wanted: impl Fn(&Lead) -> bool) -> usize {
        self.leads.iter().filter(|lead| wanted(lead)).count()
    }

    fn due(&mut self, now: i64) -> usize {
        let mut moved = 0;
        for lead in &mut self.leads {
            if matches!(lead.seat, Seat::Parked(until) if until <= now) {
                lead.seat = Seat::Queued;
                moved += 1;
            }
        }
        moved
    }
}

const CELLS: u32 = 13;

fn cell_key(n: u32) -> CellKey {
    CellKey { zones: ZoneSetIx(n as u16 / 3), segment: n as u8 % 3, ..CellKey::default() }
}

fn any_view(rng: &mut Rng) -> CellView {
    CellView {
        open: rng.chance(0.7),
        tier: rng.below(2) as u8,
        multiplier: [1.0, 0.15, 0.3, 0.299][rng.below(4) as usize],
        offset: rng.below(2) as f32 - rng.below(2) as f32 / 16.0,
        later: (0..rng.below(4)).map(|_| any_later(rng)).collect(),
        waits: rng.chance(0.5),
        until: Wall::MAX,
    }
}

/// No multiplier that a view has: where two slots are equally good, any key is worth the same.
fn any_later(rng: &mut Rng) -> Later {
    let multiplier = [0.05, 0.2, 0.31, 0.6, 1.5][rng.below(5) as usize];
    Later { multiplier, toll: [0.0, 0.01, 0.1, 0.25][rng.below(4) as usize] }
}

/// Few distinct keys, so that ties are common.
fn any_key(rng: &mut Rng) -> f32 {
    if rng.chance(0.5) { rng.below(8) as f32 / 8.0 } else { rng.f64() as f32 }
}

fn walk(seed: u64, leads: u32, steps: u32) {
    let mut rng = Rng::seeded(seed);
    let mut now = 1_764_547_200_000_000 + i64::from(rng.below(60)) * 1_000_000;
    let mut frontier = Frontier::new(Wall(now));
    let views: Vec<CellView> = (0..CELLS).map(|_| any_view(&mut rng)).collect();
    for n in 0..CELLS {
        assert_eq!(frontier.cell(cell_key(n), |_| views[n as usize].clone()), Some(CellIx(n as u16)));
    }
    let nobody = Lead { seat: Seat::Out, cell: CellIx(0), key: 0.0 };
    let mut model = Model { leads: vec![nobody; leads as usize], views };
    for _ in 0..steps {
        let (ix, cell, key) = (rng.below(leads), CellIx(rng.below(CELLS) as u16), any_key(&mut rng));
        let lead = LeadIx(ix);
        let slot = &mut model.leads[ix as usize];
        match rng.below(100) {
            0..35 => {
                assert!(frontier.insert(lead, cell, key));
                *slot = Lead { seat: Seat::Queued, cell, key };
            }
            35..55 => {
                let minute = i64::from(any_size(&mut rng, 12)) * MINUTE_US;
                let until = (now + minute - 3 * MINUTE_US).div_euclid(MINUTE_US) * MINUTE_US;
                assert!(frontier.park(lead, cell, key, Wall(until)));
                *slot = Lead { seat: Seat::Parked(until), cell, key };
            }
            55..65 => {
                assert_eq!(frontier.remove(lead), !matches!(slot.seat, Seat::Out));
                slot.seat = Seat::Out;
            }
            65..92 => {
                let best = model.best();
                assert_eq!(frontier.peek(), best);
                assert_eq!(frontier.pop(), best);
                if let Some(best) = best {
                    model.leads[best.lead.ix()].seat = Seat::Out;
                }
            }
            92..97 => {
                now += i64::from(any_size(&mut rng, 8)) * MINUTE_US / 3;
                let parked = |lead: &Lead| if let Seat::Parked(until) = lead.seat { Some(until) } else { None };
                let first = model.leads.iter().filter_map(parked).min();
                assert!(first.is_none_or(|first| frontier.next_due().is_some_and(|next| next.0 <= first.max(now))));
                assert_eq!(frontier.due(Wall(now)), model.due(now));
            }
            97..99 => {
                model.views = model.views.iter().map(|_| any_view(&mut rng)).collect();
                let mut views = model.views.iter();
                frontier.refresh(|_| views.next().unwrap().clone());
            }
            _ => {
                for lead in &mut model.leads {
                    lead.key = any_key(&mut rng);
                }
                frontier.rekey(|lead| model.leads[lead.ix()].key);
            }
        }
        let views = &model.views;
        assert_eq!(frontier.len(), model.count(|lead| !matches!(lead.seat, Seat::Out)));
        assert_eq!(frontier.due_len(), model.count(|lead| matches!(lead.seat, Seat::Queued)));
        let open = |lead: &Lead| matches!(lead.seat, Seat::Queued) && views[usize::from(lead.cell.0)].open;
        assert_eq!(frontier.open_len(), model.count(open));
    }
}

#[test]
fn a_small_crowd_that_ties_often_behaves_as_the_naive_one() {
    for seed in 0..40 {
        walk(seed, 40, 2_000);
    }
}

#[test]
fn a_big_crowd_behaves_as_the_naive_one() {
    for seed in 100..104 {
        walk(seed, 3_000, 6_000);
    }
}

/// Two slots, now and a dearer better one: the middling lead is worth most now, and the best waits.
fn with_a_better_evening() -> CellView {
    let later = vec![Later { multiplier: 0.6, toll: 0.2 }];
    CellView { open: true, multiplier: 0.3, later, waits: true, ..CellView::CLOSED }
}

#[test]
fn the_best_leads_wait_for_a_better_slot_and_the_middling_ones_go_now() {
    let mut frontier = Frontier::new(Wall(0));
    let cell = frontier.cell(CellKey::default(), |_| with_a_better_evening()).unwrap();
    for (lead, key) in [0.9, 0.1, 0.34, 0.2, 0.5].into_iter().enumerate() {
        frontier.insert(LeadIx(lead as u32), cell, key);
    }
    let order: Vec<u32> = std::iter::from_fn(|| frontier.pop()).map(|best| best.lead.0).collect();
    // 0.34 × 0.3 = 0.102, 0.5 × 0.3 − 0.1 = 0.05, 0.2 × 0.3 = 0.06, 0.03; and 0.9 gains 0.07 by waiting.
    assert_eq!(order, [2, 3, 4, 1]);
    assert_eq!((frontier.len(), frontier.open_len(), frontier.has_best()), (1, 1, false));
    frontier.refresh(|_| CellView { open: true, multiplier: 0.6, ..CellView::CLOSED });
    assert_eq!(frontier.pop().map(|best| best.lead), Some(LeadIx(0)), "the evening has come");
}

#[test]
fn keys_come_in_falling_order_and_are_counted_on_both_sides_of_the_peak() {
    let mut rng = Rng::seeded(4);
    let mut frontier = Frontier::new(Wall(0));
    let cell = frontier.cell(CellKey::default(), |_| with_a_better_evening()).unwrap();
    let mut keys: Vec<f32> = (0..5_000).map(|_| any_key(&mut rng)).collect();
    keys.iter().enumerate().for_each(|(lead, key)| assert!(frontier.insert(LeadIx(lead as u32), cell, *key)));
    let worth = |least: f64| keys.iter().filter(|key| with_a_better_evening().worth(**key) >= least).count();
    assert_eq!([0.0, 0.05, 0.09].map(|least| frontier.count_worth(least)), [0.0, 0.05, 0.09].map(worth));
    keys.sort_by(|a, b| b.total_cmp(a));
    let (_, seen) = frontier.keys().next().unwrap();
    assert_eq!((0..seen.len()).filter_map(|at| seen.nth(at)).collect::<Vec<_>>(), keys);
    for least in [0.0, 0.2, 1.0 / 3.0, 0.5, 0.9, 2.0] {
        assert_eq!(seen.count_from(least), keys.iter().filter(|key| **key >= least).count(), "{least}");
    }
}

#[test]
fn the_nth_best_is_worth_what_it_is_worth_and_the_rest_is_drawn_from() {
    let mut rng = Rng::seeded(6);
    for seed in 0..30 {
        let mut frontier = Frontier::new(Wall(0));
        for n in 0..CELLS {
            frontier.cell(cell_key(n), |_| any_view(&mut rng));
        }
        for lead in 0..2_000 {
            frontier.insert(LeadIx(lead), CellIx(rng.below(CELLS) as u16), rng.f64() as f32);
        }
        let open = frontier.open_len();
        let reached = frontier.count_worth(f64::NEG_INFINITY);
        let nth = rng.below(2_200) as usize;
        let least = frontier.worth_of_nth(nth);
        assert_eq!(frontier.count_worth(least), reached.min(nth), "seed {seed}, {nth} of {reached}");
        let rest = frontier.draw(least, |_| true);
        assert_eq!(rest.len(), open - reached.min(nth));
        assert!(rest.iter().all(|lead| frontier.take(*lead).is_some() && frontier.take(*lead).is_none()));
        assert_eq!(frontier.open_len(), reached.min(nth));
    }
}

#[test]
fn index_values_never_rise_while_nothing_enters() {
    let mut rng = Rng::seeded(9);
    let mut frontier = Frontier::new(Wall(0));
    for n in 0..CELLS {
        let golden = n % 2 == 0;
        let view = CellView {
            open: n != 3,
            tier: u8::from(golden),
            multiplier: 1.0,
            offset: f32::from(u8::from(golden)),
            ..CellView::CLOSED
        };
        frontier.cell(cell_key(n), |_| view);
    }
    for lead in 0..20_000 {
        frontier.insert(LeadIx(lead), CellIx(rng.below(CELLS) as u16), rng.f64() as f32);
    }
    let mut last = f32::MAX;
    let mut popped = 0;
    while let Some(best) = frontier.pop() {
        assert!(best.index_value <= last);
        (last, popped) = (best.index_value, popped + 1);
    }
    assert_eq!(popped, frontier.open_len() + 20_000 - frontier.len());
    assert!(popped > 15_000 && !frontier.is_empty());
}

#[test]
fn entries_that_no_longer_stand_do_not_pile_up() {
    let mut frontier = Frontier::new(Wall(0));
    let view = CellView { open: true, ..CellView::CLOSED };
    let cell = frontier.cell(CellKey::default(), |_| view.clone()).unwrap();
    for n in 0..400_000 {
        frontier.insert(LeadIx(n % 10), cell, n as f32);
        frontier.park(LeadIx(10 + n % 10), cell, 1.0, Wall(i64::from(n) * MINUTE_US));
        if n % 5_000 == 0 {
            frontier.refresh(|_| view.clone());
        }
    }
    frontier.refresh(|_| view.clone());
    assert!(frontier.bytes() < 100_000, "{}", frontier.bytes());
    assert_eq!(frontier.len(), 20);
}

#[test]
fn a_parked_lead_comes_at_its_last_time_and_not_at_an_older_one() {
    let mut frontier = Frontier::new(Wall(0));
    let cell = frontier.cell(CellKey::default(), |_| CellView::CLOSED).unwrap();
    frontier.park(LeadIx(0), cell, 1.0, Wall(5 * MINUTE_US));
    frontier.park(LeadIx(0), cell, 1.0, Wall(50 * MINUTE_US + 1));
    assert_eq!(frontier.due(Wall(50 * MINUTE_US + 1)), 0);
    assert_eq!(frontier.next_due(), Some(Wall(51 * MINUTE_US)));
    assert_eq!(frontier.due(Wall(51 * MINUTE_US)), 1);
}

#[test]
fn when_cells_run_out_a_key_is_served_by_a_coarser_one() {
    let mut frontier = Frontier::new(Wall(0));
    for n in 0..Frontier::MAX_CELLS {
        let key = CellKey { zones: ZoneSetIx((n / 200) as u16), segment: (n % 200) as u8, ..CellKey::default() };
        assert!(frontier.cell(key, |_| CellView::CLOSED).is_some());
    }
    let fails = SlotFails::of(Some(13), None);
    let fine = CellKey { segment: 7, attempts: 3, fails, ..CellKey::default() };
    assert_eq!(frontier.cell(fine, |_| CellView::CLOSED), Some(CellIx(7)));
    assert_eq!(frontier.cell(CellKey { segment: 250, ..fine }, |_| CellView::CLOSED), None);
}

/// Short and long ones alike.
pub(super) fn any_size(rng: &mut Rng, bits: u32) -> u32 {
    let bits = 1 + rng.below(bits);
    rng.below(1 << bits)
}

#[test]
fn a_lead_that_rests_costs_no_entry_and_comes_back_when_told() {
    let mut frontier = Frontier::new(Wall(0));
    let cell = frontier.cell(CellKey::default(), |_| CellView { open: true, ..CellView::CLOSED }).unwrap();
    let empty = frontier.bytes();
    for lead in 0..10_000 {
        frontier.park(LeadIx(lead), cell, 0.5, Wall::MAX);
    }
    assert_eq!((frontier.next_due(), frontier.len(), frontier.due(Wall::MAX)), (None, 10_000, 0));
    assert!(frontier.bytes() < empty + 10_000 * 11);
    frontier.insert(LeadIx(3), cell, 0.5);
    assert_eq!(frontier.pop().map(|best| best.lead), Some(LeadIx(3)));
}
