//! Does a daemon run here already, and how is it? If not: can its ports be had?

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::Value;

use crate::daemon::config::Config;

use super::Finding;

const DAEMON: &str = "daemon";
const PORTS: &str = "ports";
const PATIENCE: Duration = Duration::from_secs(2);
/// Metrics of many campaigns are long.
const ANSWER_MAX: u64 = 4 * 1_024 * 1_024;

/// `None`: no daemon of ours answers at `http.listen`.
pub(super) fn daemon(config: &Config) -> Option<Finding> {
    let (_, index) = get(config.http, "/")?;
    if index.get("name").and_then(Value::as_str) != Some("goldenhour") {
        return None;
    }
    let version = index.get("version").and_then(Value::as_str).unwrap_or("?");
    let what = format!("version {version} runs at {}", config.http);
    let (alive, health) = get(config.http, "/livez").unwrap_or((0, Value::Null));
    if alive != 200 {
        let why = format!("{what}, and hangs: {}", health.get("why").and_then(Value::as_str).unwrap_or("no answer"));
        return Some(Finding::fail(DAEMON, why, "docs/runbooks/GoldenhourEngineHangs.md"));
    }
    let (ready, health) = get(config.http, "/readyz").unwrap_or((0, Value::Null));
    if ready != 200 {
        let why = health.get("why").map(Value::to_string).unwrap_or_default();
        let remedy = "wait for a start or an end of its work; else what it names";
        return Some(Finding::warn(DAEMON, format!("{what}, and is not ready: {why}"), remedy));
    }
    Some(Finding::ok(DAEMON, format!("{what}, and is ready")))
}

/// Every port of the configuration, tried and given back.
pub(super) fn free(config: &Config) -> Vec<Finding> {
    let tcp = [("http.listen", config.http), ("metrics.listen", config.metrics)]
        .map(|(key, address)| (key, address, TcpListener::bind(address).map(drop)));
    let udp = ("sip.listen", config.sip, UdpSocket::bind(config.sip).map(drop));
    let taken = tcp.into_iter().chain([udp]).filter_map(|(key, address, bound)| {
        let error = bound.err()?;
        let remedy = format!("end who holds it (`ss -lnp`), or change `{key}`");
        Some(Finding::unreachable(PORTS, format!("{key} {address}: {error}"), remedy))
    });
    let mut found: Vec<Finding> = taken.collect();
    if found.is_empty() {
        let what = format!("no daemon runs; {}, {} and {} are free", config.http, config.metrics, config.sip);
        found.push(Finding::ok(PORTS, what));
    }
    found
}

fn get(address: SocketAddr, path: &str) -> Option<(u16, Value)> {
    let (status, body) = fetch(address, path)?;
    Some((status, serde_json::from_str(&body).ok()?))
}

/// Status and body. HTTP/1.0, so that the answer ends with the connection.
pub(super) fn fetch(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;

    fn config(http: SocketAddr) -> Config {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("g.yaml");
        std::fs::write(&path, format!("http: {{ listen: \"{http}\" }}\n")).unwrap();
        Config::load(&path).unwrap().config
    }

    /// Answers so many requests with these.
    fn pretend(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let asked = stream.read(&mut [0; 512]).unwrap();
                assert!(asked > 20, "in one piece");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    const INDEX: &str = "HTTP/1.0 200 OK\r\n\r\n{\"name\":\"goldenhour\",\"version\":\"1\"}";

    #[test]
    fn a_port_of_somebody_else_is_taken_and_is_no_daemon() {
        let somebody = TcpListener::bind("127.0.0.1:0").unwrap();
        let found = free(&config(somebody.local_addr().unwrap()));
        assert!(found.iter().any(|f| f.result == Verdict::Fail && f.what.starts_with("http.listen")), "{found:?}");
        let other = pretend(&["HTTP/1.0 200 OK\r\n\r\n{\"name\":\"teapot\"}"]);
        assert!(daemon(&config(other)).is_none());
    }

    #[test]
    fn a_daemon_says_how_it_is() {
        const FINE: &str = "HTTP/1.0 200 OK\r\n\r\n{\"status\":\"ok\"}";
        const NOT: &str = "HTTP/1.0 503 No\r\n\r\n{\"why\":{\"engine\":\"draining\"}}";
        const HANGS: &str = "HTTP/1.0 503 No\r\n\r\n{\"why\":\"the engine has been silent for 11 s\"}";
        let seen = |answers| daemon(&config(pretend(answers))).unwrap();
        assert_eq!(seen(&[INDEX, FINE, FINE]).result, Verdict::Ok);
        assert!(seen(&[INDEX, FINE, NOT]).what.contains("draining"));
        assert!(seen(&[INDEX, HANGS]).what.contains("silent for 11 s"));
    }
}
