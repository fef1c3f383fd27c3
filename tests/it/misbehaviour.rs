//! What gateways do that the books forbid, or that few programs expect: SIPp does it, over real sockets, and each test says
//! what must come of it.

use std::time::Duration;

use goldenhour::call::{Digit, LegCommand, LegEnd, LegEvent, ReleaseSide};
use goldenhour::contact::CallResult;

use crate::scenario::{Bad, CONTACT, GBK, NOTHING, SDP, Scenario};
use crate::wire_sipp::{HUNG_UP, is_end};
use LegEvent::{Answered, EarlyMedia, Ringing, Sent};

const REASON: &str = "Reason: Q.850;cause=16;text=\"Normal\"\n";
const THEY_HUNG_UP: LegEvent = they_hung_up(None);

const fn they_hung_up(q850: Option<u8>) -> LegEvent {
    LegEvent::Ended(LegEnd {
        unanswered: None,
        sip_status: Some(200),
        q850,
        by: ReleaseSide::Them,
        media: None,
        unheard: false,
    })
}

fn reliable(rseq: u32) -> String {
    format!("{CONTACT}Require: 100rel\nRSeq: {rseq}\n")
}

/// A call that is answered at once and acknowledged.
fn answered() -> Scenario {
    Scenario::call().answer("200 OK", "a", CONTACT, SDP).recv("ACK")
}

#[test]
fn a_200_with_gbk_before_its_contact_is_acked_and_the_call_stands() {
    let server = format!("Server: {GBK}\nSubject: {GBK}\n{CONTACT}");
    let mut bad = Bad::gateway(Scenario::call().answer("200 OK", "a", &server, SDP).recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)), [Sent, Answered, HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn a_200_without_contact_is_acked_and_the_phone_is_not_left_off_the_hook() {
    let mut bad = Bad::gateway(Scenario::call().answer("200 OK", "a", "", SDP).recv("ACK").takes_our_bye());
    let said = bad.call(Some(Answered));
    assert_eq!(said, [Sent, Answered, HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn a_200_without_sdp_takes_the_description_of_the_reliable_183() {
    let early = Scenario::call().answer("183 Progress", "a", &reliable(7), SDP).recv("PRACK").reply("200 OK");
    let mut bad = Bad::gateway(early.answer("200 OK", "a", CONTACT, "").recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)), [Sent, EarlyMedia, Answered, HUNG_UP]);
    bad.ended_well(1, 1);
}

#[test]
fn a_200_without_any_sdp_is_acked_and_ended() {
    let mut bad = Bad::gateway(Scenario::call().answer("200 OK", "a", CONTACT, "").recv("ACK").takes_our_bye());
    let said = bad.call(None);
    assert!(!said.contains(&Answered), "{said:?}");
    bad.ended_well(1, 0);
}

#[test]
fn two_forks_with_the_same_rseq_get_a_prack_each() {
    let mut scenario = Scenario::call();
    for tag in ["a", "b"] {
        scenario = scenario.answer("183 Progress", tag, &reliable(1), SDP).recv("PRACK").reply("200 OK");
    }
    let mut bad = Bad::gateway(scenario.answer("200 OK", "b", CONTACT, SDP).recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)).last(), Some(&HUNG_UP));
    bad.ended_well(1, 2);
}

#[test]
fn a_prack_that_nobody_answers_does_not_hold_up_the_200() {
    let early = Scenario::call().answer("183 Progress", "a", &reliable(7), SDP).recv("PRACK");
    let late = early.answer("200 OK", "a", CONTACT, SDP).perhaps("PRACK").recv("ACK").perhaps("PRACK");
    let mut bad = Bad::gateway(late.takes_our_bye());
    assert_eq!(bad.call(Some(Answered)), [Sent, EarlyMedia, Answered, HUNG_UP]);
    bad.ended();
}

#[test]
fn a_180_after_a_183_is_no_second_ring() {
    let early = Scenario::call().answer("183 Progress", "a", CONTACT, SDP).answer("180 Ringing", "a", CONTACT, "");
    let mut bad = Bad::gateway(early.answer("200 OK", "a", CONTACT, SDP).recv("ACK").takes_our_bye());
    let said = bad.call(Some(Answered));
    assert_eq!(said.iter().filter(|event| **event == EarlyMedia).count(), 1, "{said:?}");
    assert_eq!(said.last(), Some(&HUNG_UP));
    bad.ended_well(1, 0);
}

#[test]
fn a_1xx_without_a_to_tag_rings() {
    let rings = Scenario::call().answer("180 Ringing", "", "", "");
    let mut bad = Bad::gateway(rings.answer("200 OK", "a", CONTACT, SDP).recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)), [Sent, Ringing, Answered, HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn a_200_that_crosses_our_cancel_is_acked_and_ended_by_bye() {
    let rings = Scenario::call().answer("180 Ringing", "a", CONTACT, "").recv("CANCEL");
    let crossed = rings.answer("200 OK", "a", CONTACT, SDP).reply("200 OK").recv("ACK").takes_our_bye();
    let mut bad = Bad::gateway(crossed);
    let said = bad.call(Some(Ringing));
    assert!(!said.contains(&Answered), "nobody is put through to a call that we called off: {said:?}");
    bad.ended_well(1, 0);
}

#[test]
fn a_cancel_that_is_obeyed_ends_with_the_ack_of_the_487() {
    let rings = Scenario::call().answer("180 Ringing", "a", CONTACT, "").recv("CANCEL").reply("200 OK");
    let mut bad = Bad::gateway(rings.answer("487 Request Terminated", "a", "", "").recv("ACK"));
    let said = bad.call(Some(Ringing));
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.unanswered, end.sip_status, end.by), (Some(CallResult::Cancelled), Some(487), ReleaseSide::Us));
    bad.ended_well(1, 0);
}

