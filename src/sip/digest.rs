//! Digest authentication (RFC 7616, RFC 8760): what a 401 or 407 of our own gateway asks for, and the answer to it.

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use super::bytes::{is_token, quoted_len, split_list, split_once, trim, trim_start};
use super::header::Name;
use super::ids::hex_digit;
use super::message::Message;
use super::peer::Credentials;

/// A challenge whose kept parts are longer than this together is not answered: they would go into every request.
const MAX_LENGTH: usize = 2_048;

/// What we know, weakest first. The -sess variants are not among them: no peer asks for them alone, and no RFC has a
/// vector to hold them against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
    Sha512Of256,
}

/// A challenge that we can answer, kept for the requests to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub algorithm: Algorithm,
    /// The header named the algorithm; otherwise it is MD5 and the answer names none.
    named: bool,
    /// Escapes are kept: the hash is taken over what stands between the quotes (RFC 7616 §3.4, `unq`).
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    qop_auth: bool,
    /// The nonce has run out, and the password may well be right (RFC 7616 §3.3).
    pub stale: bool,
    /// How often this nonce was answered.
    count: u32,
}

/// The protection space of a server or of a proxy before it (RFC 3261 §22.2, §22.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Server,
    Proxy,
}

/// What a response asks for in one space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Nothing,
    Ours(Challenge),
    /// Every challenge that we could answer names another realm; this is the first one.
    OtherRealm(Box<[u8]>),
    /// Schemes, algorithms or qualities of protection that we do not know.
    Unsupported,
}

/// The strongest challenge that is meant for these credentials; among equals the topmost (RFC 8760 §2.4). Unknown schemes
/// and algorithms are skipped, and a realm that is not ours gets nothing.
pub fn choose(response: &Message<'_>, space: Space, realm: &str) -> Asked {
    let name = match space {
        Space::Server => Name::WwwAuthenticate,
        Space::Proxy => Name::ProxyAuthenticate,
    };
    let mut asked = Asked::Nothing;
    for params in response.all(name).flat_map(challenges) {
        let Some(challenge) = params.and_then(|params| Challenge::parse(&params)) else {
            if asked == Asked::Nothing {
                asked = Asked::Unsupported;
            }
            continue;
        };
        let meant = unescape(&challenge.realm);
        asked = match (asked, meant == realm.as_bytes()) {
            (Asked::Ours(best), true) if challenge.algorithm > best.algorithm => Asked::Ours(challenge),
            (Asked::Ours(best), _) => Asked::Ours(best),
            (Asked::Nothing | Asked::Unsupported | Asked::OtherRealm(_), true) => Asked::Ours(challenge),
            (Asked::OtherRealm(first), false) => Asked::OtherRealm(first),
            (Asked::Nothing | Asked::Unsupported, false) => Asked::OtherRealm(meant.into()),
        };
    }
    asked
}

/// The challenges of one header line: the parameters of each, `None` for a scheme that is not Digest. RFC 3261 has one
/// on each line; some servers put all of them on one, as HTTP allows (RFC 7235 §4.1).
fn challenges(line: &[u8]) -> Vec<Option<Vec<&[u8]>>> {
    let mut found: Vec<Option<Vec<&[u8]>>> = Vec::new();
    for element in split_list(line, b',') {
        let (scheme, first) = match opens(element) {
            Some((scheme, first)) => (Some(scheme), first),
            None => (None, element),
        };
        if let Some(scheme) = scheme {
            found.push(scheme.eq_ignore_ascii_case(b"Digest").then(Vec::new));
        }
        if let Some(Some(params)) = found.last_mut() {
            params.push(first);
        }
    }
    found
}

/// Scheme and first parameter of an element that begins a challenge: two words before any `=`.
fn opens(element: &[u8]) -> Option<(&[u8], &[u8])> {
    let word = element.iter().take_while(|&&b| is_token(b)).count();
    let (scheme, rest) = element.split_at_checked(word)?;
    let first = trim_start(rest);
    (!scheme.is_empty() && first.len() < rest.len() && first.first() != Some(&b'=')).then_some((scheme, first))
}

