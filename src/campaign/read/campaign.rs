//! The sections of a campaign file.

use std::time::Duration;

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Node, Spanned, scalar, unit};
use crate::campaign::{AgentsUse, CapOrigin, Pacing, PacingMode, Purpose, Rank, RunDates, Scenario, Status, TrunkUse};

use super::rank::rank;
use super::reference::{Reference, reference};
use super::{
    RawAttempts, RawCap, RawDisposition, RawExperiment, RawFlow, RawGoals, RawGolden, RawHours, RawList, RawRetry,
    RawSimulate, RawTests,
};
use super::{attempts, caps, cases, dispositions, experiment, flow, goals, golden, hours, list, policy};

/// Everything is optional here, so that one mistake does not hide the next: `check` says what is missing.
#[derive(Clone, Debug, Default)]
pub struct RawCampaign {
    pub span: Span,
    pub name: Option<Spanned<String>>,
    pub title: Option<String>,
    pub scenario: Option<Scenario>,
    pub purpose: Option<Spanned<Purpose>>,
    pub owner: Option<String>,
    pub status: Option<Status>,
    pub run: Option<Spanned<RunDates>>,
    pub uses: RawUse,
    pub list: Option<RawList>,
    pub eligible: Vec<Spanned<String>>,
    pub segments: Vec<RawSegment>,
    pub rank: Option<Rank>,
    pub hours: RawHours,
    pub golden: Option<RawGolden>,
    pub pacing: Option<Spanned<Pacing>>,
    pub attempts: RawAttempts,
    pub retry: Option<RawRetry>,
    pub caps: Vec<RawCap>,
    pub caller_id_pool: Option<String>,
    pub trunk: RawTrunk,
    pub agents: Option<Spanned<AgentsUse>>,
    pub script: RawScript,
    pub flow: Option<RawFlow>,
    pub dispositions: Vec<RawDisposition>,
    pub experiment: Option<RawExperiment>,
    pub goals: RawGoals,
    pub simulate: Option<RawSimulate>,
    pub tests: RawTests,
    /// Sections that stand in the file, readable or not: what is unreadable is not called missing as well.
    pub present: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub struct RawUse {
    pub policy: Option<Spanned<Reference>>,
    pub calendar: Option<Spanned<Reference>>,
    pub dispositions: Option<Spanned<Reference>>,
}

#[derive(Clone, Debug)]
pub struct RawSegment {
    pub name: Spanned<String>,
    pub when: Option<Spanned<String>>,
    pub attempts_max: Option<Spanned<u16>>,
}

#[derive(Clone, Debug, Default)]
pub struct RawTrunk {
    pub group: Option<Spanned<String>>,
    pub max_calls: Option<u32>,
    pub max_cps: Option<u32>,
}

/// `default` or a segment's name → a file.
#[derive(Clone, Debug, Default)]
pub struct RawScript {
    pub files: Vec<(Spanned<String>, Spanned<String>)>,
}

/// Conditions and segments beyond this are a program. Positions of both are bytes elsewhere.
const MOST: usize = 64;

pub fn campaign(root: &Node, findings: &mut Findings) -> Option<RawCampaign> {
    let mut fields = root.fields("a campaign", findings)?;
    fields.take("schema");
    fields.not_yet(&["answer", "recording", "callbacks", "feedback"]);
    let present = ["pacing", "agents", "flow"].into_iter().filter(|key| fields.take(key).is_some()).collect();
    let words = |names: &'static [Scenario]| names.iter().map(|s| (s.as_str(), *s)).collect::<Vec<_>>();
    let raw = RawCampaign {
        span: root.span,
        name: fields.required("campaign", findings, |node, findings| {
            scalar::name(node, findings).map(|name| node.spanned(name))
        }),
        title: fields.optional("title", findings, scalar::text_some),
        scenario: fields.required("scenario", findings, |node, findings| {
            scalar::one_of(node, "a scenario", &words(Scenario::ALL), &[], findings)
        }),
        purpose: fields.required("purpose", findings, |node, findings| {
            policy::purpose(node, findings).map(|purpose| node.spanned(purpose))
        }),
        owner: fields.optional("owner", findings, scalar::text_some),
        status: fields.optional("status", findings, status),
        run: fields.optional("run", findings, run),
        uses: fields.required("use", findings, uses).unwrap_or_default(),
        list: fields.required("list", findings, list::list),
        eligible: fields.optional("eligible", findings, eligible).unwrap_or_default(),
        segments: fields.optional("segments", findings, segments).unwrap_or_default(),
        rank: fields.optional("rank", findings, rank),
        hours: fields.optional("calling_hours", findings, hours::calling_hours).unwrap_or_default(),
        golden: fields.optional("golden_hours", findings, golden::golden_hours),
        pacing: fields.optional("pacing", findings, pacing),
        attempts: fields.optional("attempts", findings, attempts::attempts).unwrap_or_default(),
        retry: fields.optional("retry", findings, attempts::retry),
        caps: fields.optional("contact_caps", findings, caps::caps(CapOrigin::Campaign)).unwrap_or_default(),
        caller_id_pool: fields.optional("caller_id", findings, caller_id),
        trunk: fields.optional("trunk", findings, trunk).unwrap_or_default(),
        agents: fields.optional("agents", findings, agents),
        script: fields.optional("script", findings, script).unwrap_or_default(),
        flow: fields.optional("flow", findings, flow::flow),
        dispositions: fields.optional("dispositions", findings, dispositions::dispositions).unwrap_or_default(),
        experiment: fields.optional("experiment", findings, experiment::experiment),
        goals: fields.optional("goals", findings, goals::goals).unwrap_or_default(),
        simulate: fields.optional("simulate", findings, goals::simulate),
        tests: fields.optional("tests", findings, cases::tests).unwrap_or_default(),
        present: Vec::new(),
    };
    fields.finish(findings);
    Some(RawCampaign { present, ..raw })
}

fn status(node: &Node, findings: &mut Findings) -> Option<Status> {
    let words: Vec<(&str, Status)> = Status::ALL.iter().map(|s| (s.as_str(), *s)).collect();
    scalar::one_of(node, "a status", &words, &[], findings)
}

fn run(node: &Node, findings: &mut Findings) -> Option<Spanned<RunDates>> {
    let mut fields = node.fields("run", findings)?;
    let from = fields.optional("from", findings, unit::date);
    let until = fields.optional("until", findings, unit::date);
    let until_span = fields.take("until").map_or(node.span, |node| node.span);
    fields.finish(findings);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        findings.error(until_span, Code::Contradiction, format!("the run ends on {until}, before it begins on {from}"));
    }
    Some(node.spanned(RunDates { from, until }))
}

