//! The real daemon and the real far end, each a process of its own in a folder of its own, and what they say of themselves.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Row as _};
use tempfile::TempDir;

use crate::ports::{hold_ports, local};

/// Long enough for a debug build on a busy machine; a test that gets there is red.
const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);

/// A configuration, a database, campaigns and free ports of its own.
pub(crate) struct Site {
    home: TempDir,
    pub(crate) http: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// Where the daemon takes datagrams.
    pub(crate) sip: SocketAddr,
    /// Where the far end is expected.
    pub(crate) gateway: SocketAddr,
    /// Hold the range of ports against other tests.
    _ports: Vec<TcpListener>,
}

/// What a trial may choose about its daemon.
pub(crate) struct Setup {
    pub(crate) max_calls: u32,
    pub(crate) max_cps: u32,
    pub(crate) seats: u32,
    pub(crate) drain_s: u32,
    /// RTP ports, and ten more; half as many calls.
    pub(crate) ports: u16,
    /// As the configuration says it.
    pub(crate) options_every: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self { max_calls: 200, max_cps: 100, seats: 40, drain_s: 60, ports: 600, options_every: "off" }
    }
}

/// A child that does not outlive its test.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// What it logs holds nobody's number.
    is_ours: bool,
}

/// A running `goldenhour serve`.
pub(crate) struct Daemon {
    process: Process,
    http: SocketAddr,
    metrics: SocketAddr,
}

