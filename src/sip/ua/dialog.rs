//! A dialog (RFC 3261 §12): what is needed to build a request that the other side recognises.

use std::net::SocketAddr;
use std::ops::Range;

use crate::base::LegId;
use crate::sip::addr::NameAddr;
use crate::sip::bytes::fingerprint;
use crate::sip::header::Name;
use crate::sip::ids::Hop;
use crate::sip::message::Message;
use crate::sip::method::Method;
use crate::sip::packet::Packet;
use crate::sip::peer::Peer;
use crate::sip::target::Target;
use crate::sip::uri::Uri;
use crate::sip::writer::Writer;

use super::context::Cx;

#[derive(Debug)]
pub(super) struct Dialog {
    names: Names,
    pub(super) target: Box<[u8]>,
    /// Of our last request.
    pub(super) cseq: u32,
    /// Of their last request.
    pub(super) remote_cseq: Option<u32>,
    /// The target of the peer that it was made with.
    home: Target,
    /// Where requests go.
    pub(super) dest: Target,
}

/// What never changes of a dialog, in one piece: there are as many of them as calls.
#[derive(Debug)]
struct Names {
    text: Box<[u8]>,
    call_id: Range<usize>,
    local: Range<usize>,
    local_tag: Range<usize>,
    remote: Range<usize>,
    remote_tag: Range<usize>,
    routes: Range<usize>,
}

impl Dialog {
    /// The dialog a 2xx or tagged 1xx to our INVITE makes (§12.1.2). Without a readable Contact the request URI stays the
    /// target: an ACK to a doubtful place is better than none.
    pub(super) fn from_response(
        response: &Message<'_>,
        (call_id, local): (&[u8], &[u8]),
        cseq: u32,
        uri: &[u8],
        place: (&Peer, Target),
    ) -> Self {
        let mut routes: Vec<&[u8]> = response.list(Name::RecordRoute).filter(|value| !value.is_empty()).collect();
        routes.reverse();
        let bare;
        let remote = if let Some(to) = response.get(Name::To).filter(|to| !to.is_empty()) {
            to
        } else {
            bare = [b"<", uri, b">"].concat();
            &bare
        };
        let contact = response.contact().map_or(uri, |contact| contact.uri);
        Self::new(Names::new(call_id, local, remote, &routes), contact, cseq, place)
    }

    /// The dialog our 2xx to their INVITE makes (§12.1.1).
    pub(super) fn from_request(invite: &Message<'_>, our_tag: &[u8], place: (&Peer, Target)) -> Self {
        let routes: Vec<&[u8]> = invite.list(Name::RecordRoute).filter(|value| !value.is_empty()).collect();
        let remote = invite.get(Name::From).unwrap_or(&[]);
        let local = [invite.get(Name::To).unwrap_or(&[]), b";tag=", our_tag].concat();
        let contact = invite.contact().or(invite.from()).map_or(&[][..], |contact| contact.uri);
        let call_id = invite.get(Name::CallId).unwrap_or(&[]);
        let mut dialog = Self::new(Names::new(call_id, &local, remote, &routes), contact, 0, place);
        dialog.remote_cseq = invite.cseq().map(|(number, _)| number);
        dialog
    }

    fn new(names: Names, target: &[u8], cseq: u32, (peer, there): (&Peer, Target)) -> Self {
        let home = peer.near(there);
        let mut dialog = Self { names, target: target.into(), cseq, remote_cseq: None, home, dest: home };
        dialog.dest = peer.route(dialog.next_hop(), home);
        dialog
    }

    pub(super) fn call_id(&self) -> &[u8] {
        self.names.part(&self.names.call_id)
    }

    /// Our From value with its tag.
    fn local(&self) -> &[u8] {
        self.names.part(&self.names.local)
    }

    pub(super) fn local_tag(&self) -> &[u8] {
        self.names.part(&self.names.local_tag)
    }

    /// Their To value with its tag.
    fn remote(&self) -> &[u8] {
        self.names.part(&self.names.remote)
    }

