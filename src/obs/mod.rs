//! What an operator sees: logs, and the typed metric catalogue.

mod catalogue;
mod document;
mod logs;
mod metrics;

pub use catalogue::Metrics;
pub use document::render as render_metrics_document;
pub use logs::{LogError, LogFormat, start_logs};
pub use metrics::{Counter, Entry, Gauge, Histogram, Kind, Unit};
