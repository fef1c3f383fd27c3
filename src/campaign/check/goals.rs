//! Goals against dispositions, requirements against goals.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Spanned, did_you_mean, shortened};
use crate::campaign::read::{RawGoals, RawSimulate};
use crate::campaign::{Figure, Goal, Requirement, Simulate};
use crate::contact::Meaning;

use super::campaign::pointed;

/// Figures that may be a goal beside the campaign's dispositions.
const GOALS: [&str; 5] = ["attempts", "contacts", "successes", "contacts_per_agent_hour", "list_penetration"];

/// `codes`: dispositions, where all of them are known.
pub fn goals(raw: &RawGoals, codes: Option<&BTreeMap<String, Meaning>>, findings: &mut Findings) -> Vec<Goal> {
    let mut goals: Vec<Goal> = Vec::new();
    for (name, value) in &raw.all {
        let named = GOALS.contains(&name.value.as_str()).then(|| Figure::named(&name.value)).flatten();
        let figure = named.unwrap_or_else(|| Figure::Disposition(name.value.clone()));
        if let (Figure::Disposition(_), Some(codes)) = (&figure, codes)
            && !codes.contains_key(&name.value)
        {
            let names = codes.keys().map(String::as_str).chain(GOALS);
            let hint = did_you_mean(&name.value, names)
                .unwrap_or_else(|| format!("a disposition, or one of: {}", GOALS.join(", ")));
            let message = format!("there is no disposition `{}` to count", shortened(&name.value));
            findings.error_hint(name.span, Code::UnknownName, message, hint);
            continue;
        }
        if let Some(target) = figure.unit().parse(&value.value).filter(|target| *target > 0.0) {
            goals.push(Goal { name: name.value.clone(), figure, target });
        } else {
            let message = format!("`{}` is no goal for `{}`", shortened(&value.value), name.value);
            findings.error_hint(value.span, Code::BadValue, message, figure.unit().expected());
        }
    }
    goals
}

pub fn simulate(raw: Option<&RawSimulate>, goals: &[Goal], agents: bool, findings: &mut Findings) -> Simulate {
    let Some(raw) = raw else { return Simulate::default() };
    Simulate {
        roster: raw.roster.as_ref().and_then(|path| roster(path, agents, findings)),
        seed: raw.seed,
        runs: raw.runs,
        require: raw.require.iter().filter_map(|text| requirement(text, goals, agents, findings)).collect(),
    }
}

fn roster(path: &Spanned<String>, agents: bool, findings: &mut Findings) -> Option<String> {
    if !agents {
        findings.error(path.span, Code::Contradiction, "a roster is of agents, and this campaign has none");
        return None;
    }
    let inside = Path::new(&path.value).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        let message = format!("`{}` leads out of the campaigns folder", shortened(&path.value));
        findings.error_hint(path.span, Code::BadValue, message, "rosters/2026-12.csv");
        return None;
    }
    Some(path.value.clone())
}

fn requirement(text: &Spanned<String>, goals: &[Goal], agents: bool, findings: &mut Findings) -> Option<Requirement> {
    let at = |word: Option<&str>, findings: &Findings| -> Span { pointed(text.span, word, findings) };
    match Requirement::parse(&text.value, goals) {
        Ok(read) if read.figure.is_of_agents() && !agents => {
            let name = read.figure.to_string();
            let message = format!("`{name}` is of agents, and this campaign has none");
            let at = at(Some(&name), findings);
            findings.error(at, Code::Contradiction, message);
            None
        }
        Ok(read) => Some(read),
        Err(flaw) => {
            let at = at(flaw.mistake.word.as_deref(), findings);
            findings.error_hint(at, flaw.code, flaw.mistake.message, flaw.mistake.hint.unwrap_or_default());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::render;
    use crate::campaign::{Campaign, Folder, load};

    fn read(pacing: &str, more: &str) -> Result<Campaign, String> {
        let yaml = format!(
            "schema: goldenhour/v1\ncampaign: c\nscenario: activation\npurpose: marketing\nuse: {{ policy: p@1 }}\n\
             list: {{ key: k, phones: [p], score: s }}\npacing: {{ mode: {pacing} }}\nagents: {{ queue: q }}\n\
             flow: {{ start: a, steps: {{ a: {{ then: hangup }} }} }}\n\
             dispositions: {{ accepted: {{ outcome: success, contact: right_party, then: final }} }}\n{more}"
        );
        let mut folder = Folder::default();
        let policy = "schema: goldenhour/policy/v1\npolicy: p\nversion: 1\ntitle: p\npurposes: [marketing]\nsources: [\"x\"]\n\
                      consent: not_refused\ncalling_hours: { mon-sun: [\"09:00-20:00\"], holidays: open }\n\
                      attempts: { max: 9, max_per_day: 9 }\n";
        folder.insert("policies/p.yaml", policy.as_bytes());
        folder.insert("c.yaml", yaml.into_bytes());
        let plan = load(&folder).map_err(|findings| render(&findings))?;
        Ok(Campaign::clone(&plan.campaigns[0]))
    }

    #[test]
    fn goals_and_requirements_are_read_and_checked_together() {
        let more = "goals: { accepted: 1800, list_penetration: 95%, contacts_per_agent_hour: 9.5 }\n\
                    simulate: { roster: rosters/a.csv, runs: 50, require: ['p50(goal.accepted) >= 1800'] }\n";
        let campaign = read("progressive", more).unwrap_or_else(|shown| panic!("{shown}"));
        let targets: Vec<(&str, f64)> = campaign.goals.iter().map(|goal| (goal.name.as_str(), goal.target)).collect();
        assert_eq!(targets, [("accepted", 1_800.0), ("list_penetration", 0.95), ("contacts_per_agent_hour", 9.5)]);
        let simulate = &campaign.simulate;
        assert_eq!((simulate.roster.as_deref(), simulate.runs, simulate.seed), (Some("rosters/a.csv"), Some(50), None));
        assert_eq!(simulate.require.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_place() {
        for (pacing, more, said) in [
            ("progressive", "goals: { acepted: 5 }", "did you mean `accepted`?"),
            ("progressive", "goals: { list_penetration: 5 }", "a percentage: 20%"),
            ("progressive", "goals: { accepted: 0 }", "`0` is no goal"),
            ("progressive", "simulate: { require: ['p50(goal.accepted) >= 5'] }", "there is no goal `accepted`"),
            ("progressive", "simulate: { require: ['p95(abandonment.24h) <= 3%'] }", "not supported yet"),
            ("progressive", "simulate: { roster: ../a.csv }", "leads out of the campaigns folder"),
            ("progressive", "simulate: { run: 5 }", "did you mean `runs`?"),
            ("agentless", "simulate: { roster: a.csv }", "this campaign has none"),
            ("agentless", "simulate: { require: ['p95(agent_idle) <= 20%'] }", "`agent_idle` is of agents"),
        ] {
            let shown = read(pacing, more).unwrap_err();
            assert!(shown.contains(said), "{more}\n{shown}");
        }
        let shown = read("progressive", "simulate: { require: ['p95(agent_idel) <= 20%'] }").unwrap_err();
        assert!(shown.contains("c.yaml:11:28") && shown.contains("did you mean `agent_idle`?"), "{shown}");
    }
}
