//! Calls by SRTP, through bytes, and peers that would rather not.

use super::*;

const PROMPT_MS: u32 = 1_000;

fn rig(trunk: bool, far: bool) -> Rig {
    let mut config = line_config();
    config.trunks.iter_mut().for_each(|settings| settings.srtp = trunk);
    let mut rig = Rig::new(Far::Answers);
    rig.line = Line::new(config);
    rig.far_srtp = far.then(|| sdp::Secret::of(&[5; 32], leg()));
    rig
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "the length of the body stays");
    String::from_utf8(bytes.to_vec()).unwrap().replace(from, to).into_bytes()
}

/// An answer that was mangled so is acknowledged, ended, and nothing is heard or said.
fn is_refused(mangle: fn(&[u8]) -> Vec<u8>) {
    let mut rig = rig(true, true);
    rig.mangle = mangle;
    rig.dial(leg());
    rig.run(100);
    assert!(!rig.said().contains(&LegEvent::Answered), "{:?}", rig.said());
    assert!(matches!(rig.said().last(), Some(LegEvent::Ended(_))));
    let methods: Vec<_> = rig.sent.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(methods, ["INVITE", "ACK", "BYE"]);
}

#[test]
fn sound_and_keys_go_both_ways_over_srtp() {
    let mut rig = rig(true, true);
    rig.dial(leg());
    rig.run(10);
    rig.events.clear();
    rig.command(prompt(PROMPT_MS));
    rig.run(500);
    rig.far_media(media::Input::SendDigits("1"));
    rig.run(1_000);
    assert_eq!(rig.said(), [digit('1'), LegEvent::PlayDone]);
    let heard = rig.sessions.get(&30_000).unwrap().stats();
    assert_eq!((heard.reception.received(), heard.unverified), (50, 0));
    rig.command(LegCommand::Hangup);
    rig.run(100);
    assert_eq!(rig.heard[0].sent, 50);
    assert!(rig.heard[0].received > 50);
}

#[test]
fn a_packet_in_the_clear_does_nothing_in_a_secure_call() {
    let mut rig = rig(true, true);
    rig.dial(leg());
    rig.run(10);
    rig.events.clear();
    let header = media::Header { payload_type: 101, marker: true, seq: 900, timestamp: 5, ssrc: 6 };
    let mut bytes = Vec::new();
    header.write(&[1, 0x80, 3, 32], &mut bytes).unwrap();
    rig.input(Input::Rtp { port: 20_000, from: at("127.0.0.1:30000"), bytes: &bytes });
    rig.command(LegCommand::Hangup);
    rig.run(100);
    assert!(rig.said().iter().all(|event| !matches!(event, LegEvent::Digit(_))));
}

#[test]
fn an_answer_of_plain_rtp_ends_the_call() {
    is_refused(|bytes| replaced(bytes, "RTP/SAVP", "RTP/AVP "));
}

#[test]
fn an_answer_of_another_suite_or_tag_ends_the_call() {
    is_refused(|bytes| replaced(bytes, "AEAD_AES_256_GCM", "AEAD_AES_128_GCM"));
    is_refused(|bytes| replaced(bytes, "a=crypto:1", "a=crypto:2"));
    is_refused(|bytes| replaced(bytes, "a=crypto:1", "a=cripto:1"));
}

#[test]
fn a_gateway_without_srtp_takes_no_call_of_a_trunk_that_requires_it() {
    for (trunk, far) in [(true, false), (false, true)] {
        let mut rig = rig(trunk, far);
        rig.dial(leg());
        rig.run(100);
        assert!(!rig.said().contains(&LegEvent::Answered), "{:?}", rig.said());
        assert!(matches!(rig.said().last(), Some(LegEvent::Ended(end)) if end.sip_status == Some(488)));
    }
}

#[test]
fn keys_of_a_line_are_never_printed() {
    let rig = rig(true, true);
    let text = format!("{:?} {:?}", line_config(), rig.line);
    assert!(text.contains("SrtpKey(..)") && !text.contains("SrtpKey(["));
}
