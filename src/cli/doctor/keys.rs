//! Are the keys there, ours, and closed to others?

use crate::daemon::config::{Config, Database};
use crate::store::{Keys, KeysError};

use super::Finding;

const CHECK: &str = "keys file";

pub(super) fn check(config: &Config) -> Finding {
    let path = &config.keys_file;
    let Database::Sqlite(database) = &config.database;
    if !path.exists() && !database.exists() {
        return Finding::ok(CHECK, format!("{} is made at the first start", path.display()));
    }
    let Err(error) = Keys::load(path) else {
        return Finding::ok(CHECK, format!("{}, mode 0600; back it up apart from the database", path.display()));
    };
    let remedy = match &error {
        KeysError::Open { .. } => format!("chmod 600 {}", path.display()),
        KeysError::Io { .. } | KeysError::Malformed { .. } | KeysError::Missing { .. } | KeysError::Other => {
            "restore it from your backup: without it no number in the database can be read".to_owned()
        }
        KeysError::Random => "try again".to_owned(),
    };
    Finding::fail(CHECK, error.to_string(), remedy)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn open_and_lost_keys_are_told_apart() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("g.yaml"), "drain_timeout: 1m\n").unwrap();
        let config = Config::load(&home.path().join("g.yaml")).unwrap().config;
        assert!(check(&config).what.contains("first start"));
        fs::create_dir(home.path().join("var")).unwrap();
        Keys::load_or_create(&config.keys_file).unwrap();
        assert_eq!(check(&config).result, Verdict::Ok);
        fs::set_permissions(&config.keys_file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(check(&config).remedy.unwrap().starts_with("chmod 600"));
        fs::remove_file(&config.keys_file).unwrap();
        fs::write(home.path().join("var/goldenhour.db"), "").unwrap();
        assert!(check(&config).remedy.unwrap().contains("backup"));
    }
}
