//! Logs: to standard error, for people or as JSON lines; colours only on a terminal.

use std::io::{self, IsTerminal};

use tracing::subscriber::set_global_default;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Human,
    /// One object per line; the fields of the event stand at its top level.
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log filter `{filter}` does not parse: {why}; write it as `info` or `info,goldenhour::store=debug`")]
    Filter { filter: String, why: String },
    #[error("logs were set up already")]
    Twice,
}

/// For the whole process, once. `filter` is in the words of tracing's `EnvFilter`; it comes from the command line,
/// which also reads the environment.
pub fn start_logs(filter: &str, format: LogFormat) -> Result<(), LogError> {
    let parsed = parse(filter)?;
    let builder = SubscriberBuilder::default().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    // `try_init` would also take in what libraries say through the crate `log`: one of them tells the numbers it reads.
    let started = match format {
        LogFormat::Human => set_global_default(builder.with_env_filter(parsed).finish()),
        LogFormat::Json => set_global_default(builder.json().flatten_event(true).with_env_filter(parsed).finish()),
    };
    started.map_err(|_| LogError::Twice)
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|error| LogError::Filter { filter: filter.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_does_not_parse_is_shown_with_the_way_to_write_it() {
        assert!(parse("info,goldenhour::store=debug").is_ok());
        let shown = parse("goldenhour=loud").unwrap_err().to_string();
        assert!(shown.contains("goldenhour=loud") && shown.contains("goldenhour::store=debug"), "{shown}");
    }
}
