//! A retry that asks for sooner than the daily budget, the gap or a cap ever lets it be.

use std::time::Duration;

use crate::campaign::decode::unit::show;
use crate::campaign::{Campaign, Cap, CapPer, CapRule, RetryRule};

use super::dialling_hours;

const DAY: Duration = Duration::from_hours(24);

struct Hold {
    lasts: Duration,
    why: String,
    hint: String,
}

/// What holds the retry longest, and what to do. A rule with free retries passes the daily budget and the gap.
pub fn held(rule: &RetryRule, campaign: &Campaign) -> Option<(String, String)> {
    let budget = [one_a_day(rule, campaign), gap(rule, campaign)];
    let caps = campaign.caps.iter().filter_map(|cap| capped(rule, campaign, cap));
    let holds = budget.into_iter().flatten().filter(|_| rule.free == 0).chain(caps);
    let longest = holds.max_by_key(|hold| hold.lasts)?;
    Some((format!("waits {}, and {}", show(rule.after), longest.why), longest.hint))
}

/// Whatever day it is: as long as `after` ends on the same day the budget forbids it, and if it ends later then before
/// the morning, so that every try comes with the next day's first hour.
fn one_a_day(rule: &RetryRule, campaign: &Campaign) -> Option<Hold> {
    let hours = dialling_hours(campaign);
    let windows = || (0..7).flat_map(|day| hours.day(day));
    let first = windows().map(|window| window.from.0).min()?;
    let last = windows().map(|window| window.to.0).max()?;
    let open = Duration::from_mins(u64::from(last.saturating_sub(first)));
    let night = DAY.saturating_sub(open);
    let is_held = campaign.attempts.max_per_day == 1 && rule.after < open && rule.after <= night;
    is_held.then(|| Hold {
        lasts: DAY,
        why: "one attempt a day is allowed: the next try waits for the next day".to_owned(),
        hint: "`free: 1` spares the daily budget; `after: 1d` says what happens".to_owned(),
    })
}

fn gap(rule: &RetryRule, campaign: &Campaign) -> Option<Hold> {
    let gap = campaign.attempts.min_gap;
    (rule.after < gap).then(|| Hold {
        lasts: gap,
        why: format!("min_gap is {0}: the next try waits {0}", show(gap)),
        hint: format!("`after: {}` says what happens; `free: 1` or a smaller min_gap lets it be sooner", show(gap)),
    })
}

