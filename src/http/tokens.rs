//! Who may use the API: a file with the SHA-256 of each token. The tokens themselves are shown once and kept nowhere.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::base::{Code, hex, unhex};

/// What a token may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at everything that is masked.
    Viewer,
    /// Pause, resume, put people on the do-not-call list.
    Operator,
    /// Reload, take people off that list.
    Admin,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    pub role: Role,
    pub sha256: [u8; 32],
}

/// Lines `NAME ROLE SHA256`, blank ones, and comments after `#`.
#[derive(Clone, Debug)]
pub struct TokensFile {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("cannot read or write the tokens file `{path}`: {why}")]
    Io { path: String, why: io::Error },
    #[error("others may write the tokens file `{path}` (mode {mode:o}); `chmod 600` it")]
    Open { path: String, mode: u32 },
    #[error("the tokens file `{path}` is not one of ours: line {line}")]
    Malformed { path: String, line: usize },
    #[error("there is a token `{0}` already")]
    Known(String),
    #[error("more than {} tokens", TokensFile::MAX)]
    TooMany,
    #[error("the system has no randomness to give")]
    Random,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Token {
    const NAME_MAX: usize = 40;

    /// Of what a caller presents.
    pub fn hash(presented: &str) -> [u8; 32] {
        Sha256::digest(presented.as_bytes()).into()
    }

    pub fn is_name(text: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !text.is_empty() && text.len() <= Self::NAME_MAX && text.bytes().all(fits)
    }
}

impl TokensError {
    /// Of each of them.
    pub const CODE: Code = Code::TokensFile;
}

impl TokensFile {
    pub const MAX: usize = 1_000;
    const BYTES_MAX: u64 = 256 * 1_024;
    /// So that a token that turns up where it should not is known for what it is.
    const PREFIX: &str = "gh_";

    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing where there is no file. A file that others may write is refused.
    pub fn load(&self) -> Result<Vec<Token>, TokensError> {
        let about = match fs::metadata(&self.path) {
            Ok(about) => about,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(self.io(why)),
        };
        let mode = about.mode() & 0o777;
        if mode & 0o022 != 0 {
            return Err(TokensError::Open { path: self.shown(), mode });
        }
        if about.len() > Self::BYTES_MAX {
            return Err(TokensError::TooMany);
        }
        self.parse(&fs::read_to_string(&self.path).map_err(|why| self.io(why))?)
    }

    /// Changes whenever somebody writes the file; `None` without one.
    pub fn mark(&self) -> Option<(u64, u64, i64, i64)> {
        let about = fs::metadata(&self.path).ok()?;
        Some((about.ino(), about.len(), about.ctime(), about.ctime_nsec()))
    }

    /// Adds a token and returns it, for the one time that it is shown.
    pub fn add(&self, name: &str, role: Role) -> Result<String, TokensError> {
        let mut tokens = self.load()?;
        if tokens.iter().any(|token| token.name == name) {
            return Err(TokensError::Known(name.to_owned()));
        }
        if tokens.len() >= Self::MAX {
            return Err(TokensError::TooMany);
        }
        let mut random = [0; 32];
        SystemRandom::new().fill(&mut random).map_err(|_| TokensError::Random)?;
        let token = format!("{}{}", Self::PREFIX, hex(&random));
        tokens.push(Token { name: name.to_owned(), role, sha256: Token::hash(&token) });
        self.write(&tokens)?;
        Ok(token)
    }

    /// False: there was no such token.
    pub fn revoke(&self, name: &str) -> Result<bool, TokensError> {
        let mut tokens = self.load()?;
        let before = tokens.len();
        tokens.retain(|token| token.name != name);
        if tokens.len() == before {
            return Ok(false);
        }
        self.write(&tokens)?;
        Ok(true)
    }

    fn parse(&self, text: &str) -> Result<Vec<Token>, TokensError> {
        let mut tokens: Vec<Token> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let malformed = || TokensError::Malformed { path: self.shown(), line: at + 1 };
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, role, sha256] = words[..] else { return Err(malformed()) };
            let role = Role::parse(role).ok_or_else(malformed)?;
            let sha256 = unhex(sha256).and_then(|sha256| sha256.try_into().ok()).ok_or_else(malformed)?;
            if !Token::is_name(name) || tokens.iter().any(|token| token.name == name) {
                return Err(malformed());
            }
            tokens.push(Token { name: name.to_owned(), role, sha256 });
            if tokens.len() > Self::MAX {
                return Err(TokensError::TooMany);
            }
        }
        Ok(tokens)
    }

    /// Beside it and then into its place: a reader sees the old file or the new one.
    fn write(&self, tokens: &[Token]) -> Result<(), TokensError> {
        let mut text =
            String::from("# Tokens of the API: name, role, SHA-256 of the token. `goldenhour token` writes it.\n");
        for Token { name, role, sha256 } in tokens {
            text.extend([name.as_str(), " ", role.as_str(), " ", &hex(sha256), "\n"]);
        }
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|why| self.io(why))?;
        }
        let beside = self.path.with_extension(format!("new-{}", std::process::id()));
        let written = write_new(&beside, &text).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|why| self.io(why))
    }

    fn io(&self, why: io::Error) -> TokensError {
        TokensError::Io { path: self.shown(), why }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_is_shown_once_and_kept_as_a_hash() {
        let home = tempfile::tempdir().unwrap();
        let file = TokensFile::new(home.path().join("var/tokens"));
        assert_eq!(file.load().unwrap(), []);
        let token = file.add("desk", Role::Operator).unwrap();
        file.add("board", Role::Viewer).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(token.len() > 60 && !text.contains(&token) && !text.contains(&token[3..]), "{text}");
        let known = file.load().unwrap();
        assert_eq!(
            (known[0].name.as_str(), known[0].role, known[0].sha256),
            ("desk", Role::Operator, Token::hash(&token))
        );
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(file.add("desk", Role::Viewer), Err(TokensError::Known(_))));
        assert!(file.revoke("desk").unwrap() && !file.revoke("desk").unwrap());
        assert_eq!(file.load().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_is_damaged_or_open_to_others_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = TokensFile::new(home.path().join("tokens"));
        let hash = "0".repeat(64);
        for bad in [
            format!("a king {hash}"),
            "a viewer 12".into(),
            format!("a b viewer {hash}"),
            format!("a viewer {hash}\na admin {hash}"),
        ] {
            fs::write(file.path(), &bad).unwrap();
            assert!(matches!(file.load(), Err(TokensError::Malformed { .. })), "{bad}");
        }
        fs::write(file.path(), format!("# ours\n\na viewer {hash}\n")).unwrap();
        assert_eq!(file.load().unwrap().len(), 1);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(file.load(), Err(TokensError::Open { .. })));
    }
}
