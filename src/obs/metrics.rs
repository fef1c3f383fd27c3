//! Metric types whose labels are counted by the compiler, and the macro that turns the catalogue into a struct of them.

use prometheus::core::Collector;
use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// What one unit of the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    PerSecond,
    /// 0 or 1.
    Truth,
    Attempts,
    Calls,
    Leads,
    Requests,
    Messages,
    Packets,
    Rows,
    Seats,
    Times,
    /// Of whatever the operator counts in.
    Money,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// Upper bounds, for histograms.
    pub buckets: &'static [f64],
}

/// Only grows. The label values come in the order of the catalogue.
#[derive(Clone, Debug)]
pub struct Counter<const LABELS: usize>(IntCounterVec);

/// Goes up and down.
#[derive(Clone, Debug)]
pub struct Gauge<const LABELS: usize>(GaugeVec);

/// How values spread over the buckets of the catalogue.
#[derive(Clone, Debug)]
pub struct Histogram<const LABELS: usize>(HistogramVec);

impl<const LABELS: usize> Counter<LABELS> {
    pub(super) fn register(entry: &Entry, registry: &Registry) -> Result<Self, prometheus::Error> {
        let family = IntCounterVec::new(Opts::new(entry.name, entry.help), entry.labels)?;
        enter(&family, registry)?;
        if LABELS == 0 {
            family.get_metric_with_label_values::<&str>(&[])?;
        }
        Ok(Self(family))
    }

    pub fn add(&self, labels: [&str; LABELS], by: u64) {
        self.0.with_label_values(&labels).inc_by(by);
    }

    /// For totals that somebody else keeps: brings the series up to that total.
    pub fn raise_to(&self, labels: [&str; LABELS], total: u64) {
        let series = self.0.with_label_values(&labels);
        series.inc_by(total.saturating_sub(series.get()));
    }

    /// Makes the series exist at 0, so that `rate()` sees its first step.
    pub fn open(&self, labels: [&str; LABELS]) {
        self.add(labels, 0);
    }

    /// For a hot path: looks the labels up once.
    pub fn series(&self, labels: [&str; LABELS]) -> IntCounter {
        self.0.with_label_values(&labels)
    }

    pub fn value(&self, labels: [&str; LABELS]) -> u64 {
        self.0.with_label_values(&labels).get()
    }
}

impl<const LABELS: usize> Gauge<LABELS> {
    pub(super) fn register(entry: &Entry, registry: &Registry) -> Result<Self, prometheus::Error> {
        let family = GaugeVec::new(Opts::new(entry.name, entry.help), entry.labels)?;
        enter(&family, registry)?;
        if LABELS == 0 {
            family.get_metric_with_label_values::<&str>(&[])?;
        }
        Ok(Self(family))
    }

    pub fn set(&self, labels: [&str; LABELS], value: f64) {
        self.0.with_label_values(&labels).set(value);
    }

    pub fn set_truth(&self, labels: [&str; LABELS], value: bool) {
        self.set(labels, f64::from(u8::from(value)));
    }

    pub fn value(&self, labels: [&str; LABELS]) -> f64 {
        self.0.with_label_values(&labels).get()
    }

    /// Ends a series whose subject is gone: a gauge would show its last value for ever.
    pub fn retire(&self, labels: [&str; LABELS]) {
        // An error only says that there was no such series.
        let _gone = self.0.remove_label_values(&labels);
    }
}

impl<const LABELS: usize> Histogram<LABELS> {
    pub(super) fn register(entry: &Entry, registry: &Registry) -> Result<Self, prometheus::Error> {
        let opts = HistogramOpts::new(entry.name, entry.help).buckets(entry.buckets.to_vec());
        let family = HistogramVec::new(opts, entry.labels)?;
        enter(&family, registry)?;
        if LABELS == 0 {
            family.get_metric_with_label_values::<&str>(&[])?;
        }
        Ok(Self(family))
    }

    pub fn observe(&self, labels: [&str; LABELS], value: f64) {
        self.0.with_label_values(&labels).observe(value);
    }

    pub fn open(&self, labels: [&str; LABELS]) {
        self.0.with_label_values(&labels);
    }

    pub fn count(&self, labels: [&str; LABELS]) -> u64 {
        self.0.with_label_values(&labels).get_sample_count()
    }
}

fn enter(family: &(impl Collector + Clone + 'static), registry: &Registry) -> Result<(), prometheus::Error> {
    registry.register(Box::new(family.clone()))
}

impl Unit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::PerSecond => "per second",
            Self::Truth => "0 or 1",
            Self::Attempts => "attempts",
            Self::Calls => "calls",
            Self::Leads => "leads",
            Self::Requests => "requests",
            Self::Messages => "messages",
            Self::Packets => "packets",
            Self::Rows => "rows",
            Self::Seats => "seats",
            Self::Times => "times",
            Self::Money => "money",
        }
    }
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

pub(super) const fn count(labels: &[&str]) -> usize {
    labels.len()
}

/// `/// help` `field: Kind "name" Unit ["label", ..] [bucket, ..];` per metric. Makes `ENTRIES` and the struct `Metrics`.
macro_rules! catalogue {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident $name:literal $unit:ident [$($label:literal),*] $([$($bucket:literal),+])?;)+) => {
        /// Every metric of the daemon. Cheap to clone; clones count into the same registry.
        #[derive(Clone, Debug)]
        pub struct Metrics {
            registry: ::prometheus::Registry,
            $($(#[doc = $help])+ pub $field: $crate::obs::$kind<{ super::metrics::count(&[$($label),*]) }>,)+
        }

        impl Metrics {
            /// In the order in which docs/METRICS.md shows them.
            pub const ENTRIES: &'static [super::metrics::Entry] = &[$(super::metrics::Entry {
                name: $name,
                kind: super::metrics::Kind::$kind,
                unit: super::metrics::Unit::$unit,
                labels: &[$($label),*],
                help: concat!($($help),+).trim_ascii(),
                buckets: &[$($($bucket),+)?],
            }),+];

            fn register_all(registry: ::prometheus::Registry) -> Result<Self, ::prometheus::Error> {
                let mut entries = Self::ENTRIES.iter();
                let mut next = || entries.next().ok_or(::prometheus::Error::Msg(String::from("the catalogue is short")));
                Ok(Self {
                    $($field: $crate::obs::$kind::register(next()?, &registry)?,)+
                    registry,
                })
            }
        }
    };
}

pub(super) use catalogue;
