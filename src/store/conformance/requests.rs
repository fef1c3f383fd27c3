//! Authorise, finish, do-not-call: caps, shared numbers, races, pauses and clocks.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Reach, TrunkIx};
use crate::contact::{CallResult, ClosedWhy, ColumnValue, LeadState};
use crate::engine::{DncSubject, Intent, Outcome, StoreReply, StoreRequest};
use crate::gate::Rule;
use crate::store::{DncSubjectKey, Store as _, SwitchOf};

use super::fixture::{DAY, HOUR, closed, declined, intent, key, no_answer, number, row, switch};
use super::script::{Harness, Script, rules};

fn authorise(intent: &Intent) -> StoreRequest {
    StoreRequest::Authorise(Box::new(intent.clone()))
}

fn reroute(intent: &Intent) -> StoreRequest {
    StoreRequest::Reroute(Box::new(intent.clone()))
}

async fn refusals<H: Harness>(s: &mut Script<H>, request: StoreRequest) -> Vec<Rule> {
    rules(s.commit(&[request]).await.replies.first().unwrap())
}

fn finish(outcome: Outcome) -> StoreRequest {
    StoreRequest::Finish(Box::new(outcome))
}

pub(super) async fn an_authorised_attempt_gets_its_number<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    let committed = s.commit(&[authorise(&intent)]).await;
    assert_eq!(committed.replies, [StoreReply::Authorised { attempt: intent.attempt }]);
    assert_eq!(committed.numbers, [(intent.attempt, number(1))]);
    s.compare().await;
}

pub(super) async fn an_attempt_goes_over_another_trunk_while_it_is_under_way<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let intent = s.intent(0, 0).await;
    assert_eq!(s.authorise(&intent).await, []);
    let other = Intent { trunk: TrunkIx(1), caller_id: "+999000000002".into(), ..intent.clone() };
    let committed = s.commit(&[reroute(&other)]).await;
    assert_eq!(committed.replies, [StoreReply::Authorised { attempt: intent.attempt }]);
    assert_eq!(committed.numbers, [(intent.attempt, number(1))]);
    s.compare().await;
    // Of nobody else, and of nothing that is over or never was.
    let second = s.intent(0, 1).await;
    let foreign = Intent { attempt: intent.attempt, ..second.clone() };
    for nothing in [&second, &foreign] {
        assert_eq!(refusals(&mut s, reroute(nothing)).await, [Rule::LiveAttempt]);
    }
    s.finish(no_answer(&intent, s.now)).await;
    assert_eq!(refusals(&mut s, reroute(&other)).await, [Rule::LiveAttempt]);
    s.compare().await;
}

pub(super) async fn over_another_trunk_the_gate_is_asked_again<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    assert_eq!(s.authorise(&intent).await, []);
    let elsewhere = Arc::new(Reach::listed(&["+1".to_owned()], &[]));
    let other = Intent { trunk: TrunkIx(1), reach: elsewhere, ..intent.clone() };
    assert_eq!(refusals(&mut s, reroute(&other)).await, [Rule::Destination]);
    s.dnc_add(DncSubjectKey::Phone(number(1)), None).await;
    let other = Intent { trunk: TrunkIx(1), ..intent.clone() };
    assert_eq!(refusals(&mut s, reroute(&other)).await, [Rule::Dnc]);
    s.compare().await;
}

pub(super) async fn caps_count_across_campaigns<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1, 2, 3, 4])]).await;
    s.import(1, &[row(1, &[1, 2, 3, 4])]).await;
    for campaign in [0, 1, 0] {
        let intent = s.intent(campaign, 0).await;
        assert_eq!(s.authorise(&intent).await, []);
        s.wait(HOUR);
        assert!(s.finish(no_answer(&intent, s.now)).await);
    }
    let fourth = s.intent(1, 0).await;
    assert_eq!(s.authorise(&fourth).await, [Rule::ContactCaps]);
    s.wait(2 * DAY);
    assert_eq!(s.authorise(&fourth).await, []);
}

