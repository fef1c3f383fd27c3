//! A folder of files → a checked plan, or everything that is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::base::{Code, Diagnostic, Severity, SourceText, Span, hex};

use super::check::{self, Names, Shared};
use super::decode::{Findings, Node, Spanned, parse, scalar, source_text};
use super::read::{self, RawCampaign, RawSubject, RawTestFile, Schema};
use super::{Campaign, Folder, NamedModel, Plan, ScoreBy, TestSet, TestSubject};

/// Checks all files together. `Err` holds at least one error, and every other finding beside it, by file and place.
pub fn load(folder: &Folder) -> Result<Plan, Vec<Diagnostic>> {
    let mut loader = Loader { shared: Shared::default(), raw: Vec::new(), tests: Vec::new(), findings: Vec::new() };
    for (path, bytes) in &folder.files {
        if matches!(path.rsplit_once('.'), Some((_, "yaml" | "yml"))) {
            loader.read(folder, path, bytes);
        }
    }
    loader.check(folder)
}

struct Loader {
    shared: Shared,
    raw: Vec<OneFile>,
    tests: Vec<(RawTestFile, Findings)>,
    findings: Vec<Diagnostic>,
}

/// A campaign file between reading and checking.
struct OneFile {
    raw: Option<RawCampaign>,
    hash: String,
    findings: Findings,
}

impl Loader {
    fn read(&mut self, folder: &Folder, path: &str, bytes: &[u8]) {
        let source = match source_text(&folder.shown(path), bytes) {
            Ok(source) => source,
            Err(finding) => {
                self.findings.push(finding);
                self.shared.broken.insert(path.to_owned());
                return;
            }
        };
        let mut findings = Findings::new(&source);
        let root = parse(&source, &mut findings);
        let schema = root.as_ref().and_then(|root| schema(root, &mut findings));
        let hash = hex(&Sha256::digest(bytes));
        if let (Some(root), Some(Schema::Campaign)) = (&root, schema) {
            let raw = read::campaign(root, &mut findings);
            self.raw.push(OneFile { raw, hash, findings });
            return;
        }
        if let (Some(root), Some(Schema::Tests)) = (&root, schema)
            && let Some(raw) = read::test_file(root, &mut findings)
        {
            self.tests.push((raw, findings));
            return;
        }
        if let (Some(root), Some(schema)) = (&root, schema) {
            self.shared_file(path, schema, root, hash, &mut findings);
        }
        if findings.has_errors() {
            self.shared.broken.insert(path.to_owned());
        }
        self.findings.extend(findings.into_list());
    }

    fn shared_file(&mut self, path: &str, schema: Schema, root: &Node, hash: String, findings: &mut Findings) {
        match schema {
            Schema::Campaign | Schema::Tests => {}
            Schema::Policy => {
                if let Some(policy) = read::policy(root, hash, findings)
                    && stands_at(path, "policies", "policy", &policy.name, root, findings)
                {
                    self.shared.policies.insert(policy.name.clone(), Arc::new(policy));
                }
            }
            Schema::Calendar => {
                if let Some(calendar) = read::calendar(root, findings)
                    && stands_at(path, "calendars", "calendar", &calendar.name, root, findings)
                {
                    self.shared.calendars.insert(calendar.name.clone(), Arc::new(calendar));
                }
            }
            Schema::Dispositions => {
                if let Some(set) = read::disposition_set(root, findings)
                    && stands_at(path, "dispositions", "dispositions", &set.name, root, findings)
                {
                    self.shared.dispositions.insert(set.name.clone(), set);
                }
            }
        }
    }

