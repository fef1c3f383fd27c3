//! Tests of the whole user agent, in virtual time.

mod answers;
mod auth;
mod calling;
mod ending;
mod faults;
mod flood;
mod gbk;
mod in_dialog;
mod lossy;
mod mutation;
mod oracle;
mod pings;
mod register;
mod reliable;
mod serving;
mod session;
mod tables;
mod targets;
mod torture;
mod transports;
mod trunks;
mod wire;

pub use mutation::mutate;

use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{AttemptId, LegId, Now, Pii, Tick, TrunkIx};

use super::message::Message;
use super::sdp::{Codec, Local};
use super::*;

pub const US: &str = "127.0.0.1:5060";
pub const GW: &str = "127.0.0.1:5080";
pub const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\n";

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn leg(n: u128) -> LegId {
    LegId(AttemptId(0x0190_0000_0000_7000_8000_0000_0000_0000 + n))
}

pub fn local(port: u16) -> Local {
    Local { rtp: SocketAddr::new(addr(US).ip(), port), prefer: Codec::Pcma, srtp: None }
}

pub fn invite(n: u128) -> Invite {
    Invite {
        leg: leg(n),
        trunk: TrunkIx(0),
        hop: 0,
        permit_until: Tick::MAX,
        request_uri: Pii::new(format!("sip:+999100000002@{GW}")),
        from_user: Pii::new("+999100000001".to_owned()),
        from_display: None,
        asserted: None,
        identity: None,
        ring_timeout: Duration::from_secs(30),
        media: local(20_000),
    }
}

pub fn config(at: &str, peer: &str) -> Config {
    let mut config = Config::new(addr(at), [7; 32]);
    config.peers = vec![Peer::new(addr(peer))];
    config
}

/// One user agent and a far end played by hand.
pub struct Solo {
    pub ua: Ua,
    pub now: Now,
    pub sent: Vec<Vec<u8>>,
    /// Where each of them went.
    pub targets: Vec<Target>,
    pub events: Vec<Event>,
    pub counts: Vec<Counter>,
    pub journal: Vec<DialogFacts>,
    pub tried: Vec<Tried>,
    pub unauthorised: Vec<Unanswered>,
    pub reports: Vec<Report>,
    pub pongs: Vec<Pong>,
}

impl Solo {
    pub fn new(config: Config) -> Self {
        let (sent, targets, events, counts) = (vec![], vec![], vec![], vec![]);
        let (journal, tried) = (vec![], vec![]);
        let (unauthorised, reports, pongs) = (vec![], vec![], vec![]);
        let (ua, now) = (Ua::new(config), Now::default());
        Self { ua, now, sent, targets, events, counts, journal, tried, unauthorised, reports, pongs }
    }

    /// With the INVITE of leg 1 on the wire.
    pub fn calling() -> Self {
        let mut solo = Self::new(config(US, GW));
        solo.command(Command::Invite(Box::new(invite(1))));
        solo
    }

    /// With leg 1 answered by tag `b`, and nothing left in the lists.
    pub fn talking() -> Self {
        let mut solo = Self::calling();
        solo.answer("200 OK", "b", &contact(), SDP);
        solo.clear();
        solo
    }

