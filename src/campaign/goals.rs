//! What a campaign is to reach, and what a rehearsal of it must show: figures, quantiles over runs, and bounds.

use std::fmt;

use crate::base::{Code, Share};

use super::decode::{did_you_mean, shortened};
use super::expression::Mistake;

/// `simulate:`; what is given on the command line comes before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulate {
    /// A CSV file, relative to the campaigns folder.
    pub roster: Option<String>,
    pub seed: Option<u64>,
    pub runs: Option<u16>,
    pub require: Vec<Requirement>,
}

/// `accepted: 1800`
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    pub name: String,
    pub figure: Figure,
    pub target: f64,
}

/// `p95(agent_idle) <= 20%`
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// As the file has it.
    pub text: String,
    /// 1 to 99. `None`: it has to hold in every run.
    pub percent: Option<u8>,
    pub figure: Figure,
    pub compare: Compare,
    pub bound: f64,
}

/// What a rehearsal counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    Attempts,
    Answered,
    /// Conversations with the right person.
    Contacts,
    Successes,
    Refusals,
    LeadsCalled,
    AnswerRate,
    ListPenetration,
    AgentIdle,
    ContactsPerAgentHour,
    /// Of calls handed over: they hung up before an agent was there, or waited for more than two seconds.
    QueueLost,
    QueueLate,
    PolicyViolations,
    /// Calls that ended with it.
    Disposition(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// In `[0, 1]`, written as a percentage.
    Share,
    Ratio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    AtMost,
    AtLeast,
    Below,
    Above,
    Equals,
}

/// Why a requirement is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub code: Code,
    pub mistake: Mistake,
}

impl Goal {
    /// Of a goal that counts how calls end.
    pub fn disposition(&self) -> Option<&str> {
        match &self.figure {
            Figure::Disposition(name) => Some(name),
            Figure::Attempts
            | Figure::Answered
            | Figure::Contacts
            | Figure::Successes
            | Figure::Refusals
            | Figure::LeadsCalled
            | Figure::AnswerRate
            | Figure::ListPenetration
            | Figure::AgentIdle
            | Figure::ContactsPerAgentHour
            | Figure::QueueLost
            | Figure::QueueLate
            | Figure::PolicyViolations => None,
        }
    }
}

impl Figure {
    const NAMED: [(&'static str, Self); 13] = [
        ("attempts", Self::Attempts),
        ("answered", Self::Answered),
        ("contacts", Self::Contacts),
        ("successes", Self::Successes),
        ("refusals", Self::Refusals),
        ("leads_called", Self::LeadsCalled),
        ("answer_rate", Self::AnswerRate),
        ("list_penetration", Self::ListPenetration),
        ("agent_idle", Self::AgentIdle),
        ("contacts_per_agent_hour", Self::ContactsPerAgentHour),
        ("queue_lost", Self::QueueLost),
        ("queue_late", Self::QueueLate),
        ("policy.violations", Self::PolicyViolations),
    ];

    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().map(|(name, _)| *name)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, figure)| figure.clone())
    }

    pub const fn unit(&self) -> Unit {
        match self {
            Self::AnswerRate | Self::ListPenetration | Self::AgentIdle | Self::QueueLost | Self::QueueLate => {
                Unit::Share
            }
            Self::ContactsPerAgentHour => Unit::Ratio,
            Self::Attempts
            | Self::Answered
            | Self::Contacts
            | Self::Successes
            | Self::Refusals
            | Self::LeadsCalled
            | Self::PolicyViolations
            | Self::Disposition(_) => Unit::Count,
        }
    }

    /// Where a flow alone takes the calls there is nothing to count.
    pub const fn is_of_agents(&self) -> bool {
        matches!(self, Self::AgentIdle | Self::ContactsPerAgentHour | Self::QueueLost | Self::QueueLate)
    }
}

impl Unit {
    /// A value of this unit, as campaigns write it.
    pub fn parse(self, text: &str) -> Option<f64> {
        let digits =
            |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Share => Share::parse(text).map(Share::fraction),
            Self::Count => text.parse().ok().filter(|_| digits(text, 12)),
            Self::Ratio => {
                let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
                text.parse().ok().filter(|_| digits(whole, 9) && digits(part, 6))
            }
        }
    }

    pub const fn expected(self) -> &'static str {
        match self {
            Self::Share => "a percentage: 20%",
            Self::Count => "a whole number: 1800",
            Self::Ratio => "a number: 9.5",
        }
    }

    pub fn show(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1}%", value * 100.0),
            Self::Count => format!("{value:.0}"),
            Self::Ratio => format!("{value:.2}"),
        }
    }
}

impl Compare {
    /// Longer ones first, so that `<=` is not read as `<`.
    const NAMED: [(&'static str, Self); 5] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("==", Self::Equals), ("<", Self::Below), (">", Self::Above)];

    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::AtMost => value <= bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::Above => value > bound,
            Self::Equals => (value - bound).abs() < 1e-9,
        }
    }
}

impl Requirement {
    /// More is no condition; it bounds what is parsed.
    pub const MAX_BYTES: usize = 200;

    /// `goal.NAME` is the figure of one of `goals`.
    pub fn parse(text: &str, goals: &[Goal]) -> Result<Self, Flaw> {
        if text.len() > Self::MAX_BYTES {
            return Err(Flaw::of(format!("longer than {} bytes", Self::MAX_BYTES), "", "one comparison each"));
        }
        let found = Compare::NAMED.iter().filter_map(|(sign, compare)| Some((text.find(sign)?, *sign, *compare)));
        let Some((at, sign, compare)) = found.min_by_key(|(at, sign, _)| (*at, 2 - sign.len())) else {
            let word = if text.contains('=') { "=" } else { "" };
            return Err(Flaw::of("there is no comparison".to_owned(), word, "compare with <=, >=, <, > or =="));
        };
        let left = text.get(..at).unwrap_or("").trim();
        let right = text.get(at + sign.len()..).unwrap_or("").trim();
        let (percent, name) = quantile(left)?;
        let figure = figure(name, goals)?;
        let bound = figure.unit().parse(right).ok_or_else(|| {
            let message = format!("`{}` is no value of `{}`", shortened(right), shortened(name));
            Flaw::of(message, right, figure.unit().expected())
        })?;
        Ok(Self { text: text.to_owned(), percent, figure, compare, bound })
    }
}

