//! docs/METRICS.md, written from the catalogue.

use super::{Entry, Kind, Metrics};

const HEAD: &str = "# Metrics

Written from `src/obs/catalogue.rs`; `tests/house.rs` checks that it is up to date and that every metric is on a
dashboard. Prometheus scrapes `/metrics` on the listener `metrics.listen`. Beside these there are the figures of the
process itself (`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and so on).

Labels are bounded sets; none of them ever names a phone, a contact or an attempt.

| metric | kind | unit | labels | what it says |
|---|---|---|---|---|
";

/// The page as it should be.
pub fn render() -> String {
    let mut page = String::from(HEAD);
    for entry in Metrics::ENTRIES {
        page.push_str(&line(entry));
    }
    page
}

fn line(entry: &Entry) -> String {
    let labels = match entry.labels {
        [] => "–".to_owned(),
        labels => labels.join(", "),
    };
    let buckets = match entry.kind {
        Kind::Histogram => {
            let bounds: Vec<String> = entry.buckets.iter().map(f64::to_string).collect();
            format!(" Buckets: {}.", bounds.join(", "))
        }
        Kind::Counter | Kind::Gauge => String::new(),
    };
    format!(
        "| `{}` | {} | {} | {labels} | {}{buckets} |\n",
        entry.name,
        entry.kind.as_str(),
        entry.unit.as_str(),
        entry.help
    )
}