    pub fn handle(&mut self, input: Input<'_>) {
        self.ua.handle(self.now, input);
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Send { to, bytes } => {
                    self.sent.push(bytes.to_vec());
                    self.targets.push(to);
                }
                Output::Event { event, .. } => self.events.push(event),
                Output::Unauthorised { why, .. } => self.unauthorised.push(why),
                Output::Registration { report, .. } => self.reports.push(report),
                Output::Pong { pong, .. } => self.pongs.push(pong),
                Output::Count(counter) => self.counts.push(counter),
                Output::Journal(facts) => self.journal.push(*facts),
                Output::Tried(tried) => self.tried.push(tried),
            }
        }
    }

    pub fn command(&mut self, command: Command) {
        self.handle(Input::Command(command));
    }

    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) {
        self.handle(Input::Datagram { from: addr(GW), bytes: bytes.as_ref() });
    }

    /// Lets time pass, timer by timer.
    pub fn wait(&mut self, by: Duration) {
        let until = self.now.plus(by);
        while let Some((at, _)) = self.ua.poll_timeout().filter(|(at, _)| *at <= until.tick) {
            self.now = self.now.plus(at.since(self.now.tick));
            self.handle(Input::Timeout);
        }
        self.now = until;
        self.handle(Input::Timeout);
    }

    /// Answers the last request sent with this method's start.
    pub fn answer_to(&mut self, method: &str, status: &str, tag: &str, headers: &str, body: &str) {
        let request = self.last(method);
        self.feed(response(&request, status, tag, headers, body));
    }

    pub fn answer(&mut self, status: &str, tag: &str, headers: &str, body: &str) {
        self.answer_to("INVITE", status, tag, headers, body);
    }

    pub fn last(&self, method: &str) -> Vec<u8> {
        self.sent.iter().rfind(|bytes| bytes.starts_with(method.as_bytes())).cloned().unwrap_or_default()
    }

    /// Start lines of what was sent, without the SIP version.
    pub fn lines(&self) -> Vec<String> {
        let first = |b: &Vec<u8>| String::from_utf8_lossy(b).lines().next().unwrap_or("").replace("SIP/2.0 ", "");
        self.sent.iter().map(|bytes| first(bytes).split(' ').next().unwrap_or("").to_owned()).collect()
    }

    pub fn end(&self) -> Option<End> {
        let ends: Vec<End> = self.events.iter().filter_map(ended).collect();
        assert!(ends.len() <= 1, "a leg ends once: {ends:?}");
        ends.first().copied()
    }

    pub fn clear(&mut self) {
        self.sent.clear();
        self.targets.clear();
        self.events.clear();
        self.counts.clear();
    }
}

pub fn ended(event: &Event) -> Option<End> {
    if let Event::Ended(end) = event { Some(*end) } else { None }
}

pub fn contact() -> String {
    format!("Contact: <sip:far@{GW}>\r\n")
}

/// A response to one of our requests, as a plain peer would write it.
pub fn response(request: &[u8], status: &str, tag: &str, headers: &str, body: &str) -> Vec<u8> {
    let message = Message::parse(request).expect("a request of ours");
    let get = |name| String::from_utf8_lossy(message.get(name).unwrap_or(&[])).into_owned();
    let mut to = get(header::Name::To);
    if !tag.is_empty() && message.to().is_some_and(|to| to.tag().is_none()) {
        to = format!("{to};tag={tag}");
    }
    let (via, from, id, cseq) =
        (get(header::Name::Via), get(header::Name::From), get(header::Name::CallId), get(header::Name::CSeq));
    format!(
        "SIP/2.0 {status}\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request of the peer within the dialog of leg 1, with tag `b`.
pub fn request(method: &str, cseq: u32, headers: &str, body: &str) -> Vec<u8> {
    request_tagged(method, cseq, "b", headers, body)
}

pub fn request_tagged(method: &str, cseq: u32, tag: &str, headers: &str, body: &str) -> Vec<u8> {
    let ids = ids::Ids::new(&[7; 32]);
    let ours = String::from_utf8(ids.tag(leg(1)).to_vec()).unwrap();
    format!(
        "{method} sip:goldenhour@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {GW};branch=z9hG4bKp{method}{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:+999100000002@{GW}>;tag={tag}\r\nTo: <sip:+999100000001@{US}>;tag={ours}\r\nCall-ID: {}\r\n\
         CSeq: {cseq} {method}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        leg(1).0,
        body.len()
    )
    .into_bytes()
}

pub const SECOND: Duration = Duration::from_secs(1);
/// 64·T1 and a little.
pub const LIFE: Duration = Duration::from_secs(33);