    fn check(mut self, folder: &Folder) -> Result<Plan, Vec<Diagnostic>> {
        let mut plan = Plan::default();
        let mut names = Names::new(folder);
        let mut first: BTreeMap<String, (Arc<SourceText>, Span)> = BTreeMap::new();
        for OneFile { raw, hash, mut findings } in self.raw {
            let Some(mut raw) = raw else {
                self.findings.extend(findings.into_list());
                continue;
            };
            let tests = std::mem::take(&mut raw.tests);
            let model_at = raw.list.as_ref().and_then(|list| list.model_at);
            if let Some(name) = &raw.name {
                unique(name, &mut first, &mut findings);
            }
            let checked = check::campaign(raw, hash, &self.shared, &mut names, &mut plan.zones, &mut findings);
            let checked = checked.map(Arc::new);
            if let Some(campaign) = &checked {
                let cases = check::cases(&tests, campaign, &plan.zones, &mut findings);
                let subject = TestSubject::Campaign(Arc::clone(campaign));
                plan.tests.push(TestSet { source: Arc::clone(findings.source()), subject, cases });
            }
            if let (Some(campaign), Some(span)) = (&checked, model_at)
                && let ScoreBy::Model { dir, .. } = &campaign.list.score
            {
                plan.models.push(NamedModel { dir: dir.clone(), source: Arc::clone(findings.source()), span });
            }
            let is_clean = !findings.has_errors();
            self.findings.extend(findings.into_list());
            plan.campaigns.extend(checked.filter(|_| is_clean));
        }
        for (raw, mut findings) in std::mem::take(&mut self.tests) {
            if let Some(subject) = test_subject(&raw.subject, &self.shared, &mut plan, &first, &mut findings) {
                let cases = check::cases(&raw.tests, subject.campaign(), &plan.zones, &mut findings);
                plan.tests.push(TestSet { source: Arc::clone(findings.source()), subject, cases });
            }
            self.findings.extend(findings.into_list());
        }
        if self.findings.iter().any(Diagnostic::is_error) {
            self.findings.sort_by(|a, b| file_of(a).cmp(file_of(b)));
            return Err(self.findings);
        }
        plan.campaigns.sort_by(|a: &Arc<Campaign>, b| a.name.cmp(&b.name));
        self.findings.extend(check::same_customers(&plan.campaigns, &first));
        plan.tests.retain(|set| !set.cases.is_empty());
        plan.tests.sort_by(|a, b| a.source.name.cmp(&b.source.name));
        plan.warnings = self.findings.into_iter().filter(|finding| finding.severity == Severity::Warning).collect();
        Ok(plan)
    }
}

/// `known` are the names of all campaigns, those with mistakes too: their tests are not blamed for them.
fn test_subject(
    subject: &RawSubject,
    shared: &Shared,
    plan: &mut Plan,
    known: &BTreeMap<String, (Arc<SourceText>, Span)>,
    findings: &mut Findings,
) -> Option<TestSubject> {
    let name = match subject {
        RawSubject::Policy { policy, calendar } => {
            let made = check::vector_campaign(policy, calendar.as_ref(), shared, &mut plan.zones, findings)?;
            return Some(TestSubject::Policy(Arc::new(made)));
        }
        RawSubject::Campaign(name) => name,
    };
    let found = plan.campaigns.iter().find(|campaign| campaign.name == name.value);
    if found.is_none() && !known.contains_key(&name.value) {
        let hint = check::one_of(&name.value, known.keys().map(String::as_str));
        findings.error_hint(name.span, Code::UnknownName, format!("there is no campaign `{}`", name.value), hint);
    }
    found.map(|campaign| TestSubject::Campaign(Arc::clone(campaign)))
}

fn file_of(finding: &Diagnostic) -> &str {
    finding.at.as_ref().map_or("", |(source, _)| source.name.as_str())
}

fn schema(root: &Node, findings: &mut Findings) -> Option<Schema> {
    let mut fields = root.fields("the file", findings)?;
    fields.required("schema", findings, |node, findings| scalar::one_of(node, "a schema", &Schema::ALL, &[], findings))
}