impl Challenge {
    /// The parameters of one Digest challenge. `None` for an unknown algorithm, a qop without `auth`, or parts that
    /// must not go into a header of ours.
    fn parse(params: &[&[u8]]) -> Option<Self> {
        let get = |name: &[u8]| {
            params.iter().find_map(|one| {
                let (key, value) = split_once(one, b'=')?;
                trim(key).eq_ignore_ascii_case(name).then(|| unquote(trim(value)))
            })
        };
        let algorithm = match get(b"algorithm") {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case(b"MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case(b"SHA-256") => Algorithm::Sha256,
            Some(name) if name.eq_ignore_ascii_case(b"SHA-512-256") => Algorithm::Sha512Of256,
            Some(_) => return None,
        };
        let qop_auth = match get(b"qop") {
            None => false,
            Some(list) if split_list(list, b',').any(|one| one.eq_ignore_ascii_case(b"auth")) => true,
            Some(_) => return None,
        };
        let (realm, nonce, opaque) = (get(b"realm")?, get(b"nonce")?, get(b"opaque"));
        let kept = [realm, nonce, opaque.unwrap_or(&[])];
        let clean = kept.iter().all(|part| part.iter().all(|&b| b >= b' ')) && kept.concat().len() <= MAX_LENGTH;
        clean.then(|| Self {
            algorithm,
            named: get(b"algorithm").is_some(),
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: opaque.map(Into::into),
            qop_auth,
            stale: get(b"stale").is_some_and(|v| v.eq_ignore_ascii_case(b"true")),
            count: 0,
        })
    }

    /// The count of the next answer. `None` where the nonce is used up.
    pub fn count_up(&mut self) -> Option<u32> {
        self.count = self.count.checked_add(1)?;
        Some(self.count)
    }

    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// Writes the (Proxy-)Authorization line, for the count that `count_up` gave.
    pub fn write(
        &self,
        space: Space,
        who: &Credentials,
        (method, uri): (&str, &[u8]),
        cnonce: &[u8],
        out: &mut Vec<u8>,
    ) {
        let user = escape(&who.user);
        let a1 = self.hash(&[&user, &self.realm, who.password.as_bytes()]);
        let a2 = self.hash(&[method.as_bytes(), uri]);
        let nc = format!("{:08x}", self.count);
        let response = if self.qop_auth {
            self.hash(&[&a1, &self.nonce, nc.as_bytes(), cnonce, b"auth", &a2])
        } else {
            self.hash(&[&a1, &self.nonce, &a2])
        };
        let header: &[u8] = match space {
            Space::Server => b"Authorization: Digest",
            Space::Proxy => b"Proxy-Authorization: Digest",
        };
        let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
        put(&[header, b" username=\"", &user, b"\", realm=\"", &self.realm, b"\", nonce=\"", &self.nonce]);
        put(&[b"\", uri=\"", uri, b"\", response=\"", &response, b"\""]);
        if self.named {
            put(&[b", algorithm=", self.algorithm.name()]);
        }
        if self.qop_auth {
            put(&[b", qop=auth, nc=", nc.as_bytes(), b", cnonce=\"", cnonce, b"\""]);
        }
        if let Some(opaque) = &self.opaque {
            put(&[b", opaque=\"", opaque, b"\""]);
        }
        put(&[b"\r\n"]);
    }

    /// Lower-case hex of the parts joined by colons.
    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let joined = parts.join(&b':');
        match self.algorithm {
            Algorithm::Md5 => hex(&Md5::digest(&joined)),
            Algorithm::Sha256 => hex(&Sha256::digest(&joined)),
            Algorithm::Sha512Of256 => hex(&Sha512_256::digest(&joined)),
        }
    }
}

impl Algorithm {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Md5 => b"MD5",
            Self::Sha256 => b"SHA-256",
            Self::Sha512Of256 => b"SHA-512-256",
        }
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| [hex_digit(b >> 4), hex_digit(b & 15)]).collect()
}

