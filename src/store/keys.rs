//! The keys file: numbers and customer keys are sealed with one key, found by another, and SIP tags come from a third.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::base::{Pii, hex, unhex};

use super::DncSubjectKey;

const KEY_LEN: usize = 32;
/// More than anybody rotates to: the id is one byte.
const MAX_FILE: u64 = 64 * 1_024;

/// All keys of one installation. The key of the blind index never changes; sealing keys may be added, and the one with
/// the highest id seals what is new.
pub struct Keys {
    blind: hmac::Key,
    sip: [u8; KEY_LEN],
    /// By id.
    seals: Vec<(u8, LessSafeKey)>,
    random: SystemRandom,
}

/// Nonces that one question to the system brings.
const NONCES: usize = 256;

/// Seals many values: the system is asked for randomness once for many nonces, and each is used once.
pub(crate) struct Sealer<'k> {
    keys: &'k Keys,
    nonces: [[u8; NONCE_LEN]; NONCES],
    left: usize,
}

/// A blind index: HMAC-SHA256 cut to 128 bits. It finds a value without showing it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 16]);

/// Keeps tokens and sealed values of the two kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    Phone,
    Contact,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("cannot read or write the keys file `{path}`: {why}")]
    Io { path: String, why: io::Error },
    #[error("the keys file `{path}` may be read by others (mode {mode:o}); `chmod 600` it")]
    Open { path: String, mode: u32 },
    #[error("the keys file `{path}` is not one of ours: line {line}")]
    Malformed { path: String, line: usize },
    #[error("the keys file `{path}` lacks the key `{name}`")]
    Missing { path: String, name: &'static str },
    #[error("the system has no randomness to give")]
    Random,
    #[error("the database was sealed with other keys than those of this keys file")]
    Other,
}

