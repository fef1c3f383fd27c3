//! What commands on an installation share: its configuration, its campaigns, its keys and its database.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::base::Diagnostic;
use crate::campaign::{Campaign, Plan, load};
use crate::daemon::config::{Config, Database};
use crate::daemon::read_folder;
use crate::engine::EngineConfig;
use crate::feed::Sources;
use crate::http::TokensFile;
use crate::store::{Keys, Sqlite, StoreError};

use super::exit::{Exit, Stop};
use super::finding;

/// One installation, as its configuration describes it. Warnings are for `check`.
#[derive(Debug)]
pub(super) struct Site {
    config: Config,
}

impl Site {
    pub(super) fn read(config: &Path) -> Result<Self, Stop> {
        let loaded = Config::load(config).map_err(|findings| Stop::found(Exit::Invalid, findings))?;
        Ok(Self { config: loaded.config })
    }

    /// Every campaign, or every mistake in them.
    pub(super) fn plan(&self) -> Result<Plan, Stop> {
        let folder = read_folder(&self.config.campaigns, Some(self.config.known_names()))
            .map_err(|finding| Stop::one(Exit::Invalid, finding))?;
        load(&folder).map_err(|findings| {
            let errors = findings.into_iter().filter(Diagnostic::is_error).collect();
            Stop::found(Exit::Invalid, errors)
        })
    }

    pub(super) fn campaign(&self, name: &str) -> Result<Arc<Campaign>, Stop> {
        let plan = self.plan()?;
        let found = plan.campaigns.iter().find(|campaign| campaign.name == name);
        found.cloned().ok_or_else(|| unknown(name, &plan))
    }

    /// With its keys, and its schema brought up to date. Both are made at first use.
    pub(super) async fn store(&self) -> Result<(Sqlite, Arc<Keys>), Stop> {
        self.open().await.map_err(|error| Stop::store_open(&error))
    }

    /// For reading one moment of it, beside a running daemon; nothing is made and nothing is written.
    pub(super) async fn look(&self) -> Result<Sqlite, Stop> {
        self.look_at().await.map_err(|error| Stop::store_open(&error))
    }

    /// As the daemon's engine has it, but for the seed: nothing is drawn where nobody is dialled.
    pub(super) fn engine_config(&self) -> EngineConfig {
        crate::daemon::engine_config(&self.config, 0, 1.0)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn database(&self) -> &Path {
        match &self.config.database {
            Database::Sqlite(path) => path,
        }
    }

    pub(super) fn campaigns(&self) -> &Path {
        &self.config.campaigns
    }

    pub(super) fn sources(&self) -> &Sources {
        &self.config.sources
    }

    /// Where a list that comes through a pipe is kept while it is read: beside the database, which has room, once there
    /// is one.
    pub(super) fn spool(&self) -> PathBuf {
        let folder = self.database().parent().filter(|folder| folder.is_dir());
        folder.map_or_else(std::env::temp_dir, Path::to_owned)
    }

    pub(super) fn tokens(&self) -> TokensFile {
        TokensFile::new(&self.config.tokens_file)
    }

    pub(super) fn keys_file(&self) -> &Path {
        &self.config.keys_file
    }

    /// Where files about `list` go that nobody named a place for: next to the database.
    pub(super) fn beside_database(&self, list: &Path, ending: &str) -> PathBuf {
        let name = list.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.database().with_file_name(format!("{name}.{ending}"))
    }

    async fn look_at(&self) -> Result<Sqlite, StoreError> {
        let path = self.database();
        let url = format!("sqlite://{}", path.display());
        if !path.exists() {
            return Err(StoreError::Open { url, why: "there is none yet; `goldenhour import` makes it".to_owned() });
        }
        Sqlite::look(&url, Arc::new(Keys::load(self.keys_file())?)).await
    }

    async fn open(&self) -> Result<(Sqlite, Arc<Keys>), StoreError> {
        let path = self.database();
        // Keys are made before the database. One without the other has lost them, and new keys would not help.
        let keys = if path.exists() { Keys::load(self.keys_file()) } else { Keys::load_or_create(self.keys_file()) };
        let keys = Arc::new(keys?);
        let mut store = Sqlite::open(&format!("sqlite://{}", path.display()), Arc::clone(&keys)).await?;
        store.migrate().await?;
        Ok((store, keys))
    }
}

/// Runs one command's work to its end.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime cannot be started")?;
    runtime.block_on(work)
}

pub(super) fn unknown(name: &str, plan: &Plan) -> Stop {
    let known = plan.campaigns.iter().map(|campaign| campaign.name.as_str());
    Stop::one(Exit::Invalid, finding::unknown_campaign(name, known))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lost_keys_are_not_replaced_by_new_ones() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("goldenhour.yaml");
        fs::write(&config, "drain_timeout: 1m\n").unwrap();
        let site = Site::read(&config).unwrap();
        let open = || block_on(async { site.store().await.map(|_| ()) });
        open().unwrap();
        fs::remove_file(site.keys_file()).unwrap();
        let stop = open().unwrap_err();
        assert_eq!(stop.exit, Exit::Unreachable);
        assert!(stop.why.to_string().contains("GH3009"), "{}", stop.why);
        assert!(!site.keys_file().exists());
    }
}
