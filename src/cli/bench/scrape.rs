//! Reads `/metrics` of a daemon under test: one request, one look.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

/// Samples of one scrape, each by its name and labels as they stand in the text.
#[derive(Debug, Default)]
pub(super) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(super) fn of(at: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (_, body) = text.split_once("\r\n\r\n").context("no HTTP response")?;
        Ok(Self::parse(body))
    }

    fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(samples.filter_map(|line| line.rsplit_once(' ')).filter_map(sample).collect())
    }

    /// The sum of all series of that name whose labels hold `label`.
    pub(super) fn sum(&self, name: &str, label: &str) -> f64 {
        let wanted = self.0.iter().filter(|(key, _)| {
            let (known, labels) = key.split_once('{').unwrap_or((key, ""));
            known == name && labels.contains(label)
        });
        wanted.map(|(_, value)| value).sum()
    }
}

fn sample((key, value): (&str, &str)) -> Option<(String, f64)> {
    Some((key.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_name_and_label() {
        let text = "# HELP a b\na{x=\"1\",y=\"2\"} 3\na{x=\"2\"} 4\nab{x=\"1\"} 9\nplain 1.5\n";
        let scrape = Scrape::parse(text);
        assert!((scrape.sum("a", "") - 7.0).abs() < 1e-9);
        assert!((scrape.sum("a", "x=\"1\"") - 3.0).abs() < 1e-9);
        assert!((scrape.sum("plain", "") - 1.5).abs() < 1e-9);
    }
}
