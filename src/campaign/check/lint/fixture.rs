//! One campaign without a warning, and what a change to it is warned of.

use crate::base::{Diagnostic, render};
use crate::campaign::{Campaign, Folder, load};

const CLEAN: &str = r#"schema: goldenhour/v1
campaign: clean
scenario: installments
purpose: marketing
use: { policy: cn-bank-marketing@3, calendar: cn-mainland@2026, dispositions: card-sales@2 }
run: { from: "2026-12-01", until: "2026-12-31" }
list: { source: "lists/a.csv", key: id, phones: [mobile, home], model: { score: prob }, consent: agreed, expires_after: 14d }
eligible: { all_of: ['score >= 0.1'] }
segments:
  - { name: star, when: 'score >= 0.4' }
  - { name: rest, when: 'true' }
golden_hours: { seed: { star: ["18:00-20:00"], rest: { mon-fri: ["10:00-12:00"] } } }
attempts: { max: 4, max_per_day: 1, spread: { over: daypart, at_most_each: 2 } }
retry:
  busy: { after: 15m, max: 2, free: 1 }
  no_answer: { after: 1d, max: 3, other_daypart: true, next_phone: true }
  powered_off: { after: 1d, max: 2, prefer: evening }
pacing: { mode: progressive }
agents: { queue: card-sales }
flow:
  start: hello
  steps:
    hello: { collect: { digits: 1 }, on: { "1": talk, "9": never, timeout: bye } }
    talk: { disposition: transferred, then: "transfer:card-sales", on: { failed: bye } }
    never: { disposition: opted_out, then: hangup }
    bye: { disposition: no_key_pressed, then: hangup }
"#;

/// `CLEAN` with parts of it replaced.
pub fn changed(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(CLEAN.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// These campaigns beside the shared files we ship, on 2026-12-10.
pub fn folder(campaigns: &[String]) -> Folder {
    let mut folder = Folder { today: Some(jiff::civil::date(2026, 12, 10)), ..Folder::default() };
    let shared: [(&str, &str); 3] = [
        ("policies/cn-bank-marketing.yaml", include_str!("../../../../campaigns/policies/cn-bank-marketing.yaml")),
        ("calendars/cn-mainland.yaml", include_str!("../../../../campaigns/calendars/cn-mainland.yaml")),
        ("dispositions/card-sales.yaml", include_str!("../../../../campaigns/dispositions/card-sales.yaml")),
    ];
    for (path, text) in shared {
        folder.insert(path, text.as_bytes());
    }
    folder.insert("scripts/x.md", "Say who you are.".as_bytes());
    for (at, text) in campaigns.iter().enumerate() {
        folder.insert(format!("{at}.yaml"), text.as_bytes());
    }
    folder
}

/// All warnings of these campaigns together. Errors fail the test.
pub fn warnings_of(campaigns: &[String]) -> Vec<Diagnostic> {
    load(&folder(campaigns)).unwrap_or_else(|findings| panic!("{}", render(&findings))).warnings
}

/// `GH1030: message`, one per warning.
pub fn warned(edits: &[(&str, &str)]) -> Vec<String> {
    warnings_of(&[changed(edits)]).iter().map(|found| format!("{}: {}", found.code, found.message)).collect()
}

/// The one campaign, or its mistakes in words.
pub fn loaded(edits: &[(&str, &str)]) -> Result<Campaign, String> {
    let plan = load(&folder(&[changed(edits)])).map_err(|findings| render(&findings))?;
    plan.campaigns.first().map(|campaign| (**campaign).clone()).ok_or_else(|| "no campaign".to_owned())
}

mod tests {
    use super::warned;

    #[test]
    fn the_clean_campaign_is_clean() {
        assert_eq!(warned(&[]), [] as [String; 0]);
    }
}
