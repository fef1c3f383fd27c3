//! Thousands of damaged messages: the machine takes each as a value, answers or drops it, and never panics.

use super::*;
use crate::base::Rng;

pub fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    const SPICE: &[&[u8]] = &[
        b"\r\n",
        b"\r\n ",
        b"\"",
        b"<",
        b">",
        b";",
        b",",
        b":",
        b"\0",
        b"\xff\x5c",
        b"[",
        b"4294967296",
        b"\\",
        b"@",
        b"=",
        b" ",
    ];
    for _ in 0..=rng.below(4) {
        let len = bytes.len().max(1) as u32;
        let (at, other) = (rng.below(len) as usize, rng.below(len) as usize);
        let (from, to) = (at.min(other), at.max(other).min(bytes.len()).min(at.min(other) + 40));
        match rng.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let slice = bytes[from..to].to_vec();
                bytes.splice(at..at, slice);
            }
            3 => drop(bytes.splice(at..at, SPICE[rng.below(SPICE.len() as u32) as usize].iter().copied())),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.u32() as u8;
                }
            }
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let sent = Solo::calling().sent[0].clone();
    let route = format!("{}Record-Route: <sip:{GW};lr>, <sip:x>\r\nReason: Q.850;cause=16\r\n", contact());
    let auth = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\\\"x\", qop=\"auth,auth-int\", algorithm=SHA-256\r\n";
    let sdp = format!("{}Content-Type: application/sdp\r\n", contact());
    vec![
        response(&sent, "180 Ringing", "b", &route, ""),
        response(&sent, "183 Progress", "b", &route, SDP),
        response(&sent, "200 OK", "b", &route, SDP),
        response(&sent, "401 Unauthorized", "b", auth, ""),
        request("INVITE", 2, &sdp, SDP),
        request("UPDATE", 3, &sdp, SDP),
        request("NOTIFY", 4, "Event: refer\r\nSubscription-State: terminated\r\n", "SIP/2.0 200 OK\r\n"),
        request("INFO", 5, "Content-Type: application/dtmf-relay\r\n", "Signal=5\r\n"),
        request("REFER", 6, "Refer-To: <sip:x@y?Replaces=a>\r\n", ""),
        request("BYE", 7, "", ""),
        request("ACK", 2, &sdp, SDP),
        request("CANCEL", 2, "", ""),
        sent,
    ]
}

#[test]
fn no_damaged_message_panics_or_wedges_the_machine() {
    let mut rng = Rng::seeded(42);
    let seeds = seeds();
    for round in 0..600u128 {
        let mut settings = config(US, GW);
        settings.server = true;
        settings.peers[0].auth = Some(Credentials { user: "u".into(), realm: "r".into(), password: "p".into() });
        let mut solo = Solo::new(settings);
        solo.command(Command::Invite(Box::new(invite(1))));
        if round % 2 == 1 {
            solo.answer("200 OK", "b", &contact(), SDP);
            solo.command(Command::Refer { leg: leg(1), target: "sip:8001@127.0.0.1".into() });
        }
        for _ in 0..20 {
            let mut bytes = seeds[rng.below(seeds.len() as u32) as usize].clone();
            mutate(&mut rng, &mut bytes);
            solo.feed(&bytes);
            if rng.chance(0.1) {
                solo.command(Command::Accept { leg: leg(1), media: local(4000) });
            }
            solo.wait(Duration::from_millis(u64::from(rng.below(300))));
        }
        solo.command(Command::Hangup { leg: leg(1) });
        let mut legs = 0;
        while solo.ua.poll_timeout().is_some() && legs < 50 {
            solo.wait(LIFE);
            legs += 1;
        }
        assert!(legs < 50, "round {round} never comes to rest");
    }
}