impl Site {
    pub(crate) fn new(setup: &Setup) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (held, first) = hold_ports(setup.ports);
        let [http, metrics, sip, gateway] = [1, 2, 3, 4].map(|at| local(first + at));
        let Setup { max_calls, max_cps, seats, drain_s, ports, options_every } = setup;
        let (first, last) = (first + 10, first + ports - 1);
        let config = format!(
            "database: \"sqlite://var/goldenhour.db\"\ncampaigns: campaigns/\nkeys_file: var/keys\n\
             http: {{ listen: \"{http}\" }}\nmetrics: {{ listen: \"{metrics}\" }}\n\
             sip: {{ listen: [\"udp://{sip}\"], media: {{ address: \"127.0.0.1\", ports: \"{first}-{last}\" }} }}\n\
             trunks:\n  gw-a:\n    uri: \"sip:{gateway}\"\n    caller_ids: [\"+999100000001\"]\n    \
             max_calls: {max_calls}\n    max_cps: {max_cps}\n    options_every: {options_every}\nqueues:\n  \
             card-sales: {{ uri: \"sip:8001@gw-a\", seats: {seats} }}\n  \
             card-care: {{ uri: \"sip:8002@gw-a\", seats: {seats} }}\ndrain_timeout: {drain_s}s\n"
        );
        fs::write(home.path().join("goldenhour.yaml"), config).unwrap();
        fs::create_dir(home.path().join("campaigns")).unwrap();
        Self { home, http, metrics, sip, gateway, _ports: held }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What we ship beside the campaigns: policies, calendars, dispositions, scripts, prompts.
    pub(crate) fn take_shipped(&self) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
        for folder in ["policies", "calendars", "dispositions", "scripts", "prompts"] {
            let to = self.path("campaigns").join(folder);
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(shipped.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
    }

    /// A subcommand with this configuration: its standard output. It must succeed.
    #[track_caller]
    pub(crate) fn run(&self, subcommand: &str, more: &[&str]) -> String {
        let output = command(subcommand, &self.path("goldenhour.yaml")).args(more).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{subcommand} {more:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same, where it must fail: its standard error.
    #[track_caller]
    pub(crate) fn refuse(&self, subcommand: &str, more: &[&str]) -> String {
        let output = command(subcommand, &self.path("goldenhour.yaml")).args(more).output().unwrap();
        assert!(!output.status.success(), "{subcommand} {more:?} went well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Imports a file into a campaign and returns the report.
    #[track_caller]
    pub(crate) fn import(&self, campaign: &str, list: &Path) -> Value {
        let said = self.run("import", &["--campaign", campaign, "--json", list.to_str().unwrap()]);
        serde_json::from_str(&said).unwrap()
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn serve(&self, more: &[&str]) -> Daemon {
        self.serve_logging("info", more)
    }

    pub(crate) fn serve_logging(&self, filter: &str, more: &[&str]) -> Daemon {
        let mut daemon = self.spawn_logging(filter, more);
        until("the daemon is ready", || {
            daemon.process.must_run();
            get(self.http, "/readyz").is_some_and(|answer| answer.split(' ').nth(1) == Some("200"))
        });
        daemon
    }

    /// Does not wait for anything.
    pub(crate) fn spawn(&self) -> Daemon {
        self.spawn_logging("info", &[])
    }

    fn spawn_logging(&self, filter: &str, more: &[&str]) -> Daemon {
        let log = self.path("serve.log");
        let mut command = command("serve", &self.path("goldenhour.yaml"));
        command.args(more).env("GOLDENHOUR_LOG", filter);
        Daemon { process: Process::start(command, &log), http: self.http, metrics: self.metrics }
    }

    /// Our own far end, whose witness log is `witness.jsonl`. `population` is a file's text.
    pub(crate) fn far_end(&self, population: &str, clock: &[&str]) -> Process {
        self.write("population.yaml", population);
        let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
        command.arg("gateway").args(["--listen", &self.gateway.to_string()]).args(clock);
        command.arg("--population").arg(self.path("population.yaml"));
        command.arg("--witness").arg(self.path("witness.jsonl"));
        let mut process = Process::start(command, &self.path("gateway.log"));
        until("the far end listens", || {
            process.must_run();
            process.log().contains("far end listens")
        });
        process
    }

    /// The witness log so far.
    pub(crate) fn witness(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("witness.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Lines of the witness log with this event.
    pub(crate) fn witnessed(&self, event: &str) -> Vec<Value> {
        self.witness().into_iter().filter(|line| line["event"] == event).collect()
    }

    /// How many of them: without reading more of each line than that.
    pub(crate) fn count_witnessed(&self, event: &str) -> usize {
        let text = fs::read_to_string(self.path("witness.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.matches(&format!("\"event\":\"{event}\"")).count()
    }

    /// The database as it is on disk now.
    pub(crate) fn rows(&self, sql: &'static str) -> Vec<SqliteRow> {
        let options = SqliteConnectOptions::new().filename(self.path("var/goldenhour.db")).read_only(true);
        let options = options.busy_timeout(Duration::from_secs(30)).disable_statement_logging();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = options.connect().await.unwrap();
            sqlx::query(sql).fetch_all(&mut connection).await.unwrap()
        })
    }

    /// Changes the database behind the daemon's back.
    pub(crate) fn execute(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.path("var/goldenhour.db"));
        let options = options.busy_timeout(Duration::from_secs(30)).disable_statement_logging();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        });
    }

    /// The one number that a query asks for.
    pub(crate) fn number(&self, sql: &'static str) -> i64 {
        self.rows(sql)[0].get(0)
    }

    /// Columns of text of every row.
    pub(crate) fn texts<const N: usize>(&self, sql: &'static str) -> Vec<[String; N]> {
        self.rows(sql).iter().map(|row| std::array::from_fn(|at| row.get(at))).collect()
    }
}

impl Drop for Site {
    /// What a red test leaves is worth a look.
    fn drop(&mut self) {
        if thread::panicking() {
            self.home.disable_cleanup(true);
            eprintln!("kept: {}", self.home.path().display());
        }
    }
}

impl Process {
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = fs::File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let program = command.get_program().to_owned();
        let child = command.spawn().unwrap_or_else(|why| panic!("{}: {why}", program.display()));
        Self { child, log: log.to_owned(), is_ours: program == env!("CARGO_BIN_EXE_goldenhour") }
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// A signal by name, to this process only.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and gone when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn must_run(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("it has ended with {status}:\n{}", self.log());
        }
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
        if !thread::panicking() && self.is_ours {
            assert_eq!(full_numbers(&self.log()), [""; 0], "{} shows them", self.log.display());
        }
        if thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- {}:", self.log.display());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

impl Daemon {
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// SIGTERM; it must drain and exit 0.
    pub(crate) fn stop(mut self) {
        self.process.signal("TERM");
        let status = self.process.wait();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }

    /// SIGHUP, taken over.
    pub(crate) fn reload(&self) {
        let reloads = || self.metric("goldenhour_config_reloads_total", &["result=\"ok\""]);
        let before = reloads();
        self.process.signal("HUP");
        until("the plan is read again", || reloads() > before + 0.5);
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    pub(crate) fn get(&self, path: &str) -> String {
        get(self.http, path).unwrap_or_default()
    }

    pub(crate) fn metrics_text(&self) -> String {
        get(self.metrics, "/metrics").unwrap_or_default()
    }

    /// The sum of all series whose line begins with `name` and holds every one of `labels`, as in `state="waiting"`.
    pub(crate) fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.metrics_text();
        let of = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let own = series == name || series.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
            (own && labels.iter().all(|label| series.contains(label))).then(|| value.parse::<f64>().unwrap())
        };
        text.lines().filter_map(of).sum()
    }
}

/// Asks again and again; gives up, red, when patience ends.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl FnMut() -> bool) {
    assert!(within(PATIENCE, holds), "waited in vain: {what}");
}

/// True as soon as it holds; false after `limit`.
pub(crate) fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = now() + limit;
    loop {
        if holds() {
            return true;
        }
        if now() >= end {
            return false;
        }
        thread::park_timeout(POLL);
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes are waited for in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn command(subcommand: &str, config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg(subcommand).arg("--config").arg(config).stdin(Stdio::null());
    command
}

/// HTTP/1.0, so that the answer comes whole and ends with the connection.
fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Test numbers in full, +999 and nine digits, that are not the caller ids of the configurations of this suite.
fn full_numbers(log: &str) -> Vec<&str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    // Not within an id or a longer number.
    let begins = |at: usize| !log[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    let found = log.match_indices("999").filter(|(at, _)| begins(*at));
    let found = found.filter_map(|(at, _)| log.get(at..at + digits(log.get(at..)?)));
    let number = |digits: &&str| digits.len() == 12 && !digits.starts_with("99910000000");
    found.filter(number).collect()
}

#[test]
fn a_number_in_a_log_is_found_and_a_caller_id_is_let_through() {
    let log = "to +9992****0001 from +999100000001, sip:+999200000001@127.0.0.1 took 999 ms, id 0199-999000000001";
    assert_eq!(full_numbers(log), ["999200000001"]);
}
