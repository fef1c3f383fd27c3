//! A model folder: `model.json`, and the forests that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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
    load_model_with_digest(folder).map(|(model, _)| model)
}

/// With the SHA-256 of all its files: models with the same digest score alike.
pub fn load_model_with_digest(folder: &Path) -> Result<(Scorer, [u8; 32]), ModelFolderError> {
    // A promotion in the middle moves the name; what is read is one model all the same.
    let folder = fs::canonicalize(folder).map_err(|source| unread(folder, source))?;
    let text = read(&folder.join(MANIFEST))?;
    let refused = |refusal| ModelFolderError::Refused { path: folder.join(MANIFEST), refusal };
    let manifest = Manifest::parse(&text).map_err(refused)?;
    let a = read(&folder.join(&manifest.models.a.file))?;
    let b = manifest.models.b.as_ref().map(|b| read(&folder.join(&b.file))).transpose()?;
    let mut hash = Sha256::new();
    for file in [Some(&text), Some(&a), b.as_ref()].into_iter().flatten() {
        hash.update((file.len() as u64).to_be_bytes());
        hash.update(file);
    }
    let model = Scorer::new(manifest, &a, b.as_deref()).map_err(refused)?;
    Ok((model, hash.finalize().into()))
}

fn read(path: &Path) -> Result<Vec<u8>, ModelFolderError> {
    fs::read(path).map_err(|source| unread(path, source))
}

fn unread(path: &Path, source: io::Error) -> ModelFolderError {
    ModelFolderError::Read { path: path.to_owned(), source }
}
