//! The INVITE of a call, and the ACK and CANCEL that must look like it. They are made from the call's own data and the
//! daemon's key alone, so that `recovery` makes the same bytes after a crash.

use super::bytes::find;
use super::header::Name;
use super::ids::{Branch, Hop, Ids, call_id};
use super::message::{Message, Start};
use super::method::Method;
use super::packet::Packet;
use super::peer::Peer;
use super::sdp::{Direction, write_offer};
use super::target::{Target, Transport};
use super::ua::{Config, Invite};
use super::uri::{Uri, write_user};
use super::writer::{SUPPORTED, Writer, allow};

/// Longer requests go over TCP: fragments of a datagram are lost together, and some firewalls drop them all
/// (RFC 3261 §18.1.1).
pub const LONGEST_DATAGRAM: usize = 1300;

/// Who we are towards one peer.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    pub config: &'a Config,
    pub ids: &'a Ids,
    pub peer: &'a Peer,
}

/// What tells one INVITE of a call from another.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    pub cseq: u32,
    /// What a 422 asked for; 0 where none did.
    pub min_se_s: u32,
    /// As `Hop::Invite` has it.
    pub at: u8,
}

impl Caller<'_> {
    /// Where the INVITE goes if the peer is no name. `None` where the request URI is none, or nobody is there.
    pub fn dest(&self, invite: &Invite) -> Option<Target> {
        let uri = Uri::parse(invite.request_uri.reveal().as_bytes()).ok()?;
        (!self.peer.is_nowhere()).then(|| self.peer.route(uri.socket_addr(), self.peer.target()))
    }

    /// Writes the INVITE for `to`, and says where it goes and by which branch: what is too long for a datagram goes over
    /// TCP. `credentials` are complete header lines.
    pub fn invite(
        &self,
        invite: &Invite,
        asked: Asking,
        credentials: &[u8],
        to: Target,
        out: &mut Vec<u8>,
    ) -> (Target, Branch) {
        let branch = self.ids.branch(invite.leg, asked.cseq, Hop::Invite(asked.at));
        self.write(invite, (asked, &branch), credentials, to, out);
        if to.transport != Transport::Udp || out.len() <= LONGEST_DATAGRAM {
            return (to, branch);
        }
        let to = Target::new(Transport::Tcp, to.addr);
        self.write(invite, (asked, &branch), credentials, to, out);
        (to, branch)
    }

    fn write(
        &self,
        invite: &Invite,
        (Asking { cseq, min_se_s, .. }, branch): (Asking, &Branch),
        credentials: &[u8],
        to: Target,
        out: &mut Vec<u8>,
    ) {
        let uri = invite.request_uri.reveal().as_bytes();
        let sent_by = self.config.sent_by(to.transport);
        let mut writer = Writer::request(out, Method::Invite, uri, sent_by, branch);
        self.names(invite, &mut writer);
        writer.cseq(cseq, Method::Invite).contact(self.config.contact(Some(self.peer), self.peer.near(to)));
        writer.header("Allow", allow(self.config.server)).header("Supported", SUPPORTED);
        writer.number_header("Session-Expires", self.config.session_expires_s.max(min_se_s));
        if min_se_s > 0 {
            writer.number_header("Min-SE", min_se_s);
        }
        writer.header("User-Agent", self.config.user_agent.as_bytes());
        if let Some(asserted) = &invite.asserted {
            writer.raw(b"P-Asserted-Identity: <");
            self.address(asserted.reveal(), &mut writer);
            writer.raw(b">\r\n");
        }
        if let Some(diversion) = &self.peer.diversion {
            writer.header("Diversion", diversion.as_bytes());
        }
        if let Some(identity) = &invite.identity {
            writer.header("Identity", identity.as_bytes());
        }
        writer.raw(credentials);
        let session = (invite.leg.0.0 & u128::from(u32::MAX)) as u64;
        writer.body("application/sdp", |out| write_offer(&invite.media, session, 1, Direction::SendRecv, out));
    }

    /// Our From value with its tag.
    pub fn write_from(&self, invite: &Invite, writer: &mut Writer<'_>) {
        if let Some(display) = &invite.from_display {
            let clean = display.chars().filter(|c| !c.is_control());
            let quoted: String =
                clean.flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c])).collect();
            writer.raw(b"\"").raw(quoted.as_bytes()).raw(b"\" ");
        }
        writer.raw(b"<");
        self.address(invite.from_user.reveal(), writer);
        writer.raw(b">;tag=").raw(&self.ids.tag(invite.leg));
    }

    /// From, To without tag, Call-ID.
    fn names(&self, invite: &Invite, writer: &mut Writer<'_>) {
        writer.raw(b"From: ");
        self.write_from(invite, writer);
        writer.raw(b"\r\nTo: <").raw(invite.request_uri.reveal().as_bytes()).raw(b">\r\nCall-ID: ");
        writer.raw(&call_id(invite.leg)).raw(b"\r\n");
    }

    fn address(&self, user: &str, writer: &mut Writer<'_>) {
        writer.raw(b"sip:").with(|out| write_user(user, out)).raw(b"@");
        match &self.peer.domain {
            Some(domain) => writer.raw(domain.as_bytes()),
            None => writer.addr(self.config.local),
        };
    }
}

/// The same INVITE as a datagram, after TCP was refused (RFC 3261 §18.1.1). Only Via says how it travels.
pub fn as_datagram(invite: &[u8]) -> Packet {
    const VIA: &[u8] = b"\r\nVia: SIP/2.0/";
    let mut bytes = invite.to_vec();
    let at = bytes.windows(VIA.len()).position(|window| window == VIA).map(|at| at + VIA.len());
    if let Some(word) = at.and_then(|at| bytes.get_mut(at..at + 3)) {
        word.copy_from_slice(Transport::Udp.name().as_bytes());
    }
    Packet::from(&bytes[..])
}

/// The CANCEL of an INVITE: same Request-URI, Via, From, To, Call-ID and CSeq number (RFC 3261 §9.1).
pub fn write_cancel(invite: &Message<'_>, out: &mut Vec<u8>) {
    like(invite, Method::Cancel, invite.get(Name::To).unwrap_or(&[]), out);
}

/// The ACK of a final answer of 300 and above: as the CANCEL, with the To of the answer if it has one (§17.1.1.3).
pub fn write_ack(invite: &Message<'_>, answer: &Message<'_>, out: &mut Vec<u8>) {
    let to = [answer, invite].into_iter().filter_map(|message| message.get(Name::To)).find(|to| !to.is_empty());
    like(invite, Method::Ack, to.unwrap_or(&[]), out);
}

fn like(invite: &Message<'_>, method: Method, to: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let (Start::Request { uri, .. }, Some((cseq, _))) = (invite.start, invite.cseq()) else { return };
    for part in [method.name().as_bytes(), b" ", uri, b" SIP/2.0\r\nVia: ", invite.get(Name::Via).unwrap_or(&[])] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\nMax-Forwards: 70\r\n");
    let mut writer = Writer::append(out);
    writer.echo("Route", invite, Name::Route);
    writer.header("From", invite.get(Name::From).unwrap_or(&[])).header("To", to);
    writer.header("Call-ID", invite.get(Name::CallId).unwrap_or(&[])).cseq(cseq, method).end();
}

/// A request URI of ours must not end the line it stands on.
pub fn is_safe_uri(uri: &str) -> bool {
    Uri::parse(uri.as_bytes()).is_ok() && find(uri.as_bytes(), b'>').is_none()
}
