//! The table of an experiment: what each arm did, how it compares with the champion, and what follows.

use super::complaints::{Evidence, complaint_evidence};
use super::sequential::{Counts, Interval, difference};

/// What an arm is and what came of its contacts. Contacts, not attempts: who was called five times is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmFigures {
    pub name: String,
    /// Called at least once; of a held-out arm, those who would have been.
    pub contacts: u64,
    /// Of these, who were talked to as the right party.
    pub reached: u64,
    /// `None`: nobody knows, as of a held-out arm without labels.
    pub successes: Option<u64>,
    pub complaints: u64,
}

/// What decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Of the whole table: it is shared out among the comparisons, and given once more to the stop rule.
    pub alpha: f64,
    pub min_contacts: u64,
    pub complaint_rate_above: Option<f64>,
}

/// One arm beside the champion.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub name: String,
    /// Successes per contact, this arm minus the champion; `None` while it is too early.
    pub interval: Option<Interval>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// More people of this arm complain than may.
    Stop {
        arm: String,
        evidence: Evidence,
    },
    /// At least one arm differs from the champion; the best of all by its share of successes.
    Decided {
        best: String,
    },
    GoOn,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ArmsTable {
    pub comparisons: Vec<Comparison>,
    pub verdict: Verdict,
}

/// `champion` is one of the figures; without it nothing is compared.
pub fn arms(champion: &str, figures: &[ArmFigures], rules: &Rules) -> ArmsTable {
    let base = figures.iter().find(|arm| arm.name == champion).and_then(ArmFigures::counts);
    let others = || figures.iter().filter(|arm| arm.name != champion);
    let alpha = rules.alpha / others().count().max(1) as f64;
    let comparisons: Vec<Comparison> = others()
        .map(|arm| Comparison {
            name: arm.name.clone(),
            interval: base.zip(arm.counts()).and_then(|(a, b)| difference(a, b, alpha, rules.min_contacts)),
        })
        .collect();
    let verdict = stopped(figures, rules).or_else(|| decided(champion, &comparisons)).unwrap_or(Verdict::GoOn);
    ArmsTable { comparisons, verdict }
}

fn stopped(figures: &[ArmFigures], rules: &Rules) -> Option<Verdict> {
    let limit = rules.complaint_rate_above?;
    let alpha = rules.alpha / figures.len().max(1) as f64;
    figures.iter().find_map(|arm| {
        let evidence = complaint_evidence(arm.contacts, arm.complaints, limit);
        evidence.stops(alpha).then(|| Verdict::Stop { arm: arm.name.clone(), evidence })
    })
}

fn decided(champion: &str, comparisons: &[Comparison]) -> Option<Verdict> {
    let seen = || comparisons.iter().filter_map(|one| Some((one.name.as_str(), one.interval?)));
    if !seen().any(|(_, interval)| interval.decides()) {
        return None;
    }
    let better = seen().filter(|(_, interval)| interval.low > 0.0);
    let best = better.max_by(|(_, a), (_, b)| a.difference.total_cmp(&b.difference)).map_or(champion, |(name, _)| name);
    Some(Verdict::Decided { best: best.to_owned() })
}

