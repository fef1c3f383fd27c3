//! Figures by their names, and what a campaign requires of them.

use crate::campaign::{Compare, Figure, Requirement};

use super::figures::RunFigures;
use super::spread::{quantile, sorted};

/// One requirement over all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The quantile, or of a requirement without one the run that is furthest off. `None`: no run has the figure.
    pub value: Option<f64>,
    pub holds: bool,
}

impl RunFigures {
    /// `None` where there is nothing to say: no agent was ever there.
    pub fn value(&self, figure: &Figure) -> Option<f64> {
        let count = |count: u64| Some(count as f64);
        match figure {
            Figure::Attempts => count(self.attempts),
            Figure::Answered => count(self.answered),
            Figure::Contacts => count(self.contacts),
            Figure::Successes => count(self.successes),
            Figure::Refusals => count(self.refusals),
            Figure::LeadsCalled => count(self.called),
            Figure::AnswerRate => Some(self.answer_rate()),
            Figure::ListPenetration => Some(self.penetration()),
            Figure::AgentIdle => self.agent_idle(),
            Figure::ContactsPerAgentHour => self.contacts_per_agent_hour(),
            Figure::QueueLost => Some(self.queue_lost()),
            Figure::QueueLate => Some(self.queue_late()),
            Figure::PolicyViolations => count(self.violations),
            Figure::Disposition(name) => count(self.by_disposition.get(name.as_str()).copied().unwrap_or(0)),
        }
    }
}

impl Verdict {
    pub fn of(requirement: &Requirement, runs: &[RunFigures]) -> Self {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.value(&requirement.figure)).collect();
        let Some(values) = values.map(sorted).filter(|values| !values.is_empty()) else {
            return Self { value: None, holds: false };
        };
        let Requirement { compare, bound, .. } = *requirement;
        let far = |a: &&f64, b: &&f64| (**a - bound).abs().total_cmp(&(**b - bound).abs());
        let value = match (requirement.percent, compare) {
            (Some(percent), _) => Some(quantile(&values, percent)),
            (None, Compare::AtMost | Compare::Below) => values.last().copied(),
            (None, Compare::AtLeast | Compare::Above) => values.first().copied(),
            (None, Compare::Equals) => values.iter().max_by(far).copied(),
        };
        Self { value, holds: value.is_some_and(|value| compare.holds(value, bound)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rehearsal::figures::QueueFigures;

    #[test]
    fn a_quantile_is_of_the_runs_and_without_one_every_run_has_to_hold() {
        let runs: Vec<RunFigures> =
            (1..=10).map(|n| RunFigures { successes: n * 10, violations: n / 10, ..RunFigures::default() }).collect();
        let verdict = |text: &str| {
            let requirement = Requirement::parse(text, &[]).unwrap();
            let verdict = Verdict::of(&requirement, &runs);
            (verdict.value, verdict.holds)
        };
        assert_eq!(verdict("p50(successes) >= 50"), (Some(50.0), true));
        assert_eq!(verdict("p50(successes) > 50"), (Some(50.0), false));
        assert_eq!(verdict("successes >= 20"), (Some(10.0), false));
        assert_eq!(verdict("successes < 100"), (Some(100.0), false));
        assert_eq!(verdict("policy.violations == 0"), (Some(1.0), false));
        assert_eq!(verdict("p90(policy.violations) == 0"), (Some(0.0), true));
        assert_eq!(verdict("agent_idle <= 20%"), (None, false));
    }

    #[test]
    fn a_figure_that_one_run_does_not_have_holds_for_none() {
        let staffed =
            RunFigures { queue: QueueFigures { staffed_us: 1, ..QueueFigures::default() }, ..RunFigures::default() };
        let requirement = Requirement::parse("agent_idle >= 0%", &[]).unwrap();
        let verdict = |runs: &[RunFigures]| Verdict::of(&requirement, runs);
        assert!(verdict(std::slice::from_ref(&staffed)).holds);
        assert_eq!(verdict(&[staffed, RunFigures::default()]), Verdict { value: None, holds: false });
        assert!(!verdict(&[]).holds, "of no run nothing holds");
    }
}
