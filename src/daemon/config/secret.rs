//! Secrets: read from files of their own, never shown.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A password. Nothing prints it; `reveal` is the one way in.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    const BYTES_MAX: u64 = 4_096;

    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The file's first line. The second value is a warning: others can read the file.
    pub(super) fn read(path: &Path) -> Result<(Self, Option<String>), String> {
        let say = |error: std::io::Error| format!("{}: {error}", path.display());
        let about = fs::metadata(path).map_err(say)?;
        if !about.is_file() || about.len() > Self::BYTES_MAX {
            return Err(format!("{}: not a file of at most {} bytes", path.display(), Self::BYTES_MAX));
        }
        let text = fs::read_to_string(path).map_err(say)?;
        let value = text.lines().next().unwrap_or("");
        if value.is_empty() || text.lines().nth(1).is_some() {
            return Err(format!("{}: the secret is one line, and nothing else", path.display()));
        }
        let mode = about.permissions().mode() & 0o777;
        let warning = (mode & 0o077 != 0)
            .then(|| format!("{} can be read by others (mode {mode:03o}): chmod 600", path.display()));
        Ok((Self::new(value), warning))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_and_never_printed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("password");
        fs::write(&path, "s3cret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let (secret, warning) = Secret::read(&path).unwrap();
        assert_eq!((secret.reveal(), warning), ("s3cret", None));
        assert_eq!(format!("{secret:?}"), "****");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Secret::read(&path).unwrap().1.unwrap().contains("mode 644"));
    }

    #[test]
    fn empty_long_and_many_lined_files_are_no_secret() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("password");
        for text in [String::new(), "\n".into(), "a\nb\n".into(), "x".repeat(5_000)] {
            fs::write(&path, text).unwrap();
            assert!(Secret::read(&path).is_err());
        }
        assert!(Secret::read(home.path()).is_err());
    }
}
