//! The retry table: each result, each verb of a disposition, budgets that never stack, phones that run out.

use super::*;
use crate::base::{AttemptId, PhoneId};
use crate::schedule::testing::{at, attempts};

const HOUR: Duration = Duration::from_hours(1);

fn rule(after: Duration, max: u16) -> RetryRule {
    RetryRule { after, max, free: 0, other_daypart: false, prefer: None, next_phone: false, phone_dead: false }
}

fn finished(result: CallResult) -> Finished {
    Finished {
        result,
        dialled: at("2026-12-01T10:00:00+08:00"),
        ended: at("2026-12-01T10:00:40+08:00"),
        phone: 0,
        daypart: Daypart::Morning,
        free: false,
    }
}

fn dials(results: &[CallResult]) -> Vec<PastDial> {
    let dial = |(n, result): (usize, &CallResult)| PastDial {
        attempt: AttemptId(n as u128),
        at: Wall(n as i64),
        campaign: CampaignIx(0),
        phone: PhoneId(0),
        result: Some(*result),
        contact: false,
        free: false,
        callback: false,
    };
    results.iter().enumerate().map(dial).collect()
}

struct Case {
    attempts: Attempts,
    retry: BTreeMap<CallResult, RetryRule>,
    dials: Vec<PastDial>,
    phones: u8,
    dead: u8,
}

impl Case {
    fn of(results: &[CallResult]) -> Self {
        Self { attempts: attempts(), retry: BTreeMap::new(), dials: dials(results), phones: 2, dead: 0 }
    }

    fn with(mut self, result: CallResult, rule: RetryRule) -> Self {
        self.retry.insert(result, rule);
        self
    }

    fn rules(&self) -> RetryRules<'_> {
        RetryRules { attempts: &self.attempts, retry: &self.retry, max: self.attempts.max }
    }

    fn standing(&self) -> Standing<'_> {
        Standing { dials: &self.dials, campaign: CampaignIx(0), attempts_used: 0, phones: self.phones, dead: self.dead }
    }

    fn after(&self) -> After {
        let last = self.dials.last().and_then(|dial| dial.result).unwrap();
        after_result(&self.rules(), &self.standing(), &finished(last))
    }

    fn said(&self, meaning: &Meaning, promised: Option<Wall>) -> After {
        after_disposition(&self.rules(), &self.standing(), &finished(CallResult::Answered), meaning, promised)
    }
}

fn meaning(outcome: OutcomeKind, contact: ContactKind, then: &[Then]) -> Meaning {
    Meaning { outcome, contact, then: then.to_vec(), complaint: false }
}

fn wait(after: After) -> Again {
    match after.next {
        Next::Again(again) => again,
        Next::Close(why) => panic!("closed as {why}"),
    }
}

fn closed(why: ClosedWhy) -> Next {
    Next::Close(why)
}

#[test]
fn every_result_without_a_rule_does_what_the_table_says() {
    use CallResult::*;
    let f = finished(Busy);
    let gap = f.dialled + 20 * HOUR;
    for result in CallResult::ALL {
        let after = Case::of(&[*result]).after();
        assert_eq!(after.phone_dead, *result == VacantNumber, "{result}");
        match result {
            NetworkFailure | TrunkRefused | Cancelled => {
                let again = wait(after);
                assert_eq!((again.not_before, again.phone, again.other_daypart_than), (gap, 0, None), "{result}");
            }
            VacantNumber | Fax | Suspended => assert_eq!((wait(after).phone, wait(after).not_before), (1, gap)),
            Busy | NoAnswer | Machine | PoweredOff | NotReachable | Answered | Rejected | Abandoned => {
                assert_eq!(after.next, closed(ClosedWhy::Exhausted), "{result}");
            }
            Void => assert_eq!(wait(after).not_before, f.ended + VOID_AFTER),
            UnknownCounted => assert_eq!(after.next, closed(ClosedWhy::UnknownCounted)),
        }
    }
}

#[test]
fn every_retryable_result_follows_its_rule() {
    for result in CallResult::ALL.iter().filter(|result| result.is_retryable()) {
        let again = wait(Case::of(&[*result]).with(*result, rule(30 * HOUR, 1)).after());
        assert_eq!(again.not_before, finished(*result).ended + 30 * HOUR, "{result}");
        let twice = Case::of(&[*result, *result]).with(*result, rule(30 * HOUR, 1)).after();
        assert_eq!(twice.next, closed(ClosedWhy::Exhausted), "{result}");
    }
}