pub(super) async fn a_shared_number_is_capped_and_live_once<H: Harness>(mut s: Script<H>) {
    let counts = s.import(0, &[row(1, &[7]), row(2, &[7]), row(3, &[7]), row(4, &[8])]).await;
    assert_eq!((counts.new_contacts, counts.shared_phones), (4, 1));
    let first = s.intent(0, 0).await;
    assert_eq!(s.authorise(&first).await, []);
    let second = s.intent(0, 1).await;
    assert_eq!(s.authorise(&second).await, [Rule::LiveAttempt]);
    s.finish(no_answer(&first, s.now)).await;
    for lead in [1, 2, 1] {
        let intent = s.intent(0, lead).await;
        assert_eq!(s.authorise(&intent).await, []);
        s.finish(no_answer(&intent, s.now)).await;
    }
    // Four dials of the number; nobody behind it has reached a cap of their own.
    let fifth = s.intent(0, 2).await;
    assert_eq!(s.authorise(&fifth).await, [Rule::ContactCaps]);
    let other = s.intent(0, 3).await;
    assert_eq!(s.authorise(&other).await, []);
    s.compare().await;
}

pub(super) async fn a_live_attempt_blocks_the_person_in_every_campaign<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    s.import(1, &[row(1, &[2])]).await;
    let first = s.intent(0, 0).await;
    let second = s.intent(1, 0).await;
    assert_eq!(s.authorise(&first).await, []);
    assert_eq!(s.authorise(&second).await, [Rule::LiveAttempt]);
    // The same intent again is refused too, and once only written.
    assert_eq!(s.authorise(&first).await, [Rule::LiveAttempt]);
    s.compare().await;
}

pub(super) async fn intents_of_one_batch_see_each_other<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[9]), row(3, &[9])]).await;
    s.import(1, &[row(1, &[2])]).await;
    let (mine, mine_too) = (s.intent(0, 0).await, s.intent(1, 0).await);
    let (shared, shared_too) = (s.intent(0, 1).await, s.intent(0, 2).await);
    let committed =
        s.commit(&[authorise(&mine), authorise(&mine_too), authorise(&shared), authorise(&shared_too)]).await;
    let allowed: Vec<bool> = committed.replies.iter().map(|reply| rules(reply).is_empty()).collect();
    assert_eq!(allowed, [true, false, true, false]);
    let committed =
        s.commit(&[finish(no_answer(&mine, s.now)), authorise(&mine_too), finish(no_answer(&mine_too, s.now))]).await;
    assert_eq!(rules(&committed.replies[1]), []);
    assert_eq!(committed.replies[2], StoreReply::Finished { attempt: mine_too.attempt, fresh: true });
    s.compare().await;
}

pub(super) async fn do_not_call_wins_every_race<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1, 2]), row(2, &[1]), row(3, &[3])]).await;
    s.import(1, &[row(1, &[4])]).await;
    let (mine, shared, other) = (s.intent(0, 0).await, s.intent(0, 1).await, s.intent(1, 0).await);
    // In one batch, before the authorisation.
    let opt_out = s.dnc_request(DncSubject::Contact(mine.contact), None);
    let committed = s.commit(&[opt_out, authorise(&mine), authorise(&shared), authorise(&other)]).await;
    for reply in &committed.replies[1..] {
        assert_eq!(rules(reply), [Rule::Dnc]);
    }
    // By the command line, before anybody knows the number.
    s.dnc_add(DncSubjectKey::Phone(number(50)), None).await;
    s.import(0, &[row(50, &[50])]).await;
    let late = s.intent(0, 3).await;
    assert_eq!(s.authorise(&late).await, [Rule::Dnc]);
    assert!(s.dnc_remove(DncSubjectKey::Phone(number(50))).await);
    assert!(!s.dnc_remove(DncSubjectKey::Phone(number(50))).await);
    assert_eq!(s.authorise(&late).await, []);
    s.compare().await;
}

pub(super) async fn a_late_do_not_call_closes_the_lead<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    let intents = [s.intent(0, 0).await, s.intent(0, 1).await, s.intent(0, 2).await];
    for intent in &intents {
        assert_eq!(s.authorise(intent).await, []);
    }
    s.dnc(DncSubject::Contact(intents[0].contact), None).await;
    s.dnc_add(DncSubjectKey::Customer(key(2)), Some(s.now.wall + DAY)).await;
    s.dnc(DncSubject::Phone(intents[2].phone), None).await;
    for intent in &intents {
        s.finish(no_answer(intent, s.now)).await;
    }
    // For ever closes; for a day waits; a number of several may yet be another one.
    let left: Vec<_> = s.leads(0).await.into_iter().map(|lead| lead.contact).collect();
    assert_eq!(left, [intents[1].contact, intents[2].contact]);
    let again = s.intent(0, 0).await;
    assert_eq!(s.authorise(&again).await, [Rule::Dnc]);
    s.wait(DAY);
    assert_eq!(s.authorise(&again).await, []);
    s.compare().await;
}

