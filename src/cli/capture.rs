//! `goldenhour capture`: all packets of one call into a file, asked of the running daemon through its API.

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use ureq::Agent;
use ureq::http::Response;

use crate::base::Pii;
use crate::line::Capture;

use super::exit::{Exit, OrExit as _, Stop};
use super::output;
use super::site::{Site, block_on};

/// Keep every packet of the next call over a trunk, or to a person, as a pcap file. It holds numbers and voices: nothing is masked
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["trunk", "contact"])))]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The next call that begins over this trunk
    #[arg(long, value_name = "NAME")]
    trunk: Option<String>,
    /// The next call to this person, by the bank's key
    #[arg(long, value_name = "KEY", value_parser = super::explain::secret)]
    contact: Option<Pii<String>>,
    /// When it ends at the latest, the waiting included
    #[arg(long, value_name = "N", default_value_t = Capture::TIME.as_secs(), value_parser = clap::value_parser!(u64).range(1..=Capture::TIME_MAX.as_secs()))]
    seconds: u64,
    /// Where the packets go; there must be no such file yet
    #[arg(long, value_name = "FILE", default_value = "call.pcap")]
    out: PathBuf,
    /// A token of the API whose role is operator
    #[arg(long, value_name = "TOKEN", env = "GOLDENHOUR_TOKEN", hide_env_values = true, value_parser = super::explain::secret)]
    token: Pii<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// As the API tells it.
#[derive(Debug, Deserialize)]
struct State {
    #[serde(rename = "state")]
    stage: String,
    over: Option<String>,
    attempt: Option<String>,
    packets: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    attempt: Option<String>,
    packets: u64,
    bytes: usize,
    /// `call_ended`, `time`, `full`, `stopped`.
    over: Option<String>,
}

/// The running daemon.
struct Client {
    agent: Agent,
    url: String,
    token: Pii<String>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    match block_on(capture(args)) {
        Ok(report) => output::answer(args.json, &report, None),
        Err(stop) => output::failed(args.json, stop),
    }
}

async fn capture(args: &Args) -> Result<Report, Stop> {
    let client = Client::of(&Site::read(&args.config)?, args);
    let interrupt = signal(SignalKind::interrupt())?;
    // What cannot be written is known before a call is spent on it.
    let mut file = create(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let kept = keep(args, &client, interrupt, &mut file).await;
    if kept.is_err() {
        let _there_is_nothing_in_it = fs::remove_file(&args.out);
    }
    kept
}

async fn keep(args: &Args, client: &Client, interrupt: Signal, file: &mut File) -> Result<Report, Stop> {
    let key = args.contact.as_ref().map(Pii::reveal);
    client.begin(&json!({ "trunk": args.trunk, "contact": key, "seconds": args.seconds }))?;
    let whom = args.trunk.as_ref().map_or_else(|| "to this person".to_owned(), |trunk| format!("over {trunk}"));
    output::complain(&format!(
        "waiting for the next call {whom}; it ends with the call, after {} s, or with Ctrl-C\n{UNMASKED}",
        args.seconds
    ));
    let fetched = fetch(client, interrupt).await;
    // The daemon forgets it by itself if this does not reach it.
    let _forgotten = client.ask("DELETE", "");
    let (state, bytes) = fetched?;
    if state.packets == 0 {
        return Err(anyhow!("there was no call {whom} in this time").into());
    }
    file.write_all(&bytes).and_then(|()| file.sync_all()).with_context(|| args.out.display().to_string())?;
    let State { attempt, packets, over, .. } = state;
    Ok(Report { file: args.out.clone(), attempt, packets, bytes: bytes.len(), over })
}

const UNMASKED: &str =
    "the file holds numbers and voices, and NOTHING in it is masked: keep it to yourself, and delete it after use";

/// The end of it, and the file.
async fn fetch(client: &Client, mut interrupt: Signal) -> Result<(State, Vec<u8>), Stop> {
    loop {
        let state: State = serde_json::from_slice(&client.ask("GET", "")?)?;
        if state.stage == "over" {
            let file = if state.packets == 0 { Vec::new() } else { client.ask("GET", "/file")? };
            return Ok((state, file));
        }
        tokio::select! {
            () = a_moment() => {}
            _ = interrupt.recv() => drop(client.ask("POST", "/stop")?),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "asks a daemon how a call goes, a few times a second")]
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

fn create(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

impl Client {
    /// Beyond the 15 s that the API gives itself.
    const TIMEOUT: Duration = Duration::from_secs(20);

    fn of(site: &Site, args: &Args) -> Self {
        let mut address = site.config().http;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        let agent = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Self::TIMEOUT))
            .build();
        Self { agent: agent.into(), url: format!("http://{address}/api/v1/capture"), token: args.token.clone() }
    }

    fn begin(&self, body: &Value) -> Result<(), Stop> {
        let request = self.agent.post(&self.url).header("Authorization", self.bearer());
        self.read(request.content_type("application/json").send(body.to_string())).map(drop)
    }

    fn ask(&self, method: &str, path: &str) -> Result<Vec<u8>, Stop> {
        let url = format!("{}{path}", self.url);
        let bearer = self.bearer();
        self.read(match method {
            "DELETE" => self.agent.delete(url).header("Authorization", bearer).call(),
            "POST" => self.agent.post(url).header("Authorization", bearer).send_empty(),
            _ => self.agent.get(url).header("Authorization", bearer).call(),
        })
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.reveal())
    }

    /// The body; a problem in the API's own words.
    fn read(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, Stop> {
        let unreachable = || format!("no daemon answers at {}", self.url);
        let mut answer = answer.with_context(unreachable).or_exit(Exit::Unreachable)?;
        let limit = 2 * Capture::BYTES_MAX as u64;
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.with_context(unreachable).or_exit(Exit::Unreachable)?;
        let exit = match answer.status().as_u16() {
            200 => return Ok(body),
            404 => Exit::Invalid,
            401 | 403 | 409 => Exit::Refused,
            _ => Exit::Failure,
        };
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let said = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Err(Stop { exit, why: anyhow!("{}: {}", said("code"), said("detail")) })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempt = self.attempt.as_deref().unwrap_or("?");
        let end = match self.over.as_deref() {
            Some("call_ended") => "to its end",
            Some("full") => "until the file was full",
            Some("stopped") => "until it was stopped",
            _ => "until the time was up",
        };
        let (file, packets) = (self.file.display(), self.packets);
        write!(f, "{file}: {packets} packets of attempt {attempt}, {end}\n{UNMASKED}")
    }
}