/// What stands between the quotes; a bare token as it is.
fn unquote(value: &[u8]) -> &[u8] {
    let value = trim_start(value);
    if !value.starts_with(b"\"") {
        return value;
    }
    let end = quoted_len(value).unwrap_or(value.len());
    value.get(1..end.saturating_sub(1)).unwrap_or(&[])
}

fn unescape(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
    }
    out
}

fn escape(text: &str) -> Vec<u8> {
    let safe = text.bytes().filter(|b| *b >= b' ');
    safe.flat_map(|b| (matches!(b, b'"' | b'\\')).then_some(b'\\').into_iter().chain([b])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(realm: &str, lines: &[&str]) -> Asked {
        let lines = lines.iter().map(|line| ["WWW-Authenticate: ", line, "\r\n"].concat()).collect::<String>();
        choose(&Message::parse(format!("SIP/2.0 401 x\r\n{lines}\r\n").as_bytes()).unwrap(), Space::Server, realm)
    }

    fn ours(realm: &str, lines: &[&str]) -> Challenge {
        match ask(realm, lines) {
            Asked::Ours(challenge) => challenge,
            other @ (Asked::Nothing | Asked::OtherRealm(_) | Asked::Unsupported) => panic!("{other:?}"),
        }
    }

    fn who(user: &str, realm: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), realm: realm.into(), password: password.into() }
    }

    fn answer(challenge: &str, who: &Credentials, uri: &[u8], cnonce: &[u8]) -> String {
        let mut challenge = ours(&who.realm, &[challenge]);
        challenge.count_up().unwrap();
        let mut out = Vec::new();
        challenge.write(Space::Server, who, ("GET", uri), cnonce, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let who = who("Mufasa", "http-auth@example.org", "Circle of Life");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, want) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\""
            );
            let got = answer(&challenge, &who, b"/dir/index.html", cnonce);
            assert!(got.contains(&format!("response=\"{want}\"")), "{got}");
            assert!(got.contains(", qop=auth, nc=00000001, "), "{got}");
        }
    }

    /// RFC 7616 §3.9.2 with the figures of erratum 4897: the page itself used a draft of SHA-512/256. The page hashes the
    /// user name, which the answer does not show; we do not, and the response is the same.
    #[test]
    fn the_example_with_sha_512_256_comes_out_and_the_user_is_never_hashed() {
        let who = who("J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?");
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
            nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
            opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
        let got = answer(challenge, &who, b"/doe.json", b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
        assert!(got.contains("\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\""), "{got}");
        assert!(got.contains("username=\"J\u{e4}s\u{f8}n Doe\"") && !got.contains("userhash"), "{got}");
    }

    #[test]
    fn the_example_of_rfc_2617_comes_out() {
        let who = who("Mufasa", "testrealm@host.com", "Circle Of Life");
        let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let got = answer(challenge, &who, b"/dir/index.html", b"0a4f113b");
        assert!(got.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{got}");
        assert!(got.ends_with(", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"\r\n"), "{got}");
    }

    #[test]
    fn without_qop_the_old_form_of_rfc_2069_is_used() {
        let who = who("Mufasa", "testrealm@host.com", "CircleOfLife");
        let challenge =
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"\"";
        let got = answer(challenge, &who, b"/dir/index.html", b"x");
        assert!(got.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{got}");
        assert!(got.ends_with(", opaque=\"\"\r\n") && !got.contains("nc=") && !got.contains("algorithm"), "{got}");
    }

    #[test]
    fn the_strongest_known_challenge_of_our_realm_is_chosen_and_the_topmost_of_equals() {
        let lines = [
            "Basic realm=\"r\"",
            "Digest realm=\"r\", nonce=\"1\"",
            "Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256",
            "Digest realm=\"r\", nonce=\"3\", algorithm=\"sha-256\"",
            "Digest realm=\"r\", nonce=\"4\", algorithm=NEW-1",
            "Digest realm=\"r\", nonce=\"5\", algorithm=MD5-sess",
            "Digest realm=\"other\", nonce=\"6\", algorithm=SHA-512-256",
        ];
        let chosen = ours("r", &lines);
        assert_eq!((chosen.nonce(), chosen.algorithm), (&b"2"[..], Algorithm::Sha256));
        assert_eq!(ours("other", &lines).nonce(), b"6");
    }

    #[test]
    fn what_cannot_be_answered_is_told_apart() {
        let theirs = Asked::OtherRealm(b"r \"2\""[..].into());
        assert_eq!(
            ask("mine", &["Digest realm=\"r \\\"2\\\"\", nonce=\"n\"", "Digest realm=\"r3\", nonce=\"n\""]),
            theirs
        );
        assert_eq!(ask("mine", &["Basic realm=\"mine\"", "Digest realm=\"r \\\"2\\\"\", nonce=\"n\""]), theirs);
        assert_eq!(ask("mine", &[]), Asked::Nothing);
        for line in [
            "Basic realm=\"mine\"",
            "Digest realm=\"mine\"",
            "Digest nonce=\"n\"",
            "Digest realm=\"mine\", nonce=\"n\", algorithm=SHA-256-sess",
            "Digest realm=\"mine\", nonce=\"n\", qop=\"auth-int\"",
            "Digest realm=\"mine\", nonce=\"n\", qop=\"\"",
            "Digest realm=\"mine\", nonce=\"n\r\n\tx\"",
            &format!("Digest realm=\"mine\", nonce=\"{}\"", "n".repeat(MAX_LENGTH)),
        ] {
            assert_eq!(ask("mine", &[line]), Asked::Unsupported, "{line}");
        }
    }

    #[test]
    fn several_challenges_may_stand_on_one_line() {
        let line = "Negotiate, Basic realm=\"r\", Digest realm=\"r\", nonce=\"1\", qop=\"auth,auth-int\", \
            Digest algorithm=SHA-256, realm=\"r\", nonce = \"2\", NTLM TlRM==, NEW x=\"y\", nonce=\"3\"";
        let chosen = ours("r", &[line]);
        assert_eq!((chosen.nonce(), chosen.algorithm), (&b"2"[..], Algorithm::Sha256));
    }

    #[test]
    fn escaped_quotes_stay_as_they_are_in_the_answer_and_match_our_realm() {
        let challenge = ours("a \"b\", c", &[r#"Digest realm="a \"b\", c", nonce="n\"x", stale=TRUE"#]);
        assert_eq!((challenge.nonce(), challenge.stale), (&br#"n\"x"#[..], true));
        let mut out = Vec::new();
        challenge.write(Space::Proxy, &who("u", "", "p"), ("BYE", b"sip:a"), b"", &mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("Proxy-Authorization: Digest "), "{out}");
        assert!(out.contains(r#", realm="a \"b\", c", nonce="n\"x", uri="sip:a", "#), "{out}");
    }

    #[test]
    fn an_unquoted_list_of_qualities_ends_at_its_comma() {
        let line = "Digest realm=\"r\", qop=auth,auth-int, nonce=\"1\"";
        assert_eq!(ours("r", &[line]).nonce(), b"1");
        assert_eq!(ask("r", &["Digest realm=\"r\", nonce=\"1\", qop=auth-int,auth"]), Asked::Unsupported);
    }

    #[test]
    fn the_count_has_eight_hex_digits_and_an_end() {
        let mut challenge = ours("r", &["Digest realm=\"r\", nonce=\"n\", qop=\"auth\""]);
        challenge.count = u32::MAX - 1;
        assert_eq!(challenge.count_up(), Some(u32::MAX));
        let mut out = Vec::new();
        challenge.write(Space::Server, &who("u", "r", "p"), ("BYE", b"sip:a"), b"c", &mut out);
        assert!(String::from_utf8(out).unwrap().contains("nc=ffffffff"));
        assert_eq!(challenge.count_up(), None);
    }
}
