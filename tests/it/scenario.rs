//! SIPp scenarios, step by step: a gateway with one bad habit each. The steps of a call stand in the test that needs them.

use std::fmt::Write as _;
use std::time::Duration;

use goldenhour::base::LegId;
use goldenhour::call::{LegCommand, LegEvent};
use goldenhour::line::{Counter, LineTrunk, SipCounter};
use goldenhour::sip::Credentials;
use goldenhour::wire::{Direction, Streams};

use crate::ports::free_address;
use crate::sipp_uas::Sipp;
use crate::wire_sipp::{Rig, is_end};

pub(crate) const CONTACT: &str = "Contact: <sip:far@[local_ip]:[local_port]>\n";
pub(crate) const SDP: &str = "v=0\no=- 1 1 IN IP4 [media_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n\
    m=audio [media_port] RTP/AVP 8 101\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n";
/// Becomes two characters of GBK, which are no UTF-8.
pub(crate) const GBK: &str = "@GBK@";
/// Stands for nothing, where SIPp would trim the white space at the beginning of a line.
pub(crate) const NOTHING: &str = "[$nothing]";
const VARIABLES: &str = "via,from,to,cseq,contact,target,nothing,checked";
/// Places in `wire::MESSAGE_CLASSES`.
const ACK: usize = 1;
const OTHER: usize = 5;

/// What SIPp does, as XML.
pub(crate) struct Scenario(String);

impl Scenario {
    /// Begins with the INVITE.
    pub(crate) fn call() -> Self {
        let opening = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"one bad habit\">\n";
        Self(opening.to_owned()).invite("From:", "tag=")
    }

    /// The next INVITE, in whose `header` there must be this.
    pub(crate) fn invite(mut self, header: &str, must: &str) -> Self {
        self.0 += "<recv request=\"INVITE\"><action><assignstr assign_to=\"nothing\" value=\"\"/>\n";
        for (header, name) in [("Via:", "via"), ("From:", "from"), ("To:", "to"), ("CSeq:", "cseq")] {
            let hdr = format!("search_in=\"hdr\" header=\"{header}\" check_it=\"true\" assign_to=\"{name}\"");
            writeln!(self.0, "<ereg regexp=\".*\" {hdr}/>").unwrap();
        }
        let target = "search_in=\"hdr\" header=\"Contact:\" check_it=\"true\" assign_to=\"contact,target\"";
        writeln!(self.0, "<ereg regexp=\"&lt;(sip:[^&gt;]+)&gt;\" {target}/>").unwrap();
        self.must_have(header, must);
        self.0 += "</action></recv>\n";
        self
    }

    /// An answer to the last INVITE; without a tag it has none.
    pub(crate) fn answer(self, status: &str, tag: &str, headers: &str, body: &str) -> Self {
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        let ids = format!("Via:[$via]\nFrom:[$from]\nTo:[$to]{tag}\nCall-ID: [call_id]\nCSeq:[$cseq]\n");
        self.send(&format!("SIP/2.0 {status}\n{ids}{headers}{}", with_length(body)))
    }

    /// An answer to whatever came last.
    pub(crate) fn reply(self, status: &str) -> Self {
        let ids = "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n";
        self.send(&format!("SIP/2.0 {status}\n{ids}{}", with_length("")))
    }

    /// A request of its own within the dialog of this tag.
    pub(crate) fn ask(self, method: &str, cseq: u32, tag: &str, headers: &str, body: &str) -> Self {
        let ids = format!("From:[$to];tag={tag}\nTo:[$from]\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n");
        let via = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n";
        self.send(&format!("{method} [$target] SIP/2.0\n{via}{ids}{CONTACT}{headers}{}", with_length(body)))
    }

    /// Exactly these lines.
    pub(crate) fn send(mut self, message: &str) -> Self {
        write!(self.0, "<send><![CDATA[\n{message}]]></send>\n").unwrap();
        self
    }

    pub(crate) fn recv(mut self, request: &str) -> Self {
        writeln!(self.0, "<recv request=\"{request}\"/>").unwrap();
        self
    }

    /// May come once more before what follows.
    pub(crate) fn perhaps(mut self, request: &str) -> Self {
        writeln!(self.0, "<recv request=\"{request}\" optional=\"true\"/>").unwrap();
        self
    }

    /// An answer of ours, somewhere in which there must be this.
    pub(crate) fn answered(mut self, status: u16, must: &str) -> Self {
        writeln!(self.0, "<recv response=\"{status}\"><action>").unwrap();
        self.must_have("", must);
        self.0 += "</action></recv>\n";
        self
    }

