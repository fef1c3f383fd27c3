//! Are there RTP ports for all calls, and can they be had?

use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use crate::daemon::config::Config;

use super::{Finding, calls_max};

const CHECK: &str = "RTP ports";
/// Ports of the range that are tried, spread over it.
const TRIED: usize = 32;
/// Where the system takes ports for connections that leave.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// A running daemon holds its ports itself.
pub(super) fn check(config: &Config, is_running: bool) -> Vec<Finding> {
    let range = &config.media.ports;
    let ephemeral = std::fs::read_to_string(EPHEMERAL).ok().and_then(|text| parse(&text));
    let mut found = judge(range, config.sip.port(), calls_max(config), ephemeral);
    if !is_running {
        let even = range.clone().step_by(2);
        let every = even.len().div_ceil(TRIED).max(1);
        let taken = range.clone().step_by(2).step_by(every).find_map(|port| {
            let error = UdpSocket::bind(SocketAddr::new(config.sip.ip(), port)).err()?;
            Some(format!("{}:{port}: {error}", config.sip.ip()))
        });
        if let Some(what) = taken {
            found.push(Finding::unreachable(CHECK, what, "choose another `sip.media.ports`, or end who holds it"));
        }
    }
    if found.is_empty() {
        found.push(Finding::ok(CHECK, format!("{} to {} for {} calls", range.start(), range.end(), calls_max(config))));
    }
    found
}

fn judge(range: &RangeInclusive<u16>, sip: u16, calls: u64, ephemeral: Option<(u16, u16)>) -> Vec<Finding> {
    let mut found = Vec::new();
    let room = range.clone().step_by(2).len() as u64;
    if room < calls {
        let what = format!("{room} pairs for {calls} calls at once");
        found.push(Finding::warn(CHECK, what, "widen `sip.media.ports`: two ports for each call of `max_calls`"));
    }
    if range.contains(&sip) {
        let what = format!("the SIP port {sip} lies within {}-{}", range.start(), range.end());
        found.push(Finding::fail(CHECK, what, "move `sip.listen` or `sip.media.ports`"));
    }
    if let Some((first, last)) = ephemeral
        && *range.start() <= last
        && *range.end() >= first
    {
        let what = format!("the system gives {first} to {last} to connections that leave, and may take one of ours");
        let remedy = "keep `sip.media.ports` below it, or set net.ipv4.ip_local_reserved_ports";
        found.push(Finding::warn(CHECK, what, remedy));
    }
    found
}

fn parse(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_are_narrow_or_shared_are_found() {
        let words = |range, sip, calls| -> Vec<String> {
            judge(&range, sip, calls, parse("32768\t60999\n")).into_iter().map(|finding| finding.what).collect()
        };
        assert_eq!(words(20_000..=29_999, 5_060, 5_000), Vec::<String>::new());
        assert_eq!(words(20_000..=20_009, 5_060, 6), ["5 pairs for 6 calls at once"]);
        assert!(words(20_000..=20_009, 20_001, 1)[0].contains("the SIP port 20001"));
        assert!(words(30_000..=33_000, 5_060, 1)[0].contains("32768 to 60999"));
    }

    #[test]
    fn a_port_that_somebody_holds_is_found_unless_the_daemon_runs() {
        let held = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("g.yaml");
        std::fs::write(&path, format!("sip: {{ media: {{ ports: \"{port}-{}\" }} }}\n", port.saturating_add(1)))
            .unwrap();
        let config = Config::load(&path).unwrap().config;
        let held_by = |running| check(&config, running).iter().any(|f| f.what.starts_with("127.0.0.1:"));
        assert!(held_by(false) && !held_by(true));
    }
}
