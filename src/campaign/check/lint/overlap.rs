//! Two campaigns that may dial the same people of the same list at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Code, Diagnostic, SourceText, Span};
use crate::campaign::{Campaign, Status};

use super::apart::apart;

/// Their names in the order of the campaigns, with the place to point at. A warning stands at the later one.
pub fn same_customers(
    campaigns: &[Arc<Campaign>],
    places: &BTreeMap<String, (Arc<SourceText>, Span)>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut by_source: BTreeMap<String, Vec<&Campaign>> = BTreeMap::new();
    for campaign in campaigns.iter().filter(|campaign| campaign.status == Status::Active) {
        let Some(source) = campaign.list.source.as_ref().map(ToString::to_string) else { continue };
        let earlier = by_source.entry(source.clone()).or_default();
        if let Some(other) = earlier.iter().find(|other| meet(other, campaign))
            && let Some((text, span)) = places.get(&campaign.name)
        {
            let message = format!("`{}` and `{}` may call the same customers of {source}", other.name, campaign.name);
            let hint = "nothing seen in `eligible`, `segments` or `run` keeps them apart: score >= 0.2 here and \
                        score < 0.2 there would; both draw on the same contact caps";
            found.push(Diagnostic::warning(Code::SameCustomers, message).at(text, *span).hint(hint));
        }
        earlier.push(campaign);
    }
    found
}

/// Unless the days of their runs, their conditions or an experiment that both are in visibly keep them apart.
fn meet(a: &Campaign, b: &Campaign) -> bool {
    let before = |first: &Campaign, then: &Campaign| {
        first.run.until.zip(then.run.from).is_some_and(|(until, from)| until < from)
    };
    let divided = a.experiment.as_ref().zip(b.experiment.as_ref()).is_some_and(|(a, b)| a.shares_nobody_with(b));
    !before(a, b) && !before(b, a) && !divided && !apart(a, b)
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    use crate::campaign::check::lint::fixture::{changed, warnings_of};

    fn beside(edits: &[(&str, &str)]) -> Vec<String> {
        assert_eq!(warned(edits), [] as [String; 0]);
        let second: Vec<_> = [("campaign: clean", "campaign: second")].iter().chain(edits).copied().collect();
        warnings_of(&[changed(&[]), changed(&second)]).iter().map(std::string::ToString::to_string).collect()
    }

    #[test]
    fn two_campaigns_on_one_list_are_shown_with_both_names() {
        let [found] = beside(&[]).try_into().unwrap();
        assert!(
            found.starts_with("1.yaml:2:11: warning[GH1032]: `clean` and `second` may call the same customers"),
            "{found}"
        );
        for narrower in ["'score >= 0.1', 'score < 0.9'", "'score >= 0.2'"] {
            assert_eq!(beside(&[("'score >= 0.1'", narrower)]).len(), 1, "{narrower}");
        }
    }

    #[test]
    fn runs_that_follow_each_other_do_not_meet() {
        let first = changed(&[(r#"until: "2026-12-31""#, r#"until: "2026-12-15""#)]);
        let second =
            changed(&[("campaign: clean", "campaign: second"), (r#"from: "2026-12-01""#, r#"from: "2026-12-16""#)]);
        assert_eq!(warnings_of(&[first, second]), []);
    }

    #[test]
    fn a_condition_a_list_or_a_pause_tells_them_apart() {
        for edit in [
            ("'score >= 0.1'", "'score < 0.1'"),
            ("lists/a.csv", "lists/b.csv"),
            ("purpose:", "status: paused\npurpose:"),
        ] {
            assert_eq!(beside(&[edit]), [] as [String; 0], "{edit:?}");
        }
    }

    #[test]
    fn an_experiment_that_shares_the_customers_out_keeps_campaigns_apart() {
        let with = |name: &str, arms: &str| {
            let experiment = format!("experiment: {{ id: model, success: transferred, arms: {arms} }}\npurpose:");
            changed(&[("campaign: clean", name), ("purpose:", &experiment)])
        };
        let today = with("campaign: clean", "{ champion: { share: 80% }, challenger: { share: 20%, call: never } }");
        let warned = |share: &str, rest: &str| {
            let arms = format!("{{ champion: {{ share: {share} }}, holdout: {{ share: {rest}, call: never }} }}");
            warnings_of(&[today.clone(), with("campaign: second", &arms)]).len()
        };
        assert_eq!((warned("20%", "80%"), warned("30%", "70%")), (0, 1));
    }
}
