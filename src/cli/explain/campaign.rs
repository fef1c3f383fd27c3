//! One campaign in words: every figure that is in force, and whose it is.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::base::Wall;
use crate::campaign::{
    Campaign, Cap, CapRule, ConsentRule, GoldenMode, HolidayRule, PacingMode, Plan, RankBy, RetryRule, ZoneRule,
};
use crate::cli::ahead::Seen;
use crate::cli::exit::Stop;
use crate::cli::site::{Site, unknown};
use crate::contact::CallResult;

use super::learned::learned;
use super::words::{count, span, week};

/// Sections of sentences: what the files say after all defaults and the policy.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    campaign: String,
    title: String,
    policy: String,
    /// SHA-256 of the campaign's file and of its policy's.
    hash: String,
    policy_hash: String,
    sections: Vec<Section>,
}

#[derive(Debug, Serialize)]
struct Section {
    about: &'static str,
    says: Vec<String>,
}

pub(super) async fn explain(config: &Path, name: &str, at: Option<Wall>) -> Result<Report, Stop> {
    let site = Site::read(config)?;
    let plan = site.plan()?;
    let Some(campaign) = plan.campaigns.iter().find(|campaign| campaign.name == name) else {
        return Err(unknown(name, &plan));
    };
    let mut report = report(campaign, &plan);
    // A campaign can be read before there is a database.
    let says = match Seen::open(&site, at).await {
        Ok(mut seen) => learned(&mut seen, campaign).await?,
        Err(why) => vec![format!("nothing can be read: {}", why.why)],
    };
    report.sections.push(Section { about: "learned", says });
    Ok(report)
}

fn report(campaign: &Campaign, plan: &Plan) -> Report {
    let sections = [
        ("state", state(campaign)),
        ("who", who(campaign)),
        ("hours", hours(campaign, plan)),
        ("order", order(campaign)),
        ("budget", budget(campaign)),
        ("caps", campaign.caps.iter().map(cap).collect()),
        ("again", again(campaign)),
        ("dialling", dialling(campaign)),
        ("sources", campaign.policy.sources.clone()),
    ];
    let sections = sections.into_iter().filter(|(_, says)| !says.is_empty());
    Report {
        campaign: campaign.name.clone(),
        title: campaign.title.clone(),
        policy: campaign.policy.reference(),
        hash: campaign.hash.clone(),
        policy_hash: campaign.policy.hash.clone(),
        sections: sections.map(|(about, says)| Section { about, says }).collect(),
    }
}

fn state(campaign: &Campaign) -> Vec<String> {
    let mut says = vec![format!(
        "{} campaign of {}, {}",
        campaign.purpose.as_str(),
        campaign.scenario.as_str(),
        campaign.status.as_str()
    )];
    match (campaign.run.from, campaign.run.until) {
        (None, None) => says.push("runs without a last day".to_owned()),
        (Some(from), None) => says.push(format!("runs from {from}")),
        (None, Some(until)) => says.push(format!("runs until {until}")),
        (Some(from), Some(until)) => says.push(format!("runs from {from} to {until}")),
    }
    says
}

fn who(campaign: &Campaign) -> Vec<String> {
    let mut says: Vec<String> =
        campaign.eligible.iter().map(|condition| format!("only where {}", condition.source)).collect();
    let [first, rest @ ..] = campaign.segments.as_slice() else { return says };
    if rest.is_empty() && first.attempts_max.is_none() {
        says.push("one segment for everybody".to_owned());
    } else {
        for segment in &campaign.segments {
            let max = segment
                .attempts_max
                .map_or(String::new(), |max| format!(", at most {}", count(u64::from(max), "attempt")));
            says.push(format!("segment {} where {}{max}", segment.name, segment.when.source));
        }
    }
    let required = [campaign.consent, campaign.policy.consent].contains(&ConsentRule::Required);
    says.push(if required { "only with a recorded consent" } else { "anybody who has not refused consent" }.to_owned());
    if let Some(after) = campaign.list.expires_after {
        says.push(format!("nobody from a list older than {}", span(after)));
    }
    says
}

