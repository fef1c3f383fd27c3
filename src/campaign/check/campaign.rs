//! One campaign from its raw sections.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Spanned, did_you_mean, unit};
use crate::campaign::read::{DispositionSet, RawCampaign, RawList, RawSegment};
use crate::campaign::{
    AgentsUse, Attempts, Campaign, Condition, PacingMode, Policy, RunDates, Segment, Status, Vocabulary,
};
use crate::contact::{Meaning, Zones};

use super::shared::place;
use super::{Names, Shared, attempts, caps, experiment, flow, goals, golden, hours, lint};

/// `None` if `findings` got an error, but for a run that has ended: its tests are still read. `hash` is the file's.
pub fn campaign(
    raw: RawCampaign,
    hash: String,
    shared: &Shared,
    names: &mut Names<'_>,
    zones: &mut Zones,
    findings: &mut Findings,
) -> Option<Campaign> {
    let written = raw.clone();
    let policy = shared.policy(&raw, findings);
    let calendar = shared.calendar(&raw, findings);
    let vocabulary = raw.list.as_ref().map(RawList::vocabulary);
    let eligible = conditions(&raw.eligible, vocabulary.as_ref(), findings);
    let budget = policy.as_deref().map(|policy| attempts::attempts(&raw.attempts, policy, findings));
    let segments = segments(&raw, budget.as_ref(), vocabulary.as_ref(), findings);
    let calling = policy.as_deref().and_then(|policy| hours::calling_hours(&raw.hours, policy, zones, findings));
    if let Some(calling) = &calling {
        hours::holidays(&raw, calling.holidays, calendar.as_deref(), findings);
    }
    let golden =
        golden::golden_hours(raw.golden.as_ref(), &segments, calling.as_ref().map(|hours| &hours.week), findings);
    let set = shared.dispositions(&raw, findings);
    let dispositions = dispositions(&raw, set, findings);
    let all_known = set.is_some() || raw.uses.dispositions.is_none();
    let codes = all_known.then_some(&dispositions);
    let flow = raw.flow.as_ref().and_then(|flow| flow::flow(flow, codes, names, findings));
    let experiment = raw.experiment.as_ref().and_then(|raw| experiment::experiment(raw, codes, names, findings));
    let goals = goals::goals(&raw.goals, codes, findings);
    let agents = raw.pacing.as_ref().is_none_or(|pacing| pacing.value.mode == PacingMode::Progressive);
    let simulate = goals::simulate(raw.simulate.as_ref(), &goals, agents, findings);
    let scripts = scripts(&raw, &segments, names, findings);
    let caps = policy.as_deref().map(|policy| caps::caps(&raw.caps, policy, findings)).unwrap_or_default();
    check_pacing(&raw, policy.as_deref(), findings);
    check_consent(&raw, policy.as_deref(), findings);
    check_phones(&raw, findings);
    check_configured(&raw, names, findings);
    if findings.has_errors() {
        return None;
    }

    let (name, policy, list) = (raw.name?.value, policy?, raw.list?.map);
    let checked = Campaign {
        title: raw.title.unwrap_or_else(|| name.clone()),
        scenario: raw.scenario?,
        purpose: raw.purpose?.value,
        owner: raw.owner.unwrap_or_default(),
        status: raw.status.unwrap_or(Status::Active),
        run: raw.run.map_or_else(RunDates::default, |run| run.value),
        calendar,
        consent: policy.consent,
        list,
        eligible,
        segments,
        rank: raw.rank.unwrap_or_default(),
        calling_hours: calling?,
        golden_hours: golden,
        pacing: raw.pacing.map_or_else(Default::default, |pacing| pacing.value),
        attempts: budget?,
        retry: attempts::retry(raw.retry.as_ref()),
        caps,
        caller_id_pool: raw.caller_id_pool,
        trunk: raw.trunk.checked(),
        agents: raw.agents.map(|agents| agents.value),
        scripts,
        flow: flow.map(Arc::new),
        dispositions,
        experiment,
        goals,
        simulate,
        policy,
        hash,
        name,
    };
    lint::campaign(&written, &checked, names.today(), findings);
    Some(checked)
}

