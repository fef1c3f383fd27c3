//! `goldenhour model arms` and `model drift` over databases with known figures: what they print, and how they end.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::daemon::{Setup, Site};
use crate::trial::{self, Trial};

const LEADS: u32 = 1_200;
const EXPERIMENT: &str = "script-dec";

/// Every second customer is the challenger's: 600 in each arm.
const ARMS: &str = "UPDATE attempt SET experiment = 'script-dec', arm_share = 500000,
    arm = iif(lead % 2 = 0, 'champion', 'challenger');";

fn experiment(more: &str) -> String {
    format!(
        "experiment:\n  id: {EXPERIMENT}\n  arms: {{ champion: {{ share: 50% }}, challenger: {{ share: 50% }} }}\n  \
         success: accepted\n{more}"
    )
}

/// A site whose only campaign was made with these lines, with its list loaded.
fn site(more: &str) -> Site {
    let site = Site::new(&Setup::default());
    Trial { more, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", LEADS)));
    site.import("trial", &site.path("list.csv"));
    site
}

/// One finished call for each lead, a minute apart. `score` and `p_answer` are what was predicted; `answered`, `reached`,
/// `won` and `complaint` say of which leads they came.
struct Calls {
    score: &'static str,
    answered: &'static str,
    reached: &'static str,
    won: &'static str,
    complaint: &'static str,
}

/// Three of ten answer as predicted, all of them are the right party, and one of ten of these converts, as predicted.
const AS_PREDICTED: Calls =
    Calls { score: "0.1", answered: "lead % 10 < 3", reached: "lead % 10 < 3", won: "lead % 100 < 3", complaint: "0" };

/// Half of everybody is reached. Of the even ones one in ten says yes, of the odd ones four in five, and twelve complain.
const BY_ARMS: Calls = Calls {
    answered: "lead % 4 < 2",
    reached: "lead % 4 < 2",
    won: "iif(lead % 2 = 0, lead % 20 = 0, lead % 10 <> 9)",
    complaint: "lead % 100 = 1",
    ..AS_PREDICTED
};

impl Calls {
    fn make(&self, site: &Site) {
        let Self { score, answered, reached, won, complaint } = self;
        let sql = format!(
            "INSERT INTO plan_version(id, campaign, campaign_hash, policy, policy_hash, scenario, purpose, rank_by, pacing,
                ring_ms) VALUES (900, 0, 'c0ffee', 'trial@1', 'beef', 'activation', 'collection', 'score', 'agentless', 30000);
            CREATE TEMP TABLE made AS SELECT l.id AS lead, l.contact, r.list, r.phone0 AS phone,
                1793548800000 + l.id * 60000 AS ms, {score} AS score, {answered} AS answered, {reached} AS reached,
                {won} AS won, {complaint} AS complaint
                FROM (SELECT id, id AS lead, contact FROM lead WHERE campaign = 0) l
                JOIN (SELECT lead AS of, list, phone0 FROM listed) r ON r.of = l.id AND r.list = (SELECT min(id) FROM list);
            INSERT INTO attempt(id, state, revisions, result, contacted, free, callback, epoch, at, decided, lead, contact,
                phone, campaign, plan_version, trunk, caller_id, list, score, value, p_answer, index_value, propensity,
                explore, segment, slot_weekday, slot_half_hour, golden, attempt_no, same_slot_fails, since_last)
                SELECT unhex(printf('%012x7%03x8%015x', ms, 1, lead)), 'done', 1, iif(answered, 'answered', 'no_answer'),
                reached, 0, 0, 1, ms * 1000, ms * 1000, lead, contact, phone, 0, 900, 'gw-a', '+999100000001', list, score,
                1.0, 0.3, score, 1.0, 0, 0, 0, 20, 0, 1, 0, NULL FROM made;
            INSERT INTO outcome(attempt, revision, source, recorded, result, disposition, outcome, contact_kind, complaint,
                t_authorised, t_answered, t_ended, digits, free, phone_dead, lead_state, lead_until, next_phone, next_free)
                SELECT a.id, 0, 'engine', a.at, a.result, iif(m.won, 'accepted', NULL), iif(m.won, 'success', 'neutral'),
                iif(m.reached, 'right_party', 'nobody'), m.complaint, a.at, iif(m.answered, a.at, NULL), a.at + 60000000,
                '', 0, 0, 'waiting', 0, 0, 0 FROM made m JOIN attempt a ON a.lead = m.lead;
            DROP TABLE made;"
        );
        site.execute(Box::leak(sql.into_boxed_str()));
    }
}

fn model(site: &Site, what: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg("model").arg(what[0]).arg("--config").arg(site.path("goldenhour.yaml"));
    command.args(&what[1..]).stdin(Stdio::null()).output().unwrap()
}

