//! The arms of an experiment against each other, and its success against the dispositions.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Code, Share};
use crate::campaign::decode::{Findings, Spanned, did_you_mean};
use crate::campaign::read::{RawArm, RawExperiment};
use crate::campaign::{Arm, Experiment};
use crate::contact::{Meaning, OutcomeKind};

use super::Names;

/// What errors an experiment may be decided with.
const ALPHAS: std::ops::RangeInclusive<Share> = Share::from_ppm(1_000)..=Share::from_ppm(200_000);

/// `codes` is `None` where the shared set of dispositions could not be read. Never decides on `None` of its own: whatever
/// is missing has its finding.
pub fn experiment(
    raw: &RawExperiment,
    codes: Option<&BTreeMap<String, Meaning>>,
    names: &mut Names<'_>,
    findings: &mut Findings,
) -> Option<Experiment> {
    let mut arms: Vec<Arm> = raw.arms.iter().filter_map(|raw| arm(raw, names, findings)).collect();
    arms.sort_by(|a, b| a.name.cmp(&b.name));
    check_arms(raw, &arms, findings);
    let success = raw.success.as_ref()?;
    check_success(success, codes, findings);
    if let Some(alpha) = raw.alpha.as_ref().filter(|alpha| !ALPHAS.contains(&alpha.value)) {
        let message = format!("{} is out of range: {} to {}", alpha.value, ALPHAS.start(), ALPHAS.end());
        findings.error(alpha.span, Code::BadValue, message);
    }
    Some(Experiment {
        id: raw.id.as_deref()?.into(),
        arms,
        success: success.value.clone(),
        alpha: raw.alpha.as_ref().map_or(Experiment::ALPHA, |alpha| alpha.value),
        min_contacts_per_arm: raw.min_contacts_per_arm.unwrap_or(Experiment::MIN_CONTACTS_PER_ARM),
        complaint_rate_above: raw.complaint_rate_above,
    })
}

fn arm(raw: &RawArm, names: &mut Names<'_>, findings: &mut Findings) -> Option<Arm> {
    let name: Arc<str> = raw.name.value.as_str().into();
    if let Some(path) = raw.script.as_ref().filter(|_| raw.held_out) {
        findings.error(path.span, Code::Contradiction, "a script for people who are never called");
    }
    let script = raw.script.as_ref().and_then(|path| names.script(path, findings));
    let share = raw.share.as_ref()?;
    if share.value == Share::default() {
        findings.error(share.span, Code::BadValue, format!("nobody is in `{name}`"));
    }
    Some(Arm { name, share: share.value, held_out: raw.held_out, script })
}

fn check_arms(raw: &RawExperiment, arms: &[Arm], findings: &mut Findings) {
    let at = raw.arms.first().map_or(raw.span, |arm| arm.name.span);
    if !(2..=Experiment::MOST_ARMS).contains(&raw.arms.len()) {
        let hint = format!("two to {} arms", Experiment::MOST_ARMS);
        findings.error_hint(at, Code::BadValue, format!("an experiment with {} arms", raw.arms.len()), hint);
    }
    let champion = arms.iter().find(|arm| &*arm.name == Experiment::CHAMPION);
    if champion.is_none_or(|arm| arm.held_out) && arms.len() == raw.arms.len() {
        let hint = "champion: { share: 80% }: what is done today, which the others are compared with";
        findings.error_hint(at, Code::MissingKey, "no arm called `champion` that is called", hint);
    }
    let mut held = raw.arms.iter().filter(|arm| arm.held_out);
    if let (Some(_), Some(second)) = (held.next(), held.next()) {
        findings.error(
            second.name.span,
            Code::Contradiction,
            "two arms are never called; one is enough to compare with",
        );
    }
    let all: u64 = arms.iter().map(|arm| u64::from(arm.share.ppm)).sum();
    if all != u64::from(Share::ONE.ppm) && arms.len() == raw.arms.len() {
        let message = format!("the shares of the arms are {}% together", all as f64 / 10_000.0);
        findings.error_hint(at, Code::Contradiction, message, "100%: everybody is in one of them");
    }
}

