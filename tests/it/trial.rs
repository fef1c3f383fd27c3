//! Small lists and a campaign that allows almost everything, for trials that are about something else than its rules.

use std::fmt::Write as _;

use crate::daemon::Site;

pub(crate) const HEADER: &str = "contact_id,phone_e164,tz,score,consent";

/// Round the clock, with a budget that nobody reaches.
const POLICY: &str = r#"schema: goldenhour/policy/v1
policy: trial
version: 1
title: For trials
purposes: [service, marketing, collection]
calling_hours: { mon-sun: ["00:00-24:00"], holidays: open, zone: any }
consent: not_refused
attempts: { max: 20, max_per_day: 20 }
sources: ["nobody: test numbers only"]
"#;

const DISPOSITIONS: &str = r"schema: goldenhour/dispositions/v1
dispositions: trial
version: 1
title: For trials
codes:
  accepted:  { outcome: success, contact: right_party, then: final }
  opted_out: { outcome: failure, contact: right_party, then: dnc_customer }
  silent:    { outcome: neutral, contact: nobody, then: retry }
";

/// What a trial may choose about its campaign.
pub(crate) struct Trial<'a> {
    pub(crate) name: &'a str,
    pub(crate) policy: &'a str,
    /// Lines of YAML at the top level.
    pub(crate) more: &'a str,
    pub(crate) attempts: &'a str,
    pub(crate) ring_s: u32,
}

impl Default for Trial<'_> {
    fn default() -> Self {
        Self { name: "trial", policy: "trial@1", more: "", attempts: "{ max: 1, max_per_day: 1 }", ring_s: 30 }
    }
}

impl Trial<'_> {
    /// Writes the campaign with its policy, dispositions and prompt into the site.
    pub(crate) fn write(&self, site: &Site) {
        site.write("campaigns/policies/trial.yaml", POLICY);
        site.write("campaigns/dispositions/trial.yaml", DISPOSITIONS);
        std::fs::create_dir_all(site.path("campaigns/prompts")).unwrap();
        let prompt = concat!(env!("CARGO_MANIFEST_DIR"), "/campaigns/prompts/goodbye.wav");
        std::fs::copy(prompt, site.path("campaigns/prompts/goodbye.wav")).unwrap();
        site.write(&format!("campaigns/{}.yaml", self.name), &self.text());
    }

    pub(crate) fn text(&self) -> String {
        let Self { name, policy, more, attempts, ring_s } = self;
        format!(
            r#"schema: goldenhour/v1
campaign: {name}
title: A trial
scenario: activation
purpose: collection
owner: nobody
status: active
use: {{ policy: {policy}, dispositions: trial@1 }}
list: {{ key: contact_id, phones: [phone_e164], model: {{ score: score }}, zone: tz, consent: consent }}
rank: {{ by: score }}
pacing: {{ mode: agentless, ring: {ring_s}s, max_call_duration: 1m }}
attempts: {attempts}
{more}
flow:
  start: hello
  steps:
    hello:
      play: prompts/goodbye.wav
      collect: {{ digits: 1, timeout: 3s, tries: 1 }}
      on: {{ "1": yes-please, "9": never, timeout: nobody }}
    yes-please: {{ disposition: accepted, then: hangup }}
    never: {{ play: prompts/goodbye.wav, disposition: opted_out, then: hangup }}
    nobody: {{ disposition: silent, then: hangup }}
"#
        )
    }
}

/// `count` rows in a zone; keys and numbers begin with `series` (one to three digits), scores fall.
pub(crate) fn rows(series: u32, zone: &str, count: u32) -> String {
    let mut text = String::new();
    for n in 0..count {
        let score = 1.0 - f64::from(n) / f64::from(count + 1);
        writeln!(text, "k{series}-{n},{},{zone},{score:.6},1", number(series, n)).unwrap();
    }
    text
}

/// The test number of a row.
pub(crate) fn number(series: u32, n: u32) -> String {
    format!("+999{series:0<3}{n:06}")
}

/// Nobody answers, and a phone rings until the caller gives up.
pub(crate) fn nobody_in_town() -> String {
    town_at_pace(100, 0, r#"{ "1": 0% }"#, "")
}

/// Everybody answers at once and does what `keys` says; nobody's line is busy or dead.
pub(crate) fn town(answer: u32, keys: &str, more: &str) -> String {
    town_at_pace(10, answer, keys, more)
}

fn town_at_pace(pace: u32, answer: u32, keys: &str, more: &str) -> String {
    format!(
        "seed: 7\npace: {pace}%\npeople:\n  answers: {{ \"00:00-24:00\": {answer}% }}\n  machine: 0%\n  busy: 0%\n  \
         rejected: 0%\n  powered_off: 0%\n  not_reachable: 0%\n  congestion: 0%\n  vacant_numbers: 0%\n  \
         suspended_numbers: 0%\n  keys: {keys}\n{more}"
    )
}

/// A subcommand that takes no configuration.
pub(crate) fn without_config(subcommand: &str, more: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg(subcommand).args(more).stdin(std::process::Stdio::null()).output().unwrap()
}