    /// The gateway's BYE and our answer.
    pub(crate) fn hangs_up(self, cseq: u32, tag: &str, headers: &str) -> Self {
        self.ask("BYE", cseq, tag, headers, "").answered(200, "BYE")
    }

    /// Our BYE and the gateway's answer.
    pub(crate) fn takes_our_bye(self) -> Self {
        self.recv("BYE").reply("200 OK")
    }

    fn must_have(&mut self, header: &str, must: &str) {
        let place = if header.is_empty() { "msg\"".to_owned() } else { format!("hdr\" header=\"{header}\"") };
        let must = must.replace('"', "&quot;").replace('<', "&lt;");
        writeln!(self.0, "<ereg regexp=\"{must}\" search_in=\"{place} check_it=\"true\" assign_to=\"checked\"/>")
            .unwrap();
    }

    fn bytes(self) -> Vec<u8> {
        let xml = format!("{}<Reference variables=\"{VARIABLES}\"/>\n</scenario>\n", self.0);
        let mut bytes = Vec::new();
        for (n, part) in xml.split(GBK).enumerate() {
            bytes.extend_from_slice(if n == 0 { b"" } else { b"\xd6\xd0\xb9\xfa" });
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// The line on one side, and SIPp with a scenario for one call on the other.
pub(crate) struct Bad {
    sipp: Sipp,
    pub(crate) rig: Rig,
    _home: tempfile::TempDir,
}

impl Bad {
    pub(crate) fn gateway(scenario: Scenario) -> Self {
        Self::start(scenario, None)
    }

    /// It asks for the password of a bank.
    pub(crate) fn gateway_with_a_lock(scenario: Scenario) -> Self {
        let (user, realm, password) = ("bank".to_owned(), "gw.example".to_owned(), "s3cret".to_owned());
        Self::start(scenario, Some(Credentials { user, realm, password }))
    }

    fn start(scenario: Scenario, auth: Option<Credentials>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("scenario.xml");
        std::fs::write(&file, scenario.bytes()).unwrap();
        let sipp = Sipp::plays_file(&file, &["-m", "1", "-timeout", "30", "-timeout_error"]);
        let trunk = LineTrunk { auth, ..LineTrunk::new(sipp.addr) };
        let rig = Rig::over(trunk, Streams::default(), free_ports());
        Self { sipp, rig, _home: home }
    }

    /// Places the call, hangs up once this is reported, and tells all that was.
    pub(crate) fn call(&mut self, hang_up_at: Option<LegEvent>) -> Vec<LegEvent> {
        let leg = self.rig.dial();
        let mut said = Vec::new();
        if let Some(at) = hang_up_at {
            said = self.until(&at);
            self.hang_up(leg);
        }
        said.extend(self.rig.until(is_end));
        said
    }

    /// All that is reported up to this, or to the end.
    pub(crate) fn until(&self, at: &LegEvent) -> Vec<LegEvent> {
        let said = self.rig.until(|event| event == at || is_end(event));
        assert_eq!(said.last(), Some(at), "{said:?}");
        said
    }

    pub(crate) fn hang_up(&self, leg: LegId) {
        self.rig.order(leg, LegCommand::Hangup, None);
    }

    /// SIPp saw every step, we acknowledged so often and sent so many PRACKs and the like, and nothing twice.
    pub(crate) fn ended_well(self, acks: u64, others: u64) {
        let counts = self.rig.counts();
        assert!(self.sipp.finish(), "SIPp did not see what it waited for");
        let sent = |class| counts.sip(Direction::Out, class);
        let resent = counts.counter(Counter::Sip(SipCounter::Resent));
        assert_eq!((sent(ACK), sent(OTHER), resent), (acks, others, 0), "ACK, other requests, repeated");
    }

    /// Where the gateway leaves something unanswered, and it may be sent again.
    pub(crate) fn ended(self) {
        assert!(self.sipp.finish(), "SIPp did not see what it waited for");
    }

    pub(crate) fn rests(&self, time: Duration) {
        assert!(self.rig.pause(time), "nothing was to be reported");
    }
}

/// A few, for RTP. Others may take some of them: those are stepped over.
pub(crate) fn free_ports() -> (u16, u16) {
    let first = free_address().port() & !1;
    (first, first + 19)
}

fn with_length(body: &str) -> String {
    let kind = if body.starts_with("v=0") { "Content-Type: application/sdp\n" } else { "" };
    format!("{kind}Content-Length: [len]\n\n{body}")
}