    pub(super) fn remote_tag(&self) -> &[u8] {
        self.names.part(&self.names.remote_tag)
    }

    /// Values for Route, in order, joined by commas.
    pub(super) fn routes(&self) -> &[u8] {
        self.names.part(&self.names.routes)
    }

    /// A target refresh: the Contact of a re-INVITE or UPDATE (§12.2.2).
    pub(super) fn refresh(&mut self, contact: &[u8], peer: &Peer) {
        self.target = contact.into();
        self.dest = peer.route(self.next_hop(), self.home);
    }

    pub(super) fn matches(&self, request: &Message<'_>) -> bool {
        let tag = |addr: Option<NameAddr<'_>>, want: &[u8]| addr.and_then(|a| a.tag()).unwrap_or(&[]) == want;
        tag(request.to(), self.local_tag()) && tag(request.from(), self.remote_tag())
    }

    /// Tells the dialogs of one Call-ID apart in branches.
    pub(super) fn print(&self) -> u64 {
        fingerprint(self.remote_tag())
    }

    /// Builds the next request; `more` adds headers and ends the message. Returns its CSeq number.
    pub(super) fn request(
        &mut self,
        cx: &mut Cx,
        leg: LegId,
        method: Method,
        more: impl FnOnce(&mut Writer<'_>),
    ) -> (u32, Packet) {
        self.cseq = (self.cseq + 1).min(crate::sip::message::MAX_CSEQ);
        (self.cseq, self.build(cx, leg, (method, self.cseq, Hop::Request(self.print())), more))
    }

    /// The ACK of a 2xx: same CSeq number, new branch, along the route set (§13.2.2.4).
    pub(super) fn ack(&self, cx: &mut Cx, leg: LegId, cseq: u32, more: impl FnOnce(&mut Writer<'_>)) -> Packet {
        self.build(cx, leg, (Method::Ack, cseq, Hop::Ack(self.print())), more)
    }

    /// What a request URI of this dialog reads, for digest.
    pub(super) fn request_uri(&self) -> &[u8] {
        self.strict_router().unwrap_or(&self.target)
    }

    fn build(
        &self,
        cx: &mut Cx,
        leg: LegId,
        (method, cseq, hop): (Method, u32, Hop),
        more: impl FnOnce(&mut Writer<'_>),
    ) -> Packet {
        let branch = cx.ids.branch(leg, cseq, hop);
        let sent_by = cx.config.sent_by(self.dest.transport);
        let mut writer = Writer::request(&mut cx.scratch, method, self.request_uri(), sent_by, &branch);
        match self.strict_router() {
            None => {
                writer.header("Route", self.routes());
            }
            Some(_) => self.write_strict_routes(&mut writer),
        }
        writer.header("From", self.local()).header("To", self.remote());
        writer.header("Call-ID", self.call_id()).cseq(cseq, method);
        if method != Method::Ack {
            writer.header("User-Agent", cx.config.user_agent.as_bytes());
        }
        more(&mut writer);
        cx.packet()
    }

    fn next_hop(&self) -> Option<SocketAddr> {
        let hop = self.first_route().map_or(&self.target[..], |route| route.uri);
        Uri::parse(hop).ok()?.socket_addr()
    }

    fn first_route(&self) -> Option<NameAddr<'_>> {
        let routes = self.routes();
        let first = routes.get(..crate::sip::bytes::element_len(routes, b','))?;
        NameAddr::parse(first)
    }

    /// The first route where it is no loose router: it becomes the request URI (§12.2.1.1).
    fn strict_router(&self) -> Option<&[u8]> {
        let first = self.first_route()?;
        (!Uri::parse(first.uri).ok()?.is_loose_router()).then_some(first.uri)
    }

    fn write_strict_routes(&self, writer: &mut Writer<'_>) {
        let first = crate::sip::bytes::element_len(self.routes(), b',');
        let rest = self.routes().get(first + 1..).map_or(&[][..], crate::sip::bytes::trim);
        writer.raw(b"Route: ").value(rest);
        writer.raw(if rest.is_empty() { b"<" } else { b", <" }).raw(&self.target).raw(b">\r\n");
    }
}

impl Names {
    fn new(call_id: &[u8], local: &[u8], remote: &[u8], routes: &[&[u8]]) -> Self {
        let of_routes: usize = routes.iter().map(|route| route.len() + 2).sum();
        let mut text = Vec::with_capacity(call_id.len() + local.len() + remote.len() + of_routes);
        let mut put = |bytes: &[u8]| {
            let from = text.len();
            text.extend_from_slice(bytes);
            from..text.len()
        };
        let (call_id, local_at, remote_at) = (put(call_id), put(local), put(remote));
        let from = remote_at.end;
        for (nth, route) in routes.iter().enumerate() {
            put(if nth == 0 { b"" } else { b", " });
            put(route);
        }
        let routes = from..text.len();
        let (local_tag, remote_tag) = (tag(local, &local_at), tag(remote, &remote_at));
        Self { text: text.into(), call_id, local: local_at, local_tag, remote: remote_at, remote_tag, routes }
    }

    fn part(&self, at: &Range<usize>) -> &[u8] {
        self.text.get(at.clone()).unwrap_or(&[])
    }
}

/// Where the tag of a value lies that was put at this place; nowhere where it has none.
fn tag(value: &[u8], at: &Range<usize>) -> Range<usize> {
    let tag = NameAddr::parse(value).and_then(|addr| addr.tag()).unwrap_or(&[]);
    let into = (tag.as_ptr() as usize).saturating_sub(value.as_ptr() as usize);
    if tag.is_empty() { at.start..at.start } else { at.start + into..at.start + into + tag.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::ua::api::Config;
    use crate::sip::writer::no_body;

    fn ack(contact: &str, record_route: &str) -> (Target, String) {
        let peer = Peer::new("127.0.0.1:5080".parse().unwrap());
        let text = format!(
            "SIP/2.0 200 OK\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{contact}{record_route}\r\n"
        );
        let dialog = Dialog::from_response(
            &Message::parse(text.as_bytes()).unwrap(),
            (b"c", b"<sip:a@h>;tag=1"),
            1,
            b"sip:b@h",
            (&peer, peer.target()),
        );
        let mut cx = Cx::new(Config::new("127.0.0.1:5060".parse().unwrap(), [0; 32]));
        let bytes = dialog.ack(&mut cx, LegId::default(), 1, no_body);
        (dialog.dest, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_route_set_is_reversed_and_goes_into_the_ack() {
        let (dest, text) =
            ack("Contact: <sip:b@10.0.0.9>\r\n", "Record-Route: <sip:p2;lr>,<sip:127.0.0.1:5080;lr>\r\n");
        assert!(text.starts_with("ACK sip:b@10.0.0.9 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("\r\nRoute: <sip:127.0.0.1:5080;lr>, <sip:p2;lr>\r\n"), "{text}");
        assert_eq!(dest.to_string(), "127.0.0.1:5080");
    }

    #[test]
    fn a_strict_router_becomes_the_request_uri() {
        let (_, text) = ack("Contact: <sip:b@10.0.0.9>\r\n", "Record-Route: <sip:p2;lr>,<sip:p1>\r\n");
        assert!(text.starts_with("ACK sip:p1 SIP/2.0\r\n"), "{text}");
        assert!(text.contains("\r\nRoute: <sip:p2;lr>, <sip:b@10.0.0.9>\r\n"), "{text}");
    }

    #[test]
    fn without_a_contact_the_ack_goes_where_the_invite_went() {
        let (dest, text) = ack("Contact: nowhere\r\n", "");
        assert!(text.starts_with("ACK sip:b@h SIP/2.0\r\n"), "{text}");
        assert_eq!(dest.to_string(), "127.0.0.1:5080");
    }
}
