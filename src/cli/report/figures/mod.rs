//! What a report says, counted. Nothing here reads a store or draws.

mod attempt;
mod funnel;
mod golden;
mod group;
mod lists;
mod people;
mod rate;
mod reasons;
mod scores;
mod tally;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::LeadId;
use crate::campaign::Campaign;
use crate::engine::{Fate, Waterfall};

pub(super) use attempt::Attempt;
pub(super) use funnel::Funnel;
pub(super) use golden::{Golden, HalfHour, SeedSays, Stretch};
pub(super) use group::Group;
pub(super) use lists::{Lists, Penetration};
pub(super) use people::{People, Try};
pub(super) use rate::{FEW, Rate};
pub(super) use reasons::{Reason, Reasons};
pub(super) use scores::{Capture, Decile, Scores};
pub(super) use tally::{ResultCount, Tally};

#[cfg(test)]
pub(super) use attempt::{talked, unanswered};
#[cfg(test)]
pub(super) use tally::plan;

use group::Counts;

/// Everything that the page shows and `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub made_at: String,
    /// Of every time below; hours of the week are on the clocks of the contacts.
    pub zone: String,
    /// Whole days, both inclusive. `None`: from the first dial, to the moment of the report.
    pub from: Option<String>,
    pub until: Option<String>,
    pub first_dial: Option<String>,
    pub last_dial: Option<String>,
    /// Of every interval.
    pub confidence: f64,
    /// Rates of fewer than so many are marked.
    pub few: u64,
    pub all: Whole,
    pub campaigns: Vec<Chapter>,
    pub lists: Vec<Penetration>,
    /// Attempts of campaigns whose file is gone: in no figure.
    pub left_out: u64,
    /// Calls were made while the clock ran at a rate of its own, so nobody can tell how long they took.
    pub trial_clock: bool,
}

/// All campaigns of the report together.
#[derive(Debug, Serialize)]
pub(super) struct Whole {
    pub group: Group,
    pub funnel: Funnel,
    pub reasons: Reasons,
    pub results: Vec<ResultCount>,
    pub tries: Vec<Try>,
    pub hours: Vec<Hour>,
    /// Successes that labels brought to attempts which had not reached the customer.
    pub late_successes: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Chapter {
    pub campaign: String,
    pub title: String,
    pub status: &'static str,
    pub versions: Vec<VersionRow>,
    pub group: Group,
    pub segments: Vec<Group>,
    pub funnel: Funnel,
    pub reasons: Reasons,
    pub golden: Golden,
    pub scores: Scores,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct VersionRow {
    /// The first digits of the SHA-256 of the campaign's file.
    pub version: String,
    /// It is the one in the folder now.
    pub current: bool,
    pub policy: String,
    pub models: Vec<String>,
    pub attempts: u64,
    pub first: String,
    pub last: String,
}

/// Of the contacts' clocks, all weekdays together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "what it is called in the JSON")]
pub(super) struct Hour {
    pub hour: u8,
    pub dialled: u64,
    pub answered: u64,
}

/// One campaign, counted.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    pub campaign: &'a Campaign,
    pub tally: Tally,
    pub fates: BTreeMap<LeadId, Fate>,
    pub fall: Waterfall,
}

impl Report {
    /// Minutes of a clock that runs ahead are no minutes of talk.
    pub(super) fn on_a_trial_clock(mut self) -> Self {
        let chapters = self.campaigns.iter_mut();
        let of_chapters = chapters.flat_map(|chapter| std::iter::once(&mut chapter.group).chain(&mut chapter.segments));
        for group in std::iter::once(&mut self.all.group).chain(of_chapters) {
            group.talk_s = None;
        }
        Self { trial_clock: true, ..self }
    }
}

impl Whole {
    pub(super) fn of(all: &[Counted], chapters: &[Chapter]) -> Self {
        let mut counts = Counts::default();
        let mut hours: BTreeMap<u8, Counts> = BTreeMap::new();
        for one in all {
            counts.join(&one.tally.all);
            for (hour, some) in &one.tally.hours {
                hours.entry(*hour).or_default().join(some);
            }
        }
        let hour = |(hour, counts): (u8, Counts)| Hour { hour, dialled: counts.dialled, answered: counts.answered };
        Self {
            group: counts.named("all".to_owned()),
            funnel: chapters.iter().fold(Funnel::default(), |sum, chapter| sum.join(chapter.funnel)),
            reasons: chapters.iter().fold(Reasons::default(), |sum, chapter| sum.join(&chapter.reasons)),
            results: tally::results(all.iter().map(|one| &one.tally)),
            tries: People::tries(all.iter().map(|one| &one.tally.people)),
            hours: hours.into_iter().map(hour).collect(),
            late_successes: all.iter().map(|one| one.tally.late_successes).sum(),
        }
    }
}

impl Chapter {
    /// `shown` writes an instant for people.
    pub(super) fn of(one: &Counted, shown: impl Fn(crate::base::Wall) -> String) -> Self {
        let Counted { campaign, tally, fates, fall } = one;
        let short = |hash: &str| hash.chars().take(8).collect();
        let version = |((hash, _), version): (&(String, String), &tally::Version)| VersionRow {
            version: short(hash),
            current: *hash == campaign.hash,
            policy: version.policy.clone(),
            models: version.models.clone(),
            attempts: version.attempts,
            first: shown(version.first),
            last: shown(version.last),
        };
        let segment = |(ix, counts): (&u8, &Counts)| {
            let name = campaign.segment(*ix).map_or_else(|| format!("segment {ix}"), |segment| segment.name.clone());
            counts.named(name)
        };
        let mut versions: Vec<_> = tally.versions.iter().collect();
        versions.sort_by_key(|(_, version)| version.first);
        Self {
            campaign: campaign.name.clone(),
            title: campaign.title.clone(),
            status: campaign.status.as_str(),
            versions: versions.into_iter().map(version).collect(),
            group: tally.all.named(campaign.name.clone()),
            segments: tally.segments.iter().map(segment).collect(),
            funnel: Funnel::of(fates, &tally.people),
            reasons: Reasons::of(fall, campaign),
            golden: tally.week.beside(campaign),
            scores: Scores::of(tally.people.scored()),
        }
    }

