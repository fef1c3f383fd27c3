//! What is over: a run that has ended, which is a mistake, and a calendar that does not know this year.

use jiff::civil::Date;

use crate::base::Code;
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;
use crate::campaign::{Campaign, HolidayRule, Status};

use super::warn;

pub fn check(raw: &RawCampaign, campaign: &Campaign, today: Date, findings: &mut Findings) {
    if campaign.status != Status::Active {
        return;
    }
    if let Some(run) = &raw.run
        && let Some(until) = run.value.until.filter(|until| *until < today)
    {
        let message = format!("the run ended on {until}: nobody is called");
        findings.error_hint(run.span, Code::RunOver, message, "status: archived, or a new `until`");
        return;
    }
    if let (Some(calendar), Some(reference)) = (&campaign.calendar, &raw.uses.calendar)
        && campaign.calling_hours.holidays == HolidayRule::Closed
        && !calendar.years.contains(&today.year())
    {
        let message =
            format!("{} has not been published for {}: nobody is called this year", calendar.name, today.year());
        let hint = "add the year to the calendar's file once it is published, and raise its version";
        warn(reference.span, Code::CalendarYear, message, hint, findings);
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::{changed, folder, warned};
    use crate::campaign::{Folder, load};

    #[test]
    fn a_run_that_has_ended_is_over_unless_it_is_archived() {
        let over = (r#"until: "2026-12-31""#, r#"until: "2026-12-09""#);
        let [found] = load(&folder(&[changed(&[over])])).unwrap_err().try_into().unwrap();
        assert!(
            found.is_error() && found.to_string().starts_with("0.yaml:6:6: error[GH1034]: the run ended"),
            "{found}"
        );
        assert_eq!(warned(&[over, ("purpose:", "status: archived\npurpose:")]), [] as [String; 0]);
        assert_eq!(warned(&[(r#"until: "2026-12-31""#, r#"until: "2026-12-10""#)]), [] as [String; 0]);
    }

    #[test]
    fn a_daemon_which_asks_for_no_day_goes_on_with_a_run_that_has_ended() {
        let over = (r#"until: "2026-12-31""#, r#"until: "2026-12-09""#);
        let folder = Folder { today: None, ..folder(&[changed(&[over])]) };
        assert_eq!(load(&folder).unwrap().campaigns.len(), 1);
    }

    #[test]
    fn a_calendar_that_does_not_know_this_year_is_flagged_for_closed_holidays() {
        let open_ended = (r#"run: { from: "2026-12-01", until: "2026-12-31" }"#, "");
        let mut folder = folder(&[changed(&[open_ended])]);
        folder.today = Some(jiff::civil::date(2027, 1, 2));
        let plan = load(&folder).unwrap();
        let said: Vec<&str> = plan.warnings.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(said, ["cn-mainland has not been published for 2027: nobody is called this year"]);
    }
}