pub(super) async fn the_stronger_entry_holds<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let phone = || DncSubjectKey::Phone(number(1));
    let intent = s.intent(0, 0).await;
    s.dnc_add(phone(), Some(s.now.wall + 2 * DAY)).await;
    s.dnc_add(phone(), Some(s.now.wall + DAY)).await;
    s.wait(DAY + HOUR);
    assert_eq!(s.authorise(&intent).await, [Rule::Dnc]);
    s.dnc_add(phone(), None).await;
    s.dnc_add(phone(), Some(s.now.wall)).await;
    s.wait(30 * HOUR);
    assert_eq!(s.authorise(&intent).await, [Rule::Dnc]);
    s.compare().await;
}

pub(super) async fn a_second_outcome_is_dropped<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let intent = s.intent(0, 0).await;
    // Not authorised yet: there is nothing to finish.
    assert!(!s.finish(no_answer(&intent, s.now)).await);
    s.authorise(&intent).await;
    let again = closed(no_answer(&intent, s.now), ClosedWhy::Exhausted);
    let committed = s.commit(&[finish(no_answer(&intent, s.now)), finish(again.clone())]).await;
    let fresh = |fresh| StoreReply::Finished { attempt: intent.attempt, fresh };
    assert_eq!(committed.replies, [fresh(true), fresh(false)]);
    assert!(!s.finish(again.clone()).await);
    assert_eq!(s.leads(0).await.len(), 1, "the dropped one moved nothing");
    // A revision out of turn is dropped too; the next one is taken, and moves no lead.
    assert!(!s.finish(Outcome { revision: 2, ..again.clone() }).await);
    assert!(s.finish(Outcome { revision: 1, ..again }).await);
    assert_eq!(s.leads(0).await.len(), 1);
    s.compare().await;
}

pub(super) async fn a_void_attempt_counts_for_nothing<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    for _ in 0..6 {
        let intent = s.intent(0, 0).await;
        assert_eq!(s.authorise(&intent).await, []);
        let void = Outcome { result: CallResult::Void, ..no_answer(&intent, s.now) };
        assert!(s.finish(void).await);
    }
    assert!(s.ledgers().await.contacts.is_empty());
    s.compare().await;
}

pub(super) async fn a_refusal_keeps_everybody_quiet<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    s.import(1, &[row(1, &[1])]).await;
    let (first, second) = (s.intent(0, 0).await, s.intent(1, 0).await);
    s.authorise(&first).await;
    s.finish(declined(&first, s.now)).await;
    assert_eq!(s.authorise(&second).await, [Rule::CoolingOff]);
    assert_eq!(s.authorise(&first).await, [Rule::LiveAttempt]);
    let again = crate::engine::Intent { attempt: second.attempt, ..first.clone() };
    assert_eq!(s.authorise(&again).await, [Rule::Attempts], "its lead is closed");
    s.wait(31 * DAY);
    let late = crate::engine::Intent { facts: crate::gate::LeadFacts { list_expires: None, ..second.facts }, ..second };
    assert_eq!(s.authorise(&late).await, []);
    s.compare().await;
}

pub(super) async fn a_dead_number_is_dead_for_everybody<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1, 2]), row(2, &[1])]).await;
    let first = s.intent(0, 0).await;
    s.authorise(&first).await;
    let vacant =
        Outcome { result: CallResult::VacantNumber, phone_dead: true, next_phone: 1, ..no_answer(&first, s.now) };
    s.finish(vacant).await;
    let leads = s.leads(0).await;
    assert!(leads[0].phones[0].dead && !leads[0].phones[1].dead && leads[1].phones[0].dead);
    assert_eq!(leads[0].next_phone, 1);
    let other = s.intent(0, 1).await;
    assert_eq!(s.authorise(&other).await, [Rule::Number]);
}

