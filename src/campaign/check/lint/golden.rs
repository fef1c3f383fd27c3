//! A golden window outside the calling hours never counts, even where others of the same segment do.

use crate::base::Code;
use crate::campaign::decode::Findings;
use crate::campaign::read::{RawCampaign, RawWeek};
use crate::campaign::{Campaign, Window};

use super::warn;

pub fn check(raw: &RawCampaign, campaign: &Campaign, findings: &mut Findings) {
    for (name, week) in raw.golden.iter().flat_map(|golden| &golden.seed) {
        each_window(&name.value, week, campaign, findings);
    }
}

fn each_window(segment: &str, week: &RawWeek, campaign: &Campaign, findings: &mut Findings) {
    let calling = &campaign.calling_hours.week;
    let meets = |window: Window, weekday: usize| {
        calling.day(weekday).iter().any(|open| open.from < window.to && window.from < open.to)
    };
    let mut seen = Vec::new();
    for window in week.days.iter().flatten().flatten() {
        if seen.contains(&window.span) {
            continue;
        }
        seen.push(window.span);
        let counts = week.days.iter().enumerate().any(|(weekday, windows)| {
            windows.iter().flatten().any(|same| same.span == window.span) && meets(window.value, weekday)
        });
        if !counts {
            let message =
                format!("the golden hours {} of `{segment}` never count: nobody is called then", window.value);
            warn(
                window.span,
                Code::NeverReached,
                message,
                "they are a preference inside calling_hours and the policy's hours",
                findings,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    #[test]
    fn a_window_outside_the_calling_hours_never_counts_beside_one_that_does() {
        let found = warned(&[(r#"["18:00-20:00"]"#, r#"["12:00-13:30", "18:00-20:00"]"#)]);
        assert_eq!(found, ["GH1031: the golden hours 12:00-13:30 of `star` never count: nobody is called then"]);
    }

    #[test]
    fn a_window_of_a_closed_day_does_not_either() {
        let found = warned(&[(r#"mon-fri: ["10:00-12:00"]"#, r#"mon-fri: ["10:00-12:00"], sun: ["10:00-12:00"]"#)]);
        assert_eq!(found, ["GH1031: the golden hours 10:00-12:00 of `rest` never count: nobody is called then"]);
    }
}