/// Names are found by path, so that a file must be called what it is.
fn stands_at(path: &str, under: &str, key: &'static str, name: &str, root: &Node, findings: &mut Findings) -> bool {
    let wanted = format!("{under}/{name}.yaml");
    if path == wanted {
        return true;
    }
    let at =
        root.fields("the file", findings).and_then(|mut fields| fields.take(key)).map_or(root.span, |node| node.span);
    findings.error_hint(
        at,
        Code::Contradiction,
        format!("`{name}` belongs into {wanted}"),
        "rename the file, or what is in it",
    );
    false
}

fn unique(name: &Spanned<String>, first: &mut BTreeMap<String, (Arc<SourceText>, Span)>, findings: &mut Findings) {
    match first.get(&name.value) {
        Some((source, span)) => {
            let line = Findings::new(source).line_of(*span);
            let message = format!("`{}` is the name of another campaign: {}:{line}", name.value, source.name);
            findings.error_hint(name.span, Code::Contradiction, message, "every campaign has its own name for ever");
        }
        None => {
            first.insert(name.value.clone(), (Arc::clone(findings.source()), name.span));
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::base::render;

    /// The shared files we ship, and one campaign.
    fn folder(campaign: &str) -> Folder {
        let mut folder = Folder::default();
        let files: [(&str, &str); 3] = [
            ("policies/cn-bank-marketing.yaml", include_str!("../../campaigns/policies/cn-bank-marketing.yaml")),
            ("calendars/cn-mainland.yaml", include_str!("../../campaigns/calendars/cn-mainland.yaml")),
            ("dispositions/card-sales.yaml", include_str!("../../campaigns/dispositions/card-sales.yaml")),
        ];
        for (path, text) in files {
            folder.insert(path, text.as_bytes());
        }
        folder.insert("scripts/installment/v7.md", "Say who you are.".as_bytes());
        folder.insert("a.yaml", campaign.as_bytes());
        folder
    }

    fn findings(campaign: &str) -> String {
        match load(&folder(campaign)) {
            Ok(plan) => render(&plan.warnings),
            Err(findings) => render(&findings),
        }
    }

    #[test]
    fn every_mistake_of_a_file_is_shown_at_once_each_with_its_caret() {
        let text = r#"schema: goldenhour/v1
campaign: installment-bill
scenario: installment
purpose: marketing
use: { policy: cn-bank-marketing@3, calendar: cn-mainland@2026 }
list: { key: customer_id, phones: [mobile], model: { score: prob } }
segments:
  - { name: 账单, when: 'scor >= 0.4' }
calling_hours:
  mon-sat: [09:00-12:00]
  sun: ["10:00-12:00"]
golden_hours: { sead: { all: ["18:00-20:00"] } }
pacing: { mode: progressive }
agents: { queue: card-sales, wrap_up: 30 }
"#;
        expect![[r#"
            a.yaml:3:11: error[GH1006]: `installment` is not a scenario
              |
            3 | scenario: installment
              |           ^^^^^^^^^^^
              = help: did you mean `installments`?
            a.yaml:6:7: warning[GH1013]: cn-bank-marketing@3 calls only those who consented, and the list maps no `consent`
              |
            6 | list: { key: customer_id, phones: [mobile], model: { score: prob } }
              |       ^
              = help: list: { consent: COLUMN }; until then nobody is called
            a.yaml:8:13: error[GH1006]: `账单` cannot be a name
              |
            8 |   - { name: 账单, when: 'scor >= 0.4' }
              |             ^^^^
              = help: letters, digits, `-` and `_`, at most 64, one of them a letter
            a.yaml:8:24: error[GH1011]: the list has no column `scor`
              |
            8 |   - { name: 账单, when: 'scor >= 0.4' }
              |                          ^^^^
              = help: did you mean `score`?
            a.yaml:10:13: error[GH1007]: unquoted `09:00-12:00` is not a time to every reader of YAML
               |
            10 |   mon-sat: [09:00-12:00]
               |             ^^^^^^^^^^^
               = help: quote it: "09:00-12:00"
            a.yaml:11:9: error[GH1010]: 10:00-12:00 on sun is outside the hours of cn-bank-marketing@3
               |
            11 |   sun: ["10:00-12:00"]
               |         ^^^^^^^^^^^^^
               = help: the policy closes sun: []
            a.yaml:12:17: error[GH1003]: unknown key `sead` in golden_hours
               |
            12 | golden_hours: { sead: { all: ["18:00-20:00"] } }
               |                 ^^^^
               = help: did you mean `seed`?
            a.yaml:14:39: error[GH1006]: `30` is not a duration
               |
            14 | agents: { queue: card-sales, wrap_up: 30 }
               |                                       ^^
               = help: give the unit: ms, s, m, h or d
        "#]]
        .assert_eq(&findings(text));
    }

    /// The shortest campaign there is: everything else comes from the policy and from defaults.
    const SHORT: &str = r#"schema: goldenhour/v1
campaign: installment-bill
scenario: installments
purpose: marketing
use: { policy: cn-bank-marketing@3, calendar: cn-mainland@2026 }
list: { source: "lists/installment/{run_date}.csv", key: customer_id, phones: [mobile, home], model: { score: prob }, consent: agreed }
golden_hours: { mode: prefer, seed: { all: ["18:00-20:00"] } }
pacing: { mode: progressive }
agents: { queue: card-sales }
script: { default: scripts/installment/v7.md }
"#;

    #[test]
    fn the_short_form_is_complete() {
        let plan = load(&folder(SHORT)).unwrap_or_else(|findings| panic!("{}", render(&findings)));
        assert_eq!(render(&plan.warnings), "");
        let [campaign] = plan.campaigns.as_slice() else { panic!() };
        assert_eq!((campaign.attempts.max, campaign.attempts.max_per_day), (4, 1));
        assert_eq!(campaign.segments.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["all"]);
        assert_eq!(campaign.golden_hours.of("all").map(|week| week.day(0).len()), Some(1));
        assert_eq!(campaign.scripts.get("default").map(AsRef::as_ref), Some("Say who you are."));
        assert_eq!(campaign.queues(), ["card-sales"]);
        assert_eq!(campaign.hash.len(), 64);
        assert_eq!(campaign.caps, campaign.policy.caps);
    }

    #[test]
    fn learning_per_customer_is_not_supported_yet_and_says_so() {
        let learning = SHORT.replace("mode: prefer,", "mode: prefer, learn: per_customer,");
        assert!(findings(&learning).contains("error[GH1008]: `per_customer` is not supported yet"));
    }

    #[test]
    fn two_files_cannot_hold_the_same_campaign() {
        let mut folder = folder(SHORT);
        folder.insert("b.yaml", SHORT.as_bytes());
        let found = load(&folder).unwrap_err();
        assert!(
            render(&found)
                .contains("b.yaml:2:11: error[GH1013]: `installment-bill` is the name of another campaign: a.yaml:2")
        );
    }

    #[test]
    fn a_broken_policy_is_reported_once_and_not_called_missing() {
        let mut folder = folder(SHORT);
        folder.insert("policies/cn-bank-marketing.yaml", "schema: goldenhour/policy/v1\npolicy: [\n".as_bytes());
        let found = load(&folder).unwrap_err();
        assert_eq!(found.len(), 1, "{}", render(&found));
    }

    #[test]
    fn queues_and_trunks_are_checked_where_the_configuration_is_known() {
        let mut folder = folder(SHORT);
        let queues = ["card-sale".to_owned()].into();
        folder.known = Some(crate::campaign::KnownNames { queues, ..Default::default() });
        let found = render(&load(&folder).unwrap_err());
        assert!(found.contains("did you mean `card-sale`?"), "{found}");
        assert!(found.contains(":9:18: error"), "at the name, not at its section: {found}");
    }

    #[test]
    fn an_empty_folder_is_an_empty_plan() {
        assert!(load(&Folder::default()).unwrap().campaigns.is_empty());
    }
}
