//! Reads a session description: the one audio stream we could take, and how many streams there are to be answered.

use std::net::{IpAddr, SocketAddr};

use crate::sip::bytes::{find, number, split_once, trim};

use super::crypto::{Lines, Secret};
use super::{Codec, Direction, EVENT_PAYLOAD_TYPE, Local, Media};

/// Formats kept of an m= line; later ones do not count.
const MAX_FORMATS: usize = 24;
/// Streams that are answered; an offer with more is refused.
pub(super) const MAX_STREAMS: u8 = 16;

/// What a payload type means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Audio(Codec),
    /// RFC 4733, 8 kHz.
    Event,
    Other,
}

/// A description as far as we need it. Fixed size, nothing on the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Position of the audio stream among the m= lines.
    pub(super) index: u8,
    pub(super) streams: u8,
    /// Zero: the stream is refused.
    port: u16,
    address: Option<IpAddr>,
    rtcp: Option<(u16, Option<IpAddr>)>,
    count: u8,
    formats: [(u8, Format); MAX_FORMATS],
    ptime_ms: u8,
    /// Seen from the side that wrote it.
    direction: Direction,
    /// RTP/SAVP.
    secure: bool,
    crypto: Lines,
}

impl Session {
    /// `None` where there is no audio stream over RTP/AVP or RTP/SAVP at all, or too many streams.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Reader::default().read(text)
    }

    /// It speaks of SRTP.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// What we agree on, in the clear, if this is an offer to us, or their answer to our offer: the first of their formats that we
    /// know. `None` where the stream is refused, has no address, or no codec of ours.
    pub fn agree(&self, offered_by_us: bool) -> Option<Media> {
        self.agree_on(offered_by_us, None, None)
    }

    /// As `agree`, but with this codec alone, and with keys over SRTP alone: neither side talks the other down from it.
    pub fn agree_on(&self, offered_by_us: bool, only: Option<Codec>, secret: Option<Secret>) -> Option<Media> {
        let srtp = match (self.secure, secret) {
            (false, None) => None,
            (true, Some(secret)) => Some(self.crypto.agree(offered_by_us, &secret)?),
            (true, None) | (false, Some(_)) => return None,
        };
        let address = self.address.filter(|_| self.port != 0)?;
        let formats = || self.formats.iter().take(usize::from(self.count)).copied();
        let (payload_type, codec) = formats().find_map(|(pt, format)| match format {
            Format::Audio(codec) => only.is_none_or(|c| c == codec).then_some((pt, codec)),
            Format::Event | Format::Other => None,
        })?;
        let event_payload_type = formats().find(|(_, format)| *format == Format::Event).map(|(pt, _)| pt);
        let theirs = self.direction.reversed();
        let (rtcp_port, rtcp_address) = self.rtcp.unwrap_or((self.port.checked_add(1).unwrap_or(0), None));
        let rtcp = SocketAddr::new(rtcp_address.unwrap_or(address), rtcp_port);
        Some(Media {
            remote: SocketAddr::new(address, self.port),
            rtcp: Some(rtcp).filter(|to| to.port() != 0 && !to.ip().is_unspecified()),
            codec,
            payload_type,
            event_payload_type,
            recv_event_payload_type: if offered_by_us { Some(EVENT_PAYLOAD_TYPE) } else { event_payload_type },
            ptime_ms: self.ptime_ms,
            direction: Direction::of(theirs.can_send() && !address.is_unspecified(), theirs.can_receive()),
            srtp,
        })
    }

    /// What answering this offer with `local` would agree on.
    pub fn answer(&self, local: &Local) -> Option<Media> {
        self.agree_on(false, None, local.srtp)
    }

    /// The direction that our answer names (RFC 3264 §6.1). An old-style hold by 0.0.0.0 is answered as it was asked.
    pub(super) fn answer_direction(&self) -> Direction {
        self.direction.reversed()
    }
}

/// State of a pass over the lines.
#[derive(Default)]
struct Reader {
    session_address: Option<IpAddr>,
    session_direction: Option<Direction>,
    streams: u8,
    /// Lines belong to the audio stream that was picked.
    inside: bool,
    picked: Option<Picked>,
}

struct Picked {
    session: Session,
    direction: Option<Direction>,
}

impl Reader {
    fn read(mut self, text: &[u8]) -> Option<Session> {
        let mut rest = text;
        while !rest.is_empty() {
            let end = find(rest, b'\n').map_or(rest.len(), |at| at + 1);
            let (line, tail) = rest.split_at_checked(end)?;
            rest = tail;
            if let Some((kind, value)) = split_once(trim(line), b'=') {
                self.line(kind, value)?;
            }
        }
        let Picked { mut session, direction } = self.picked?;
        session.streams = self.streams;
        session.address = session.address.or(self.session_address);
        session.direction = direction.or(self.session_direction).unwrap_or(Direction::SendRecv);
        Some(session)
    }

