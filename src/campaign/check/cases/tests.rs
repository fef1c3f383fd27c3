//! Mistakes in tests: each at its place, all at once, with what to do.

use expect_test::{Expect, expect};

use crate::base::render;
use crate::campaign::{Folder, Past, Plan, TestDnc, TestMoment, load};
use crate::contact::ColumnValue;

const POLICY: &str = r#"schema: goldenhour/policy/v1
policy: p
version: 1
title: p
purposes: [marketing]
calling_hours: { mon-sun: ["09:00-20:00"], holidays: open }
consent: not_refused
attempts: { max: 4, max_per_day: 1 }
sources: ["made up"]
"#;

const CAMPAIGN: &str = r"schema: goldenhour/v1
campaign: card
scenario: revisit
purpose: marketing
use: { policy: p@1 }
list: { key: k, phones: [mobile, home], score: s, consent: agreed, attributes: a, columns: { since: { type: time }, days: { type: integer } } }
segments: [{ name: star, when: 'score >= 0.5' }, { name: rest, when: 'true' }]
calling_hours: { fallback_zone: America/New_York }
agents: { queue: q }
dispositions: { declined: { outcome: failure, contact: right_party, then: final } }
";

fn folder(tests: &str) -> Folder {
    let mut folder = Folder::default();
    folder.insert("policies/p.yaml", POLICY.as_bytes());
    folder.insert("c.yaml", format!("{CAMPAIGN}{tests}").as_bytes());
    folder
}

fn refused(tests: &str, expected: &Expect) {
    expected.assert_eq(&refusal(tests));
}

fn refusal(tests: &str) -> String {
    render(&load(&folder(tests)).expect_err("accepted"))
}

fn accepted(tests: &str) -> Plan {
    load(&folder(tests)).unwrap_or_else(|findings| panic!("{}", render(&findings)))
}

