//! A real Prometheus on loopback that scrapes what a test shows it, and answers queries.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::ports::free_address;

/// Ended and cleaned away when dropped.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    _home: TempDir,
}

/// Polls are 100 ms apart.
const POLLS_MAX: usize = 300;

impl Prometheus {
    /// Scrapes `target` every second.
    pub(crate) fn start(target: SocketAddr) -> Self {
        Self::start_with_rules(target, "groups: []\n")
    }

    /// And evaluates these alert rules every second.
    pub(crate) fn start_with_rules(target: SocketAddr, rules: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("prometheus.yml");
        fs::write(home.path().join("rules.yaml"), rules).unwrap();
        let scrape = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yaml]\nscrape_configs:\n  - \
             job_name: goldenhour\n    static_configs: [{{ targets: [\"{target}\"] }}]\n"
        );
        fs::write(&config, scrape).unwrap();
        let address = free_address();
        let log = fs::File::create(home.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", home.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is not on the PATH: run scripts/test, which unpacks it");
        let prometheus = Self { child, address, _home: home };
        wait_until("prometheus is ready", || prometheus.get("/-/ready").is_some_and(|answer| answer.contains(" 200 ")));
        prometheus
    }

    /// The values of an instant query. `Err` is Prometheus's own word on a bad one.
    pub(crate) fn query(&self, expr: &str) -> Result<Vec<f64>, String> {
        let value = |sample: &Value| sample.pointer("/value/1")?.as_str()?.parse().ok();
        Ok(self.samples(expr)?.iter().filter_map(value).collect())
    }

    /// One label of each series of an instant query.
    pub(crate) fn label(&self, expr: &str, label: &str) -> Result<Vec<String>, String> {
        let value = |sample: &Value| Some(sample.pointer("/metric")?.get(label)?.as_str()?.to_owned());
        Ok(self.samples(expr)?.iter().filter_map(value).collect())
    }

    fn samples(&self, expr: &str) -> Result<Vec<Value>, String> {
        let answer = self.get(&format!("/api/v1/query?query={}", percent_encoded(expr))).ok_or("no answer")?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let json: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {answer}"))?;
        if let Some(error) = json.get("error").and_then(Value::as_str) {
            return Err(error.to_owned());
        }
        Ok(json.pointer("/data/result").and_then(Value::as_array).ok_or("no result")?.clone())
    }

    /// HTTP/1.0, so that the answer comes whole and ends with the connection.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Asks again every 100 ms, and gives up after 30 s.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let came = (0..POLLS_MAX).any(|_| {
        let now = holds();
        if !now {
            thread::park_timeout(Duration::from_millis(100));
        }
        now
    });
    assert!(came, "waited in vain: {what}");
}

fn percent_encoded(text: &str) -> String {
    let one = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(b).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
