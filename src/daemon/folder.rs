//! The campaigns folder from disk to memory: one snapshot, for start-up, reload and `check`.

use std::fs;
use std::path::Path;

use crate::base::{Code, Diagnostic};
use crate::campaign::{Folder, KnownNames};

/// Far above any real folder; a link to `/` or an endless prompt ends here with a message.
pub(super) const FILES_MAX: usize = 10_000;
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
pub(super) const DEPTH_MAX: usize = 8;

/// Reads every file that the campaign loader wants. `known` are the names of the daemon's configuration, if there is one.
pub fn read_folder(folder: &Path, known: Option<KnownNames>) -> Result<Folder, Diagnostic> {
    let root = folder.to_string_lossy().trim_end_matches('/').to_owned();
    let mut snapshot = Folder { root, known, ..Folder::default() };
    read_into(&mut snapshot, folder, "", 0)?;
    Ok(snapshot)
}

fn read_into(snapshot: &mut Folder, folder: &Path, prefix: &str, depth: usize) -> Result<(), Diagnostic> {
    if depth > DEPTH_MAX {
        return Err(refuse(folder, &format!("lies more than {DEPTH_MAX} folders deep")));
    }
    for entry in fs::read_dir(folder).map_err(|error| refuse(folder, &error.to_string()))? {
        let entry = entry.map_err(|error| refuse(folder, &error.to_string()))?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let inside = format!("{prefix}{name}");
        // Follows links, as mounted configuration needs it.
        let about = fs::metadata(&path).map_err(|error| refuse(&path, &error.to_string()))?;
        if about.is_dir() {
            read_into(snapshot, &path, &format!("{inside}/"), depth + 1)?;
        } else if about.is_file() && Folder::wants(&inside) {
            if about.len() > FILE_BYTES_MAX {
                return Err(refuse(&path, &format!("has {} bytes; at most {FILE_BYTES_MAX} are read", about.len())));
            }
            if snapshot.files.len() == FILES_MAX {
                return Err(refuse(folder, &format!("has more than {FILES_MAX} files")));
            }
            snapshot.insert(inside, fs::read(&path).map_err(|error| refuse(&path, &error.to_string()))?);
        }
    }
    Ok(())
}

fn refuse(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(Code::File, format!("{}: {why}", path.display()))
        .hint("the folder of campaigns holds YAML, Markdown and WAV files that this user can read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_files_are_read_with_their_path_inside_the_folder() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("policies")).unwrap();
        fs::create_dir_all(home.path().join(".git")).unwrap();
        for name in ["a.yaml", "policies/p.yaml", "notes.txt", ".hidden.yaml", ".git/x.yaml"] {
            fs::write(home.path().join(name), name).unwrap();
        }
        let folder = read_folder(home.path(), None).unwrap();
        assert_eq!(folder.files.keys().collect::<Vec<_>>(), ["a.yaml", "policies/p.yaml"]);
    }

    #[test]
    fn a_missing_folder_and_a_loop_of_links_say_so() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read_folder(&home.path().join("none"), None).unwrap_err().code, Code::File);
        std::os::unix::fs::symlink(home.path(), home.path().join("again")).unwrap();
        assert!(read_folder(home.path(), None).unwrap_err().message.contains("folders deep"));
    }
}