fn conditions(raw: &[Spanned<String>], vocabulary: Option<&Vocabulary>, findings: &mut Findings) -> Vec<Condition> {
    raw.iter().filter_map(|source| condition(source, vocabulary, findings)).collect()
}

fn condition(source: &Spanned<String>, vocabulary: Option<&Vocabulary>, findings: &mut Findings) -> Option<Condition> {
    match Condition::compile(&source.value, vocabulary?) {
        Ok(condition) => Some(condition),
        Err(mistake) => {
            let at = pointed(source.span, mistake.word.as_deref(), findings);
            match mistake.hint {
                Some(hint) => findings.error_hint(at, Code::Condition, mistake.message, hint),
                None => findings.error(at, Code::Condition, mistake.message),
            }
            None
        }
    }
}

/// The word of a mistake inside a condition, or the whole condition.
pub(super) fn pointed(span: Span, word: Option<&str>, findings: &Findings) -> Span {
    let text = findings.source().text.get(span.start as usize..span.end as usize).unwrap_or("");
    let found = word.filter(|word| !word.is_empty()).and_then(|word| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let is_word = word.chars().all(|c| c.is_alphanumeric() || c == '_');
        text.match_indices(word)
            .find(|(at, _)| {
                let before = text.get(..*at).and_then(|head| head.chars().next_back());
                let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
                !is_word || !is_part(before) && !is_part(after)
            })
            .map(|(at, _)| (at, word.len()))
    });
    match found {
        Some((at, length)) => {
            let start = span.start + at as u32;
            Span { start, end: start + length as u32 }
        }
        None => span,
    }
}

fn segments(
    raw: &RawCampaign,
    budget: Option<&Attempts>,
    vocabulary: Option<&Vocabulary>,
    findings: &mut Findings,
) -> Vec<Segment> {
    if raw.segments.is_empty() {
        return vec![Segment { name: "all".to_owned(), when: Condition::always(), attempts_max: None }];
    }
    let mut segments: Vec<Segment> = Vec::new();
    for RawSegment { name, when, attempts_max } in &raw.segments {
        if segments.iter().any(|known| known.name == name.value) {
            findings.error(name.span, Code::Contradiction, format!("two segments are named `{}`", name.value));
        }
        if matches!(name.value.as_str(), "all" | "default") {
            let message = format!("`{}` stands for every segment, and cannot be the name of one", name.value);
            findings.error(name.span, Code::BadValue, message);
        }
        if let (Some(own), Some(budget)) = (attempts_max, budget)
            && own.value > budget.max
        {
            let message = format!("{} attempts in a segment of a campaign with {}", own.value, budget.max);
            findings.error(own.span, Code::Contradiction, message);
        }
        let when = when.as_ref().and_then(|when| condition(when, vocabulary, findings));
        segments.push(Segment {
            name: name.value.clone(),
            // Where the condition is bad the campaign is refused anyway; its name still counts for other checks.
            when: when.unwrap_or_else(Condition::always),
            attempts_max: attempts_max.as_ref().map(|max| max.value),
        });
    }
    segments
}

fn dispositions(raw: &RawCampaign, set: Option<&DispositionSet>, findings: &mut Findings) -> BTreeMap<String, Meaning> {
    let mut all: BTreeMap<String, Meaning> =
        set.iter().flat_map(|set| &set.codes).map(|(name, meaning)| (name.value.clone(), meaning.clone())).collect();
    for (name, meaning) in &raw.dispositions {
        let shared = set.and_then(|set| set.codes.iter().find(|(shared, _)| shared.value == name.value));
        if shared.is_some_and(|(_, shared)| shared != meaning) {
            let message = format!("`{}` has another meaning in the shared set", name.value);
            findings.error_hint(
                name.span,
                Code::Contradiction,
                message,
                "a campaign adds codes; it does not redefine them",
            );
        }
        all.insert(name.value.clone(), meaning.clone());
    }
    all
}

