//! What each target does with its bytes. The targets of cargo-fuzz call these; `tests/fuzz.rs` feeds them the corpus.

use std::net::SocketAddr;
use std::time::Duration;

use goldenhour::base::{AttemptId, LegId, Now, Pii, TrunkIx};
use goldenhour::media::dtmf::{self, Listener};
use goldenhour::media::{self, Reception};
use goldenhour::sip::addr::NameAddr;
use goldenhour::sip::digest::{Asked, Space, choose};
use goldenhour::sip::message::{MAX_BYTES, Message};
use goldenhour::sip::sdp::{Codec, Local, Session, write_answer};
use goldenhour::sip::stream::{Broken, Frame, Framer, MAX_HEAD};
use goldenhour::sip::uri::Uri;
use goldenhour::sip::via::Via;
use goldenhour::sip::{Command, Config, Credentials, Event, Input, Invite, Output, Peer, Ua};

const LEG: LegId = LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0001));
/// Outputs of one datagram.
const MOST: usize = 8;

/// The same datagram while our call rings and once it is up, from the peer; and from a stranger, who gets nothing.
/// Between lines of `%%` stand several datagrams.
pub fn datagram(data: &[u8]) {
    for server in [false, true] {
        for up in [false, true] {
            under(data, server, up);
        }
    }
}

/// The bytes of a connection. Cut anywhere they are the same messages, and what is held has a bound.
pub fn stream(data: &[u8]) {
    let whole = frames([data].into_iter());
    let step = usize::from(data.first().copied().unwrap_or_default() % 13) + 1;
    assert_eq!(frames(data.chunks(step)), whole);
}

/// Everything that holds an address.
pub fn uri(data: &[u8]) {
    if let Ok(uri) = Uri::parse(data) {
        assert!(!uri.host.is_empty() && uri.user.len() + uri.host.len() + uri.params.len() < data.len());
        let _: (Option<SocketAddr>, bool) = (uri.socket_addr(), uri.is_loose_router());
    }
    if let Some(addr) = NameAddr::parse(data) {
        assert!(addr.tag().is_none_or(|tag| !tag.is_empty()) && !addr.uri.is_empty());
    }
    if let Some(via) = Via::parse(data) {
        let mut out = Vec::new();
        via.write_reply(data, peer(), &mut out);
        assert!(!out.iter().any(|b| matches!(b, b'\r' | b'\n')) && Via::parse(&out).is_some());
    }
}

/// An offer of theirs, and our answer to it, which they must be able to read.
pub fn sdp(data: &[u8]) {
    let Some(session) = Session::parse(data) else { return };
    let _ = session.agree(true);
    let Some(media) = session.agree(false) else { return };
    let mut answer = Vec::new();
    write_answer(data, (&session, &media), &local(), 1, 1, &mut answer);
    let again = Session::parse(&answer).and_then(|answer| answer.agree(true));
    assert_eq!(again.map(|again| (again.remote, again.codec)), Some((local().rtp, media.codec)));
}

/// A response with challenges in both spaces, and our answer to each, which is one line.
pub fn digest(data: &[u8]) {
    let [server, proxy] = [&b"WWW-Authenticate: "[..], b"Proxy-Authenticate: "].map(|name| [name, data].concat());
    let response = [b"SIP/2.0 401 Unauthorized\r\n", &server[..], b"\r\n", &proxy, b"\r\n\r\n"].concat();
    let Ok(response) = Message::parse(&response) else { return };
    for space in [Space::Server, Space::Proxy] {
        let Asked::Ours(mut challenge) = choose(&response, space, &credentials().realm) else { continue };
        assert_eq!(challenge.count_up(), Some(1));
        let mut line = Vec::new();
        let what = ("INVITE", &b"sip:+999100000002@127.0.0.1"[..]);
        challenge.write(space, &credentials(), what, b"0a4f113b", &mut line);
        assert!(line.ends_with(b"\r\n") && line.iter().filter(|b| matches!(b, b'\r' | b'\n')).count() == 2);
    }
}

/// A packet of a leg's socket.
pub fn rtp(data: &[u8]) {
    let (mut reception, mut listener) = (Reception::default(), Listener::default());
    let Ok(packet) = media::Packet::parse(data) else { return };
    assert!(packet.payload.len() + 12 <= data.len());
    let _ = media::is_rtcp(data);
    let now = Now::default().tick;
    reception.packet(now, &packet.header, true);
    if let Some(event) = dtmf::Event::parse(packet.payload) {
        let key = listener.packet(now, &packet.header, event);
        assert!(key.is_none_or(|key| dtmf::code(key).is_some()));
    }
    let mut out = Vec::new();
    if packet.header.write(packet.payload, &mut out).is_ok() {
        assert_eq!(media::Packet::parse(&out).map(|again| again.header), Ok(packet.header));
    }
}

fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Broken>) {
    let (mut framer, mut all) = (Framer::default(), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => {
                    let bytes = match &frame {
                        Frame::Message(bytes) => bytes.len().saturating_sub(MAX_BYTES),
                        Frame::Last(head, _) => head.len().saturating_sub(MAX_HEAD),
                        Frame::Ping => 0,
                    };
                    assert_eq!(bytes, 0, "longer than may be");
                    all.push(frame);
                }
                Ok(None) => break,
                Err(broken) => return (all, Some(broken)),
            }
        }
    }
    (all, None)
}

fn under(data: &[u8], server: bool, up: bool) {
    let mut config = Config::new(us(), [7; 32]);
    config.server = server;
    config.peers = vec![Peer { auth: Some(credentials()), ..Peer::new(peer()) }];
    let mut ua = Ua::new(config);
    let mut now = Now::default();
    ua.handle(now, Input::Command(Command::Invite(Box::new(invite()))));
    let Some(Output::Send { bytes: sent, .. }) = ua.poll_output() else { panic!("no INVITE") };
    let answer = answer(&sent, if up { "200 OK" } else { "180 Ringing" });
    ua.handle(now, Input::Datagram { from: peer(), bytes: &answer });
    drain(&mut ua, now);
    for bytes in split(data) {
        now = now.plus(Duration::from_millis(7));
        ua.handle(now, Input::Timeout);
        drain(&mut ua, now);
        ua.handle(now, Input::Datagram { from: stranger(), bytes });
        assert!(matches!(ua.poll_output(), Some(Output::Count(_))) && ua.poll_output().is_none());
        ua.handle(now, Input::Datagram { from: peer(), bytes });
        assert!(drain(&mut ua, now) <= MOST);
    }
    ua.handle(now, Input::Command(Command::Hangup { leg: LEG }));
    drain(&mut ua, now);
    for _ in 0..200 {
        let Some((at, _)) = ua.poll_timeout() else { break };
        now = now.plus(at.since(now.tick));
        ua.handle(now, Input::Timeout);
        drain(&mut ua, now);
    }
    ua.handle(now.plus(Duration::from_secs(99)), Input::Timeout);
    assert_eq!((ua.live_calls(), ua.echoes()), (0, 0), "nothing stays behind");
}

/// Takes every output; what is sent can be read, and calls that come in are refused.
fn drain(ua: &mut Ua, now: Now) -> usize {
    let mut count = 0;
    let mut strangers = Vec::new();
    while let Some(output) = ua.poll_output() {
        count += 1;
        match output {
            Output::Send { bytes, .. } => assert!(Message::parse(&bytes).is_ok_and(|m| !m.ragged && m.body.is_ok())),
            Output::Event { leg, event: Event::Incoming(_) } => strangers.push(leg),
            Output::Event { .. }
            | Output::Journal(_)
            | Output::Tried(_)
            | Output::Unauthorised { .. }
            | Output::Registration { .. }
            | Output::Pong { .. }
            | Output::Count(_) => {}
        }
    }
    for leg in strangers {
        let reject = Command::Reject { leg, status: 486, q850: None, retry_after_s: None };
        ua.handle(now, Input::Command(reject));
        drain(ua, now);
    }
    count
}

fn split(data: &[u8]) -> Vec<&[u8]> {
    let mark = b"%%\n";
    let mut rest = data;
    let mut all = Vec::new();
    while let Some(at) = rest.windows(mark.len()).position(|w| w == mark) {
        all.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    all.push(rest);
    all.truncate(8);
    all
}

fn answer(request: &[u8], status: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
        a=rtpmap:101 telephone-event/8000\r\n";
    let body = if status.starts_with("200") { sdp } else { "" };
    format!(
        "SIP/2.0 {status}\r\n{}\r\n{}\r\n{};tag=b\r\n{}\r\n{}\r\nContact: <sip:far@{}>\r\nContent-Length: {}\r\n\r\n{body}",
        line("Via"),
        line("From"),
        line("To"),
        line("Call-ID"),
        line("CSeq"),
        peer(),
        body.len()
    )
    .into_bytes()
}

fn invite() -> Invite {
    Invite {
        leg: LEG,
        trunk: TrunkIx(0),
        hop: 0,
        permit_until: goldenhour::base::Tick::MAX,
        request_uri: Pii::new(format!("sip:+999100000002@{}", peer())),
        from_user: Pii::new("+999100000001".to_owned()),
        from_display: None,
        asserted: None,
        identity: None,
        ring_timeout: Duration::from_secs(30),
        media: local(),
    }
}

fn credentials() -> Credentials {
    Credentials { user: "u".to_owned(), realm: "r".to_owned(), password: "p".to_owned() }
}

fn local() -> Local {
    Local { rtp: SocketAddr::from(([127, 0, 0, 1], 20_000)), prefer: Codec::Pcma, srtp: None }
}

fn us() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5060))
}

fn peer() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5080))
}

fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 5080))
}