fn hours(campaign: &Campaign, plan: &Plan) -> Vec<String> {
    let hours = &campaign.calling_hours;
    let mut says = vec![format!("calls {}", week(&hours.week))];
    if hours.week != campaign.policy.hours {
        says.push(format!("the policy would allow {}", week(&campaign.policy.hours)));
    }
    says.push(match hours.zone {
        ZoneRule::Fixed(ix) => format!("on one clock for everybody: {}", plan.zones.name(ix)),
        ZoneRule::Customer => match hours.fallback_zone {
            Some(ix) => format!("on the customer's own clock; where nobody knows it, {}", plan.zones.name(ix)),
            None => "on the customer's own clock; nobody whose clock is unknown".to_owned(),
        },
    });
    let closed = [hours.holidays, campaign.policy.holidays].contains(&HolidayRule::Closed);
    says.push(match (closed, &campaign.calendar) {
        (true, Some(calendar)) => {
            let years: Vec<String> = calendar.years.iter().map(ToString::to_string).collect();
            format!("not on holidays of {}@{}, published for {}", calendar.name, calendar.version, years.join(", "))
        }
        (true, None) => "not on holidays, and no calendar says which: never".to_owned(),
        (false, _) => "on holidays as on any day".to_owned(),
    });
    says
}

fn order(campaign: &Campaign) -> Vec<String> {
    let golden = &campaign.golden_hours;
    let mut says = vec![match campaign.rank.by {
        RankBy::Score => "the highest score first".to_owned(),
        RankBy::ExpectedValue => "by what a call is worth now: chance of an answer × score × value".to_owned(),
    }];
    for (segment, hours) in &golden.seed {
        says.push(format!("golden for {segment}: {}", week(hours)));
    }
    if !golden.seed.is_empty() {
        says.push(match golden.mode {
            GoldenMode::Only => "outside golden hours nobody is called".to_owned(),
            GoldenMode::Prefer => {
                format!(
                    "an answer is expected from {} in golden hours, {} outside",
                    golden.rate_golden, golden.rate_other
                )
            }
        });
    }
    says
}

fn budget(campaign: &Campaign) -> Vec<String> {
    let (own, policy) = (&campaign.attempts, &campaign.policy);
    let max = own.max.min(policy.attempts_max);
    let per_day = own.max_per_day.min(policy.attempts_max_per_day);
    let mut says = vec![
        format!("{} in all (the policy allows {})", count(u64::from(max), "attempt"), policy.attempts_max),
        format!("{per_day} on one day of the contact (the policy allows {})", policy.attempts_max_per_day),
        format!("{} between two", span(own.min_gap)),
    ];
    says.extend(own.spread.map(|spread| format!("at most {} in the same part of the day", spread.at_most_each)));
    says.extend(own.stop_after_contact.then(|| "no more once they were reached".to_owned()));
    says
}

