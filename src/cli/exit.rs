//! Exit codes, which scripts rely on, and the way in which a subcommand stops with one.

use std::process::ExitCode;

/// Stable; docs/OPERATING.md lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok,
    Failure,
    /// The command line itself; also what clap uses.
    Usage,
    /// Configuration or campaigns are invalid.
    Invalid,
    /// The database, a trunk or a listener cannot be reached or had.
    Unreachable,
    /// A policy says no.
    Refused,
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a subcommand ended early. `?` on any error makes a `Failure` of it; [`OrExit`] says otherwise.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) exit: Exit,
    pub(super) why: anyhow::Error,
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(why: E) -> Self {
        Self { exit: Exit::Failure, why: why.into() }
    }
}

pub(super) trait OrExit<T> {
    fn or_exit(self, exit: Exit) -> Result<T, Stop>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Stop> {
        self.map_err(|why| Stop { exit, why: why.into() })
    }
}
