//! Digest authentication (RFC 7616, RFC 8760): the answer to a 401 or 407 of our own gateway.

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use super::bytes::{quoted_len, split_list, split_once, trim, trim_start};
use super::header::Name;
use super::ids::hex_digit;
use super::message::Message;
use super::peer::Credentials;

/// What we know, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
    Sha512Of256,
}

/// A challenge that we can answer, kept for the rest of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub proxy: bool,
    pub algorithm: Algorithm,
    /// The header named the algorithm; otherwise it is MD5 and the answer names none.
    named: bool,
    /// Escapes are kept: the hash is taken over what stands between the quotes (RFC 7616 §3.4, `unq`).
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    qop_auth: bool,
    pub stale: bool,
    /// How often this nonce was answered.
    pub count: u32,
}

/// The strongest challenge of a 401 or 407 that is meant for these credentials. Unknown schemes and algorithms are
/// skipped, and a realm that is not ours gets nothing.
pub fn choose(response: &Message<'_>, proxy: bool, credentials: &Credentials) -> Option<Challenge> {
    let name = if proxy { Name::ProxyAuthenticate } else { Name::WwwAuthenticate };
    response
        .all(name)
        .filter_map(|value| Challenge::parse(value, proxy))
        .filter(|challenge| unescape(&challenge.realm) == credentials.realm.as_bytes())
        .max_by_key(|challenge| challenge.algorithm)
}

impl Challenge {
    /// One header value. `None` for another scheme, an unknown algorithm, or a qop without `auth`.
    pub fn parse(value: &[u8], proxy: bool) -> Option<Self> {
        let value = trim(value);
        let (scheme, params) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"Digest ").then_some(())?;
        let get = |name: &[u8]| {
            split_list(params, b',').find_map(|one| {
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
        // They go back as they stand: no line may end inside (RFC 3261 §25.1, `qdtext`).
        let clean = |value: &[u8]| !value.iter().any(|b| matches!(b, b'\r' | b'\n'));
        [get(b"realm"), get(b"nonce"), get(b"opaque")].into_iter().flatten().all(clean).then_some(())?;
        Some(Self {
            proxy,
            algorithm,
            named: get(b"algorithm").is_some(),
            realm: get(b"realm")?.into(),
            nonce: get(b"nonce")?.into(),
            opaque: get(b"opaque").map(Into::into),
            qop_auth,
            stale: get(b"stale").is_some_and(|v| v.eq_ignore_ascii_case(b"true")),
            count: 0,
        })
    }

    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// Writes the (Proxy-)Authorization line. `count` must have been raised for this request.
    pub fn write(&self, who: &Credentials, method: &str, uri: &[u8], cnonce: &[u8], out: &mut Vec<u8>) {
        let user = escape(&who.user);
        let a1 = self.hash(&[&user, &self.realm, who.password.as_bytes()]);
        let a2 = self.hash(&[method.as_bytes(), uri]);
        let nc = format!("{:08x}", self.count);
        let response = if self.qop_auth {
            self.hash(&[&a1, &self.nonce, nc.as_bytes(), cnonce, b"auth", &a2])
        } else {
            self.hash(&[&a1, &self.nonce, &a2])
        };
        let header: &[u8] = if self.proxy { b"Proxy-Authorization: Digest" } else { b"Authorization: Digest" };
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

    fn who(realm: &str) -> Credentials {
        Credentials { user: "Mufasa".into(), realm: realm.into(), password: "Circle of Life".into() }
    }

    fn answer(challenge: &str, who: &Credentials, method: &str, uri: &[u8], cnonce: &[u8]) -> String {
        let mut challenge = Challenge::parse(challenge.as_bytes(), false).unwrap();
        challenge.count = 1;
        let mut out = Vec::new();
        challenge.write(who, method, uri, cnonce, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let who = Credentials { password: "Circle of Life".into(), ..who("http-auth@example.org") };
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, want) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\""
            );
            let got = answer(&challenge, &who, "GET", b"/dir/index.html", cnonce);
            assert!(got.contains(&format!("response=\"{want}\"")), "{got}");
            assert!(got.contains(", qop=auth, nc=00000001, "), "{got}");
        }
    }

    #[test]
    fn without_qop_the_old_form_of_rfc_2069_is_used() {
        let who = Credentials { password: "CircleOfLife".into(), ..who("testrealm@host.com") };
        let challenge =
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5c\"";
        let got = answer(challenge, &who, "GET", b"/dir/index.html", b"x");
        assert!(got.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{got}");
        assert!(got.ends_with(", opaque=\"5c\"\r\n") && !got.contains("nc=") && !got.contains("algorithm"), "{got}");
    }

    #[test]
    fn the_strongest_known_challenge_of_our_realm_is_chosen() {
        let text = b"SIP/2.0 401 x\r\nWWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n\
            WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256\r\n\
            WWW-Authenticate: Digest realm=\"r\", nonce=\"3\", algorithm=NEW-1\r\n\
            WWW-Authenticate: Digest realm=\"other\", nonce=\"4\", algorithm=SHA-512-256\r\n\r\n";
        let message = Message::parse(text).unwrap();
        let chosen = choose(&message, false, &who("r")).unwrap();
        assert_eq!((chosen.nonce(), chosen.algorithm), (&b"2"[..], Algorithm::Sha256));
        assert_eq!(choose(&message, false, &who("theirs")), None);
        assert_eq!(choose(&message, true, &who("r")), None);
    }

    #[test]
    fn escaped_quotes_stay_as_they_are_in_the_answer_and_match_our_realm() {
        let value = br#"Digest realm="a \"b\", c", nonce="n\"x", stale=TRUE, qop=auth-int,auth"#;
        let challenge = Challenge::parse(br#"Digest realm="a \"b\", c", nonce="n\"x", stale=TRUE"#, true).unwrap();
        assert_eq!(
            (&*challenge.realm, challenge.nonce(), challenge.stale),
            (&br#"a \"b\", c"#[..], &br#"n\"x"#[..], true)
        );
        assert_eq!(unescape(&challenge.realm), br#"a "b", c"#);
        assert!(Challenge::parse(value, true).is_none(), "an unquoted list ends at its comma: auth-int alone");
    }
}