#[test]
fn rules_share_one_budget_and_never_add_up() {
    use CallResult::*;
    let case =
        |results: &[CallResult]| Case::of(results).with(Busy, rule(HOUR, 9)).with(NoAnswer, rule(HOUR, 9)).after().next;
    assert!(matches!(case(&[Busy, NoAnswer, Busy]), Next::Again(_)));
    assert_eq!(case(&[Busy, NoAnswer, Busy, NoAnswer]), closed(ClosedWhy::Exhausted));
}

#[test]
fn attempts_before_the_list_and_doubt_use_the_budget_and_void_ones_do_not() {
    use CallResult::*;
    let case = Case::of(&[UnknownCounted, Void, Void, Void, Busy]).with(Busy, rule(HOUR, 9));
    assert!(matches!(case.after().next, Next::Again(_)));
    let standing = Standing { attempts_used: 2, ..case.standing() };
    assert_eq!(after_result(&case.rules(), &standing, &finished(Busy)).next, closed(ClosedWhy::Exhausted));
}

#[test]
fn a_free_retry_ignores_the_gap_and_the_next_one_does_not() {
    use CallResult::*;
    let busy = RetryRule { free: 1, ..rule(Duration::from_mins(15), 2) };
    let first = wait(Case::of(&[Busy]).with(Busy, busy.clone()).after());
    assert!(first.free);
    assert_eq!(first.not_before, finished(Busy).ended + Duration::from_mins(15));
    let second = wait(Case::of(&[Busy, Busy]).with(Busy, busy).after());
    assert!(!second.free);
    assert_eq!(second.not_before, finished(Busy).dialled + 20 * HOUR);
}

#[test]
fn next_phone_goes_round_and_skips_the_dead() {
    use CallResult::*;
    let next = |phones, dead, current| {
        let mut case = Case::of(&[NoAnswer]).with(NoAnswer, RetryRule { next_phone: true, ..rule(HOUR, 3) });
        (case.phones, case.dead) = (phones, dead);
        let finished = Finished { phone: current, ..finished(NoAnswer) };
        wait(after_result(&case.rules(), &case.standing(), &finished)).phone
    };
    assert_eq!((next(3, 0, 0), next(3, 0, 2)), (1, 0));
    assert_eq!(next(3, 0b010, 0), 2);
    assert_eq!(next(1, 0, 0), 0);
    assert_eq!(next(2, 0b10, 0), 0);
}

#[test]
fn a_dead_phone_hands_over_to_the_next_whatever_its_max_and_the_last_one_closes_the_lead() {
    use CallResult::*;
    let dead = RetryRule { phone_dead: true, next_phone: true, ..rule(Duration::ZERO, 0) };
    let case = Case::of(&[VacantNumber]).with(VacantNumber, dead);
    assert!(case.after().phone_dead);
    assert_eq!(wait(case.after()).phone, 1);
    let last = Case { dead: 0b10, ..case };
    assert_eq!(last.after(), After { next: closed(ClosedWhy::Invalid), phone_dead: true });
}

#[test]
fn a_rule_passes_its_daypart_wishes_on() {
    let wishes = RetryRule { other_daypart: true, prefer: Some(Daypart::Evening), ..rule(HOUR, 3) };
    let again = wait(Case::of(&[CallResult::PoweredOff]).with(CallResult::PoweredOff, wishes).after());
    assert_eq!((again.other_daypart_than, again.prefer), (Some(Daypart::Morning), Some(Daypart::Evening)));
}

#[test]
fn a_segment_may_only_lower_the_budget() {
    use crate::campaign::{Condition, GoldenMode, Segment};
    let campaign = crate::schedule::testing::campaign(GoldenMode::Prefer, "09:00-20:00", "18:00-20:00");
    let segment = |max| Segment { name: "s".into(), when: Condition::always(), attempts_max: max };
    assert_eq!(RetryRules::of(&campaign, Some(&segment(Some(1)))).max, 1);
    assert_eq!(RetryRules::of(&campaign, Some(&segment(Some(9)))).max, 4);
    assert_eq!(RetryRules::of(&campaign, None).max, 4);
}