fn quantile(left: &str) -> Result<(Option<u8>, &str), Flaw> {
    let Some((of, rest)) = left.split_once('(') else { return Ok((None, left)) };
    let Some(name) = rest.strip_suffix(')') else {
        return Err(Flaw::of("the bracket is not closed".to_owned(), "(", "p95(agent_idle) <= 20%"));
    };
    let percent = of.trim().strip_prefix('p').filter(|digits| digits.len() == 2);
    match percent.and_then(|digits| digits.parse().ok()).filter(|percent| *percent > 0) {
        Some(percent) => Ok((Some(percent), name.trim())),
        None => Err(Flaw::of(format!("`{}` is no quantile", shortened(of)), of.trim(), "p01 to p99: p05, p50, p95")),
    }
}

fn figure(name: &str, goals: &[Goal]) -> Result<Figure, Flaw> {
    if name == "abandonment" || name.starts_with("abandonment.") {
        let message = format!("`{}` is not supported yet", shortened(name));
        let flaw = Flaw::of(message, name, "without predictive pacing nobody is dialled beyond free seats: queue_late");
        return Err(Flaw { code: Code::NotSupported, ..flaw });
    }
    if let Some(goal) = name.strip_prefix("goal.") {
        let names = || goals.iter().map(|goal| goal.name.as_str());
        let hint = || did_you_mean(goal, names()).unwrap_or_else(|| "name it under `goals:` first".to_owned());
        let known = goals.iter().find(|known| known.name == goal);
        return known.map(|known| known.figure.clone()).ok_or_else(|| {
            let flaw = Flaw::of(format!("there is no goal `{}`", shortened(goal)), goal, hint());
            Flaw { code: Code::UnknownName, ..flaw }
        });
    }
    Figure::named(name).ok_or_else(|| {
        let all = || Figure::names().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(name, Figure::names()).unwrap_or_else(|| format!("{}, goal.NAME", all()));
        let flaw = Flaw::of(format!("no rehearsal has the figure `{}`", shortened(name)), name, hint);
        Flaw { code: Code::UnknownName, ..flaw }
    })
}

impl Flaw {
    fn of(message: String, word: &str, hint: impl Into<String>) -> Self {
        let word = Some(word.to_owned()).filter(|word| !word.is_empty());
        Self { code: Code::BadValue, mistake: Mistake { message, hint: Some(hint.into()), word } }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disposition(name) => f.write_str(name),
            Self::Attempts
            | Self::Answered
            | Self::Contacts
            | Self::Successes
            | Self::Refusals
            | Self::LeadsCalled
            | Self::AnswerRate
            | Self::ListPenetration
            | Self::AgentIdle
            | Self::ContactsPerAgentHour
            | Self::QueueLost
            | Self::QueueLate
            | Self::PolicyViolations => {
                let name = Self::NAMED.iter().find(|(_, figure)| figure == self).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goals() -> Vec<Goal> {
        vec![Goal { name: "accepted".into(), figure: Figure::Disposition("accepted".into()), target: 1_800.0 }]
    }

    fn read(text: &str) -> (Option<u8>, String, Compare, f64) {
        let read = Requirement::parse(text, &goals()).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
        (read.percent, read.figure.to_string(), read.compare, read.bound)
    }

    #[test]
    fn a_requirement_reads_as_a_figure_a_quantile_and_a_bound() {
        assert_eq!(read("p50(goal.accepted) >= 1800"), (Some(50), "accepted".into(), Compare::AtLeast, 1_800.0));
        assert_eq!(read("p95(agent_idle)<=20%"), (Some(95), "agent_idle".into(), Compare::AtMost, 0.2));
        assert_eq!(read("policy.violations == 0"), (None, "policy.violations".into(), Compare::Equals, 0.0));
        let ratio = read("p05( contacts_per_agent_hour ) > 9.5");
        assert_eq!(ratio, (Some(5), "contacts_per_agent_hour".into(), Compare::Above, 9.5));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_word() {
        for (text, code, word, said) in [
            ("p50(sucesses) >= 1", Code::UnknownName, "sucesses", "did you mean `successes`?"),
            ("p50(goal.acepted) >= 1", Code::UnknownName, "acepted", "did you mean `accepted`?"),
            ("p100(successes) >= 1", Code::BadValue, "p100", "p01 to p99"),
            ("p00(successes) >= 1", Code::BadValue, "p00", "p01 to p99"),
            ("p50(successes >= 1", Code::BadValue, "(", "p95(agent_idle)"),
            ("successes = 1", Code::BadValue, "=", "compare with"),
            ("successes >= 20%", Code::BadValue, "20%", "a whole number"),
            ("agent_idle <= 20", Code::BadValue, "20", "a percentage"),
            ("p99(abandonment.24h) <= 3%", Code::NotSupported, "abandonment.24h", "queue_late"),
        ] {
            let flaw = Requirement::parse(text, &goals()).unwrap_err();
            assert_eq!((flaw.code, flaw.mistake.word.as_deref()), (code, Some(word)), "{text}");
            assert!(flaw.mistake.hint.as_deref().unwrap_or("").contains(said), "{text}: {flaw:?}");
        }
    }
}