#[test]
fn of_two_200s_of_different_forks_the_second_is_acked_and_ended() {
    let second = answered().answer("200 OK", "b", CONTACT, SDP).recv("ACK").recv("BYE").reply("200 OK");
    let mut bad = Bad::gateway(second.hangs_up(1, "a", ""));
    assert_eq!(bad.call(None), [Sent, Answered, THEY_HUNG_UP]);
    bad.ended_well(2, 0);
}

#[test]
fn a_bye_ends_the_call_with_a_reason_and_without() {
    for (reason, q850) in [("", None), (REASON, Some(16))] {
        let mut bad = Bad::gateway(answered().hangs_up(1, "a", reason));
        assert_eq!(bad.call(None), [Sent, Answered, they_hung_up(q850)]);
        bad.ended_well(1, 0);
    }
}

#[test]
fn a_hold_by_the_null_address_and_its_end_are_answered_and_the_call_goes_on() {
    let null = SDP.replace("c=IN IP4 [media_ip]", "c=IN IP4 0.0.0.0");
    let held = answered().ask("INVITE", 1, "a", "", &null).answered(200, "a=sendrecv").ask("ACK", 1, "a", "", "");
    let back = held.ask("INVITE", 2, "a", "", SDP).answered(200, "m=audio").ask("ACK", 2, "a", "", "");
    let mut bad = Bad::gateway(back.hangs_up(3, "a", REASON));
    assert_eq!(bad.call(None), [Sent, Answered, they_hung_up(Some(16))]);
    bad.ended_well(1, 0);
}

