//! The daemon: its configuration, and everything that joins the rooms into one running process.

mod clock;
pub mod config;
mod control;
mod errands;
mod folder;
mod journal;
mod names;
mod notify;
mod pump;
mod reading;
mod reload;
mod seed;
mod serve;
mod setup;
mod signing;
mod stubborn;
mod switches;
mod tally;
pub mod traces;
mod trials;
mod trunks;
mod view;
mod watch;
mod writer;

pub use clock::OsClock;
pub use folder::read_folder;
pub use names::find;
pub use notify::Notify;
pub use reload::{Reloaded, Reloader};
pub use seed::{secret, seed};
pub use serve::{Daemon, Options, StartError};
pub use setup::{engine as engine_config, peer};
pub use trials::{figures as trial_figures, rules as trial_rules};
pub use trunks::{show as show_trunk, words as trunk_words};
pub use view::View;