impl Keys {
    /// Reads the file, or makes it, with mode 0600, where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, KeysError> {
        if !path.exists() {
            create(path)?;
        }
        Self::load(path)
    }

    /// Refuses a file that group or others may touch.
    pub fn load(path: &Path) -> Result<Self, KeysError> {
        let about = fs::metadata(path).map_err(|why| io_error(path, why))?;
        let mode = about.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeysError::Open { path: path.display().to_string(), mode });
        }
        if about.len() > MAX_FILE {
            return Err(KeysError::Malformed { path: path.display().to_string(), line: 1 });
        }
        let text = fs::read_to_string(path).map_err(|why| io_error(path, why))?;
        parse(&text, path)
    }

    /// For From-tags and branches (docs/ARCHITECTURE.md, "recovery").
    pub fn sip(&self) -> &[u8; KEY_LEN] {
        &self.sip
    }

    /// Six bytes of the subject's blind index, hex: the same entry looks the same everywhere, and tells nobody the number.
    pub fn fingerprint_of(&self, subject: &DncSubjectKey) -> String {
        let Token(bytes) = match subject {
            DncSubjectKey::Phone(number) => self.token(Sealed::Phone, number),
            DncSubjectKey::Customer(key) => self.token(Sealed::Contact, key),
        };
        let head = bytes.iter().take(6).fold(0, |head: u64, byte| head << 8 | u64::from(*byte));
        format!("{head:012x}")
    }

    pub(crate) fn token(&self, kind: Sealed, value: &Pii<String>) -> Token {
        let mut context = hmac::Context::with_key(&self.blind);
        context.update(&[kind.tag()]);
        context.update(value.reveal().as_bytes());
        Token::cut(context.sign().as_ref())
    }

    /// Tells this file's blind index from another's, without telling the key.
    pub(crate) fn fingerprint(&self) -> i64 {
        let Token(bytes) = Token::cut(hmac::sign(&self.blind, b"fingerprint").as_ref());
        let (head, _) = bytes.split_at(8);
        i64::from_be_bytes(<[u8; 8]>::try_from(head).unwrap_or_default())
    }

    /// One byte of key id, a random nonce of 96 bits, ciphertext and tag.
    pub(crate) fn seal(&self, kind: Sealed, value: &Pii<String>) -> Result<Vec<u8>, KeysError> {
        let mut out = Vec::new();
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| KeysError::Random)?;
        self.seal_with(nonce, kind, value, &mut out)?;
        Ok(out)
    }

    /// For many values in a row.
    pub(crate) fn sealer(&self) -> Sealer<'_> {
        Sealer { keys: self, nonces: [[0; NONCE_LEN]; NONCES], left: 0 }
    }

    fn seal_with(
        &self,
        nonce: [u8; NONCE_LEN],
        kind: Sealed,
        value: &Pii<String>,
        out: &mut Vec<u8>,
    ) -> Result<(), KeysError> {
        let Some((id, key)) = self.seals.last() else { return Err(KeysError::Random) };
        let plain = value.reveal().as_bytes();
        let head = out.len() + 1 + NONCE_LEN;
        out.reserve(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        out.push(*id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let body = out.get_mut(head..).unwrap_or_default();
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from([kind.tag()]), body)
            .map_err(|_| KeysError::Random)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// `None` for damage, another kind, or a key that the file no longer has.
    pub(crate) fn open(&self, kind: Sealed, sealed: &[u8]) -> Option<Pii<String>> {
        let (id, rest) = sealed.split_first()?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        let (_, key) = self.seals.iter().find(|(known, _)| known == id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::from([kind.tag()]), &mut body).ok()?;
        std::str::from_utf8(plain).ok().map(|text| Pii::new(text.to_owned()))
    }
}

impl Sealer<'_> {
    pub(crate) fn token(&self, kind: Sealed, value: &Pii<String>) -> Token {
        self.keys.token(kind, value)
    }

    /// Adds what [`Keys::seal`] gives.
    pub(crate) fn seal_into(&mut self, kind: Sealed, value: &Pii<String>, out: &mut Vec<u8>) -> Result<(), KeysError> {
        if self.left == 0 {
            self.keys.random.fill(self.nonces.as_flattened_mut()).map_err(|_| KeysError::Random)?;
            self.left = NONCES;
        }
        self.left -= 1;
        let Some(nonce) = self.nonces.get(self.left) else { return Err(KeysError::Random) };
        self.keys.seal_with(*nonce, kind, value, out)
    }
}

impl Sealed {
    const fn tag(self) -> u8 {
        match self {
            Self::Phone => b'p',
            Self::Contact => b'c',
        }
    }
}

impl Token {
    fn cut(digest: &[u8]) -> Self {
        let mut out = [0; 16];
        out.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Self(out)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("seals", &self.seals.len()).finish_non_exhaustive()
    }
}

/// Written beside and linked into place: a crash leaves no half file, and of two first starts one wins.
fn create(path: &Path) -> Result<(), KeysError> {
    let random = SystemRandom::new();
    let mut text = String::from(
        "# Keys of one Goldenhour installation. Without this file its numbers cannot be read again.\n\
         # Keep a copy, and never beside a copy of the database. The key `blind` must never change.\n",
    );
    for name in ["blind", "sip", "seal 1"] {
        let mut key = [0; KEY_LEN];
        random.fill(&mut key).map_err(|_| KeysError::Random)?;
        text.push_str(name);
        text.push(' ');
        text.push_str(&hex(&key));
        text.push('\n');
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|why| io_error(path, why))?;
    }
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = write_new(&beside, &text).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    });
    let removed = fs::remove_file(&beside);
    written.and(removed).map_err(|why| io_error(path, why))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn parse(text: &str, path: &Path) -> Result<Keys, KeysError> {
    let (mut blind, mut sip, mut seals) = (None, None, Vec::new());
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = || KeysError::Malformed { path: path.display().to_string(), line: at + 1 };
        let (name, digits) = line.rsplit_once(' ').ok_or_else(malformed)?;
        let key: [u8; KEY_LEN] = unhex(digits).and_then(|key| key.try_into().ok()).ok_or_else(malformed)?;
        match name.split_once(' ').unwrap_or((name, "")) {
            ("blind", "") => blind = Some(hmac::Key::new(hmac::HMAC_SHA256, &key)),
            ("sip", "") => sip = Some(key),
            ("seal", id) => {
                let id = id.trim().parse::<u8>().map_err(|_| malformed())?;
                let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| malformed())?;
                seals.push((id, LessSafeKey::new(key)));
            }
            _ => return Err(malformed()),
        }
    }
    seals.sort_by_key(|(id, _)| *id);
    let missing = |name| KeysError::Missing { path: path.display().to_string(), name };
    if seals.is_empty() {
        return Err(missing("seal"));
    }
    let blind = blind.ok_or_else(|| missing("blind"))?;
    let sip = sip.ok_or_else(|| missing("sip"))?;
    Ok(Keys { blind, sip, seals, random: SystemRandom::new() })
}

