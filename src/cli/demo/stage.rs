//! The demo's folder: campaigns, lists, configuration and database, as a user of the daemon would have them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::base::{Now, render};
use crate::campaign::{Plan, load};
use crate::daemon::config::{Config, Database};
use crate::daemon::read_folder;
use crate::feed::{self, ImportOptions, ReadOptions};
use crate::store::{Keys, Sqlite};

use super::lists::lists;
use super::shipped::FILES;
use crate::cli::output;

/// Ready to be served.
#[derive(Debug)]
pub(super) struct Stage {
    pub dir: PathBuf,
    pub config: Config,
    pub plan: Plan,
    lists: Vec<(&'static str, PathBuf)>,
}

/// Writes what is missing. What is there stays, so that edited campaigns are tried as they are.
pub(super) fn prepare(dir: &Path, gateway: SocketAddr, seed: u64) -> anyhow::Result<Stage> {
    for (path, bytes) in FILES {
        write_new(&dir.join("campaigns").join(path), bytes)?;
    }
    for (kind, _) in crate::campaign::schema::FILES {
        write_new(&dir.join(format!("campaigns/schema/{kind}.json")), crate::cli::schema::text(kind)?.as_bytes())?;
    }
    let mut files = Vec::new();
    for list in lists(seed, 1.0) {
        let path = dir.join("lists").join(format!("{}.csv", list.campaign));
        write_new(&path, list.csv.as_bytes())?;
        files.push((list.campaign, path));
    }
    let config_path = dir.join("goldenhour.yaml");
    // The gateway has another port each time, so this file is written anew.
    fs::write(&config_path, config(gateway)).with_context(|| format!("cannot write {}", config_path.display()))?;
    let config = Config::load(&config_path).map_err(|findings| anyhow::anyhow!("{}", render(&findings)))?.config;
    let folder = read_folder(&config.campaigns, Some(config.known_names()));
    let plan = folder.map_err(|finding| vec![finding]).and_then(|folder| load(&folder));
    let plan = plan.map_err(|findings| anyhow::anyhow!("{}", render(&findings)))?;
    Ok(Stage { dir: dir.to_owned(), config, plan, lists: files })
}

impl Stage {
    pub(super) async fn open(&self) -> anyhow::Result<Sqlite> {
        let Database::Sqlite(path) = &self.config.database;
        let keys = Arc::new(Keys::load_or_create(&self.config.keys_file)?);
        let mut store = Sqlite::open(&format!("sqlite://{}", path.display()), keys).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// All lists, with a line each. Those of an earlier run change nothing.
    pub(super) async fn load_lists(&self, store: &mut Sqlite, now: Now) -> anyhow::Result<()> {
        output::say(&format!("{:<14} {:>6} {:>7} {:>8}", "list", "rows", "leads", "rejects"))?;
        for (name, path) in &self.lists {
            let Some(campaign) = self.plan.campaigns.iter().find(|campaign| campaign.name == *name) else { continue };
            let rejects = Some(self.dir.join("lists").join(format!("{name}.rejects.csv")));
            let read = ReadOptions::new(&campaign.list, None, self.config.country, &self.config.campaigns);
            let options = ImportOptions { read, rejects, manifest: None };
            let mut list = feed::ListFile::open(path, &self.dir)?;
            let report = feed::import(store, name, &campaign.list, &mut list, &options, now, &mut |_| {}).await?;
            let tally = &report.tally;
            output::say(&format!("{name:<14} {:>6} {:>7} {:>8}", tally.rows, tally.leads, tally.rejects))?;
        }
        Ok(())
    }

    pub(super) fn what_next(&self) -> String {
        let dir = self.dir.display();
        format!(
            "\nTo try next\n  \
             goldenhour demo --dir {dir}                    the next day: nobody who is finished is called again\n  \
             goldenhour check {dir}/campaigns               change a campaign there, see what it says, run the demo again\n  \
             goldenhour export --config {dir}/goldenhour.yaml --format jsonl --features --out {dir}/jsonl\n  \
             goldenhour dnc --config {dir}/goldenhour.yaml list   who opted out\n  \
             goldenhour gateway & goldenhour serve --config FILE   the same as two programs, on your own lists"
        )
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Port 0 takes whatever is free.
fn config(gateway: SocketAddr) -> String {
    format!(
        r#"# The demo's daemon. Every number in its lists is fictitious, and only such numbers may be dialled.
database: "sqlite://var/goldenhour.db"
campaigns: campaigns/
keys_file: var/keys
http: {{ listen: "127.0.0.1:0" }}
metrics: {{ listen: "127.0.0.1:0" }}
sip: {{ listen: ["udp://127.0.0.1:0"], media: {{ address: "127.0.0.1", ports: "40000-43999" }} }}
trunks:
  far-end:
    uri: "sip:{gateway}"
    caller_ids: ["+999800000001", "+999800000002", "+999800000003"]
    max_calls: 600
    max_cps: 60
queues:
  card-sales: {{ uri: "sip:8001@far-end", seats: 80 }}
  card-care: {{ uri: "sip:8002@far-end", seats: 80 }}
test_numbers_only: true
drain_timeout: 10s
"#
    )
}