    fn line(&mut self, kind: &[u8], value: &[u8]) -> Option<()> {
        match kind {
            b"m" => {
                self.inside = false;
                self.streams = Some(self.streams + 1).filter(|n| *n <= MAX_STREAMS)?;
                if self.picked.as_ref().is_none_or(|p| p.session.port == 0)
                    && let Some(session) = media_line(value, self.streams - 1)
                {
                    self.inside = true;
                    self.picked = Some(Picked { session, direction: None });
                }
            }
            b"c" => {
                let address = connection(value);
                match self.picked.as_mut().filter(|_| self.inside) {
                    Some(picked) => picked.session.address = address,
                    None if self.streams == 0 => self.session_address = address,
                    None => {}
                }
            }
            b"a" => self.attribute(value),
            _ => {}
        }
        Some(())
    }

    fn attribute(&mut self, value: &[u8]) {
        let direction = match value {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        };
        if self.streams == 0 {
            self.session_direction = direction.or(self.session_direction);
        }
        let Some(picked) = self.picked.as_mut().filter(|_| self.inside) else { return };
        picked.direction = direction.or(picked.direction);
        match split_once(value, b':') {
            Some((b"rtpmap", map)) => rtpmap(&mut picked.session, map),
            Some((b"crypto", line)) => picked.session.crypto.read(line),
            Some((b"rtcp", place)) => picked.session.rtcp = rtcp(place),
            Some((b"ptime", ms)) => {
                let ms = number(trim(ms), 200).filter(|ms| *ms >= 10 && ms % 10 == 0);
                picked.session.ptime_ms = ms.map_or(20, |ms| ms as u8);
            }
            _ => {}
        }
    }
}

/// `audio PORT RTP/AVP FORMATS`, or RTP/SAVP; anything else is not for us.
fn media_line(value: &[u8], index: u8) -> Option<Session> {
    let mut words = value.split(|&b| b == b' ').filter(|w| !w.is_empty());
    (words.next()? == b"audio").then_some(())?;
    let port = words.next()?;
    let port = number(split_once(port, b'/').map_or(port, |(port, _)| port), 65_535)?;
    let secure = match words.next()? {
        b"RTP/AVP" => false,
        b"RTP/SAVP" => true,
        _ => return None,
    };
    let mut formats = [(0, Format::Other); MAX_FORMATS];
    let mut count = 0;
    for (slot, word) in formats.iter_mut().zip(words) {
        let pt = number(word, 127)? as u8;
        let format = match pt {
            0 => Format::Audio(Codec::Pcmu),
            8 => Format::Audio(Codec::Pcma),
            _ => Format::Other,
        };
        *slot = (pt, format);
        count += 1;
    }
    Some(Session {
        index,
        streams: 0,
        port: port as u16,
        address: None,
        rtcp: None,
        count,
        formats,
        ptime_ms: 20,
        direction: Direction::SendRecv,
        secure,
        crypto: Lines::default(),
    })
}

/// `IN IP4 192.0.2.1`, also with a multicast TTL behind a slash, which is not an address to send to.
fn connection(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value).ok()?;
    let mut words = text.split_ascii_whitespace();
    (words.next()? == "IN" && matches!(words.next()?, "IP4" | "IP6")).then_some(())?;
    words.next()?.parse().ok()
}

/// `PORT` or `PORT IN IP4 ADDRESS` (RFC 3605 §2.1).
fn rtcp(place: &[u8]) -> Option<(u16, Option<IpAddr>)> {
    let (port, address) = split_once(place, b' ').map_or((place, None), |(port, rest)| (port, Some(rest)));
    let address = match address {
        Some(address) => Some(connection(address)?),
        None => None,
    };
    Some((number(trim(port), 65_535)? as u16, address))
}

