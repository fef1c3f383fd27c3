//! Models that say how likely a contact is to answer or to agree: forests of XGBoost, blend, calibration; whether they
//! still hold; trials of one way of calling against another. Bytes in, values out.

mod booster;
mod calibration;
mod columns;
pub mod drift;
mod feature;
mod forest;
#[cfg(test)]
mod golden;
pub mod judge;
mod ladder;
mod manifest;
mod program;
mod refusal;
mod scorer;
mod simd;
mod tree;
pub mod trial;
mod ubj;
mod wire;

pub use booster::Booster;
pub use calibration::Calibration;
pub use feature::{Feature, NotANumber};
pub use forest::Forest;
pub use manifest::{Blend, Manifest, ModelFile, ModelFiles, Reference, Stratum, Target};
pub use refusal::Refusal;
pub use scorer::Scorer;
pub use simd::Simd;