#[test]
fn final_closes_by_its_outcome() {
    let case = Case::of(&[CallResult::Answered]);
    for (outcome, why) in [
        (OutcomeKind::Success, ClosedWhy::Success),
        (OutcomeKind::Failure, ClosedWhy::Refused),
        (OutcomeKind::Neutral, ClosedWhy::Exhausted),
    ] {
        let after = case.said(&meaning(outcome, ContactKind::RightParty, &[Then::Final]), None);
        assert_eq!(after.next, closed(why));
    }
}

#[test]
fn a_promised_callback_is_kept_and_beats_stop_after_contact() {
    let case = Case::of(&[CallResult::Answered]);
    let thinking = meaning(OutcomeKind::Neutral, ContactKind::RightParty, &[Then::Callback]);
    let time = at("2026-12-03T15:20:00+08:00");
    let again = wait(case.said(&thinking, Some(time)));
    assert!(again.promised && again.free);
    assert_eq!(again.not_before, time);
    let unpromised = wait(case.said(&thinking, None));
    assert!(!unpromised.promised && !unpromised.free);
    assert_eq!(unpromised.not_before, finished(CallResult::Answered).dialled + 20 * HOUR);
}

#[test]
fn a_promise_that_was_never_sent_is_still_a_promise() {
    let mut case = Case::of(&[CallResult::Answered, CallResult::Void]);
    case.dials[0].callback = true;
    let void = Finished { free: true, ..finished(CallResult::Void) };
    let again = wait(after_result(&case.rules(), &case.standing(), &void));
    assert_eq!((again.promised, again.free, again.not_before), (true, true, void.ended + VOID_AFTER));
    case.dials[0].callback = false;
    let again = wait(after_result(&case.rules(), &case.standing(), &void));
    assert_eq!((again.promised, again.free), (false, true));
}

#[test]
fn a_callback_beyond_the_budget_closes_the_lead() {
    let case = Case::of(&[CallResult::Answered; 4]);
    let thinking = meaning(OutcomeKind::Neutral, ContactKind::RightParty, &[Then::Callback]);
    assert_eq!(case.said(&thinking, Some(Wall::MAX)).next, closed(ClosedWhy::Exhausted));
}

#[test]
fn a_wrong_number_goes_on_with_the_next_phone_or_is_invalid() {
    let wrong = meaning(OutcomeKind::Neutral, ContactKind::WrongParty, &[Then::PhoneDead]);
    let case = Case::of(&[CallResult::Answered]);
    let after = case.said(&wrong, None);
    assert!(after.phone_dead);
    assert_eq!(wait(after).phone, 1);
    let last = Case { phones: 1, ..case };
    assert_eq!(last.said(&wrong, None).next, closed(ClosedWhy::Invalid));
}

#[test]
fn do_not_call_closes_for_the_person_and_for_the_last_number() {
    let case = Case::of(&[CallResult::Answered]);
    let person = meaning(OutcomeKind::Failure, ContactKind::RightParty, &[Then::DncCustomer]);
    assert_eq!(case.said(&person, None).next, closed(ClosedWhy::Dnc));
    let number = meaning(OutcomeKind::Failure, ContactKind::WrongParty, &[Then::DncPhone]);
    assert_eq!(wait(case.said(&number, None)).phone, 1);
    assert_eq!(Case { phones: 1, ..case }.said(&number, None).next, closed(ClosedWhy::Dnc));
}

#[test]
fn retry_follows_the_no_answer_rule_unless_the_right_party_was_reached() {
    let case = Case::of(&[CallResult::Answered]).with(CallResult::NoAnswer, rule(30 * HOUR, 3));
    let nobody = meaning(OutcomeKind::Neutral, ContactKind::Nobody, &[Then::Retry]);
    assert_eq!(wait(case.said(&nobody, None)).not_before, finished(CallResult::Answered).ended + 30 * HOUR);
    let right = meaning(OutcomeKind::Neutral, ContactKind::RightParty, &[Then::Retry]);
    assert_eq!(case.said(&right, None).next, closed(ClosedWhy::Exhausted));
}
