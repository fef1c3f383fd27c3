//! The challenges of one peer that were answered last: its next requests carry credentials at once, with the count of the
//! nonce going up (RFC 7616 §3.4), and are not sent twice. One nonce for each space, so that it cannot grow.

use crate::base::LegId;

use super::digest::{Asked, Challenge, Space, choose};
use super::ids::Ids;
use super::message::Message;
use super::method::Method;
use super::peer::Credentials;

/// Challenges that one request is sent again for: server and proxy, and one of the two with a nonce that had run out.
pub const MAX_TRIES: u8 = 3;
/// As much of a peer's realm is shown.
const MAX_REALM: usize = 100;

#[derive(Clone, Debug, Default)]
pub struct Keyring {
    server: Option<Box<Challenge>>,
    proxy: Option<Box<Challenge>>,
}

/// How often one request was sent again with credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    server: u8,
    proxy: u8,
}

/// Why a challenge is not answered: somebody has to look at the credentials of this trunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("it asks for credentials, and the trunk has no `auth`")]
    NoCredentials,
    /// Of several the first; what cannot be shown is replaced.
    #[error("it asks for realm \"{asked}\", and the configured realm is \"{ours}\"")]
    OtherRealm { asked: Box<str>, ours: Box<str> },
    #[error("it asks for a scheme, an algorithm or a quality of protection that is not supported")]
    Unsupported,
    #[error("it refuses the credentials: user or password is wrong")]
    Rejected,
}

impl Unanswered {
    /// As `reason` says them.
    pub const REASONS: [&str; 4] = ["no_credentials", "other_realm", "unsupported", "rejected"];

    /// The place among `REASONS`.
    pub const fn reason(&self) -> usize {
        match self {
            Self::NoCredentials => 0,
            Self::OtherRealm { .. } => 1,
            Self::Unsupported => 2,
            Self::Rejected => 3,
        }
    }
}

impl Keyring {
    /// Takes the challenges of a 401 or 407; either may hold both kinds (RFC 3261 §16.7 step 7). After `Ok` the request is
    /// to be sent again, with what `write` says.
    pub fn take(
        &mut self,
        response: &Message<'_>,
        who: Option<&Credentials>,
        tries: &mut Tries,
    ) -> Result<(), Unanswered> {
        let who = who.ok_or(Unanswered::NoCredentials)?;
        let mut answerable = false;
        let mut trouble = None;
        for space in [Space::Server, Space::Proxy] {
            let why = match choose(response, space, &who.realm) {
                Asked::Nothing => continue,
                Asked::Ours(challenge) => {
                    let allowed = tries.allow(space, challenge.stale);
                    *self.slot(space) = allowed.then(|| Box::new(challenge));
                    answerable |= allowed;
                    if allowed {
                        continue;
                    }
                    Unanswered::Rejected
                }
                Asked::OtherRealm(asked) => {
                    Unanswered::OtherRealm { asked: shown(&asked), ours: who.realm.as_str().into() }
                }
                Asked::Unsupported => Unanswered::Unsupported,
            };
            trouble.get_or_insert(why);
        }
        if answerable { Ok(()) } else { Err(trouble.unwrap_or(Unanswered::Unsupported)) }
    }

    /// Appends the (Proxy-)Authorization lines of the next request.
    pub fn write(
        &mut self,
        ids: &Ids,
        leg: LegId,
        who: &Credentials,
        (method, uri): (Method, &[u8]),
        out: &mut Vec<u8>,
    ) {
        for space in [Space::Server, Space::Proxy] {
            let slot = self.slot(space);
            match slot.as_mut().and_then(|challenge| Some((challenge.count_up()?, challenge))) {
                Some((count, challenge)) => {
                    let cnonce = ids.cnonce(leg, challenge.nonce(), count);
                    challenge.write(space, who, (method.name(), uri), &cnonce, out);
                }
                None => *slot = None,
            }
        }
    }

    const fn slot(&mut self, space: Space) -> &mut Option<Box<Challenge>> {
        match space {
            Space::Server => &mut self.server,
            Space::Proxy => &mut self.proxy,
        }
    }
}

impl Tries {
    /// Once for each space, also where the nonce came from an earlier request, and once more where the new one has
    /// already run out. Anything else would be the same wrong password again.
    fn allow(&mut self, space: Space, stale: bool) -> bool {
        let left = self.server + self.proxy < MAX_TRIES;
        let count = match space {
            Space::Server => &mut self.server,
            Space::Proxy => &mut self.proxy,
        };
        let allowed = left && (*count == 0 || *count == 1 && stale);
        *count += u8::from(allowed);
        allowed
    }
}

