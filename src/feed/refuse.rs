//! `list.refuse_if`: is this list more likely a mistake than a list?

use crate::campaign::RefuseIf;

use super::Tally;
use super::facts::counted;

/// Every rule that keeps the list out, in words. `psi` is `None` where there is no list before, or nobody asked.
pub fn refusals(rules: &RefuseIf, tally: &Tally, psi: Option<f64>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(least) = rules.rows_below.filter(|least| tally.leads < *least) {
        out.push(format!("{} rows can be loaded, rows_below is {}", counted(tally.leads), counted(least)));
    }
    // Exact: parts per million of whole rows.
    let above = |count: u64, most: crate::base::Share| {
        u128::from(count) * 1_000_000 > u128::from(most.ppm) * u128::from(tally.rows)
    };
    if let Some(most) = rules.duplicate_keys_above.filter(|most| above(tally.duplicate_keys, *most)) {
        let (twice, rows) = (counted(tally.duplicate_keys), counted(tally.rows));
        out.push(format!("{twice} of {rows} rows repeat a customer key, duplicate_keys_above is {most}"));
    }
    if let Some(most) = rules.missing_score_above.filter(|most| above(tally.without_score, *most)) {
        let (without, rows) = (counted(tally.without_score), counted(tally.rows));
        out.push(format!("{without} of {rows} rows have no usable score, missing_score_above is {most}"));
    }
    if let (Some(most), Some(psi)) = (rules.score_psi_above, psi) {
        let most = f64::from(most) / 1_000.0;
        if psi > most {
            out.push(format!("the scores have moved by {psi:.3} since the list before, score_psi_above is {most}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Share;

    const TALLY: Tally = Tally {
        rows: 1_000,
        leads: 980,
        rejects: 20,
        duplicate_keys: 5,
        phones: 980,
        shared_phones: 0,
        dropped_phones: 0,
        without_zone: 0,
        without_score: 10,
    };

    #[test]
    fn a_rule_holds_at_its_figure_and_breaks_beyond_it() {
        let share = |text| Share::parse(text);
        for (rules, refused) in [
            (RefuseIf { rows_below: Some(980), ..RefuseIf::default() }, false),
            (RefuseIf { rows_below: Some(981), ..RefuseIf::default() }, true),
            (RefuseIf { duplicate_keys_above: share("0.5%"), ..RefuseIf::default() }, false),
            (RefuseIf { duplicate_keys_above: share("0.4999%"), ..RefuseIf::default() }, true),
            (RefuseIf { missing_score_above: share("1%"), ..RefuseIf::default() }, false),
            (RefuseIf { missing_score_above: share("0%"), ..RefuseIf::default() }, true),
            (RefuseIf { score_psi_above: Some(250), ..RefuseIf::default() }, false),
            (RefuseIf { score_psi_above: Some(249), ..RefuseIf::default() }, true),
        ] {
            assert_eq!(!refusals(&rules, &TALLY, Some(0.25)).is_empty(), refused, "{rules:?}");
        }
    }

    #[test]
    fn every_broken_rule_is_named_and_a_first_list_cannot_have_moved() {
        let rules = RefuseIf {
            rows_below: Some(5_000),
            duplicate_keys_above: Share::parse("0%"),
            missing_score_above: Share::parse("0%"),
            score_psi_above: Some(1),
        };
        assert_eq!(refusals(&rules, &TALLY, Some(9.0)).len(), 4);
        assert_eq!(refusals(&rules, &TALLY, None).len(), 3);
        assert!(refusals(&RefuseIf::default(), &TALLY, Some(9.0)).is_empty());
    }
}
