//! Can the database be opened and written, and is its schema ours?

use std::sync::Arc;

use crate::base::Wall;
use crate::cli::exit::Stop;
use crate::cli::site::block_on;
use crate::daemon::config::{Config, Database};
use crate::store::{Examined, Keys, Sqlite, StoreError};

use super::Finding;

const CHECK: &str = "database";

/// And the latest time that it knows.
pub(super) fn check(config: &Config) -> Result<(Finding, Option<Wall>), Stop> {
    let Database::Sqlite(path) = &config.database;
    if !path.exists() {
        let what = format!("{} is made at the first start", path.display());
        return Ok((Finding::ok(CHECK, what), None));
    }
    let Ok(keys) = Keys::load(&config.keys_file) else {
        return Ok((Finding::fail(CHECK, "not looked at", "mend the keys file first"), None));
    };
    let url = format!("sqlite://{}", path.display());
    let looked = block_on(async {
        let looked = look(&url, keys).await;
        Ok(looked)
    })?;
    Ok(match looked {
        Ok(examined) => (judge(&path.display().to_string(), &examined), examined.high_water),
        Err(error) => {
            let remedy = format!("docs/errors/{}.md says what to do", error.code());
            (Finding::unreachable(CHECK, format!("{}: {error}", error.code()), remedy), None)
        }
    })
}

async fn look(url: &str, keys: Keys) -> Result<Examined, StoreError> {
    let mut store = Sqlite::open(url, Arc::new(keys)).await?;
    let examined = store.examine().await?;
    store.close().await?;
    Ok(examined)
}

fn judge(path: &str, examined: &Examined) -> Finding {
    let Examined { wal, newest, schema, keys_fit, .. } = examined;
    if !wal {
        let what = format!("{path} has no write-ahead log, so other commands cannot work beside the daemon");
        return Finding::fail(CHECK, what, "put it on a local disk: network file systems cannot do this");
    }
    if schema > newest {
        let what = format!("{path} has schema {schema}, this program knows {newest}");
        return Finding::fail(CHECK, what, "run the newer program, or restore the backup from before the upgrade");
    }
    if *keys_fit == Some(false) {
        let what = format!("{path} was sealed with other keys than those of the keys file");
        return Finding::fail(CHECK, what, "restore the keys file that belongs to it");
    }
    if schema < newest {
        let what = format!("{path} lacks {} of {newest} migrations", newest - schema);
        return Finding::warn(
            CHECK,
            what,
            "back it up, then `goldenhour migrate --config FILE`; the next start does it too",
        );
    }
    Finding::ok(CHECK, format!("{path} can be written, its schema is {schema}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    const FINE: Examined =
        Examined { wal: true, newest: 2, schema: 2, keys_fit: Some(true), high_water: Some(Wall(1)) };

    #[test]
    fn what_keeps_a_database_from_being_used_is_told_apart() {
        for (examined, expected, word) in [
            (FINE, Verdict::Ok, "can be written"),
            (Examined { wal: false, ..FINE }, Verdict::Fail, "write-ahead"),
            (Examined { schema: 3, ..FINE }, Verdict::Fail, "knows 2"),
            (Examined { keys_fit: Some(false), ..FINE }, Verdict::Fail, "other keys"),
            (Examined { schema: 0, keys_fit: None, ..FINE }, Verdict::Warn, "lacks 2 of 2"),
        ] {
            let found = judge("g.db", &examined);
            assert!(found.result == expected && found.what.contains(word), "{found:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_database_is_unreachable() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("g.yaml"), "drain_timeout: 1m\n").unwrap();
        let config = Config::load(&home.path().join("g.yaml")).unwrap().config;
        assert_eq!(check(&config).unwrap().0.result, Verdict::Ok);
        std::fs::create_dir(home.path().join("var")).unwrap();
        Keys::load_or_create(&config.keys_file).unwrap();
        std::fs::write(home.path().join("var/goldenhour.db"), "this is a letter to my grandmother, and a long one")
            .unwrap();
        let found = check(&config).unwrap().0;
        assert!(found.result == Verdict::Fail && found.what.starts_with("GH30"), "{found:?}");
    }
}
