//! What the page says, of what it says nothing, and that no name becomes a part of it.

use std::collections::BTreeMap;

use crate::base::Wall;
use crate::campaign::testing::campaign;
use crate::campaign::{Campaign, Condition, Segment};
use crate::cli::report::figures::{
    Attempt, Chapter, Counted, FEW, Lists, Report, Tally, Whole, plan, talked, unanswered,
};
use crate::contact::OutcomeKind;
use crate::engine::{Blocked, Waterfall};
use crate::gate::{Eligibility, Rule};
use crate::store::{ListRow, PlanVersion};

use super::page;

const NASTY: &str = "<img src=x onerror=alert(1)> & \"x\"";
const TAMED: &str = "&#60;img src=x onerror=alert(1)&#62; &#38; &#34;x&#34;";

fn titled(title: &str) -> Campaign {
    Campaign { title: title.into(), ..campaign() }
}

fn counted<'a>(campaign: &'a Campaign, attempts: &[Attempt], plan: &PlanVersion) -> Counted<'a> {
    let mut tally = Tally::default();
    for attempt in attempts {
        tally.add(attempt, Wall(0), plan);
    }
    Counted { campaign, tally, fates: BTreeMap::new(), fall: Waterfall::default() }
}

fn report(all: &[Counted]) -> Report {
    let chapters: Vec<_> = all.iter().map(|one| Chapter::of(one, |_| "some day".to_owned())).collect();
    Report {
        made_at: "some day".into(),
        zone: "UTC".into(),
        from: None,
        until: None,
        first_dial: None,
        last_dial: None,
        confidence: 0.95,
        few: FEW,
        all: Whole::of(all, &chapters),
        campaigns: chapters,
        lists: Vec::new(),
        left_out: 0,
        trial_clock: false,
    }
}

fn said(attempts: &[Attempt]) -> String {
    page(&report(&[counted(&titled("Spring"), attempts, &plan())])).unwrap()
}

#[test]
fn no_name_of_a_campaign_a_segment_a_condition_a_list_a_policy_or_a_model_is_markup() {
    let segment = Segment { name: NASTY.into(), when: Condition::always(), attempts_max: None };
    let nasty = Campaign { segments: vec![segment], ..titled(NASTY) };
    let plan = PlanVersion { policy: NASTY.into(), model_id: Some(NASTY.into()), ..plan() };
    let counts = counted(&nasty, &[talked(OutcomeKind::Success)], &plan);
    let mut lists = Lists::new();
    let list = ListRow {
        list: crate::base::ListId(1),
        campaign: NASTY.into(),
        name: NASTY.into(),
        sha256: [0; 32],
        rows: 1,
        at: Wall(0),
        expires: None,
    };
    let worked = lists.entry(list.list).or_default();
    worked.add(None, None);
    let penetration = worked.of(&list, NASTY.to_owned());
    let page = page(&Report { lists: vec![penetration], ..report(&[counts]) }).unwrap();
    assert!(!page.contains("<img") && !page.contains("\"x\""), "{page}");
    // Title and heading, the facts, three tables' campaigns, a chapter, a segment, a policy, a model, a list and its day.
    assert!(page.matches(TAMED).count() >= 10, "{} {page}", page.matches(TAMED).count());
}