fn shown(realm: &[u8]) -> Box<str> {
    String::from_utf8_lossy(realm).chars().filter(|c| !c.is_control()).take(MAX_REALM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who() -> Credentials {
        Credentials { user: "u".into(), realm: "r".into(), password: "p".into() }
    }

    fn take(ring: &mut Keyring, tries: &mut Tries, headers: &str) -> Result<(), Unanswered> {
        let text = format!("SIP/2.0 401 x\r\n{headers}\r\n");
        let Ok(message) = Message::parse(text.as_bytes()) else { panic!("{text}") };
        ring.take(&message, Some(&who()), tries)
    }

    fn lines(ring: &mut Keyring) -> String {
        let mut out = Vec::new();
        ring.write(&Ids::new(&[7; 32]), LegId::default(), &who(), (Method::Invite, b"sip:a@b"), &mut out);
        String::from_utf8(out).unwrap()
    }

    const SERVER: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"s\", qop=\"auth\"\r\n";
    const PROXY: &str = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"p\", qop=\"auth\"\r\n";
    const STALE: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"s2\", qop=\"auth\", stale=true\r\n";

    #[test]
    fn a_nonce_is_used_again_and_its_count_goes_up_with_a_new_cnonce() {
        let mut ring = Keyring::default();
        assert_eq!(lines(&mut ring), "");
        take(&mut ring, &mut Tries::default(), SERVER).unwrap();
        let (first, second) = (lines(&mut ring), lines(&mut ring));
        assert!(first.contains("nc=00000001") && second.contains("nc=00000002"), "{first}{second}");
        let cnonce = |line: &str| line.split("cnonce=").nth(1).map(str::to_owned);
        assert_ne!(cnonce(&first), cnonce(&second));
    }

    #[test]
    fn one_response_may_ask_for_both_and_both_are_kept() {
        let mut ring = Keyring::default();
        take(&mut ring, &mut Tries::default(), &[SERVER, PROXY].concat()).unwrap();
        let lines = lines(&mut ring);
        assert!(lines.starts_with("Authorization: Digest ") && lines.contains("\r\nProxy-Authorization: Digest "));
    }

    #[test]
    fn each_space_is_answered_once_and_a_stale_nonce_once_more() {
        let (mut ring, mut tries) = (Keyring::default(), Tries::default());
        take(&mut ring, &mut tries, SERVER).unwrap();
        take(&mut ring, &mut tries, PROXY).unwrap();
        take(&mut ring, &mut tries, STALE).unwrap();
        assert!(lines(&mut ring).contains("nonce=\"s2\""));
        let again = take(&mut ring, &mut tries, &PROXY.replace("nonce", "stale=true, nonce"));
        assert_eq!(again, Err(Unanswered::Rejected), "the bound over both");
        let (mut ring, mut tries) = (Keyring::default(), Tries::default());
        for want in [Ok(()), Ok(()), Err(Unanswered::Rejected)] {
            assert_eq!(take(&mut ring, &mut tries, STALE), want);
        }
    }

    #[test]
    fn refused_credentials_are_forgotten() {
        let (mut ring, mut tries) = (Keyring::default(), Tries::default());
        take(&mut ring, &mut tries, SERVER).unwrap();
        assert_eq!(take(&mut ring, &mut tries, SERVER), Err(Unanswered::Rejected));
        assert_eq!(lines(&mut ring), "");
    }

    #[test]
    fn a_challenge_that_is_not_for_us_is_said_in_words() {
        let foreign = SERVER.replace("\"r\"", "\"their\x07s\"");
        let why = take(&mut Keyring::default(), &mut Tries::default(), &foreign.replace('\x07', "\u{80}")).unwrap_err();
        assert_eq!(why.to_string(), "it asks for realm \"theirs\", and the configured realm is \"r\"");
        assert_eq!(take(&mut Keyring::default(), &mut Tries::default(), ""), Err(Unanswered::Unsupported));
        let basic = Message::parse(b"SIP/2.0 401 x\r\nWWW-Authenticate: Basic realm=\"r\"\r\n\r\n").unwrap();
        let none = Keyring::default().take(&basic, None, &mut Tries::default());
        assert_eq!(none, Err(Unanswered::NoCredentials));
    }

    #[test]
    fn a_realm_of_another_proxy_does_not_keep_ours_from_its_answer() {
        let foreign = PROXY.replace("\"r\"", "\"theirs\"");
        let mut ring = Keyring::default();
        take(&mut ring, &mut Tries::default(), &[SERVER, &foreign].concat()).unwrap();
        assert!(!lines(&mut ring).contains("Proxy-Authorization"));
    }
}
