//! Keys in the description (RFC 4568): what we offer and answer, and what of theirs we take.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::{LegId, mac_block};
use crate::sip::bytes::{find, number, push_number, split_once, trim};

/// Octets of the longest master key with its salt.
const LONGEST: usize = 44;
/// Fewer packets than these under one key would end within a long call.
const SHORTEST_LIFE: u64 = 1 << 20;

/// In the order in which we offer them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    AeadAes256Gcm,
    AesCm128HmacSha1_80,
}

/// Master key and salt; a shorter suite leaves the end at zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; LONGEST]);

/// Behind our keys of one leg. Where they are, nothing but SRTP is agreed on; where they are not, nothing but RTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    secret: [u8; 32],
    only: Option<Suite>,
}

/// As both sides agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Srtp {
    pub suite: Suite,
    pub ours: MasterKey,
    pub theirs: MasterKey,
    /// Names the line of the offer that was taken.
    pub(super) tag: u32,
}

/// A line of theirs that we could take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    tag: u32,
    suite: Suite,
    key: MasterKey,
}

/// Their lines, as far as we need them: the first of each suite, and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    known: [Option<Line>; 2],
    count: u8,
}

impl Suite {
    pub(super) const ALL: [Self; 2] = [Self::AeadAes256Gcm, Self::AesCm128HmacSha1_80];

    /// Under which we offer it.
    const fn tag(self) -> u32 {
        match self {
            Self::AeadAes256Gcm => 1,
            Self::AesCm128HmacSha1_80 => 2,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        }
    }

    /// Octets of key and salt.
    const fn length(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 44,
            Self::AesCm128HmacSha1_80 => 30,
        }
    }
}

impl Secret {
    /// `process` is drawn anew at each start and known to nobody: a key that came twice would uncover both calls.
    pub fn of(process: &[u8; 32], leg: LegId) -> Self {
        Self { secret: digest(process, &leg.0.bytes()), only: None }
    }

    /// For later offers and answers of a call: with the suite stays our key, and with the key its numbers.
    #[must_use]
    pub fn keeping(self, agreed: Option<Srtp>) -> Self {
        Self { only: agreed.map(|srtp| srtp.suite).or(self.only), ..self }
    }

    fn offers(&self, suite: Suite) -> bool {
        self.only.is_none_or(|only| only == suite)
    }

    fn key(&self, suite: Suite) -> MasterKey {
        let mut key = [0; LONGEST];
        let halves = [0, 1].map(|half| digest(&self.secret, &[suite.tag() as u8, half]));
        key.iter_mut().zip(halves.iter().flatten()).take(suite.length()).for_each(|(to, from)| *to = *from);
        MasterKey(key)
    }
}

impl Lines {
    pub(super) fn read(&mut self, value: &[u8]) {
        self.count = self.count.saturating_add(1);
        let Some(line) = Line::parse(value) else { return };
        let taken = self.known.iter().flatten().any(|known| known.suite == line.suite);
        if let Some(free) = self.known.iter_mut().find(|known| known.is_none()).filter(|_| !taken) {
            *free = Some(line);
        }
    }

    /// Of their offer the first line that we can take; their answer has one line, which names one of ours (§5.1.3).
    pub(super) fn agree(&self, offered_by_us: bool, secret: &Secret) -> Option<Srtp> {
        let fits = |line: &&Line| secret.offers(line.suite) && (!offered_by_us || line.tag == line.suite.tag());
        let Line { tag, suite, key } = *self.known.iter().flatten().find(fits)?;
        (!offered_by_us || self.count == 1).then_some(Srtp { suite, ours: secret.key(suite), theirs: key, tag })
    }
}

impl Line {
    /// `1 SUITE inline:KEY|LIFETIME`. Lines with more than one key, with an MKI, or with a parameter that would change how
    /// packets are sealed are not for us.
    fn parse(value: &[u8]) -> Option<Self> {
        let mut words = value.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let tag = number(words.next()?, 999_999_999)?;
        let name = words.next()?;
        let suite = Suite::ALL.into_iter().find(|suite| name.eq_ignore_ascii_case(suite.name().as_bytes()))?;
        let mut parts = words.next()?.strip_prefix(b"inline:")?.split(|&b| b == b'|');
        let key = decode(trim(parts.next()?), suite.length())?;
        if let Some(life) = parts.next() {
            (lifetime(life)? >= SHORTEST_LIFE).then_some(())?;
        }
        (parts.next().is_none() && words.all(|word| word.starts_with(b"WSH="))).then_some(Self { tag, suite, key })
    }
}