fn uses(node: &Node, findings: &mut Findings) -> Option<RawUse> {
    let mut fields = node.fields("use", findings)?;
    fields.not_yet(&["trunks"]);
    let uses = RawUse {
        policy: fields.required("policy", findings, reference),
        calendar: fields.optional("calendar", findings, reference),
        dispositions: fields.optional("dispositions", findings, reference),
    };
    fields.finish(findings);
    Some(uses)
}

/// `true` without quotes is a condition too.
fn condition(node: &Node, findings: &mut Findings) -> Option<Spanned<String>> {
    let scalar = node.scalar("a condition", findings)?;
    if scalar::is_ambiguous(scalar) {
        scalar::report_ambiguous(scalar, node.span, findings);
        return None;
    }
    Some(node.spanned(scalar.text.clone()))
}

fn eligible(node: &Node, findings: &mut Findings) -> Option<Vec<Spanned<String>>> {
    let mut fields = node.fields("eligible", findings)?;
    let all = fields.required("all_of", findings, |node, findings| {
        let conditions = node.list_of("all_of", findings, condition)?;
        if conditions.len() > MOST {
            findings.error(node.span, Code::YamlBounds, format!("more than {MOST} conditions"));
            return None;
        }
        Some(conditions)
    });
    fields.finish(findings);
    all
}

fn segments(node: &Node, findings: &mut Findings) -> Option<Vec<RawSegment>> {
    let segments = node.list_of("segments", findings, segment)?;
    if segments.len() > MOST {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST} segments"));
        return None;
    }
    Some(segments)
}

