//! Figures as pictures: SVG in the text of the page, legible in black and white.

mod bars;
mod columns;
mod funnel;
mod heat;
pub(super) mod numbers;
mod reasons;
mod scores;
mod svg;

pub(super) use columns::hours;
pub(super) use funnel::funnel;
pub(super) use heat::{Map, heat};
pub(super) use reasons::{reasons, results};
pub(super) use scores::{deciles, gains};