/// Our lines, in our order.
pub(super) fn write_offered(secret: &Secret, out: &mut Vec<u8>) {
    for suite in Suite::ALL.into_iter().filter(|suite| secret.offers(*suite)) {
        write(suite.tag(), suite, &secret.key(suite), out);
    }
}

pub(super) fn write_agreed(agreed: &Srtp, out: &mut Vec<u8>) {
    write(agreed.tag, agreed.suite, &agreed.ours, out);
}

fn write(tag: u32, suite: Suite, MasterKey(key): &MasterKey, out: &mut Vec<u8>) {
    out.extend_from_slice(b"a=crypto:");
    push_number(u64::from(tag), out);
    out.push(b' ');
    out.extend_from_slice(suite.name().as_bytes());
    out.extend_from_slice(b" inline:");
    encode(key.get(..suite.length()).unwrap_or_default(), out);
    out.extend_from_slice(b"\r\n");
}

/// `2^31`, or the number itself.
fn lifetime(text: &[u8]) -> Option<u64> {
    match split_once(text, b'^') {
        Some((b"2", power)) => 1_u64.checked_shl(number(power, 48)?),
        Some(_) => None,
        None => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base 64 (RFC 4648 §4).
fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * place) & 63) as usize).copied();
            out.push(letter.filter(|_| place <= group.len()).unwrap_or(b'='));
        }
    }
}

/// Exactly `length` octets.
fn decode(text: &[u8], length: usize) -> Option<MasterKey> {
    (text.len() == length.div_ceil(3) * 4).then_some(())?;
    let (letters, padding) = text.split_at_checked((length * 8).div_ceil(6))?;
    padding.iter().all(|&b| b == b'=').then_some(())?;
    let mut key = [0; LONGEST];
    let (mut bits, mut held, mut places) = (0_u32, 0, key.iter_mut().take(length));
    for &letter in letters {
        bits = bits << 6 | find(ALPHABET, letter)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            *places.next()? = (bits >> held) as u8;
        }
    }
    Some(MasterKey(key))
}