fn check_success(success: &Spanned<String>, codes: Option<&BTreeMap<String, Meaning>>, findings: &mut Findings) {
    let Some(codes) = codes else { return };
    match codes.get(&success.value) {
        None => {
            let hint = did_you_mean(&success.value, codes.keys().map(String::as_str))
                .unwrap_or_else(|| "a disposition that the campaign declares, or its shared set".to_owned());
            let message = format!("there is no disposition `{}`", success.value);
            findings.error_hint(success.span, Code::UnknownName, message, hint);
        }
        Some(meaning) if meaning.outcome != OutcomeKind::Success => {
            let message = format!("`{}` is no success: its outcome is {}", success.value, meaning.outcome.as_str());
            findings.error_hint(success.span, Code::Contradiction, message, "a disposition with `outcome: success`");
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Share;
    use crate::campaign::check::lint::fixture::{loaded, warned};

    const ARMS: &str =
        "{ champion: { share: 78% }, new: { share: 20%, script: scripts/x.md }, nobody: { share: 2%, call: never } }";

    const NINE: &str = "{ champion: { share: 20% }, b: { share: 10% }, c: { share: 10% }, d: { share: 10% }, \
        e: { share: 10% }, f: { share: 10% }, g: { share: 10% }, h: { share: 10% }, i: { share: 10% } }";

    fn with(arms: &str, rest: &str) -> Result<crate::campaign::Campaign, String> {
        let text = format!("experiment: {{ id: e1, split_by: customer_id, arms: {arms}, {rest} }}\nflow:");
        loaded(&[("flow:", &text)])
    }

    #[test]
    fn an_experiment_reads_with_its_defaults_and_arms_in_the_order_of_their_names() {
        let campaign = with(ARMS, "success: accepted").unwrap();
        let experiment = campaign.experiment.unwrap();
        let arms: Vec<_> = experiment.arms.iter().map(|arm| (&*arm.name, arm.share, arm.held_out)).collect();
        let percent = |n: u32| Share::from_ppm(n * 10_000);
        assert_eq!(arms, [("champion", percent(78), false), ("new", percent(20), false), ("nobody", percent(2), true)]);
        assert_eq!((experiment.alpha, experiment.min_contacts_per_arm), (percent(5), 400));
        assert!(experiment.arms[1].script.is_some() && experiment.complaint_rate_above.is_none());
    }

    #[test]
    fn what_decides_and_what_stops_it_is_taken_as_it_is_written() {
        let rest = "success: accepted, decide: { alpha: 1%, min_contacts_per_arm: 50 }, stop_if: { complaint_rate_above: 0.3% }";
        let experiment = with(ARMS, rest).unwrap().experiment.unwrap();
        assert_eq!((experiment.alpha, experiment.min_contacts_per_arm), (Share::from_ppm(10_000), 50));
        assert_eq!(experiment.complaint_rate_above, Some(Share::from_ppm(3_000)));
    }

    #[test]
    fn what_cannot_be_an_experiment_is_refused_with_what_is_wrong() {
        let good = "success: accepted";
        for (arms, rest, said) in [
            ("{ champion: { share: 50% }, b: { share: 49% } }", good, "99% together"),
            ("{ champion: { share: 100% } }", good, "an experiment with 1 arms"),
            ("{ a: { share: 50% }, b: { share: 50% } }", good, "no arm called `champion`"),
            ("{ champion: { share: 50%, call: never }, b: { share: 50% } }", good, "no arm called `champion`"),
            (
                "{ champion: { share: 50% }, b: { share: 25%, call: never }, c: { share: 25%, call: never } }",
                good,
                "two arms are never called",
            ),
            ("{ champion: { share: 100% }, b: { share: 0% } }", good, "nobody is in `b`"),
            (
                "{ champion: { share: 90% }, b: { share: 10%, call: never, script: scripts/x.md } }",
                good,
                "never called",
            ),
            ("{ champion: { share: 90% }, b: { share: 10%, call: seldom } }", good, "is not whether to call"),
            ("{ champion: { share: 90% }, b: { share: 10%, model: m2 } }", good, "`model` is not supported yet"),
            (ARMS, "success: accepte", "did you mean `accepted`?"),
            (ARMS, "success: declined", "is no success"),
            (NINE, good, "an experiment with 9 arms"),
            (ARMS, "success: accepted, decide: { alpha: 50% }", "50% is out of range"),
            (ARMS, "success: accepted, decide: { alpha: 0.05% }", "0.05% is out of range"),
            (ARMS, "success: accepted, decide: { method: fixed }", "is not a way to decide"),
            (ARMS, "success: accepted, decide: { min_contacts_per_arm: 5 }", "50"),
            (ARMS, "success: accepted, stop_if: { complaints: 1 }", "unknown key"),
            (ARMS, "title: x", "has no `success`"),
        ] {
            let shown = with(arms, rest).unwrap_err();
            assert!(shown.contains(said), "{arms} {rest}\n{shown}");
        }
    }

    #[test]
    fn splitting_by_anything_but_the_customer_is_refused() {
        let text = "experiment: { id: e, split_by: phone, arms: {}, success: accepted }\nflow:";
        let shown = loaded(&[("flow:", text)]).unwrap_err();
        assert!(shown.contains("is not something to split by") && shown.contains("customer_id"), "{shown}");
    }

    #[test]
    fn arms_that_are_called_alike_are_shown() {
        let alike = "experiment: { id: e, arms: { champion: { share: 50% }, b: { share: 50% } }, success: accepted }";
        let found = warned(&[("flow:", &format!("{alike}\nflow:"))]);
        assert_eq!(found, ["GH1035: `b` and `champion` are called alike"]);
        let apart = format!("experiment: {{ id: e, arms: {ARMS}, success: accepted }}\nflow:");
        assert_eq!(warned(&[("flow:", &apart)]), [] as [String; 0], "another script, and nobody who is never called");
    }
}
