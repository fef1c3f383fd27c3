//! From a database to figures: one pass over the leads, one over the finished attempts, at one moment.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::{AttemptId, CampaignIx, LeadId, ListId, Wall};
use crate::campaign::{Campaign, Plan};
use crate::contact::{ClosedWhy, LeadState};
use crate::engine::{Blocked, Fate, Forecast};
use crate::store::{Browse as _, ListRow, StoreError};

use super::figures::{Attempt, Chapter, Counted, FEW, Lists, Penetration, Report, Tally, Whole};
use crate::cli::ahead::{Seen, clock, shown};
use crate::cli::exit::Stop;
use crate::cli::site::Site;

/// Rows asked for at a time.
const PAGE: usize = 2_000;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub campaign: Option<&'a str>,
    /// Whole days, both inclusive.
    pub from: Option<Date>,
    pub until: Option<Date>,
}

/// A lead on its way into the forecast.
#[derive(Debug)]
struct Noted {
    campaign: CampaignIx,
    lead: LeadId,
    list: ListId,
    closed: Option<ClosedWhy>,
}

/// The pass over attempts.
#[derive(Debug, Default)]
struct Passed {
    tallies: BTreeMap<CampaignIx, Tally>,
    left_out: u64,
    first: Option<Wall>,
    last: Option<Wall>,
}

pub(super) async fn gather(site: &Site, plan: &Plan, asked: &Asked<'_>) -> Result<Report, Stop> {
    let wanted = |campaign: &Campaign| asked.campaign.is_none_or(|name| campaign.name == name);
    let mut seen = Seen::open(site, None).await?;
    let mut noted = Vec::new();
    let note = |row: &crate::engine::LeadRow| {
        let closed = match row.state {
            LeadState::Closed(why) => Some(why),
            LeadState::Waiting { .. }
            | LeadState::Reserved
            | LeadState::Dialling
            | LeadState::InCall
            | LeadState::WrapUp => None,
        };
        noted.push(Noted { campaign: row.campaign_ix, lead: row.lead, list: row.list, closed });
    };
    let forecast = seen.forecast_and_note(site, plan, wanted, note).await?;
    let places: Vec<_> = seen.places(plan).into_iter().filter(|(_, campaign)| wanted(campaign)).collect();
    let zone = zone(places.iter().map(|(_, campaign)| clock(campaign, plan)));
    let known = places.iter().map(|(ix, _)| *ix).collect::<Vec<_>>();
    let period = period(asked, &zone)?;
    let store_stop = |error: StoreError| Stop::store(&error);
    let mut passed = pass(&mut seen, &known, asked.campaign.is_none(), period).await.map_err(store_stop)?;
    let lists = lists(&mut seen, &noted, &passed, &zone).await.map_err(store_stop)?;
    let counted: Vec<Counted> = places
        .iter()
        .filter_map(|(ix, campaign)| {
            let tally = passed.tallies.remove(ix).unwrap_or_default();
            Some(Counted { campaign, tally, fates: fates(&forecast, *ix, &noted), fall: forecast.waterfall(*ix)? })
        })
        .collect();
    let chapters: Vec<_> = counted.iter().map(|one| Chapter::of(one, |at| shown(at, &zone))).collect();
    let trial_clock = seen.store().is_of_a_trial_clock().await.map_err(store_stop)?;
    let report = Report {
        made_at: shown(seen.at, &zone),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        from: asked.from.map(|day| day.to_string()),
        until: asked.until.map(|day| day.to_string()),
        first_dial: passed.first.map(|at| shown(at, &zone)),
        last_dial: passed.last.map(|at| shown(at, &zone)),
        confidence: 0.95,
        few: FEW,
        all: Whole::of(&counted, &chapters),
        campaigns: chapters,
        lists,
        left_out: passed.left_out,
        trial_clock: false,
    };
    Ok(if trial_clock { report.on_a_trial_clock() } else { report })
}

/// The clock that most campaigns are spoken of by, of equals the first.
fn zone(clocks: impl Iterator<Item = TimeZone>) -> TimeZone {
    let clocks: Vec<_> = clocks.collect();
    let as_many = |clock: &&TimeZone| clocks.iter().filter(|other| other == clock).count();
    // `max_by_key` would take the last of equals.
    clocks.iter().rev().max_by_key(as_many).cloned().unwrap_or(TimeZone::UTC)
}