/// `PT name/clock[/channels]`: a static type keeps its meaning unless it is named otherwise.
fn rtpmap(session: &mut Session, map: &[u8]) {
    let Some((pt, name)) = split_once(map, b' ') else { return };
    let Some(pt) = number(pt, 127) else { return };
    let name = trim(name);
    let is = |want: &[u8]| {
        let tail = name.get(want.len()..);
        name.get(..want.len()).is_some_and(|n| n.eq_ignore_ascii_case(want)) && matches!(tail, Some(b"" | b"/1"))
    };
    let format = if is(b"PCMA/8000") {
        Format::Audio(Codec::Pcma)
    } else if is(b"PCMU/8000") {
        Format::Audio(Codec::Pcmu)
    } else if is(b"telephone-event/8000") {
        Format::Event
    } else {
        Format::Other
    };
    let slots = session.formats.iter_mut().take(usize::from(session.count));
    for slot in slots.filter(|slot| u32::from(slot.0) == pt) {
        slot.1 = format;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(body: &str) -> Option<Session> {
        Session::parse(format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n{body}").as_bytes())
    }

    #[test]
    fn the_first_format_we_know_is_agreed_on_with_its_own_payload_types() {
        let s = session(
            "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 97 0 96\r\na=rtpmap:97 pcma/8000/1\r\n\
             a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:30\r\n",
        );
        let media = s.unwrap().agree(true).unwrap();
        assert_eq!(media.remote, "192.0.2.1:4000".parse().unwrap());
        assert_eq!((media.codec, media.payload_type), (Codec::Pcma, 97));
        assert_eq!((media.event_payload_type, media.recv_event_payload_type), (Some(96), Some(101)));
        assert_eq!((media.ptime_ms, media.direction), (30, Direction::SendRecv));
    }

    #[test]
    fn directions_are_seen_from_us_and_the_stream_overrides_the_session() {
        for (session_line, media_line, want) in [
            ("", "a=sendonly\r\n", Direction::RecvOnly),
            ("a=inactive\r\n", "", Direction::Inactive),
            ("a=inactive\r\n", "a=sendrecv\r\n", Direction::SendRecv),
            ("", "a=recvonly\r\n", Direction::SendOnly),
        ] {
            let s = session(&format!("c=IN IP6 ::1\r\n{session_line}m=audio 4000 RTP/AVP 8\r\n{media_line}"));
            assert_eq!(s.unwrap().agree(true).unwrap().direction, want);
        }
    }

    #[test]
    fn an_old_style_hold_may_not_be_sent_to() {
        let s = session("c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n").unwrap();
        assert_eq!(s.agree(false).unwrap().direction, Direction::RecvOnly);
        assert_eq!(s.answer_direction(), Direction::SendRecv);
    }

    #[test]
    fn refused_foreign_and_missing_streams_agree_on_nothing() {
        for body in [
            "c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 8\r\n",
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n",
            "c=IN IP4 host.example.com\r\nm=audio 4000 RTP/AVP 8\r\n",
            "m=audio 4000 RTP/AVP 8\r\n",
        ] {
            assert_eq!(session(body).unwrap().agree(true), None, "{body}");
        }
        assert_eq!(session("c=IN IP4 192.0.2.1\r\nm=video 4000 RTP/AVP 31\r\n"), None);
        assert_eq!(session(&"m=video 1 RTP/AVP 31\r\n".repeat(17)), None);
    }

    #[test]
    fn a_c_line_of_another_stream_is_not_ours() {
        let s = session(
            "t=0 0\r\nm=audio 22334 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP6 2001:db8::1\r\n",
        );
        assert_eq!(s.unwrap().agree(false).unwrap().remote, "192.0.2.1:22334".parse().unwrap());
    }

    #[test]
    fn a_static_type_that_is_renamed_loses_its_meaning() {
        let s = session("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\na=rtpmap:8 G722/8000\r\n");
        assert_eq!(s.unwrap().agree(true), None);
    }

    #[test]
    fn the_telephone_event_clock_is_the_codec_clock() {
        let s = session(
            "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 100 101\r\na=rtpmap:100 telephone-event/16000\r\n\
             a=rtpmap:101 telephone-event/8000\r\n",
        );
        assert_eq!(s.unwrap().agree(true).unwrap().event_payload_type, Some(101));
        let other =
            session("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 100\r\na=rtpmap:100 telephone-event/48000\r\n");
        assert_eq!(other.unwrap().agree(true).unwrap().event_payload_type, None);
    }

    #[test]
    fn rtcp_goes_to_the_next_port_or_where_the_peer_says() {
        for (line, want) in [
            ("", "192.0.2.1:4001"),
            ("a=rtcp:5000\r\n", "192.0.2.1:5000"),
            ("a=rtcp:5000 IN IP4 192.0.2.7\r\n", "192.0.2.7:5000"),
            ("a=rtcp:nonsense\r\n", "192.0.2.1:4001"),
        ] {
            let s = session(&format!("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n{line}"));
            assert_eq!(s.unwrap().agree(true).unwrap().rtcp, Some(want.parse().unwrap()), "{line}");
        }
        let nowhere = session("c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n").unwrap();
        assert_eq!(nowhere.agree(true).unwrap().rtcp, None);
        assert_eq!(
            session("c=IN IP4 192.0.2.1\r\nm=audio 65535 RTP/AVP 8\r\n").unwrap().agree(true).unwrap().rtcp,
            None
        );
    }
}