#[test]
fn a_period_without_a_dial_says_so_and_has_no_chapter() {
    let page = said(&[]);
    for text in [
        "No attempt was finished in the period.",
        "Nobody was dialled in the period.",
        "No list was loaded yet.",
        "Versions of the period: nothing in the period.",
        "0 s per answered call",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<article>") && !page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn of_a_score_that_nobody_could_judge_no_chart_is_drawn() {
    let page = said(&[unanswered()]);
    assert!(page.contains("No customer was reached in the period, so nothing can be said of the score."));
    assert!(!page.contains("id=\"gains-c"), "{page}");
}

#[test]
fn where_nobody_converted_there_is_no_curve_of_gains_to_speak_of() {
    let page = said(&[talked(OutcomeKind::Failure)]);
    assert!(page.contains("1 customers reached, 0 converted."));
    assert!(page.contains("Nobody converted, so there is no curve of gains."));
    assert!(!said(&[talked(OutcomeKind::Success)]).contains("Nobody converted"));
}

#[test]
fn few_are_marked_in_tables_and_hollow_in_charts() {
    let few = said(&[talked(OutcomeKind::Success)]);
    assert!(few.contains("100\u{a0}%°") && few.contains("class=\"observed hollow\""));
    let many = said(&vec![talked(OutcomeKind::Neutral); FEW as usize]);
    let row = many.split("<td").skip(1).find(|cell| cell.contains("30 of 30")).unwrap();
    assert!(!row.contains('°'), "{row}");
}

#[test]
fn who_was_erased_who_came_late_and_what_was_left_out_is_told_where_there_is_any() {
    // No lead is loaded any more, so both were erased since.
    let late = Attempt { outcome: OutcomeKind::Success, ..unanswered() };
    let campaign = campaign();
    let report = report(&[counted(&campaign, &[late], &plan())]);
    let with = page(&Report { left_out: 7, ..report }).unwrap();
    assert!(with.contains("1 of the leads dialled were erased since"));
    assert!(with.contains("1 more successes came by labels"));
    assert!(with.contains("7 attempts of campaigns that have no file any more"));
    let without = said(&[]);
    for text in ["erased since", "more successes came", "no file any more"] {
        assert!(!without.contains(text), "{text}");
    }
}

#[test]
fn conditions_that_leads_fail_are_told_with_their_leads() {
    let campaign = campaign();
    let mut counts = counted(&campaign, &[unanswered()], &plan());
    assert!(!page(&report(&[counts])).unwrap().contains("not eligible now"));
    counts = counted(&campaign, &[unanswered()], &plan());
    counts.fall = Waterfall {
        loaded: 5,
        blocked: BTreeMap::from([(Blocked::Rule(Rule::Eligible), 5)]),
        ineligible: BTreeMap::from([(Eligibility::NoSegment, 5)]),
        ..Waterfall::default()
    };
    let page = page(&report(&[counts])).unwrap();
    assert!(page.contains("Leads that are not eligible now, by condition"));
    assert!(page.contains("no segment takes this lead</th><td>5</td>"), "{page}");
}

#[test]
fn a_sum_stands_below_several_campaigns_alone_and_a_campaign_without_a_title_has_its_name() {
    let (one, two) = (titled("Spring"), campaign());
    let counts = |campaign| counted(campaign, &[unanswered()], &plan());
    let alone = page(&report(&[counts(&one)])).unwrap();
    assert!(!alone.contains("class=\"sum\"") && alone.contains("<h1>Calling report: Spring</h1>"));
    let both = page(&report(&[counts(&one), counts(&two)])).unwrap();
    // Of the campaigns, and of what keeps their leads.
    assert_eq!(both.matches("class=\"sum\"").count(), 2, "{both}");
    assert!(both.contains("<h1>Calling report</h1>") && both.contains("<dd>Spring; c</dd>"), "{both}");
    assert_eq!(both.matches("<article>").count(), 2);
}

#[test]
fn on_the_clock_of_a_trial_no_time_is_called_talk_and_the_head_says_why() {
    let campaign = campaign();
    let counts = || counted(&campaign, &[talked(OutcomeKind::Success)], &plan());
    let real = page(&report(&[counts()])).unwrap();
    assert!(real.contains("1 min per answered call") && !real.contains("<dt>Trial</dt>"));
    let trial = report(&[counts()]).on_a_trial_clock();
    assert_eq!((trial.all.group.talk_s, trial.campaigns[0].group.talk_s), (None, None));
    let trial = page(&trial).unwrap();
    assert!(trial.contains("<dt>Trial</dt>") && trial.contains("the clock of a trial cannot tell"));
    assert!(!trial.contains("1 min"), "{trial}");
}