fn io_error(path: &Path, why: io::Error) -> KeysError {
    KeysError::Io { path: path.display().to_string(), why }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn number() -> Pii<String> {
        Pii::new("+999100000001".to_owned())
    }

    #[test]
    fn a_second_start_reads_the_keys_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("var/keys");
        let first = Keys::load_or_create(&path).unwrap();
        let second = Keys::load_or_create(&path).unwrap();
        assert_eq!(first.token(Sealed::Phone, &number()), second.token(Sealed::Phone, &number()));
        assert_eq!(first.sip(), second.sip());
        let sealed = first.seal(Sealed::Phone, &number()).unwrap();
        assert_eq!(second.open(Sealed::Phone, &sealed), Some(number()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_fingerprint_is_the_same_for_the_same_subject_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&folder.path().join("keys")).unwrap();
        let phone = keys.fingerprint_of(&DncSubjectKey::Phone(number()));
        assert_eq!((phone.len(), &phone), (12, &keys.fingerprint_of(&DncSubjectKey::Phone(number()))));
        assert_ne!(phone, keys.fingerprint_of(&DncSubjectKey::Customer(number())), "another kind");
        let other = Keys::load_or_create(&folder.path().join("other")).unwrap();
        assert_ne!(phone, other.fingerprint_of(&DncSubjectKey::Phone(number())), "another installation");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        Keys::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keys::load_or_create(&path), Err(KeysError::Open { mode: 0o640, .. })));
    }

    #[test]
    fn damage_and_a_mixed_up_kind_do_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&folder.path().join("keys")).unwrap();
        let mut sealed = keys.seal(Sealed::Phone, &number()).unwrap();
        assert_ne!(sealed, keys.seal(Sealed::Phone, &number()).unwrap(), "nonces differ");
        assert_eq!(keys.open(Sealed::Contact, &sealed), None);
        *sealed.last_mut().unwrap() ^= 1;
        assert_eq!(keys.open(Sealed::Phone, &sealed), None);
        assert_eq!(keys.open(Sealed::Phone, &[]), None);
    }

    #[test]
    fn a_new_sealing_key_seals_and_the_old_one_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let old = Keys::load_or_create(&path).unwrap().seal(Sealed::Phone, &number()).unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text = format!("{text}seal 2 {}\n", "5a".repeat(32));
        fs::write(&path, text).unwrap();
        let keys = Keys::load(&path).unwrap();
        assert_eq!(keys.open(Sealed::Phone, &old), Some(number()));
        assert_eq!(keys.seal(Sealed::Phone, &number()).unwrap().first(), Some(&2));
    }

    #[test]
    fn a_file_with_a_hole_says_what_is_missing() {
        let path = Path::new("keys");
        let line = |name: &str| format!("{name} {}\n", "00".repeat(32));
        let missing = parse(&(line("blind") + &line("seal 1")), path);
        assert!(matches!(missing, Err(KeysError::Missing { name: "sip", .. })));
        assert!(matches!(parse("blind 00\n", path), Err(KeysError::Malformed { line: 1, .. })));
    }
}
