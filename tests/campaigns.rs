//! The campaigns we ship load clean, and the fixtures of bad ones are refused for the reason their first line names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use goldenhour::base::{Code, render};
use goldenhour::campaign::{Campaign, Folder, Plan, Scenario, TestSet, TestSubject, load};
use goldenhour::contact::CallResult;
use goldenhour::engine::{Coverage, Trial, try_set};

/// Everything under a folder, as the shell would read it.
fn read_folder(root: &str) -> Folder {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut folder = Folder { root: root.to_owned(), ..Folder::default() };
    let mut open = vec![base.clone()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&base).unwrap().to_str().unwrap().replace('\\', "/");
            if Folder::wants(&name) {
                folder.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    folder
}

fn shipped() -> Folder {
    read_folder("campaigns")
}

fn shipped_plan() -> Plan {
    load(&shipped()).unwrap_or_else(|findings| panic!("{}", render(&findings)))
}

fn campaign<'a>(plan: &'a Plan, name: &str) -> &'a Campaign {
    plan.campaigns.iter().find(|campaign| campaign.name == name).unwrap()
}

#[test]
fn the_shipped_campaigns_load_without_a_warning_and_cover_every_stage() {
    let plan = shipped_plan();
    assert_eq!(render(&plan.warnings), "");
    let stages: BTreeSet<Scenario> = plan.campaigns.iter().map(|campaign| campaign.scenario).collect();
    assert_eq!(stages.len(), Scenario::ALL.len());
    assert_eq!(plan.campaigns.len(), 30);
}

#[test]
fn every_shipped_campaign_is_called_as_its_file() {
    let folder = shipped();
    for campaign in &shipped_plan().campaigns {
        assert!(folder.get(&format!("{}.yaml", campaign.name)).is_some(), "{}", campaign.name);
    }
}

#[test]
fn every_shipped_flow_lets_people_out_and_every_campaign_knows_empty_numbers() {
    for campaign in &shipped_plan().campaigns {
        assert!(campaign.retry.get(&CallResult::VacantNumber).is_none_or(|rule| rule.phone_dead), "{}", campaign.name);
        // Without a flow an agent answers, who has the codes of the shared set.
        let Some(flow) = campaign.flow.as_ref() else {
            assert!(campaign.dispositions.contains_key("opted_out"), "{}", campaign.name);
            assert!(campaign.agents.is_some() && !campaign.scripts.is_empty(), "{}", campaign.name);
            continue;
        };
        let codes: BTreeSet<&str> = flow.steps.iter().filter_map(|step| step.disposition.as_deref()).collect();
        assert!(codes.contains("opted_out"), "{}: nobody can say no", campaign.name);
        assert!(flow.steps.iter().all(|step| step.then.is_none() || step.disposition.is_some()), "{}", campaign.name);
    }
}

#[test]
fn policies_reach_the_campaigns_with_their_figures() {
    let plan = shipped_plan();
    let sales = campaign(&plan, "installments");
    assert_eq!(sales.policy.reference(), "cn-bank-marketing@3");
    assert_eq!((sales.attempts.max, sales.attempts.max_per_day), (4, 1));
    let monday: Vec<String> = sales.calling_hours.week.day(0).iter().map(ToString::to_string).collect();
    assert_eq!(monday, ["09:00-12:00", "13:30-20:00"]);
    assert!(sales.calling_hours.week.day(6).is_empty());
    let collections = campaign(&plan, "collections");
    assert_eq!(collections.calling_hours.week.day(0).first().map(ToString::to_string).as_deref(), Some("08:00-21:00"));
    assert!(collections.policy.owns_its_caps());
}

#[test]
fn a_prompt_of_another_format_is_refused_with_the_command_that_converts_it() {
    let mut folder = shipped();
    let mut wav = folder.get("prompts/goodbye.wav").unwrap().to_vec();
    wav[24..28].copy_from_slice(&16_000_u32.to_le_bytes());
    wav[28..32].copy_from_slice(&32_000_u32.to_le_bytes());
    folder.insert("prompts/goodbye.wav", wav);
    let shown = render(&load(&folder).unwrap_err());
    assert!(shown.contains("error[GH1012]: prompts/goodbye.wav: the prompt is 16000 Hz"), "{shown}");
    assert!(shown.contains("sox campaigns/prompts/goodbye.wav -r 8000 -b 16 -c 1 OUT.wav"), "{shown}");
}