fn cap(cap: &Cap) -> String {
    let (per, owner) = (cap.per.as_str(), cap.origin.as_str());
    match &cap.rule {
        CapRule::Within { within, max_dials, max_contacts } => {
            let parts = [
                max_dials.map(|max| count(u64::from(max), "dial")),
                max_contacts.map(|max| count(u64::from(max), "conversation")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("at most {} per {per} in {} ({owner})", parts.join(" and "), span(*within))
        }
        CapRule::Quiet { after, quiet_for: Some(quiet) } => {
            format!("{} quiet per {per} after: {} ({owner})", span(*quiet), after.as_str())
        }
        CapRule::Quiet { after, quiet_for: None } => {
            format!("quiet for ever per {per} after: {} ({owner})", after.as_str())
        }
    }
}

fn again(campaign: &Campaign) -> Vec<String> {
    let mut says: Vec<String> = campaign.retry.iter().map(|(result, rule)| retry(*result, rule)).collect();
    if says.is_empty() {
        says.push("every result by the table of docs/CAMPAIGNS.md".to_owned());
    }
    says
}

fn retry(result: CallResult, rule: &RetryRule) -> String {
    let first = if rule.phone_dead {
        "never this number again".to_owned()
    } else {
        format!("in {}, {}", span(rule.after), times(rule.max))
    };
    let parts = [
        Some(first),
        (rule.free > 0).then(|| format!("{} of them outside the daily budget", rule.free)),
        rule.other_daypart.then(|| "in another part of the day".to_owned()),
        rule.prefer.map(|part| format!("in the {} if possible", part.as_str())),
        rule.next_phone.then(|| "on the next number".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("after {}: {}", result.as_str(), parts.join(", "))
}

fn times(max: u16) -> String {
    if max == 1 { "once".to_owned() } else { format!("{max} times") }
}

fn dialling(campaign: &Campaign) -> Vec<String> {
    let pacing = &campaign.pacing;
    let mut says = vec![match (pacing.mode, &campaign.agents) {
        (PacingMode::Progressive, Some(agents)) => {
            format!("one dial per free seat of {}, {} of wrap-up", agents.queue, span(agents.wrap_up))
        }
        (PacingMode::Progressive, None) => "one dial per free agent".to_owned(),
        (PacingMode::Agentless, _) => "as fast as lines allow; the flow answers".to_owned(),
    }];
    says.push(format!("rings {}, talks at most {}", span(pacing.ring), span(pacing.max_call_duration)));
    let trunk = &campaign.trunk;
    let limits = [
        trunk.max_calls.map(|max| format!("at most {} at once", count(u64::from(max), "call"))),
        trunk.max_cps.map(|max| format!("at most {} a second", count(u64::from(max), "new call"))),
    ];
    says.push(format!("over {}", trunk.group.as_deref().unwrap_or("the only trunk")));
    says.extend(limits.into_iter().flatten());
    if let Some(flow) = &campaign.flow {
        let steps: Vec<&str> = flow.steps.iter().map(|step| step.name.as_str()).collect();
        says.push(format!("an answered call goes through {}", steps.join(", ")));
    }
    says
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.campaign)?;
        if self.title != self.campaign {
            write!(f, "  {}", self.title)?;
        }
        write!(f, "\nunder {}, version {}", self.policy, self.hash.get(..12).unwrap_or_default())?;
        for section in &self.sections {
            for (nth, line) in section.says.iter().enumerate() {
                let about = if nth == 0 { section.about } else { "" };
                write!(f, "\n  {about:<10} {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Folder, load};

    const POLICY: &str = "schema: goldenhour/policy/v1\npolicy: p\nversion: 2\ntitle: p\npurposes: [marketing]\n\
        sources: [\"a test\"]\nconsent: required\n\
        calling_hours: { mon-sun: [\"09:00-20:00\"], holidays: open }\nattempts: { max: 6, max_per_day: 2 }\n\
        contact_caps:\n  - { per: customer, within: 7d, max_dials: 4, max_contacts: 1 }\n\
        \x20 - { per: customer, after: complaint, quiet_for: forever }\n";

    const CAMPAIGN: &str = "schema: goldenhour/v1\ncampaign: c\nscenario: activation\npurpose: marketing\n\
        run: { from: \"2026-12-01\", until: \"2026-12-31\" }\nuse: { policy: p@2 }\n\
        list: { key: key, phones: [phone], model: { score: score }, consent: agreed, expires_after: 14d }\n\
        eligible: { all_of: ['score >= 0.1'] }\n\
        segments: [{ name: star, when: 'score >= 0.5' }, { name: rest, when: 'true', attempts: { max: 1 } }]\n\
        calling_hours: { fallback_zone: Asia/Shanghai, mon-fri: [\"09:00-12:00\"], sat-sun: [] }\n\
        golden_hours: { seed: { all: { mon-fri: [\"10:00-11:00\"] } } }\n\
        pacing: { mode: agentless, ring: 30s }\ntrunk: { max_cps: 1 }\n\
        retry: { busy: { after: 15m, max: 2, free: 1 }, vacant_number: { phone: dead, next_phone: true } }\n\
        flow: { start: bye, steps: { bye: { then: hangup } } }\n";

    #[test]
    fn a_campaign_reads_as_its_files_say() {
        let mut folder = Folder::default();
        folder.insert("policies/p.yaml", POLICY.as_bytes());
        folder.insert("c.yaml", CAMPAIGN.as_bytes());
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", crate::base::render(&findings)));
        let said = report(plan.campaigns.first().unwrap(), &plan).to_string();
        for line in [
            "runs from 2026-12-01 to 2026-12-31",
            "only where score >= 0.1",
            "segment rest where true, at most 1 attempt",
            "only with a recorded consent",
            "nobody from a list older than 14 d",
            "calls Mon–Fri 09:00-12:00",
            "the policy would allow Mon–Sun 09:00-20:00",
            "golden for all: Mon–Fri 10:00-11:00",
            "at most 4 dials and 1 conversation per customer in 7 d (policy)",
            "quiet for ever per customer after: complaint (policy)",
            "after busy: in 15 min, 2 times, 1 of them outside the daily budget",
            "after vacant_number: never this number again, on the next number",
            "at most 1 new call a second",
        ] {
            assert!(said.lines().any(|shown| shown.ends_with(line)), "{line} is not in\n{said}");
        }
    }
}
