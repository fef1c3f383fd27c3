//! Figures as people say them, and what lifts a rule that says no.

use std::time::Duration;

use crate::campaign::WeekHours;
use crate::gate::Rule;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What somebody would have to do about a refusal that time does not lift.
pub(super) const fn remedy(rule: Rule) -> &'static str {
    match rule {
        Rule::CampaignState => {
            "`status: active` and run dates that hold today in the campaign's file, or `goldenhour resume`"
        }
        Rule::ListExpiry => "a newer list, or a longer `list.expires_after` before it is loaded",
        Rule::Eligible => "other values in the next list, or another condition in the campaign",
        Rule::Holdout => "nothing while the experiment runs: who is held out tells what a call changes",
        Rule::Consent => "a recorded yes in the `consent` column of the next list",
        Rule::Dnc => "the customer's own wish: only then `goldenhour dnc remove`",
        Rule::CallingHours => "a time zone for the number: the list's `zone` column, or `calling_hours.fallback_zone`",
        Rule::Holidays => "a calendar that is published for this year",
        Rule::ContactCaps => "fewer dials by other campaigns, or a cap that the policy lets you raise",
        Rule::CoolingOff => "nothing: after this, nobody calls again",
        Rule::Attempts => "a higher `attempts.max` within the policy, or a newer list",
        Rule::LiveAttempt => "the attempt under way has to end",
        Rule::Number => "another number in the next list; or, for a real one, a trunk that is `live: true`",
        Rule::Destination => {
            "`allow` and `deny` of the trunk in the daemon's configuration; see docs/sip/edge.md first"
        }
        Rule::Trunk => "`goldenhour resume --trunk NAME`",
    }
}

/// `90 s`, `15 min`, `20 h`, `7 d`
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        _ if span.subsec_millis() > 0 => format!("{} ms", span.as_millis()),
        0 => "0 s".to_owned(),
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 && s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// `Mon–Fri 09:00-12:00, 13:30-20:00; Sat 10:00-12:00`: days with the same hours together.
pub(super) fn week(hours: &WeekHours) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut day = 0;
    while day < DAYS.len() {
        let same = (day..DAYS.len()).take_while(|other| hours.day(*other) == hours.day(day)).count();
        let windows: Vec<String> = hours.day(day).iter().map(ToString::to_string).collect();
        let names = DAYS.get(day..day + same).unwrap_or_default();
        if let (Some(first), Some(last), false) = (names.first(), names.last(), windows.is_empty()) {
            let days = if same == 1 { (*first).to_owned() } else { format!("{first}–{last}") };
            parts.push(format!("{days} {}", windows.join(", ")));
        }
        day += same.max(1);
    }
    if parts.is_empty() { "never".to_owned() } else { parts.join("; ") }
}

/// `1 attempt`, `3 attempts`
pub(super) fn count(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Window;

    #[test]
    fn spans_take_the_largest_unit_that_says_them_whole() {
        let said = [0, 45, 60, 90, 900, 72_000, 172_800].map(|s| span(Duration::from_secs(s)));
        assert_eq!(said, ["0 s", "45 s", "60 s", "90 s", "15 min", "20 h", "2 d"]);
        assert_eq!(span(Duration::from_millis(1_500)), "1500 ms");
    }

    #[test]
    fn days_with_the_same_hours_are_said_together() {
        let nine = || vec![Window::parse("09:00-12:00").unwrap(), Window::parse("13:30-20:00").unwrap()];
        let sat = vec![Window::parse("10:00-12:00").unwrap()];
        let hours = WeekHours::new([nine(), nine(), nine(), nine(), nine(), sat, vec![]]);
        assert_eq!(week(&hours), "Mon–Fri 09:00-12:00, 13:30-20:00; Sat 10:00-12:00");
        assert_eq!(week(&WeekHours::default()), "never");
    }
}
