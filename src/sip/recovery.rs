//! What a crash left on the wire, ended from the intent alone: CANCEL for a call that was not answered as far as we know,
//! BYE for a dialog that the journal knows. This is the one place that CANCELs without a 1xx; 481 is a fine answer.

use super::ids::{Hop, Ids};
use super::invite::{Asking, Caller, write_cancel};
use super::message::Message;
use super::method::Method;
use super::packet::Packet;
use super::target::Target;
use super::ua::{Config, DialogFacts, Invite, Tried};
use super::writer::{Writer, no_body};

/// The CANCEL of an INVITE that may be out there. CSeq is 1, and up to `MAX_TRIES` more where the trunk asks for
/// credentials: send one CANCEL for each. `None` where trunk or URI are no longer what they were.
/// `tried`: what the journal knows of the INVITE; without it, the first one of the attempt went where the trunk is now.
pub fn cancel(config: &Config, invite: &Invite, tried: Option<&Tried>, cseq: u32) -> Option<(Target, Packet)> {
    let ids = Ids::new(&config.key);
    let caller = Caller { config, ids: &ids, peer: config.peers.get(invite.trunk.ix())? };
    let (to, at) = match tried {
        Some(tried) => (tried.dest, tried.hop),
        None => (caller.dest(invite)?, 0),
    };
    let mut sent = Vec::new();
    let (dest, _) = caller.invite(invite, Asking { cseq, min_se_s: 0, at }, &[], to, &mut sent);
    let mut out = Vec::new();
    write_cancel(&Message::parse(&sent).ok()?, &mut out);
    Some((dest, Packet::from(&out[..])))
}

/// The BYE of a journalled dialog. Of a dialog that was not confirmed send the CANCEL too.
pub fn bye(config: &Config, invite: &Invite, facts: &DialogFacts) -> Option<(Target, Packet)> {
    let ids = Ids::new(&config.key);
    let caller = Caller { config, ids: &ids, peer: config.peers.get(invite.trunk.ix())? };
    // Higher than any request of the call before the crash, with its PRACKs and refreshes; gaps are legal (§12.2.2).
    let cseq = facts.cseq.saturating_add(1 << 20).min(super::message::MAX_CSEQ);
    let hop = Hop::Request(super::bytes::fingerprint(&facts.to_tag));
    let branch = ids.branch(facts.leg, cseq, hop);
    let mut out = Vec::new();
    let sent_by = config.sent_by(facts.dest.transport);
    let mut writer = Writer::request(&mut out, Method::Bye, &facts.remote_target, sent_by, &branch);
    writer.header("Route", &facts.routes).raw(b"From: ");
    caller.write_from(invite, &mut writer);
    writer.raw(b"\r\nTo: <").raw(invite.request_uri.reveal().as_bytes()).raw(b">;tag=").raw(&facts.to_tag);
    writer.raw(b"\r\nCall-ID: ").raw(facts.leg.0.to_string().as_bytes()).raw(b"\r\n");
    writer.cseq(cseq, Method::Bye);
    no_body(&mut writer);
    Some((facts.dest, Packet::from(&out[..])))
}
