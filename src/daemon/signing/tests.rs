//! Dials that wait: what comes of them, in virtual time.

use super::*;
use crate::base::{AttemptId, Pii, TrunkIx};
use crate::call::Dial;

const VALUE: &str = "eyJ.eyJ.c2ln;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken";
const SIGNED: TrunkIx = TrunkIx(0);
const PLAIN: TrunkIx = TrunkIx(1);

fn signing(without: Without, questions: usize) -> (Signing, impl Sized) {
    let (signer, inbox) = Signer::mute(questions);
    let metrics = Metrics::new().unwrap();
    let (name, timeout) = ("gw-a".to_owned(), Duration::from_millis(200));
    let trunk = Trunk { name, signer, timeout, without, complained: None };
    let trunks = vec![Some(trunk), None];
    (Signing { trunks, held: BTreeMap::new(), refused: VecDeque::new(), metrics }, inbox)
}

fn leg(n: u128) -> LegId {
    LegId(AttemptId(n))
}

fn dial(n: u128, trunk: TrunkIx, hop: u8) -> Command {
    let (caller_id, ring) = ("+999100000001".into(), Duration::from_secs(30));
    let command = LegCommand::Dial(Dial { trunk, hop, caller_id, ring, permit_until: Tick::MAX });
    Command { leg: leg(n), command, number: Some(Pii::new("+999100000002".to_owned())), identity: None }
}

fn hangup(n: u128) -> Command {
    Command { leg: leg(n), command: LegCommand::Hangup, number: None, identity: None }
}

fn answer(n: u128, hop: u8, identity: Result<&str, Unsigned>) -> Signed {
    Signed { leg: leg(n), hop, identity: identity.map(|value| Identity::parse(value).unwrap()) }
}

fn at(ms: u64) -> Now {
    Now { tick: Tick(1_000 * ms), ..Now::default() }
}

fn count(signing: &Signing, result: &str) -> bool {
    let line = format!("goldenhour_trunk_signatures_total{{result=\"{result}\",trunk=\"gw-a\"}} 1");
    signing.metrics.text().unwrap().lines().any(|said| said == line)
}

#[test]
fn a_dial_goes_on_with_its_signature_and_only_on_trunks_that_sign() {
    let (mut signing, _inbox) = signing(Without::Refuse, 9);
    assert!(signing.pass(at(0), dial(1, PLAIN, 0)).unwrap().identity.is_none());
    assert!(signing.pass(at(0), dial(2, SIGNED, 0)).is_none());
    assert_eq!(signing.poll_timeout(), Some(at(200).tick));
    let passed = signing.signed(at(50).tick, answer(2, 0, Ok(VALUE))).unwrap();
    assert!(matches!(passed.command, LegCommand::Dial(_)) && passed.number.is_some());
    assert_eq!((passed.leg, passed.identity), (leg(2), Identity::parse(VALUE)));
    assert!(count(&signing, "signed"));
    assert_eq!((signing.poll_timeout(), signing.poll_refused()), (None, None));
}

#[test]
fn what_is_not_signed_is_refused_or_sent_as_the_trunk_says() {
    for why in [Unsigned::Refused, Unsigned::Unreadable, Unsigned::Unreachable] {
        let (mut refusing, _inbox) = signing(Without::Refuse, 9);
        assert!(refusing.pass(at(0), dial(1, SIGNED, 0)).is_none());
        assert!(refusing.signed(at(1).tick, answer(1, 0, Err(why))).is_none());
        assert_eq!(refusing.poll_refused(), Some((leg(1), NotSent::NotSigned)));
        let (mut sending, _inbox) = signing(Without::Send, 9);
        assert!(sending.pass(at(0), dial(1, SIGNED, 0)).is_none());
        assert!(sending.signed(at(1).tick, answer(1, 0, Err(why))).unwrap().identity.is_none());
        assert_eq!(sending.poll_refused(), None);
        assert!(count(&refusing, why.as_str()) && count(&sending, why.as_str()));
    }
}

#[test]
fn a_signature_that_comes_late_is_none_and_never_dials_a_second_time() {
    let (mut signing, _inbox) = signing(Without::Send, 9);
    assert!(signing.pass(at(0), dial(1, SIGNED, 0)).is_none());
    assert!(signing.expired(at(199).tick).is_empty());
    let sent = signing.expired(at(200).tick);
    assert!(sent.len() == 1 && sent[0].identity.is_none());
    assert!(count(&signing, "late"));
    assert!(signing.signed(at(201).tick, answer(1, 0, Ok(VALUE))).is_none());
    assert!(signing.expired(at(999).tick).is_empty());
}

#[test]
fn a_leg_that_is_hung_up_while_it_waits_is_never_dialled() {
    let (mut signing, _inbox) = signing(Without::Send, 9);
    assert!(signing.pass(at(0), dial(1, SIGNED, 0)).is_none());
    assert!(signing.pass(at(10), hangup(1)).is_none());
    assert_eq!(signing.poll_refused(), Some((leg(1), NotSent::PermitExpired)));
    assert!(signing.signed(at(20).tick, answer(1, 0, Ok(VALUE))).is_none());
    assert!(signing.expired(at(999).tick).is_empty());
    let passed = signing.pass(at(30), hangup(2)).unwrap();
    assert_eq!(passed.command, LegCommand::Hangup, "of a leg that the line has");
}

#[test]
fn an_answer_for_the_trunk_before_signs_nothing_on_the_next_one() {
    let (mut signing, _inbox) = signing(Without::Refuse, 9);
    assert!(signing.pass(at(0), dial(1, SIGNED, 0)).is_none());
    assert!(signing.expired(at(200).tick).is_empty());
    assert_eq!(signing.poll_refused(), Some((leg(1), NotSent::NotSigned)));
    assert!(signing.pass(at(210), dial(1, SIGNED, 1)).is_none());
    assert!(signing.signed(at(220).tick, answer(1, 0, Ok(VALUE))).is_none());
    assert!(signing.signed(at(230).tick, answer(1, 1, Ok(VALUE))).is_some());
}

#[test]
fn more_calls_than_may_wait_are_late_at_once() {
    let (mut signing, _inbox) = signing(Without::Refuse, 1);
    assert!(signing.pass(at(0), dial(1, SIGNED, 0)).is_none());
    assert!(signing.pass(at(0), dial(2, SIGNED, 0)).is_none());
    assert_eq!(signing.poll_refused(), Some((leg(2), NotSent::NotSigned)));
    assert_eq!(signing.poll_refused(), None);
    assert!(count(&signing, "late"));
}