    pub(super) fn was_dialled(&self) -> bool {
        self.group.dialled > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::campaign::testing::campaign;
    use crate::contact::OutcomeKind;
    use crate::store::PlanVersion;

    fn counted<'a>(campaign: &'a Campaign, attempts: &[(Attempt, &str)]) -> Counted<'a> {
        let mut tally = Tally::default();
        for ((attempt, hash), at) in attempts.iter().zip(0..) {
            tally.add(attempt, Wall(-at), &PlanVersion { campaign_hash: (*hash).to_owned(), ..plan() });
        }
        Counted { campaign, tally, fates: BTreeMap::new(), fall: Waterfall::default() }
    }

    #[test]
    fn what_several_campaigns_have_is_added() {
        let campaign = campaign();
        let loud = Attempt { complaint: true, half_hour: 41, ..talked(OutcomeKind::Neutral) };
        let late = Attempt { outcome: OutcomeKind::Success, ..unanswered() };
        let one = counted(&campaign, &[(loud, "a"), (late, "a")]);
        let two = counted(&campaign, &[(loud, "a"), (talked(OutcomeKind::Success), "a")]);
        let both = [one, two];
        let chapters: Vec<_> = both.iter().map(|one| Chapter::of(one, |_| String::new())).collect();
        let whole = Whole::of(&both, &chapters);
        assert_eq!((whole.group.dialled, whole.group.complaints, whole.group.talk_s), (4, 2, Some(180)));
        assert_eq!((whole.late_successes, whole.funnel.success), (1, 1));
        let hours: Vec<_> = whole.hours.iter().map(|hour| (hour.hour, hour.dialled, hour.answered)).collect();
        assert_eq!(hours, [(10, 2, 1), (20, 2, 2)]);
    }

    #[test]
    fn versions_come_by_their_first_dial_and_the_one_of_the_folder_is_named() {
        let campaign = Campaign { hash: "a".into(), ..campaign() };
        // Each is dialled before the one above it.
        let one = counted(&campaign, &[(unanswered(), "a"), (unanswered(), "b"), (unanswered(), "c")]);
        let chapter = Chapter::of(&one, |at| at.0.to_string());
        let shown: Vec<_> = chapter.versions.iter().map(|row| (row.version.as_str(), row.current)).collect();
        assert_eq!(shown, [("c", false), ("b", false), ("a", true)]);
    }

    #[test]
    fn a_segment_that_the_file_has_no_more_has_its_number() {
        let campaign = campaign();
        let one = counted(&campaign, &[(Attempt { segment: 3, ..unanswered() }, "a")]);
        assert_eq!(Chapter::of(&one, |_| String::new()).segments[0].name, "segment 3");
    }
}
