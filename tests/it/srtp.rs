//! SRTP with an implementation that is not ours: baresip, keys in the SDP.

use goldenhour::call::{Digit, LegCommand, LegEvent};
use goldenhour::wire::Direction;

use crate::baresip::{Baresip, hang_up, second};
use crate::wire_sipp::is_end;

#[test]
fn a_phone_that_demands_srtp_is_called_and_its_keys_are_read() {
    let mut phone = Baresip::with("answermode=auto;mediaenc=srtp-mand");
    let mut rig = phone.secure_line();
    let leg = rig.dial();
    let said = rig.until(|event| *event == LegEvent::Answered || is_end(event));
    assert_eq!(said, [LegEvent::Sent, LegEvent::Ringing, LegEvent::Answered]);
    phone.hears("CALL_ESTABLISHED");
    rig.order(leg, LegCommand::Play(second()), None);
    assert_eq!(rig.until(|event| *event == LegEvent::PlayDone), [LegEvent::PlayDone]);
    let counts = rig.counts();
    let (sent, received) = (counts.rtp(Direction::Out), counts.rtp(Direction::In));
    assert!(sent == 50 && received >= 40, "{sent} sent, {received} received");
    for key in ['5', '#', '9'] {
        phone.ask("sndcode", Some(key));
        assert_eq!(rig.until(|_| true), [LegEvent::Digit(Digit::new(key).unwrap())]);
    }
    hang_up(&mut rig, leg);
    phone.hears("CALL_CLOSED");
}

#[test]
fn a_phone_without_srtp_gets_no_sound_in_the_clear() {
    let phone = Baresip::with("answermode=auto");
    let mut rig = phone.secure_line();
    rig.dial();
    let said = rig.until(is_end);
    assert!(!said.contains(&LegEvent::Answered), "{said:?}");
    assert_eq!(rig.counts().rtp(Direction::Out), 0);
}