pub(super) async fn a_pause_is_in_force_at_the_next_batch<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    s.import(1, &[row(2, &[2])]).await;
    let (first, second) = (s.intent(0, 0).await, s.intent(1, 0).await);
    s.set_paused(Some(0), true).await;
    assert_eq!(s.authorise(&first).await, [Rule::CampaignState]);
    s.set_paused(None, true).await;
    assert_eq!(s.authorise(&second).await, [Rule::CampaignState]);
    s.set_paused(None, false).await;
    assert_eq!(s.authorise(&second).await, []);
    assert_eq!(s.authorise(&first).await, [Rule::CampaignState]);
    s.set_paused(Some(0), false).await;
    assert_eq!(s.authorise(&first).await, []);
    let nobody = switch(SwitchOf::Campaign("nobody".into()), true, s.now);
    assert!(s.store().turn(&nobody).await.is_err());
}

pub(super) async fn a_stopped_trunk_takes_nobody_and_who_stopped_it_is_kept<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let wish = s.intent(0, 0).await;
    s.stop_trunk("gw-b", true).await;
    s.stop_trunk("gw-a", true).await;
    s.stop_trunk("gw-a", true).await;
    assert_eq!(s.authorise(&wish).await, [Rule::Trunk]);
    s.crash().await;
    assert_eq!(s.authorise(&wish).await, [Rule::Trunk], "a restart lets nothing go on");
    s.stop_trunk("gw-a", false).await;
    assert_eq!(s.authorise(&wish).await, []);
    s.compare().await;
}

pub(super) async fn numbers_that_were_shown_are_counted_and_void_ones_are_not<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3])]).await;
    for (lead, number) in ["+999000000001", "+999000000002", "+999000000002"].into_iter().enumerate() {
        let wish = crate::engine::Intent { caller_id: number.into(), ..s.intent(0, lead).await };
        assert_eq!(s.authorise(&wish).await, []);
        if lead == 1 {
            let void = Outcome { result: CallResult::Void, ..no_answer(&wish, s.now) };
            assert!(s.finish(void).await);
        }
        s.wait(HOUR);
    }
    let one = |number: &str| (number.to_owned(), 1);
    assert_eq!(s.shown_since(4 * HOUR).await, [one("+999000000001"), one("+999000000002")]);
    assert_eq!(s.shown_since(2 * HOUR).await, [one("+999000000002")]);
    assert_eq!(s.shown_since(Duration::ZERO).await, []);
    s.crash().await;
    assert_eq!(s.shown_since(2 * HOUR).await, [one("+999000000002")], "lost in a crash, and perhaps shown");
}

pub(super) async fn talk_time_is_counted_by_trunk_and_calls_alike_go_together<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2]), row(3, &[3]), row(4, &[4]), row(5, &[5])]).await;
    let talk_ms = [Some(60_001), Some(60_900), None, Some(0)];
    for (lead, talk_ms) in talk_ms.into_iter().enumerate() {
        let wish = s.intent(0, lead).await;
        assert_eq!(s.authorise(&wish).await, []);
        let mut outcome = no_answer(&wish, s.now);
        if let Some(ms) = talk_ms {
            outcome.result = CallResult::Answered;
            outcome.times.answered = Some(s.now.wall);
            outcome.times.ended = Some(s.now.wall + Duration::from_millis(ms));
        }
        assert!(s.finish(outcome).await);
    }
    let wish = s.intent(0, 4).await;
    assert_eq!(s.authorise(&wish).await, []);
    let of = |seconds, calls| crate::engine::Talked { trunk: "gw-a".into(), seconds, calls };
    assert_eq!(s.talked_since(HOUR).await, [of(0, 2), of(61, 2)], "what is under way is the shortest call");
    s.crash().await;
    assert_eq!(s.talked_since(HOUR).await, [of(0, 2), of(61, 2)], "lost in a crash, and perhaps answered");
    s.wait(2 * HOUR);
    assert_eq!(s.talked_since(HOUR).await, []);
}