#[test]
fn a_reinvite_without_an_offer_gets_ours() {
    let late = answered().ask("INVITE", 1, "a", "", "").answered(200, "m=audio").ask("ACK", 1, "a", "", SDP);
    let mut bad = Bad::gateway(late.hangs_up(2, "a", ""));
    assert_eq!(bad.call(None), [Sent, Answered, THEY_HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn an_update_before_the_answer_waits_for_the_answer_to_our_offer() {
    let early = Scenario::call().answer("180 Ringing", "a", CONTACT, "");
    let too_soon = early.ask("UPDATE", 1, "a", "", SDP).answered(491, "UPDATE");
    let reliable = too_soon.answer("183 Progress", "a", &reliable(7), SDP).recv("PRACK").reply("200 OK");
    let in_time = reliable.ask("UPDATE", 2, "a", "", SDP).answered(200, "m=audio");
    let mut bad = Bad::gateway(in_time.answer("200 OK", "a", CONTACT, "").recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)).last(), Some(&HUNG_UP));
    bad.ended_well(1, 1);
}

#[test]
fn a_second_reinvite_before_the_first_is_done_is_refused_and_the_call_goes_on() {
    let twice = answered().ask("INVITE", 1, "a", "", SDP).answered(200, "m=audio").ask("INVITE", 2, "a", "", SDP);
    let refused = twice.answered(500, "Retry-After").ask("ACK", 1, "a", "", "");
    let mut bad = Bad::gateway(refused.hangs_up(3, "a", ""));
    assert_eq!(bad.call(None), [Sent, Answered, THEY_HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn a_422_is_asked_again_with_its_min_se() {
    let brief = Scenario::call().answer("422 Session Interval Too Small", "a", "Min-SE: 3600\n", "").recv("ACK");
    let again = brief.invite("Session-Expires:", "3600").answer("200 OK", "b", CONTACT, SDP).recv("ACK");
    let mut bad = Bad::gateway(again.takes_our_bye());
    assert_eq!(bad.call(Some(Answered)).last(), Some(&HUNG_UP));
    bad.ended_well(2, 0);
}

#[test]
fn every_refusal_becomes_the_call_result_of_its_row_and_is_acked() {
    let rows = [
        ("302 Moved Temporarily", "Contact: <sip:elsewhere@192.0.2.9>\n", CallResult::TrunkRefused),
        ("404 Not Found", "", CallResult::VacantNumber),
        ("480 Temporarily Unavailable", "", CallResult::NotReachable),
        ("480 Temporarily Unavailable", "Reason: Q.850;cause=18\n", CallResult::NoAnswer),
        ("484 Address Incomplete", "", CallResult::VacantNumber),
        ("486 Busy Here", "", CallResult::Busy),
        ("503 Service Unavailable", "Retry-After: 5\n", CallResult::TrunkRefused),
        ("603 Decline", "", CallResult::Rejected),
        ("604 Does Not Exist Anywhere", "", CallResult::VacantNumber),
        ("607 Unwanted", "", CallResult::Rejected),
        ("608 Rejected", "", CallResult::Rejected),
    ];
    for (status, headers, result) in rows {
        let mut bad = Bad::gateway(Scenario::call().answer(status, "a", headers, "").recv("ACK"));
        let said = bad.call(None);
        let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
        assert_eq!((end.unanswered, end.sip_status), (Some(result), status[..3].parse().ok()), "{status}");
        bad.ended_well(1, 0);
    }
}

#[test]
fn compact_and_folded_headers_without_a_length_are_an_answer_like_any_other() {
    let ids = format!("v:[$via]\nf:[$from]\nt :[$to]\n{NOTHING} ;tag=a\ni: [call_id]\nCSEQ:[$cseq]\n");
    let rest = format!("m:\n{NOTHING} <sip:far@[local_ip]:[local_port]>\nc: application/sdp\n");
    let compact = Scenario::call().send(&format!("SIP/2.0 200 OK\n{ids}{rest}\n{SDP}"));
    let mut bad = Bad::gateway(compact.recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)), [Sent, Answered, HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn of_several_challenges_the_one_that_we_know_is_answered_and_auth_is_taken_from_its_list() {
    let unknown = "WWW-Authenticate: Digest realm=\"gw.example\", nonce=\"one\", algorithm=SHA-999\n";
    let known = "WWW-Authenticate: Digest realm=\"gw.example\", nonce=\"two\", qop=\"auth-int,auth\", algorithm=MD5\n";
    let asked = Scenario::call().answer("401 Unauthorized", "a", &format!("{unknown}{known}"), "").recv("ACK");
    let let_in = asked.invite("Authorization:", "nonce=\"two\".*qop=auth[, ]").answer("200 OK", "b", CONTACT, SDP);
    let mut bad = Bad::gateway_with_a_lock(let_in.recv("ACK").takes_our_bye());
    assert_eq!(bad.call(Some(Answered)).last(), Some(&HUNG_UP));
    bad.ended_well(2, 0);
}

#[test]
fn a_stale_nonce_is_replaced_and_the_call_gets_through() {
    let challenge = |nonce, more| {
        format!(
            "WWW-Authenticate: Digest realm=\"gw.example\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256{more}\n"
        )
    };
    let first = Scenario::call().answer("401 Unauthorized", "a", &challenge("one", ""), "").recv("ACK");
    let stale = first.invite("Authorization:", "nonce=\"one\"");
    let stale = stale.answer("401 Unauthorized", "b", &challenge("two", ", stale=true"), "").recv("ACK");
    let let_in = stale.invite("Authorization:", "nonce=\"two\"").answer("200 OK", "c", CONTACT, SDP).recv("ACK");
    let mut bad = Bad::gateway_with_a_lock(let_in.takes_our_bye());
    assert_eq!(bad.call(Some(Answered)).last(), Some(&HUNG_UP));
    bad.ended_well(3, 0);
}

#[test]
fn a_transfer_is_followed_through_its_notifications() {
    let state = |state| format!("Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag\n");
    let taken = answered().recv("REFER").reply("202 Accepted");
    let trying =
        taken.ask("NOTIFY", 1, "a", &state("active;expires=60"), "SIP/2.0 100 Trying\n").answered(200, "NOTIFY");
    let done = trying.ask("NOTIFY", 2, "a", &state("terminated;reason=noresource"), "SIP/2.0 200 OK\n");
    let mut bad = Bad::gateway(done.answered(200, "NOTIFY").takes_our_bye());
    let leg = bad.rig.dial();
    bad.until(&Answered);
    bad.rig.order(leg, LegCommand::Refer { target: "sip:8001@127.0.0.1".into() }, None);
    assert_eq!(bad.until(&LegEvent::Referred { ok: true }), [LegEvent::Referred { ok: true }]);
    bad.hang_up(leg);
    assert_eq!(bad.rig.until(is_end), [HUNG_UP]);
    bad.ended_well(1, 1);
}

#[test]
fn a_key_by_info_reaches_the_flow_and_an_unknown_request_does_not_hurt() {
    let relay = "Content-Type: application/dtmf-relay\n";
    let key = answered().ask("INFO", 1, "a", relay, "Signal=5\nDuration=160\n").answered(200, "INFO");
    let unknown = key.ask("LEVITATE", 2, "a", "", "").answered(501, "LEVITATE").ask("OPTIONS", 3, "a", "", "");
    let mut bad = Bad::gateway(unknown.answered(200, "Allow").hangs_up(4, "a", ""));
    let pressed = LegEvent::Digit(Digit::new('5').unwrap());
    assert_eq!(bad.call(None), [Sent, Answered, pressed, THEY_HUNG_UP]);
    bad.ended_well(1, 0);
}

#[test]
fn after_a_refusal_nothing_more_is_sent() {
    let mut bad = Bad::gateway(Scenario::call().answer("486 Busy Here", "a", "", "").recv("ACK"));
    bad.call(None);
    bad.rests(Duration::from_millis(700));
    bad.ended_well(1, 0);
}