fn scripts(
    raw: &RawCampaign,
    segments: &[Segment],
    names: &mut Names<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, Arc<str>> {
    let mut scripts = BTreeMap::new();
    for (name, path) in &raw.script.files {
        if name.value != "default" && !segments.iter().any(|segment| segment.name == name.value) {
            let hint = did_you_mean(&name.value, segments.iter().map(|s| s.name.as_str()).chain(["default"]))
                .unwrap_or_else(|| "a script is for `default` or for a segment".to_owned());
            findings.error_hint(name.span, Code::UnknownName, format!("there is no segment `{}`", name.value), hint);
        }
        if let Some(text) = names.script(path, findings) {
            scripts.insert(name.value.clone(), text);
        }
    }
    scripts
}

fn check_pacing(raw: &RawCampaign, policy: Option<&Policy>, findings: &mut Findings) {
    let missing = |section: &str| !raw.present.contains(&section);
    if raw.pacing.is_none() && !missing("pacing") {
        return;
    }
    let pacing = raw.pacing.as_ref().map_or_else(Default::default, |pacing| pacing.value.clone());
    let at = place(raw.pacing.as_ref().map_or_else(Span::default, |pacing| pacing.span), raw.span);
    match pacing.mode {
        PacingMode::Progressive if missing("agents") => {
            let hint = "agents: { queue: NAME }, or pacing: { mode: agentless } where a flow answers alone";
            findings.error_hint(
                at,
                Code::Contradiction,
                "progressive pacing goes by free agents, and there is no queue",
                hint,
            );
        }
        PacingMode::Agentless if missing("flow") => {
            let hint = "say what the machine does on an answered call: flow: { ... }";
            findings.error_hint(at, Code::Contradiction, "agentless, and there is no flow to answer", hint);
        }
        PacingMode::Progressive | PacingMode::Agentless => {}
    }
    if let Some(policy) = policy.filter(|policy| pacing.ring < policy.min_ring) {
        let message = format!("{} lets a phone ring for {} at least", policy.reference(), unit::show(policy.min_ring));
        findings.error_hint(at, Code::Loosens, message, "a campaign may only tighten its policy");
    }
}

/// Without the column nobody has consented, and nobody would ever be called.
fn check_consent(raw: &RawCampaign, policy: Option<&Policy>, findings: &mut Findings) {
    let (Some(policy), Some(list)) = (policy, &raw.list) else { return };
    if policy.consent == crate::campaign::ConsentRule::Required && list.map.consent.is_none() {
        let message = format!("{} calls only those who consented, and the list maps no `consent`", policy.reference());
        findings.push(
            crate::base::Diagnostic::warning(Code::Contradiction, message)
                .at(findings.source(), Span { start: list.span.start, end: list.span.start + 1 })
                .hint("list: { consent: COLUMN }; until then nobody is called"),
        );
    }
}

/// A second phone is of use only if some rule leads to it.
fn check_phones(raw: &RawCampaign, findings: &mut Findings) {
    let (Some(list), Some(retry)) = (&raw.list, &raw.retry) else { return };
    if list.map.phones.len() > 1 && !retry.rules.iter().any(|(_, rule)| rule.next_phone) {
        let at = Span { start: list.span.start, end: list.span.start + 1 };
        findings.warning(
            at,
            Code::Contradiction,
            "only the first phone is ever dialled: no retry rule says `next_phone`",
        );
    }
}

fn check_configured(raw: &RawCampaign, names: &Names<'_>, findings: &mut Findings) {
    if let Some(agents) = &raw.agents {
        names.queue(&Spanned { value: agents.value.queue.as_str(), span: agents.span }, findings);
    }
    if let Some(group) = &raw.trunk.group {
        names.trunk(&Spanned { value: group.value.as_str(), span: group.span }, findings);
    }
}

impl Campaign {
    /// Every queue that its calls may go to, without repetition.
    pub fn queues(&self) -> Vec<&str> {
        let transfers = self.flow.iter().flat_map(|flow| flow.queues());
        let mut queues: Vec<&str> =
            self.agents.iter().map(|AgentsUse { queue, .. }| queue.as_str()).chain(transfers).collect();
        queues.sort_unstable();
        queues.dedup();
        queues
    }
}