#[test]
fn mistakes_of_form_are_shown_all_at_once() {
    let tests = r"tests:
  - { nane: a, expect: allowed }
  - { name: b }
  - { name: b, expect: allowed, history: [{ days_ago: 3, ago: 2h, result: busy }, { result: bussy, days_ago: 1 }, { days_ago: 2 }] }
  - { name: c, expect: [], result: void }
  - { name: d, at: 2026-12-03 10:00, expect: allowed }
";
    refused(
        tests,
        &expect![[r#"
        c.yaml:12:5: error[GH1005]: a test has no `name`
           |
        12 |   - { nane: a, expect: allowed }
           |     ^
        c.yaml:12:7: error[GH1003]: unknown key `nane` in a test
           |
        12 |   - { nane: a, expect: allowed }
           |       ^^^^
           = help: did you mean `name`?
        c.yaml:13:5: error[GH1005]: a test has no `expect`
           |
        13 |   - { name: b }
           |     ^
        c.yaml:14:13: error[GH1013]: another test of this file has the same name
           |
        14 |   - { name: b, expect: allowed, history: [{ days_ago: 3, ago: 2h, result: busy }, { result: bussy, days_ago: 1 }, { days_ago: 2 }] }
           |             ^
        c.yaml:14:43: error[GH1013]: an event happened once: `days_ago`, `ago` or `at`
           |
        14 |   - { name: b, expect: allowed, history: [{ days_ago: 3, ago: 2h, result: busy }, { result: bussy, days_ago: 1 }, { days_ago: 2 }] }
           |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        c.yaml:14:93: error[GH1006]: `bussy` is not the end of an attempt
           |
        14 |   - { name: b, expect: allowed, history: [{ days_ago: 3, ago: 2h, result: busy }, { result: bussy, days_ago: 1 }, { days_ago: 2 }] }
           |                                                                                             ^^^^^
           = help: did you mean `busy`?
        c.yaml:14:115: error[GH1005]: an event of the history has no `result`, `disposition` or `said`
           |
        14 |   - { name: b, expect: allowed, history: [{ days_ago: 3, ago: 2h, result: busy }, { result: bussy, days_ago: 1 }, { days_ago: 2 }] }
           |                                                                                                                   ^
        c.yaml:15:24: error[GH1006]: a test has one to 8 expectations
           |
        15 |   - { name: c, expect: [], result: void }
           |                        ^^
        c.yaml:15:36: error[GH1006]: `void` is not a call result
           |
        15 |   - { name: c, expect: [], result: void }
           |                                    ^^^^
           = help: one of: answered, machine, fax, busy, no_answer, rejected, vacant_number, suspended, powered_off, not_reachable, network_failure, trunk_refused, abandoned, cancelled
        c.yaml:16:20: error[GH1007]: unquoted `2026-12-03 10:00` is a date of its own kind to some readers of YAML
           |
        16 |   - { name: d, at: 2026-12-03 10:00, expect: allowed }
           |                    ^^^^^^^^^^^^^^^^
           = help: quote it: "2026-12-03 10:00"
    "#]],
    );
}

#[test]
fn mistakes_of_meaning_are_shown_all_at_once() {
    let tests = r#"tests:
  customer: { scor: 0.5, tags: [x], consent: yes }
  cases:
    - { name: a, customer: { score: 1.5, days: many, since: soon, phones: [mobil] }, expect: allowed }
    - { name: b, customer: { zone: Asia/Nowhere, phones: { mobile: perhaps } }, expect: allowed }
    - { name: c, at: "2026-03-08 02:30", expect: alowed }
    - { name: d, expect: [blocked_by, blocked_by calling_hour and dnc, segment stars, deferred_to tomorrow, deferred_to evning] }
    - { name: e, expect: [retry_at 2026-12-03 10:00, next_phone mobile, closed exhausted] }
    - { name: f, result: busy, disposition: declined, expect: closed tired }
    - { name: g, result: busy, expect: [blocked_by dnc, next_phone office] }
    - { name: h, at: "2026-12-03 10:00", history: [{ at: "2026-12-04 10:00", disposition: decline }, { at: "2026-12-04 10:00", result: busy }], expect: allowed }
    - { name: i, history: [{ at: "2026-12-02 10:00", result: busy, phone: office }], expect: allowed }
"#;
    expect_test::expect_file!["mistakes.txt"].assert_eq(&refusal(tests));
}

#[test]
fn a_file_of_tests_names_its_subject() {
    let mut folder = folder("");
    let cases = "tests: [{ name: a, expect: allowed }]\n";
    let mut file = |name: &str, head: &str| {
        folder.insert(format!("tests/{name}.yaml"), format!("schema: goldenhour/tests/v1\n{head}{cases}").as_bytes());
    };
    file("a", "campaign: cart\n");
    file("b", "");
    file("c", "policy: q@1\n");
    file("d", "policy: p@2\ncalendar: cn@1\n");
    file("e", "campaign: card\npolicy: p@1\ncalendar: cn@1\n");
    expect![[r"
        tests/a.yaml:2:11: error[GH1009]: there is no campaign `cart`
          |
        2 | campaign: cart
          |           ^^^^
          = help: did you mean `card`?
        tests/b.yaml:1:1: error[GH1005]: a file of tests has no `campaign` or `policy`
          |
        1 | schema: goldenhour/tests/v1
          | ^^^^^^
        tests/c.yaml:2:9: error[GH1013]: no campaign can be made under q@1: there is no policy `q`
          |
        2 | policy: q@1
          |         ^^^
          = help: did you mean `p`?
        tests/d.yaml:2:9: error[GH1013]: no campaign can be made under p@2: p has version 1, not 2
          |
        2 | policy: p@2
          |         ^^^
          = help: read what has changed, then write p@1
        tests/d.yaml:2:9: error[GH1013]: no campaign can be made under p@2: there is no calendar `cn`
          |
        2 | policy: p@2
          |         ^^^
          = help: looked for calendars/cn.yaml
        tests/e.yaml:3:9: error[GH1013]: the tests are for a campaign or for a policy, not for both
          |
        3 | policy: p@1
          |         ^^^
        tests/e.yaml:4:11: error[GH1013]: a campaign names its own calendar
          |
        4 | calendar: cn@1
          |           ^^^^
    "]]
    .assert_eq(&render(&load(&folder).expect_err("accepted")));
}

#[test]
fn a_broken_campaign_is_not_called_missing_by_its_tests() {
    let mut folder = folder("color: red\n");
    let file = "schema: goldenhour/tests/v1\ncampaign: card\ntests: [{ name: a, expect: allowed }]\n";
    folder.insert("tests/a.yaml", file.as_bytes());
    assert_eq!(load(&folder).expect_err("accepted").len(), 1);
}

#[test]
fn what_is_shared_is_laid_under_what_is_a_tests_own() {
    let plan = accepted(
        r"tests:
  customer: { score: 0.9, consent: false, attrs: { a: 1, b: x }, days: 3 }
  cases:
    - { name: own, customer: { consent: null, attrs: { b: null, c: true }, days: null, dnc: until 2026-12-05 }, expect: allowed }
    - { name: shared, expect: allowed }
",
    );
    let [set] = plan.tests.as_slice() else { panic!() };
    let [own, shared] = set.cases.as_slice() else { panic!() };
    assert_eq!((own.customer.score, own.customer.consent, shared.customer.consent), (0.9, None, Some(false)));
    let ColumnValue::Attributes(attributes) = own.customer.columns.get("attrs").unwrap() else { panic!() };
    assert_eq!(attributes.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(own.customer.columns.get("days"), None);
    assert_eq!(shared.customer.columns.get("days"), Some(&ColumnValue::Integer(3)));
    // Midnight by the customer's own clock.
    let Some(TestDnc::Until(until)) = own.customer.dnc else { panic!() };
    assert_eq!(until.to_string(), "2026-12-05T05:00:00Z");
}

#[test]
fn phones_keep_the_lists_order_and_share_their_zones() {
    let plan = accepted(
        r#"tests:
  - { name: a, customer: { phones: { home: "+12125550123", mobile: dead } }, history: [{ days_ago: 1, result: busy, phone: home }], expect: allowed }
"#,
    );
    let case = &plan.tests[0].cases[0];
    let phones: Vec<(&str, bool)> =
        case.customer.phones.iter().map(|phone| (phone.column.as_str(), phone.dead)).collect();
    assert_eq!(phones, [("mobile", true), ("home", false)]);
    assert!(case.customer.phones.iter().all(|phone| phone.zones == ["America/New_York"]));
    let Past::Attempt { phone, .. } = &case.history[0].what else { panic!() };
    assert_eq!(*phone, Some(1));
    let TestMoment::FirstOpenFrom(from) = case.at else { panic!() };
    assert_eq!(from.to_string(), "2026-06-01T04:00:00Z");
}

#[test]
fn a_test_may_be_about_a_customer_of_any_arm_and_of_no_other() {
    let experiment =
        "experiment: { id: e, arms: { champion: { share: 90% }, none: { share: 10%, call: never } }, success: yes_ }\n";
    let success = CAMPAIGN
        .replace("dispositions: {", "dispositions: { yes_: { outcome: success, contact: right_party, then: final },");
    let with = |tests: &str, experiment: &str| {
        let mut folder = folder("");
        folder.insert("c.yaml", format!("{success}{experiment}{tests}").as_bytes());
        load(&folder).map_err(|findings| render(&findings))
    };
    let test = "tests: [{ name: a, arm: none, expect: blocked_by holdout }, { name: b, expect: allowed }]\n";
    let plan = with(test, experiment).unwrap();
    let cases = &plan.tests[0].cases;
    assert_eq!((cases[0].arm.as_deref(), cases[1].arm.as_deref()), (Some("none"), None));
    let unknown = with("tests: [{ name: a, arm: nobody, expect: allowed }]\n", experiment).unwrap_err();
    assert!(unknown.contains("there is no arm `nobody`"), "{unknown}");
    let without = with("tests: [{ name: a, arm: champion, expect: allowed }]\n", "").unwrap_err();
    assert!(without.contains("the campaign has no `experiment`"), "{without}");
}