impl ArmFigures {
    fn counts(&self) -> Option<Counts> {
        Some(Counts { contacts: self.contacts, successes: self.successes? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    const RULES: Rules = Rules { alpha: 0.05, min_contacts: 400, complaint_rate_above: Some(0.003) };

    fn arm(name: &str, contacts: u64, successes: u64, complaints: u64) -> ArmFigures {
        ArmFigures { name: name.into(), contacts, reached: contacts / 4, successes: Some(successes), complaints }
    }

    #[test]
    fn the_better_arm_is_named_once_it_is_decided_and_not_before() {
        let verdict = |contacts, won| {
            let figures = [arm("champion", contacts, contacts * 4 / 100, 0), arm("challenger", contacts, won, 0)];
            arms("champion", &figures, &RULES).verdict
        };
        assert_eq!(verdict(20_000, 1_600), Verdict::Decided { best: "challenger".into() });
        assert_eq!(verdict(20_000, 200), Verdict::Decided { best: "champion".into() });
        assert_eq!(verdict(20_000, 830), Verdict::GoOn);
        assert_eq!(verdict(300, 100), Verdict::GoOn);
    }

    #[test]
    fn complaints_stop_it_whatever_it_wins() {
        let figures = [arm("champion", 20_000, 800, 10), arm("challenger", 20_000, 1_600, 300)];
        let Verdict::Stop { arm, .. } = arms("champion", &figures, &RULES).verdict else { panic!() };
        assert_eq!(arm, "challenger");
        let without = Rules { complaint_rate_above: None, ..RULES };
        assert!(matches!(arms("champion", &figures, &without).verdict, Verdict::Decided { .. }));
    }

    #[test]
    fn with_many_arms_each_has_its_share_of_the_error() {
        let beside = |name: &str, won| arm(name, 4_000, won, 0);
        let mut two = [beside("champion", 200), beside("b", 275)];
        assert!(arms("champion", &two, &RULES).comparisons[0].interval.unwrap().decides());
        let mut many = two.to_vec();
        many.extend(["c", "d", "e", "f", "g", "h"].map(|name| beside(name, 200)));
        assert_eq!(arms("champion", &many, &RULES).verdict, Verdict::GoOn, "it is one of seven looks");
        // Evidence of 64 against the limit stops one of two arms, and not one of eight.
        two[1].complaints = 25;
        many[1].complaints = 25;
        assert!(matches!(arms("champion", &two, &RULES).verdict, Verdict::Stop { .. }));
        assert_eq!(arms("champion", &many, &RULES).verdict, Verdict::GoOn);
    }

    #[test]
    fn of_two_better_arms_the_better_is_the_best() {
        for (b, c, best) in [(1_600, 1_200, "b"), (1_200, 1_600, "c")] {
            let figures = [arm("b", 20_000, b, 0), arm("c", 20_000, c, 0), arm("champion", 20_000, 800, 0)];
            assert_eq!(arms("champion", &figures, &RULES).verdict, Verdict::Decided { best: best.into() });
        }
    }

    #[test]
    fn complaints_about_the_champion_stop_it_too() {
        let figures = [arm("champion", 20_000, 800, 300), arm("challenger", 20_000, 800, 10)];
        let Verdict::Stop { arm, .. } = arms("champion", &figures, &RULES).verdict else { panic!() };
        assert_eq!(arm, "champion");
    }

    #[test]
    fn an_arm_whose_successes_nobody_knows_is_not_compared() {
        let holdout = ArmFigures { successes: None, ..arm("holdout", 5_000, 0, 0) };
        let table = arms("champion", &[arm("champion", 5_000, 200, 0), holdout], &RULES);
        assert_eq!((table.comparisons[0].interval, table.verdict), (None, Verdict::GoOn));
    }

    /// Of a hundred, three come by themselves; calling makes it six. The held-out arm tells the three.
    #[test]
    fn calling_against_not_calling_shows_the_uplift_and_not_the_conversion() {
        let mut rng = Rng::seeded(31);
        let mut drawn = |name: &str, contacts: u64, p: f64| {
            arm(name, contacts, (0..contacts).filter(|_| rng.chance(p)).count() as u64, 0)
        };
        let figures = [drawn("champion", 40_000, 0.06), drawn("holdout", 10_000, 0.03)];
        let table = arms("champion", &figures, &RULES);
        let uplift = table.comparisons[0].interval.unwrap();
        assert!(uplift.low <= -0.03 && -0.03 <= uplift.high && uplift.decides(), "{uplift:?}");
        assert!(uplift.high - uplift.low < 0.02, "{uplift:?}");
    }
}
