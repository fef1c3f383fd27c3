//! The answer model on real hours: what it learns of them holds on days that it has not seen, and from shuffled hours it
//! learns nothing.
//!
//! Both data sets are proxies: calls that people made to a bank, and private calls that they took or missed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use goldenhour::base::{Rng, Share};
use goldenhour::campaign::{GoldenHours, GoldenMode, Learn};
use goldenhour::rank::{AnswerModel, Past, Place, Slot, Tally, learn};

/// Hours in which a call centre calls.
const HOURS: std::ops::Range<u8> = 9..21;
const TOP: usize = 4;
const SHUFFLES: u64 = 200;

/// Of one weekday and hour: how often somebody might have come, and how often they did.
type Seen = Vec<(u8, u8, u32, u32)>;

fn file(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hours").join(name);
    if !path.exists() {
        println!("not run: ../shared/data/hours is not here");
    }
    path.exists().then_some(path)
}

fn cells(path: &Path) -> Vec<Vec<u32>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
}

/// Calls that customers made to a bank on its five working days, Sunday to Thursday: in each hour of each day up to 150 might
/// have. Sunday is told as the fifth.
fn bank() -> Option<Seen> {
    let rows = cells(&file("anonbank_train_jan.csv")?);
    let seen = rows.iter().filter(|row| ![4, 5].contains(&row[0]) && HOURS.contains(&(row[1] as u8)));
    Some(seen.map(|row| (row[0].min(4) as u8, row[1] as u8, row[4] * 150, row[2])).collect())
}

/// Calls that people took or missed. The day of the study stands for the weekday.
fn mobiles() -> Option<Seen> {
    let rows = cells(&file("cns_train_d00_13.csv")?);
    let seen = rows.iter().filter(|row| HOURS.contains(&(row[1] as u8)));
    Some(seen.map(|row| (row[0] as u8, row[1] as u8, 1, row[2])).collect())
}

/// Chance of an answer by hour, learned from a seed that knows no hours.
fn learned(seen: &[(u8, u8, u32, u32)]) -> BTreeMap<u8, f32> {
    let (dials, answered) = seen.iter().fold((0, 0), |(n, y), row| (n + row.2, y + row.3));
    let rate = Share::from_ppm((f64::from(answered) / f64::from(dials) * 1e6) as u32);
    let golden = GoldenHours {
        mode: GoldenMode::Prefer,
        seed: BTreeMap::new(),
        rate_golden: rate,
        rate_other: rate,
        prior_weight_calls: 200,
        learn: Learn::PerSegment,
    };
    let mut tally = Tally::default();
    for (day, hour, dials, answered) in seen {
        tally.add(0, Place::fresh(0, Slot::new(day % 5, u16::from(*hour) * 60)), *dials, *answered);
    }
    let model = learn(&AnswerModel::from_prior(&golden, ["all"].into_iter()), &tally, golden.prior_weight_calls);
    let mean = |hour: u8| {
        let days = (0..5).map(|day| model.p_answer(0, Slot::new(day, u16::from(hour) * 60), Past::default()));
        days.sum::<f32>() / 5.0
    };
    HOURS.map(|hour| (hour, mean(hour))).collect()
}

fn top(learned: &BTreeMap<u8, f32>) -> Vec<u8> {
    let mut hours: Vec<u8> = learned.keys().copied().collect();
    hours.sort_by(|a, b| learned[b].total_cmp(&learned[a]));
    hours.truncate(TOP);
    hours
}

/// How much likelier an answer is in those hours than in all of them, on other days.
fn lift(held_out: &[(u8, u8, u32, u32)], hours: &[u8]) -> f64 {
    let rate = |wanted: &dyn Fn(u8) -> bool| {
        let seen = held_out.iter().filter(|row| wanted(row.1));
        let (n, y) = seen.fold((0.0, 0.0), |(n, y), row| (n + f64::from(row.2), y + f64::from(row.3)));
        y / n
    };
    rate(&|hour| hours.contains(&hour)) / rate(&|_| true)
}

fn split(seen: Seen, is_held_out: impl Fn(u8) -> bool) -> (Seen, Seen) {
    seen.into_iter().partition(|row| !is_held_out(row.0))
}

/// Each row keeps its day and gets the hour of another one.
fn shuffled(seen: &[(u8, u8, u32, u32)], seed: u64) -> Seen {
    let mut rng = Rng::seeded(seed);
    let mut hours: Vec<u8> = seen.iter().map(|row| row.1).collect();
    for at in (1..hours.len()).rev() {
        hours.swap(at, rng.below(at as u32 + 1) as usize);
    }
    seen.iter().zip(hours).map(|(row, hour)| (row.0, hour, row.2, row.3)).collect()
}

#[test]
fn the_hours_learned_from_some_weekdays_of_a_bank_are_the_busy_ones_of_the_others() {
    let Some(seen) = bank() else { return };
    let mut lifts = Vec::new();
    for nth in 0..5 {
        let (known, held_out) = split(seen.clone(), |day| day == nth);
        let hours = top(&learned(&known));
        let lift = lift(&held_out, &hours);
        println!("weekday {nth} held out: top hours {hours:?} hold {lift:.2} times the calls of an even spread");
        assert!(lift > 1.0, "{nth}: {lift}");
        lifts.push(lift);
    }
    assert!(lifts.iter().sum::<f64>() / 5.0 > 1.05, "{lifts:?}");
}

#[test]
fn from_the_shuffled_hours_of_a_bank_no_hour_is_better_on_other_days() {
    let Some(seen) = bank() else { return };
    let (known, held_out) = split(seen, |day| day % 5 == 0);
    let lifts: Vec<f64> = (0..SHUFFLES).map(|seed| lift(&held_out, &top(&learned(&shuffled(&known, seed))))).collect();
    let mean = lifts.iter().sum::<f64>() / SHUFFLES as f64;
    println!("mean lift of {SHUFFLES} shuffles: {mean:.3}");
    assert!((mean - 1.0).abs() < 0.03, "{mean}");
}

#[test]
fn from_shuffled_answers_of_mobiles_hours_hardly_differ() {
    let Some(seen) = mobiles() else { return };
    let (known, held_out) = split(seen, |day| day >= 10);
    let spread = |learned: &BTreeMap<u8, f32>| {
        learned.values().copied().fold(0.0, f32::max) - learned.values().copied().fold(1.0, f32::min)
    };
    let truth = learned(&known);
    println!("as they were: {truth:.3?}, lift {:.3}", lift(&held_out, &top(&truth)));
    let shuffles: Vec<BTreeMap<u8, f32>> = (0..SHUFFLES).map(|seed| learned(&shuffled(&known, seed))).collect();
    let mean = shuffles.iter().map(|learned| lift(&held_out, &top(learned))).sum::<f64>() / SHUFFLES as f64;
    let mut spreads: Vec<f32> = shuffles.iter().map(spread).collect();
    spreads.sort_by(f32::total_cmp);
    println!("mean lift of {SHUFFLES} shuffles: {mean:.3}; median spread {:.4}", spreads[SHUFFLES as usize / 2]);
    assert!((mean - 1.0).abs() < 0.01, "{mean}");
    assert!(spreads[SHUFFLES as usize / 2] < 0.02 && spreads[SHUFFLES as usize * 9 / 10] < 0.05, "{spreads:?}");
}