/// Its exit code, and what it printed on standard output and error.
fn told(site: &Site, what: &[&str]) -> (i32, String, String) {
    let output = model(site, what);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(site: &Site, what: &[&str]) -> (i32, Value) {
    let (code, out, err) = told(site, &[what, &["--json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}")))
}

const TRIAL_ARMS: [&str; 3] = ["arms", "--campaign", "trial"];

#[test]
fn arms_are_compared_by_the_customers_who_were_called() {
    let site = site(&experiment(""));
    let (code, nothing) = json(&site, &TRIAL_ARMS);
    assert_eq!((code, &nothing["verdict"], &nothing["decided"]), (0, &"not decided yet".into(), &false.into()));
    assert_eq!((&nothing["arms"][0]["called"], &nothing["arms"][0]["rate"]), (&0.into(), &Value::Null), "{nothing}");
    BY_ARMS.make(&site);
    site.execute(ARMS);
    let (code, said) = json(&site, &TRIAL_ARMS);
    assert_eq!(
        (code, &said["verdict"], &said["decided"]),
        (0, &"decided: `challenger` is the best".into(), &true.into())
    );
    let arms = said["arms"].as_array().unwrap();
    let of = |at: usize, key: &str| arms[at][key].as_u64().unwrap();
    assert_eq!((&arms[0]["arm"], &arms[1]["arm"]), (&"challenger".into(), &"champion".into()), "{said}");
    assert_eq!((of(0, "called"), of(0, "successes"), of(0, "reached"), of(0, "complaints")), (600, 480, 300, 12));
    assert_eq!((of(1, "called"), of(1, "successes"), of(1, "reached"), of(1, "complaints")), (600, 60, 300, 0));
    assert_eq!(of(0, "customers") + of(1, "customers"), u64::from(LEADS), "called or not");
    let of = |key: &str| arms[0][key].as_f64().unwrap();
    assert!((of("difference") - 0.7).abs() < 1e-9 && of("low") > 0.5 && of("high") < 0.9, "{said}");
    assert!((of("low") + of("high") - 1.4).abs() < 1e-9, "the difference is in the middle");
    let (_, table, _) = told(&site, &TRIAL_ARMS);
    assert!(table.starts_with("trial, experiment script-dec: `accepted`, of customers who were called"), "{table}");
    let row = table.lines().find(|line| line.contains("challenger")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((&cells[4..7], &cells[9..11]), (&["600", "300", "480"][..], &["12", "+70.00"][..]), "{row}");
}

#[test]
fn arms_ends_with_5_where_more_complain_than_may() {
    let site = site(&experiment("  stop_if: { complaint_rate_above: 0.3% }\n"));
    BY_ARMS.make(&site);
    site.execute(ARMS);
    let (code, said) = json(&site, &TRIAL_ARMS);
    assert_eq!((code, &said["ok"], &said["exit"]), (5, &false.into(), &5.into()));
    assert_eq!(said["verdict"], "stop: more customers of `challenger` complain than 0.3%", "{said}");
    assert_eq!((&said["decided"], &said["arms"][0]["complaints"]), (&false.into(), &12.into()));
    let (code, table, complaint) = told(&site, &TRIAL_ARMS);
    assert!(code == 5 && table.contains("stop: more customers") && complaint.contains("GH5000"), "{table}{complaint}");
}

#[test]
fn with_a_file_of_all_who_did_it_everybody_in_an_arm_is_compared_each_once() {
    let site = site(&experiment(""));
    // Twice the same, one who is on no list, and a blank line.
    site.write("did.txt", "k1-3\nk1-3\n\nk1-4\n k1-5 \nnobody\n");
    let did = site.path("did.txt");
    let (code, said) = json(&site, &[&TRIAL_ARMS[..], &["--succeeded", did.to_str().unwrap()]].concat());
    let sum = |key: &str| said["arms"].as_array().unwrap().iter().map(|arm| arm[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((code, sum("successes"), sum("customers"), sum("called")), (0, 3, u64::from(LEADS), 0), "{said}");
    assert_eq!(said["compared"], "all customers of an arm");
    site.write("long.txt", &"k".repeat(2_000));
    let long = site.path("long.txt");
    let (code, _, err) = told(&site, &[&TRIAL_ARMS[..], &["--succeeded", long.to_str().unwrap()]].concat());
    assert!(code == 2 && err.contains("longer than any customer key"), "{err}");
    let (code, _, err) = told(&site, &[&TRIAL_ARMS[..], &["--succeeded", "/nowhere/at-all"]].concat());
    assert!(code == 2 && err.contains("/nowhere/at-all"), "{err}");
}

#[test]
fn arms_of_a_campaign_that_is_unknown_or_has_no_experiment_are_refused() {
    let site = site("");
    let (code, _, err) = told(&site, &["arms", "--campaign", "trail"]);
    assert!(code == 3 && err.contains("GH1009") && err.contains("trial"), "{err}");
    let (code, said) = json(&site, &TRIAL_ARMS);
    assert_eq!((code, &said["findings"][0]["code"]), (3, &"GH1009".into()), "{said}");
    let (code, said) = json(&site, &["drift", "--campaign", "trail"]);
    assert_eq!((code, &said["ok"]), (3, &false.into()), "{said}");
}

#[test]
fn before_there_is_a_database_neither_arms_nor_drift_can_be_told() {
    let site = Site::new(&Setup::default());
    Trial { more: &experiment(""), ..Trial::default() }.write(&site);
    for what in [&TRIAL_ARMS[..], &["drift"]] {
        let (code, _, err) = told(&site, what);
        assert!(code == 4 && err.contains("GH3000") && err.contains("goldenhour import"), "{err}");
    }
}

#[test]
fn drift_of_a_database_without_a_call_has_nothing_to_say_and_ends_well() {
    let site = site("");
    let (code, said) = json(&site, &["drift"]);
    let found = &said["campaigns"][0];
    assert_eq!((code, &said["alarms"], &found["conversations"]), (0, &0.into(), &0.into()), "{said}");
    assert_eq!((&found["scores_against"], &found["gap"]), (&Value::Null, &Value::Null), "{said}");
    let (_, text, _) = told(&site, &["drift", "--campaign", "trial"]);
    for line in ["nothing to compare: there is one list, or none", "no conversation yet", "fine: 0 calls watched"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn drift_where_all_came_as_predicted_is_fine() {
    let site = site("");
    AS_PREDICTED.make(&site);
    let again = trial::rows(2, "Asia/Shanghai", LEADS);
    site.write("again.csv", &format!("{}\n{again}", trial::HEADER));
    site.import("trial", &site.path("again.csv"));
    let (code, said) = json(&site, &["drift"]);
    let found = &said["campaigns"][0];
    assert_eq!((code, &said["alarms"], &found["alarms"]), (0, &0.into(), &Value::Array(Vec::new())), "{said}");
    assert_eq!((&found["conversations"], &found["scores_against"]), (&360.into(), &"the list before".into()), "{said}");
    let of = |key: &str| found[key].as_f64().unwrap();
    assert!((of("predicted") - 0.1).abs() < 1e-6 && (of("observed") - 0.1).abs() < 1e-9, "{said}");
    assert!(of("gap_low") < 0.0 && of("gap_high") > 0.0 && of("score_psi") < 0.01, "{said}");
    let (_, text, err) = told(&site, &["drift"]);
    assert!(text.contains("predicted 10.00 %, observed 10.00 % of 360 conversations") && err.is_empty(), "{text}{err}");
    assert!(text.contains("answers      fine: 600 calls watched"), "the newer half: {text}");
}

#[test]
fn drift_ends_with_5_where_scores_conversions_or_answers_have_moved() {
    // From the middle on a tenth answers instead of three, and nine of ten who are reached convert where one was expected.
    let moved = Calls {
        answered: "iif(lead <= 700, lead % 10 < 3, lead % 10 < 1)",
        reached: "lead % 10 < 1",
        won: "lead % 10 < 1 AND lead % 100 <> 0",
        ..AS_PREDICTED
    };
    let site = site("");
    moved.make(&site);
    // The newest list: everybody has a low score.
    let low =
        trial::rows(3, "Asia/Shanghai", LEADS).replace(",0.9", ",0.1").replace(",0.8", ",0.1").replace(",0.7", ",0.1");
    site.write("low.csv", &format!("{}\n{low}", trial::HEADER));
    site.import("trial", &site.path("low.csv"));
    let (code, said) = json(&site, &["drift"]);
    let found = &said["campaigns"][0];
    assert_eq!((code, &said["ok"], &said["exit"], &said["alarms"]), (5, &false.into(), &5.into(), &3.into()), "{said}");
    assert_eq!(found["alarms"], serde_json::json!(["scores", "conversions", "answers"]), "{said}");
    let ago = found["answers_fell_calls_ago"].as_u64().unwrap();
    assert!((400..=560).contains(&ago), "it began 500 calls ago: {ago}");
    let (code, text, err) = told(&site, &["drift"]);
    assert!(code == 5 && text.matches("ALARM").count() == 3 && err.contains("GH5001]: 3 alarms"), "{text}{err}");
    let (_, said) = json(&site, &["drift", "--tolerated-gap", "0.9"]);
    assert_eq!(said["campaigns"][0]["alarms"], serde_json::json!(["scores", "answers"]), "{said}");
    let (code, _, err) = told(&site, &["drift", "--model", "/nowhere"]);
    assert!(code == 3 && err.contains("/nowhere"), "{err}");
}