fn period(asked: &Asked, zone: &TimeZone) -> Result<Range<Wall>, Stop> {
    let midnight =
        |day: Date| -> Result<Wall, Stop> { Ok(Wall(day.to_zoned(zone.clone())?.timestamp().as_microsecond())) };
    let start = asked.from.map_or(Ok(Wall(i64::MIN)), midnight)?;
    let end = match asked.until {
        Some(day) => midnight(day.tomorrow()?)?,
        None => Wall(i64::MAX),
    };
    Ok(start..end)
}

async fn pass(seen: &mut Seen, known: &[CampaignIx], all: bool, period: Range<Wall>) -> Result<Passed, StoreError> {
    let mut passed = Passed::default();
    let mut after = AttemptId(0);
    loop {
        let page = seen.store().finished(after, period.clone(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(passed) };
        after = last.outcome.attempt;
        for row in &page {
            let campaign = row.outcome.campaign_ix;
            if !known.contains(&campaign) {
                passed.left_out += u64::from(all);
                continue;
            }
            let attempt = Attempt::from(row);
            passed.tallies.entry(campaign).or_default().add(&attempt, row.authorised_at, &row.plan);
            if attempt.reach().is_some() {
                passed.first = Some(passed.first.map_or(row.authorised_at, |at| at.min(row.authorised_at)));
                passed.last = Some(passed.last.map_or(row.authorised_at, |at| at.max(row.authorised_at)));
            }
        }
    }
}

async fn lists(
    seen: &mut Seen,
    noted: &[Noted],
    passed: &Passed,
    zone: &TimeZone,
) -> Result<Vec<Penetration>, StoreError> {
    let mut worked = Lists::new();
    for lead in noted {
        let person = passed.tallies.get(&lead.campaign).and_then(|tally| tally.people.get(lead.lead));
        worked.entry(lead.list).or_default().add(lead.closed, person);
    }
    let mut rows: Vec<ListRow> = Vec::new();
    loop {
        let page = seen.store().lists(rows.last().map(|list| list.list), PAGE).await?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    // By campaign, the newest first; one that newer ones took every lead from has nothing to show.
    rows.sort_by(|a, b| a.campaign.cmp(&b.campaign));
    let shown_list = |list: &ListRow| Some(worked.get(&list.list)?.of(list, shown(list.at, zone)));
    Ok(rows.iter().filter_map(shown_list).collect())
}

fn fates(forecast: &Forecast, campaign: CampaignIx, noted: &[Noted]) -> BTreeMap<LeadId, Fate> {
    let without = noted.iter().filter(|lead| lead.campaign == campaign);
    let mut fates: BTreeMap<_, _> = without.map(|lead| (lead.lead, Fate::Blocked(Blocked::NoPhone))).collect();
    fates.extend(forecast.outlooks(campaign).into_iter().map(|(lead, outlook)| (lead, outlook.fate)));
    fates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_whole_days_on_the_clock_of_the_report() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let day = jiff::civil::date(2026, 12, 1);
        let asked = Asked { campaign: None, from: Some(day), until: Some(day) };
        let period = period(&asked, &zone).unwrap();
        assert_eq!(period.start, Wall::parse("2026-12-01T00:00:00+08:00").unwrap());
        assert_eq!(period.end, Wall::parse("2026-12-02T00:00:00+08:00").unwrap());
    }

    #[test]
    fn a_report_of_several_clocks_is_told_by_that_of_most() {
        let of = |names: &[&str]| zone(names.iter().map(|name| TimeZone::get(name).unwrap()));
        assert_eq!(of(&["Asia/Tokyo", "Asia/Shanghai", "Asia/Shanghai"]).iana_name(), Some("Asia/Shanghai"));
        assert_eq!(of(&["Asia/Tokyo", "Asia/Shanghai"]).iana_name(), Some("Asia/Tokyo"));
        assert_eq!(of(&[]), TimeZone::UTC);
    }
}
