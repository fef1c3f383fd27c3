//! The daemon: its configuration, and everything that joins the rooms into one running process.

mod clock;
pub mod config;
mod folder;
mod pump;
mod seed;
mod serve;
mod setup;
mod tally;
mod view;
mod writer;

pub use clock::OsClock;
pub use folder::read_folder;
pub use seed::seed;
pub use serve::{Daemon, Options, StartError};
pub use setup::engine as engine_config;
pub use view::View;