fn tried(plan: &Plan) -> Vec<(&TestSet, Vec<Trial>)> {
    plan.tests.iter().map(|set| (set, try_set(set, &plan.zones))).collect()
}

#[test]
fn every_test_of_the_shipped_campaigns_and_policies_holds() {
    let plan = shipped_plan();
    for (set, trials) in tried(&plan) {
        for trial in trials {
            assert_eq!(trial.failures, [], "{}: {}", set.source.name, trial.name.value);
        }
    }
}

#[test]
fn every_campaign_has_four_tests_and_every_policy_pack_eight() {
    let plan = shipped_plan();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for set in &plan.tests {
        *counts.entry(set.subject.name()).or_default() += set.cases.len();
    }
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    for campaign in &plan.campaigns {
        assert!(count(&campaign.name) >= 4, "{} has {} tests", campaign.name, count(&campaign.name));
    }
    let folder = shipped();
    let packs = folder.paths_in("policies/", ".yaml").filter(|path| !path.contains("/vectors/"));
    for name in packs.map(|path| path.trim_start_matches("policies/").trim_end_matches(".yaml")) {
        let vectors: usize =
            counts.iter().filter(|(pack, _)| pack.starts_with(&format!("{name}@"))).map(|(_, n)| n).sum();
        assert!(vectors >= 8, "{name} has {vectors} vectors");
    }
}

#[test]
fn no_rule_of_a_policy_pack_is_left_without_a_vector() {
    let plan = shipped_plan();
    let tried = tried(&plan);
    let packs = tried.iter().filter(|(set, _)| matches!(set.subject, TestSubject::Policy(_)));
    for pack in Coverage::of(packs.map(|(set, trials)| (*set, trials.as_slice()))) {
        // The campaign that they run on has neither conditions nor an age of its list.
        assert_eq!(pack.untested().collect::<Vec<_>>(), [""; 0], "{}", pack.subject);
    }
}

/// `# expect: GH1010 GH1004` on the first line of a bad fixture.
fn expected(text: &str) -> BTreeSet<String> {
    let first = text.lines().next().unwrap_or("");
    first.trim_start_matches("# expect:").split_whitespace().map(str::to_owned).collect()
}

#[test]
fn each_bad_fixture_is_refused_for_its_reason_and_its_good_twin_is_not() {
    let fixtures = read_folder("tests/fixtures/campaigns");
    let mut pairs = 0;
    for (path, bytes) in fixtures.files.iter().filter(|(path, _)| path.ends_with(".bad.yaml")) {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut folder = shipped();
        folder.insert("fixture.yaml", bytes.clone());
        let findings = load(&folder).err().unwrap_or_else(|| panic!("{path} was accepted"));
        let found: BTreeSet<String> = findings.iter().filter(|f| f.is_error()).map(|f| f.code.to_string()).collect();
        assert_eq!(found, expected(text), "{path}:\n{}", render(&findings));

        let twin = path.replace(".bad.yaml", ".good.yaml");
        folder.insert("fixture.yaml", fixtures.files.get(&twin).unwrap_or_else(|| panic!("{twin} is missing")).clone());
        if let Err(findings) = load(&folder) {
            panic!("{twin}:\n{}", render(&findings));
        }
        pairs += 1;
    }
    assert!(pairs >= 8, "only {pairs} pairs");
}

#[test]
fn every_code_of_the_thousands_has_a_page() {
    for code in Code::ALL.iter().filter(|code| code.number() < 2_000) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/errors/{code}.md"));
        let page = fs::read_to_string(&path).unwrap_or_else(|_| panic!("docs/errors/{code}.md is missing"));
        assert!(page.starts_with(&format!("# {code}")), "{code}");
    }
}