pub(super) async fn what_attempts_told_of_answers_is_counted_by_what_the_model_looks_at<H: Harness>(mut s: Script<H>) {
    use crate::rank::Reachability;
    s.import(0, &(1..7).map(|n| row(n, &[n])).collect::<Vec<_>>()).await;
    let told = [
        (Some(CallResult::Answered), 1, 0),
        (Some(CallResult::NoAnswer), 1, 0),
        (Some(CallResult::Busy), 9, 2),
        (Some(CallResult::NetworkFailure), 1, 0),
        (Some(CallResult::VacantNumber), 1, 0),
        (None, 1, 0),
    ];
    for (lead, (result, attempt_no, same_slot_fails)) in told.into_iter().enumerate() {
        let mut wish = s.intent(0, lead).await;
        (wish.context.attempt_no, wish.context.same_slot_fails) = (attempt_no, same_slot_fails);
        if attempt_no > 1 {
            (wish.context.reachability, wish.context.segment) = (Reachability::WORST, 1);
        }
        assert_eq!(s.authorise(&wish).await, []);
        if let Some(result) = result {
            let mut outcome = no_answer(&wish, s.now);
            outcome.result = result;
            assert!(s.finish(outcome).await);
        }
    }
    let heard = s.heard_since(0, HOUR).await;
    let counts: Vec<_> =
        heard.iter().map(|of| (of.past.attempts, of.past.reachability, of.dials, of.answered)).collect();
    assert_eq!(counts, [(7, Reachability::WORST, 1, 0), (0, Reachability::default(), 2, 1)]);
    assert_eq!([&*heard[0].segment, &*heard[1].segment], ["all", "star"]);
    assert_eq!(s.heard_since(1, HOUR).await, [], "another campaign");
    s.wait(2 * HOUR);
    assert_eq!(s.heard_since(0, HOUR).await, [], "too long ago");
}

pub(super) async fn what_a_slot_had_to_offer_is_kept_in_order<H: Harness>(mut s: Script<H>) {
    use crate::engine::{SlotCount, SlotLog};
    use crate::rank::{Place, Slot};
    s.import(0, &[row(1, &[1])]).await;
    let wish = s.intent(0, 0).await;
    let count = |attempts, eligible| SlotCount {
        place: Place::stored(0, Slot::new(1, 570), attempts, 1, -2),
        eligible,
        dialled: 3,
        drawn: 1,
    };
    let log = |from, counts| SlotLog {
        campaign_ix: wish.campaign_ix,
        campaign: std::sync::Arc::clone(&wish.campaign),
        from,
        to: from + HOUR,
        chance: 0.1 + 0.2,
        counts,
    };
    let now = s.now.wall;
    for log in [log(now, vec![count(0, 10), count(3, 20)]), log(now + HOUR, vec![count(1, 5)])] {
        assert_eq!(s.commit(&[StoreRequest::Slot(Box::new(log))]).await.replies, [StoreReply::Noted]);
    }
    let rows = s.slots(1).await;
    let seen: Vec<_> = rows.iter().map(|row| (row.seq, row.eligible, row.past.attempts, &*row.segment)).collect();
    assert_eq!(seen, [(2, 20, 3, "star"), (3, 5, 1, "star")]);
}

pub(super) async fn a_number_that_the_trunk_does_not_let_out_is_not_authorised<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let wish = s.intent(0, 0).await;
    let list = |prefix: &str| vec![prefix.to_owned()];
    for reach in [Reach::listed(&list("+1"), &[]), Reach::listed(&list("+9"), &list("+99")), Reach::default()] {
        let wish = crate::engine::Intent { reach: std::sync::Arc::new(reach), ..wish.clone() };
        assert_eq!(s.authorise(&wish).await, [Rule::Destination]);
    }
    let reach = std::sync::Arc::new(Reach::listed(&list("+999"), &list("+99")));
    assert_eq!(s.authorise(&crate::engine::Intent { reach, ..wish }).await, []);
    s.compare().await;
}

