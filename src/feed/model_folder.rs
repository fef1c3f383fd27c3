//! A model folder: `model.json`, and the forests that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::{Manifest, Refusal, Scorer};

pub const MANIFEST: &str = "model.json";

#[derive(Debug, thiserror::Error)]
pub enum ModelFolderError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {refusal}", path.display())]
    Refused { path: PathBuf, refusal: Refusal },
}

/// The manifest alone.
pub fn load_manifest(folder: &Path) -> Result<Manifest, ModelFolderError> {
    let path = folder.join(MANIFEST);
    Manifest::parse(&read(&path)?).map_err(|refusal| ModelFolderError::Refused { path, refusal })
}

pub fn load_model(folder: &Path) -> Result<Scorer, ModelFolderError> {
    let manifest = load_manifest(folder)?;
    let refused = |refusal| ModelFolderError::Refused { path: folder.join(MANIFEST), refusal };
    let a = read(&folder.join(&manifest.models.a.file))?;
    let b = manifest.models.b.as_ref().map(|b| read(&folder.join(&b.file))).transpose()?;
    Scorer::new(manifest, &a, b.as_deref()).map_err(refused)
}

fn read(path: &Path) -> Result<Vec<u8>, ModelFolderError> {
    fs::read(path).map_err(|source| ModelFolderError::Read { path: path.to_owned(), source })
}