/// A cap of one dial, unless the next try goes to another phone than the one it counts.
fn capped(rule: &RetryRule, campaign: &Campaign, cap: &Cap) -> Option<Hold> {
    let CapRule::Within { within, max_dials: Some(1), .. } = cap.rule else { return None };
    let moves_on = cap.per == CapPer::Phone && rule.next_phone && campaign.list.phones.len() > 1;
    (rule.after < within && !moves_on).then(|| Hold {
        lasts: within,
        why: format!(
            "one dial per {} is allowed within {1} ({2}): the next try waits {1}",
            cap.per.as_str(),
            show(within),
            cap.origin.as_str()
        ),
        hint: format!("`after: {}` says what happens; `free` does not pass a cap", show(within)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::campaign::check::lint::fixture::{changed, folder, warned};
    use crate::campaign::{Campaign, WeekHours, Window, load};
    use crate::contact::CallResult;

    const BUSY: &str = "busy: { after: 15m, max: 2, free: 1 }";

    fn one(edits: &[(&str, &str)]) -> String {
        let found = warned(edits);
        let [only] = found.as_slice() else { panic!("{found:#?}") };
        only.trim_start_matches("GH1030: the rule for ").to_owned()
    }

    #[test]
    fn a_second_try_of_the_day_waits_for_the_next_one_where_one_a_day_is_allowed() {
        let held = "`busy` waits 15m, and one attempt a day is allowed: the next try waits for the next day";
        assert_eq!(one(&[(BUSY, "busy: { after: 15m, max: 2 }")]), held);
        let longer = "busy: { after: 10h, max: 2, other_daypart: true }";
        assert_eq!(one(&[(BUSY, longer)]), held.replace("15m", "10h"));
    }

    #[test]
    fn what_one_a_day_does_not_hold_is_not_warned_of() {
        // Hours are 09:00 to 20:00: 13 h after the last call of a day is the next morning, later than its first hour.
        for rule in ["busy: { after: 14h, max: 2 }", "busy: { after: 1d, max: 2 }", "busy: { after: 0s, max: 0 }", BUSY]
        {
            assert_eq!(warned(&[(BUSY, rule)]), [] as [String; 0], "{rule}");
        }
        // In two hours of the day it is the hours that hold it.
        let short = [
            (BUSY, "busy: { after: 20h, max: 2 }"),
            (r#"star: ["18:00-20:00"], rest: { mon-fri: ["10:00-12:00"] }"#, r#"all: ["18:00-20:00"]"#),
            ("golden_hours: {", "golden_hours: { mode: only,"),
            (", spread: { over: daypart, at_most_each: 2 }", ""),
            (", other_daypart: true", ""),
        ];
        assert_eq!(warned(&short), [] as [String; 0]);
    }

    #[test]
    fn in_long_hours_a_retry_may_come_on_the_next_day_later_than_its_first_hour() {
        let plan = load(&folder(&[changed(&[])])).unwrap();
        let mut campaign = Campaign::clone(&plan.campaigns[0]);
        campaign.calling_hours.week =
            WeekHours::new(std::array::from_fn(|_| vec![Window::parse("06:00-22:00").unwrap()]));
        let mut rule = campaign.retry[&CallResult::Busy].clone();
        rule.free = 0;
        // At ten hours the last call of a day comes again at 08:00, at eight with the first hour.
        for (hours, is_held) in [(10, false), (8, true)] {
            rule.after = Duration::from_hours(hours);
            assert_eq!(super::held(&rule, &campaign).is_some(), is_held, "{hours}");
        }
    }

    #[test]
    fn a_gap_holds_every_retry_that_is_not_free_and_the_longest_hold_is_said() {
        let gap = ("max_per_day: 1,", "max_per_day: 1, min_gap: 20h,");
        assert_eq!(warned(&[gap]), [] as [String; 0]);
        let plain = (BUSY, "busy: { after: 14h, max: 2 }");
        assert_eq!(one(&[gap, plain]), "`busy` waits 14h, and min_gap is 20h: the next try waits 20h");
        let days = ("max_per_day: 1,", "max_per_day: 1, min_gap: 25h,");
        let soon = [
            days,
            (BUSY, "busy: { after: 15m, max: 2 }"),
            ("after: 1d, max: 3", "after: 2d, max: 3"),
            ("after: 1d, max: 2", "after: 2d, max: 2"),
        ];
        assert_eq!(one(&soon), "`busy` waits 15m, and min_gap is 25h: the next try waits 25h");
    }

    #[test]
    fn a_cap_of_one_dial_holds_free_retries_too() {
        let cap = ("pacing:", "contact_caps: [{ per: customer, within: 1d, max_dials: 1 }]\npacing:");
        let held = "`busy` waits 15m, and one dial per customer is allowed within 1d (campaign): the next try waits 1d";
        assert_eq!(one(&[cap]), held);
        let two = ("pacing:", "contact_caps: [{ per: customer, within: 1d, max_dials: 2 }]\npacing:");
        assert_eq!(warned(&[two]), [] as [String; 0]);
    }

    #[test]
    fn a_cap_of_a_phone_holds_only_who_stays_with_it() {
        let cap = ("pacing:", "contact_caps: [{ per: phone, within: 30h, max_dials: 1 }]\npacing:");
        let day = (BUSY, "busy: { after: 30h, max: 2 }");
        let off = ("powered_off: { after: 1d", "powered_off: { after: 30h");
        // `no_answer` after a day goes on with the other phone.
        assert_eq!(warned(&[cap, day, off]), [] as [String; 0]);
        let alone = one(&[cap, day, off, ("[mobile, home]", "[mobile]")]);
        let held =
            "`no_answer` waits 1d, and one dial per phone is allowed within 30h (campaign): the next try waits 30h";
        assert_eq!(alone, held);
    }
}