pub(super) async fn a_clock_that_jumps_back_opens_nothing<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let temporary = Some(s.now.wall + DAY);
    s.dnc_add(DncSubjectKey::Phone(number(1)), temporary).await;
    let first = s.intent(0, 0).await;
    assert_eq!(s.authorise(&first).await, [Rule::Dnc]);
    s.wait(DAY);
    assert_eq!(s.authorise(&first).await, []);
    s.finish(no_answer(&first, s.now)).await;
    let (then, high) = (s.now, s.now.wall);
    s.now.wall = s.now.wall - 3 * DAY;
    let second = s.intent(0, 0).await;
    assert_eq!(s.authorise(&second).await, [], "it is still a day later, whatever the clock says");
    assert_eq!(s.model.attempts()[&second.attempt].at, high);
    s.finish(no_answer(&second, s.now)).await;
    s.compare().await;
    s.crash().await;
    s.compare().await;
    let theirs = s.store().high_water().await.unwrap();
    assert_eq!(theirs, then.wall);
}

pub(super) async fn what_the_engine_saw_on_the_wall_counts_though_no_commit_did<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1])]).await;
    let good = s.intent(0, 0).await;
    let law = s.now.wall + HOUR;
    let first = crate::engine::Intent { law, ..good };
    assert_eq!(s.authorise(&first).await, []);
    assert_eq!(s.model.attempts()[&first.attempt].at, law);
    s.finish(no_answer(&first, s.now)).await;
    s.compare().await;
}

pub(super) async fn an_intent_with_a_foreign_lead_or_phone_is_refused<H: Harness>(mut s: Script<H>) {
    s.import(0, &[row(1, &[1]), row(2, &[2])]).await;
    let good = s.intent(0, 0).await;
    let foreign = crate::engine::Intent { contact: crate::base::ContactId(2), ..good.clone() };
    assert_eq!(s.authorise(&foreign).await, [Rule::Number]);
    let no_phone = crate::engine::Intent { phone: crate::base::PhoneId(99), ..good.clone() };
    assert_eq!(s.authorise(&no_phone).await, [Rule::Number]);
    let anothers = crate::engine::Intent { phone: crate::base::PhoneId(2), ..good.clone() };
    assert_eq!(s.authorise(&anothers).await, [Rule::Number]);
    let no_lead = crate::engine::Intent { lead: crate::base::LeadId(99), ..good };
    assert_eq!(s.authorise(&no_lead).await, [Rule::Number]);
    s.compare().await;
}

pub(super) async fn many_requests_in_one_batch_keep_their_order<H: Harness>(mut s: Script<H>) {
    let rows: Vec<_> = (1..=300).map(|n| row(n, &[n])).collect();
    s.import(0, &rows).await;
    let leads = s.leads(0).await;
    let campaign = std::sync::Arc::clone(&s.campaigns[0]);
    let intents: Vec<_> = leads.iter().map(|lead| intent(&mut s.rng, s.now, &campaign, lead, 0)).collect();
    let batch: Vec<_> = intents.iter().map(authorise).collect();
    let committed = s.commit(&batch).await;
    assert_eq!(committed.numbers.len(), 300);
    s.wait(Duration::from_secs(20));
    let batch: Vec<_> = intents.iter().rev().map(|intent| finish(no_answer(intent, s.now))).collect();
    s.commit(&batch).await;
    let due = LeadState::Waiting { until: s.now.wall + HOUR };
    assert!(s.leads(0).await.iter().all(|lead| lead.state == due));
    assert_eq!(leads[0].columns.get("age"), Some(&ColumnValue::Integer(40)));
    s.compare().await;
}

/// Whoever was reached is left alone, unless they asked for the call; then they are, until a talk ends without the wish.
pub(super) async fn who_asked_to_be_called_back_is<H: Harness>(mut s: Script<H>) {
    let strict = crate::campaign::Attempts { stop_after_contact: true, ..s.campaigns[0].attempts };
    s.campaigns[0] = std::sync::Arc::new(crate::campaign::Campaign { attempts: strict, ..(*s.campaigns[0]).clone() });
    s.import(0, &[row(1, &[1])]).await;
    for wish in [true, false] {
        let intent = s.intent(0, 0).await;
        assert_eq!(s.authorise(&intent).await, []);
        let asks = Outcome {
            result: CallResult::Answered,
            contact_kind: crate::contact::ContactKind::RightParty,
            callback_at: wish.then_some(s.now.wall + HOUR),
            ..no_answer(&intent, s.now)
        };
        assert!(s.finish(asks).await);
        s.wait(HOUR);
        s.compare().await;
        s.crash().await;
    }
    let third = s.intent(0, 0).await;
    assert_eq!(s.authorise(&third).await, [Rule::Attempts]);
}