fn segment(node: &Node, findings: &mut Findings) -> Option<RawSegment> {
    let mut fields = node.fields("a segment", findings)?;
    fields.not_yet(&["agents", "reserve_golden", "script", "golden_hours", "rank"]);
    let name =
        fields.required("name", findings, |node, findings| scalar::name(node, findings).map(|name| node.spanned(name)));
    let when = fields.required("when", findings, condition);
    let attempts_max = fields.optional("attempts", findings, |node, findings| {
        let mut fields = node.fields("attempts of a segment", findings)?;
        let max = fields.required("max", findings, |node, findings| {
            scalar::u16_from(1..=1_000)(node, findings).map(|max| node.spanned(max))
        });
        fields.finish(findings);
        max
    });
    fields.finish(findings);
    // A bad name is reported, and must not hide what is wrong with the condition.
    let name = name.unwrap_or(Spanned { value: String::new(), span: node.span });
    Some(RawSegment { name, when, attempts_max })
}

fn pacing(node: &Node, findings: &mut Findings) -> Option<Spanned<Pacing>> {
    let mut fields = node.fields("pacing", findings)?;
    fields.not_yet(&["below_agents", "max_lines_per_agent", "abandonment"]);
    let mode = fields.optional("mode", findings, |node, findings| {
        let words: Vec<(&str, PacingMode)> = PacingMode::ALL.iter().map(|mode| (mode.as_str(), *mode)).collect();
        scalar::one_of(node, "a pacing mode", &words, &["preview", "power", "predictive"], findings)
    });
    let has_mode = fields.take("mode").is_some();
    let seconds = Duration::from_secs;
    let ring = fields.optional("ring", findings, unit::duration_in(seconds(5)..=seconds(180)));
    let longest = unit::duration_in(seconds(10)..=seconds(4 * 3_600));
    let max_call = fields.optional("max_call_duration", findings, longest);
    fields.finish(findings);
    let default = Pacing::default();
    if mode.is_none() && has_mode {
        return None;
    }
    Some(node.spanned(Pacing {
        mode: mode.unwrap_or(default.mode),
        ring: ring.unwrap_or(default.ring),
        max_call_duration: max_call.unwrap_or(default.max_call_duration),
    }))
}

fn caller_id(node: &Node, findings: &mut Findings) -> Option<String> {
    let mut fields = node.fields("caller_id", findings)?;
    fields.not_yet(&["choose", "max_dials_per_number_per_day"]);
    let pool = fields.optional("pool", findings, scalar::name);
    fields.finish(findings);
    pool
}

fn trunk(node: &Node, findings: &mut Findings) -> Option<RawTrunk> {
    let mut fields = node.fields("trunk", findings)?;
    fields.not_yet(&["failover"]);
    let trunk = RawTrunk {
        group: fields.optional("group", findings, named),
        max_calls: fields.optional("max_calls", findings, scalar::u32_from(1..=1_000_000)),
        max_cps: fields.optional("max_cps", findings, scalar::u32_from(1..=100_000)),
    };
    fields.finish(findings);
    Some(trunk)
}

impl RawTrunk {
    pub fn checked(&self) -> TrunkUse {
        TrunkUse {
            group: self.group.as_ref().map(|group| group.value.clone()),
            max_calls: self.max_calls,
            max_cps: self.max_cps,
        }
    }
}

fn agents(node: &Node, findings: &mut Findings) -> Option<Spanned<AgentsUse>> {
    let mut fields = node.fields("agents", findings)?;
    fields.not_yet(&["skills", "assign", "screen_pop"]);
    let queue = fields.required("queue", findings, named);
    let longest = unit::duration_in(Duration::ZERO..=Duration::from_hours(1));
    let wrap_up = fields.optional("wrap_up", findings, longest).unwrap_or(AgentsUse::DEFAULT_WRAP_UP);
    fields.finish(findings);
    queue.map(|queue| Spanned { value: AgentsUse { queue: queue.value, wrap_up }, span: queue.span })
}

fn named(node: &Node, findings: &mut Findings) -> Option<Spanned<String>> {
    scalar::name(node, findings).map(|name| node.spanned(name))
}

fn script(node: &Node, findings: &mut Findings) -> Option<RawScript> {
    let mut files = Vec::new();
    for entry in node.entries("script", findings)? {
        if entry.key.text == "must_say" {
            findings.error(entry.key_span, Code::NotSupported, "`must_say` is not supported yet");
            continue;
        }
        let name = scalar::key_name(entry, findings);
        let file = scalar::text_at(&entry.value, findings);
        if let (Some(name), Some(file)) = (name, file) {
            files.push((Spanned { value: name, span: entry.key_span }, file));
        }
    }
    Some(RawScript { files })
}
