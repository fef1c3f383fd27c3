//! What the sender of a list says about it: `LIST.manifest.json` beside it, with checksum and rows.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use super::ListError;
use super::source::Fingerprint;

const BYTES_MAX: u64 = 64 * 1024;

/// Both are optional; other keys are the sender's own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Said {
    /// Of the file as it lies there, hex.
    sha256: Option<String>,
    /// Without the header.
    rows: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    file: String,
    said: Said,
}

impl Claim {
    /// `None` where the sender says nothing.
    pub fn beside(list: &Path) -> Result<Option<Self>, ListError> {
        let path = list.with_added_extension("manifest.json");
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut text = String::new();
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ListError::Io(error)),
            Ok(open) => open.take(BYTES_MAX).read_to_string(&mut text).map_err(ListError::Io)?,
        };
        match serde_json::from_str(&text) {
            Ok(said) => Ok(Some(Self { file, said })),
            Err(error) => Err(ListError::Manifest { file, what: format!("not JSON, line {}", error.line()) }),
        }
    }

    pub fn check(&self, print: &Fingerprint, rows: u64) -> Result<(), ListError> {
        let not = |what: String| ListError::Manifest { file: self.file.clone(), what };
        if self.said.sha256.as_ref().is_some_and(|said| !said.eq_ignore_ascii_case(&print.hex())) {
            return Err(not("the SHA-256 is another one".to_owned()));
        }
        match self.said.rows.filter(|said| *said != rows) {
            Some(said) => Err(not(format!("{rows} rows, it says {said}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Code;

    #[test]
    fn a_list_is_held_to_what_its_sender_says() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("a.csv");
        let print = Fingerprint { sha256: [0xab; 32], size_bytes: 9 };
        assert_eq!(Claim::beside(&list).unwrap(), None);
        let says = |text: &str| {
            std::fs::write(dir.path().join("a.csv.manifest.json"), text).unwrap();
            Claim::beside(&list).and_then(|claim| claim.unwrap().check(&print, 3))
        };
        let sum = "AB".repeat(32);
        says(&format!("{{\"sha256\":\"{sum}\",\"rows\":3,\"made_by\":\"dw\"}}")).unwrap();
        says("{}").unwrap();
        for bad in ["{\"rows\":4}", "{\"sha256\":\"00\"}", "rows=3"] {
            assert_eq!(says(bad).unwrap_err().code(), Code::ListManifest, "{bad}");
        }
    }
}
