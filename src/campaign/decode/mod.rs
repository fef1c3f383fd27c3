//! YAML as our files use it: a tree with places and quoting, and readers that collect every mistake.
//!
//! One way for all files (campaigns, policies, calendars, the daemon's configuration), so that all of them give the
//! same diagnostics:
//!
//! ```
//! use std::sync::Arc;
//! use goldenhour::base::SourceText;
//! use goldenhour::campaign::decode::{Findings, parse, scalar, unit};
//!
//! let source = Arc::new(SourceText { name: "daemon.yaml".into(), text: "drain_timeout: 60s\nsips: 1\n".into() });
//! let mut findings = Findings::new(&source);
//! if let Some(root) = parse(&source, &mut findings) {
//!     if let Some(mut fields) = root.fields("the daemon's configuration", &mut findings) {
//!         let database = fields.required("database", &mut findings, scalar::text);
//!         let drain = fields.optional("drain_timeout", &mut findings, unit::duration);
//!         fields.finish(&mut findings); // an error for `sips`, which nobody asked for
//!         assert_eq!((database, drain.map(|d| d.as_secs())), (None, Some(60)));
//!     }
//! }
//! assert_eq!(findings.into_list().len(), 2); // `database` is missing, `sips` is unknown
//! ```
//!
//! A reader returns `None` when it has put an error into `Findings`: decode the rest, then give up once at the end.

mod fields;
mod findings;
mod node;
pub mod scalar;
pub mod unit;
mod yaml;

pub use fields::{Fields, shortened};
#[cfg(test)]
pub use findings::Asked;
pub use findings::{Findings, closest, did_you_mean};
pub use node::{Entry, Node, NodeKind, Scalar, Spanned};
pub use yaml::{MAX_BYTES, MAX_DEPTH, parse, source_text};
