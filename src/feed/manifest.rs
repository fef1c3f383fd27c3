//! What was loaded, as a file beside the import: for auditors, and for whoever asks where a lead came from.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::Wall;

use super::ImportReport;
use super::atomic::AtomicFile;

/// A manifest under way: the file is made before anything is loaded, so that a full disk is noticed in time.
#[derive(Debug)]
pub struct Manifest(Option<AtomicFile>);

#[derive(Serialize)]
struct Content<'a> {
    at: String,
    program: &'static str,
    #[serde(flatten)]
    report: &'a ImportReport,
}

impl Manifest {
    /// `None` writes nothing.
    pub fn begin(path: Option<&Path>) -> io::Result<Self> {
        Ok(Self(path.map(AtomicFile::create).transpose()?))
    }

    /// Where it lies.
    pub fn finish(self, report: &ImportReport, at: Wall) -> io::Result<Option<PathBuf>> {
        let Some(mut file) = self.0 else { return Ok(None) };
        let program = concat!("goldenhour ", env!("CARGO_PKG_VERSION"));
        let content = Content { at: super::rfc3339(at), program, report };
        serde_json::to_writer_pretty(&mut file, &content)?;
        file.write_all(b"\n")?;
        file.commit().map(Some)
    }
}