fn digest(key: &[u8; 32], of: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(&mac_block(key).into());
    mac.update(of);
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::sdp::{Codec, Direction, Local, Session, write_answer, write_offer};

    fn local(seed: u8) -> Local {
        let srtp = Some(Secret::of(&[seed; 32], LegId::default()));
        Local { rtp: "127.0.0.1:20000".parse().unwrap(), prefer: Codec::Pcma, srtp }
    }

    fn offer(of: &Local) -> Vec<u8> {
        let mut out = Vec::new();
        write_offer(of, 7, 1, Direction::SendRecv, &mut out);
        out
    }

    /// What our offer makes of an answer with these lines.
    fn answered(profile: &str, lines: &str) -> Option<Srtp> {
        let text = format!("c=IN IP4 192.0.2.1\r\nm=audio 4000 {profile} 8\r\n{lines}");
        Session::parse(text.as_bytes())?.agree_on(true, None, local(1).srtp)?.srtp
    }

    const GCM: &str = "AEAD_AES_256_GCM inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZPcHFyc3R1dnd4eXo=";
    const CM: &str = "AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    #[test]
    fn both_sides_of_an_offer_and_its_answer_have_the_same_two_keys() {
        let (us, them) = (local(1), local(2));
        let text = offer(&us);
        let offered = Session::parse(&text).unwrap();
        let theirs = offered.agree_on(false, None, them.srtp).unwrap();
        let mut answer = Vec::new();
        write_answer(&text, (&offered, &theirs), &them, 8, 1, &mut answer);
        let ours = Session::parse(&answer).unwrap().agree_on(true, None, us.srtp).unwrap();
        let (ours, theirs) = (ours.srtp.unwrap(), theirs.srtp.unwrap());
        assert_eq!((ours.ours, ours.theirs), (theirs.theirs, theirs.ours));
        assert_eq!((ours.suite, theirs.suite, theirs.tag), (Suite::AeadAes256Gcm, Suite::AeadAes256Gcm, 1));
        assert_ne!(ours.ours, ours.theirs);
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("m=audio 20000 RTP/SAVP 8 101\r\na=crypto:1 AEAD_AES_256_GCM inline:"), "{answer}");
        assert_eq!(answer.matches("a=crypto").count(), 1);
    }

    #[test]
    fn an_answer_that_is_no_plain_choice_among_our_lines_is_refused() {
        for lines in [format!("a=crypto:1 {GCM}\r\n"), format!("a=crypto:2 {CM}|2^31\r\n")] {
            assert!(answered("RTP/SAVP", &lines).is_some(), "{lines}");
        }
        let refused = [
            ("RTP/AVP", String::new()),
            ("RTP/AVP", format!("a=crypto:1 {GCM}\r\n")),
            ("RTP/SAVP", String::new()),
            ("RTP/SAVP", format!("a=crypto:1 {GCM}\r\na=crypto:2 {CM}\r\n")),
            ("RTP/SAVP", format!("a=crypto:2 {GCM}\r\n")),
            ("RTP/SAVP", format!("a=crypto:1 {CM}\r\n")),
            ("RTP/SAVP", format!("a=crypto:3 {CM}\r\n")),
            ("RTP/SAVP", "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz".into()),
            ("RTP/SAVP", format!("a=crypto:2 {CM}|2^31|1:4\r\n")),
            ("RTP/SAVP", format!("a=crypto:2 {CM}|1:4\r\n")),
            ("RTP/SAVP", format!("a=crypto:2 {CM}|2^10\r\n")),
            ("RTP/SAVP", format!("a=crypto:2 {CM} UNENCRYPTED_SRTP\r\n")),
            ("RTP/SAVP", format!("a=crypto:2 {}\r\n", &CM[..CM.len() - 4])),
        ];
        for (profile, lines) in refused {
            assert_eq!(answered(profile, &lines), None, "{profile} {lines}");
        }
    }

    #[test]
    fn whoever_has_no_keys_takes_no_srtp_and_whoever_has_them_nothing_else() {
        let secure = Session::parse(&offer(&local(1))).unwrap();
        let clear = Session::parse(&offer(&Local { srtp: None, ..local(1) })).unwrap();
        for offered_by_us in [true, false] {
            assert_eq!(secure.agree(offered_by_us), None);
            assert_eq!(clear.agree_on(offered_by_us, None, local(1).srtp), None);
        }
        assert!(secure.is_secure() && !clear.is_secure());
    }

    #[test]
    fn in_a_call_the_suite_stays_and_our_key_with_it() {
        let agreed = answered("RTP/SAVP", &format!("a=crypto:2 {CM}\r\n"));
        let keeping = Local { srtp: local(1).srtp.map(|secret| secret.keeping(agreed)), ..local(1) };
        let text = String::from_utf8(offer(&keeping)).unwrap();
        assert!(text.matches("a=crypto").count() == 1 && text.contains("a=crypto:2 AES_CM"), "{text}");
        let gcm = format!("c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 {GCM}\r\n");
        assert_eq!(Session::parse(gcm.as_bytes()).unwrap().agree_on(false, None, keeping.srtp), None);
        let again = Session::parse(text.as_bytes()).unwrap().agree_on(false, None, keeping.srtp).unwrap();
        assert_eq!(again.srtp.unwrap().ours, agreed.unwrap().ours);
    }

    #[test]
    fn our_keys_differ_by_process_leg_and_suite_and_are_never_printed() {
        let leg = LegId(crate::base::AttemptId(1));
        let secrets = [Secret::of(&[1; 32], leg), Secret::of(&[2; 32], leg), Secret::of(&[1; 32], LegId::default())];
        let keys: Vec<_> = secrets.iter().flat_map(|secret| Suite::ALL.map(|suite| secret.key(suite).0)).collect();
        for (n, key) in keys.iter().enumerate() {
            assert!(keys.iter().skip(n + 1).all(|other| other[..16] != key[..16]));
        }
        let session = Session::parse(&offer(&local(1))).unwrap();
        let media = session.agree_on(false, None, local(2).srtp);
        let text = format!("{:?} {session:?} {media:?}", local(1));
        assert!(text.contains("Secret(..)") && text.contains("MasterKey(..)") && !text.contains("MasterKey(["));
    }
}
