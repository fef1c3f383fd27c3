//! A PostgreSQL server of a test's own: a fresh cluster in a folder of its own, on a loopback port, ended with the test.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tempfile::TempDir;

use crate::daemon::until;
use crate::ports::free_address;

/// The superuser of the cluster, who logs in from loopback with this password only.
pub(crate) const SUPERUSER: &str = "goldenhour";
pub(crate) const PASSWORD: &str = "s3cret-of-the-test";

/// PostgreSQL refuses to run as root, and this user exists on every Debian.
const NOBODY: u32 = 65_534;

/// Ended and cleaned away when dropped. The only database is `postgres`.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    home: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more settings, each `name=value`. Nothing is synced to disk unless they say so.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let is_root = fs::metadata(home.path()).unwrap().uid() == 0;
        if is_root {
            chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(found(program));
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            // The test reads its log.
            command.current_dir(home.path()).env("LC_ALL", "C").stdin(Stdio::null());
            command
        };
        let data = home.path().join("data");
        fs::write(home.path().join("password"), PASSWORD).unwrap();
        let made = command("initdb")
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256", "--pwfile", "password"])
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb is not there: run scripts/test, which installs PostgreSQL");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = free_address();
        let mut server = command("postgres");
        server.arg("-D").arg(&data).args(["-p", &address.port().to_string(), "-h", "127.0.0.1"]);
        for setting in ["unix_socket_directories=", "fsync=off", "shared_buffers=16MB"].iter().chain(settings) {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(home.path().join("log")).unwrap();
        let child = server.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut server = Self { child, address, home };
        until("PostgreSQL is ready", || {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {}", server.log());
            server.log().contains("database system is ready to accept connections")
        });
        server
    }

    /// `postgres://USER@HOST:PORT/postgres`, without a password.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("postgres://{user}@{}/postgres", self.address)
    }

    /// Statements of the superuser, together one transaction unless they say otherwise.
    pub(crate) fn execute(&self, sql: &'static str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = self.connect().await;
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        });
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        let options: PgConnectOptions = self.url(SUPERUSER).parse().unwrap();
        options.password(PASSWORD).connect().await.unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    /// SIGQUIT, its immediate shutdown: after SIGKILL its own children would stay.
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ended = self.child.kill();
        }
        let _status = self.child.wait();
    }
}

/// Debian keeps the server's programs out of the PATH; elsewhere they are on it.
fn found(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).max_by_key(number);
    let own = newest.map(|version| version.join("bin").join(program)).filter(|path| path.is_file());
    own.unwrap_or_else(|| program.into())
}
