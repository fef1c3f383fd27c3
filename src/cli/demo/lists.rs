//! Ranked lists for the demo, drawn from a seed: one per stage of a card's life, with the columns that the shipped
//! campaigns read.

use std::fmt::Write as _;

use crate::base::Rng;

/// One list to load.
pub(super) struct DemoList {
    pub campaign: &'static str,
    pub csv: String,
}

/// How a stage's list looks.
struct Shape {
    campaign: &'static str,
    /// Digits behind +999 that its numbers begin with.
    prefix: u32,
    rows: u32,
    tags: fn(&mut Rng) -> String,
    attributes: fn(&mut Rng) -> String,
    /// Mean and spread of the score's logit.
    logit: (f64, f64),
}

const SHAPES: [Shape; 7] = [
    Shape {
        campaign: "issuance",
        prefix: 1,
        rows: 260,
        tags: |rng| {
            format!("job={};prev={};age=30s", pick(rng, &JOBS), pick(rng, &["success", "failure", "none", "none"]))
        },
        attributes: |rng| format!(r#"{{"default":"{}"}}"#, pick(rng, &["no", "no", "no", "no", "yes"])),
        logit: (-1.2, 1.0),
    },
    Shape {
        campaign: "activation",
        prefix: 2,
        rows: 300,
        tags: |rng| format!("age={};dpd={}", pick(rng, &AGES), pick(rng, &["0", "0", "0", "0", "0", "1m"])),
        attributes: |_| "{}".to_owned(),
        logit: (-0.8, 1.0),
    },
    Shape {
        campaign: "spending",
        prefix: 7,
        rows: 300,
        tags: |rng| format!("age={};limit={}", pick(rng, &AGES), pick(rng, &["lo", "mid", "hi"])),
        attributes: |_| "{}".to_owned(),
        logit: (-1.6, 1.1),
    },
    Shape {
        campaign: "installments",
        prefix: 3,
        rows: 320,
        tags: |rng| {
            format!("util={};dpd={}", pick(rng, &["low", "mid", "high"]), pick(rng, &["0", "0", "0", "0", "1m"]))
        },
        attributes: |rng| format!(r#"{{"BILL_AMT2":"{}.0"}}"#, 200 + rng.below(60_000)),
        logit: (-1.8, 1.0),
    },
    Shape {
        campaign: "collections",
        prefix: 4,
        rows: 360,
        tags: |rng| {
            format!("util={};dpd={}", pick(rng, &["low", "mid", "high"]), pick(rng, &["0", "1m", "1m", "2m", "3m"]))
        },
        attributes: |_| "{}".to_owned(),
        logit: (-0.6, 1.2),
    },
    Shape {
        campaign: "retention",
        prefix: 5,
        rows: 240,
        tags: |rng| format!("card={}", pick(rng, &["Blue", "Blue", "Silver", "Gold", "Platinum"])),
        attributes: |rng| {
            format!(
                r#"{{"Credit_Limit":"{}.0","Months_Inactive_12_mon":"{}"}}"#,
                1_500 + rng.below(30_000),
                rng.below(7)
            )
        },
        logit: (-1.0, 1.4),
    },
    Shape {
        campaign: "revisit",
        prefix: 6,
        rows: 240,
        tags: |rng| format!("job={};prev={};age=40s", pick(rng, &JOBS), pick(rng, &["success", "failure", "other"])),
        attributes: |rng| format!(r#"{{"pdays":"{}"}}"#, 20 + rng.below(300)),
        logit: (-1.4, 0.9),
    },
];

const JOBS: [&str; 5] = ["retired", "student", "management", "services", "technician"];
const AGES: [&str; 4] = ["u30", "30s", "40s", "50s"];
/// Most customers share the bank's clock; some are an hour ahead or hours behind.
const ZONES: [&str; 10] = [
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Dubai",
];

/// About 2,000 contacts in all. Scaled down for smaller demos.
pub(super) fn lists(seed: u64, scale: f64) -> Vec<DemoList> {
    let mut rng = Rng::seeded(seed);
    SHAPES.iter().map(|shape| DemoList { campaign: shape.campaign, csv: list(&mut rng.fork(), shape, scale) }).collect()
}

fn list(rng: &mut Rng, shape: &Shape, scale: f64) -> String {
    let rows = ((f64::from(shape.rows) * scale) as u32).max(3);
    let mut ranked: Vec<(f64, String)> = (0..rows).map(|nth| row(rng, shape, nth)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut csv = String::from(
        "contact_id,phone_e164,tz,lang,stage,list_id,score,score_rank,segment_tags,consent,attempts_used,attrs_json\n",
    );
    for (rank, (_, line)) in ranked.iter().enumerate() {
        csv.push_str(&line.replace("{rank}", &(rank + 1).to_string()));
    }
    csv
}

fn row(rng: &mut Rng, shape: &Shape, nth: u32) -> (f64, String) {
    let (mean, spread) = shape.logit;
    let score = 1.0 / (1.0 + (-(mean + spread * rng.normal())).exp());
    // A few households share a number; a few lines are as broken as in real lists.
    let owner = if rng.chance(0.02) { nth.saturating_sub(1) } else { nth };
    let phone = if rng.chance(0.006) { "12".to_owned() } else { format!("+999{}{owner:08}", shape.prefix) };
    let consent = u8::from(!rng.chance(0.03));
    let attributes = (shape.attributes)(rng).replace('"', "\"\"");
    let mut line = String::new();
    let _infallible = writeln!(
        line,
        "{stage}-{nth:05},{phone},{zone},en,{stage},demo-{stage},{score:.6},{{rank}},{tags},{consent},0,\"{attributes}\"",
        stage = shape.campaign,
        zone = pick(rng, &ZONES),
        tags = (shape.tags)(rng),
    );
    (score, line)
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from.get(rng.below(from.len() as u32) as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_ranked_fictitious_and_the_same_for_the_same_seed() {
        let (a, b) = (lists(7, 1.0), lists(7, 1.0));
        let rows: usize = a.iter().map(|list| list.csv.lines().count() - 1).sum();
        assert_eq!((a.len(), rows), (7, 2_020));
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a.csv, b.csv);
            let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
            let scores: Vec<f64> = a.csv.lines().skip(1).map(|line| cells(line)[6].parse().unwrap()).collect();
            assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]));
            assert!(a.csv.lines().skip(1).all(|line| cells(line)[1].starts_with("+999") || cells(line)[1] == "12"));
        }
    }
}
