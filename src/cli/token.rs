//! `goldenhour token`: who may use the API. A token is shown once, and only its hash is kept.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use crate::base::Diagnostic;
use crate::http::{Role, Token, TokensError};

use super::exit::{Exit, Stop};
use super::output::{self, table};
use super::site::Site;

/// Tokens of the API; a running daemon knows a change within a second
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    action: Action,
    /// With revoke: which
    #[arg(value_name = "NAME", value_parser = name)]
    which: Option<String>,
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// With new: what it may do
    #[arg(long)]
    role: Option<RoleWord>,
    /// With new: what it is called in logs and lists [default: the role and a number]
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    New,
    List,
    Revoke,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleWord {
    /// Look at everything, masked
    Viewer,
    /// And pause, resume, put people on the do-not-call list
    Operator,
    /// And reload, take people off that list
    Admin,
}

#[derive(Debug, Serialize)]
struct Made {
    name: String,
    role: &'static str,
    /// Never again.
    token: String,
}

#[derive(Debug, Serialize)]
struct Listed {
    tokens: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct Revoked {
    name: String,
    /// False: there was no such token.
    revoked: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let ended = match args.action {
        Action::New => make(args).map(|report| output::answer(args.json, &report, None)),
        Action::List => list(args).map(|report| output::answer(args.json, &report, None)),
        Action::Revoke => revoke(args).map(|report| output::answer(args.json, &report, None)),
    };
    ended.unwrap_or_else(|stop| output::failed(args.json, stop))
}

fn make(args: &Args) -> Result<Made, Stop> {
    let Some(word) = args.role else { return Err(Stop::usage("which? --role viewer, operator or admin")) };
    let role = match word {
        RoleWord::Viewer => Role::Viewer,
        RoleWord::Operator => Role::Operator,
        RoleWord::Admin => Role::Admin,
    };
    let file = Site::read(&args.config)?.tokens();
    let known = file.load().map_err(stop)?;
    let free = |name: &String| known.iter().all(|token| token.name != *name);
    let unused = || (1..=known.len() + 1).map(|nth| format!("{role}-{nth}")).find(free);
    let name = args.name.clone().or_else(unused).unwrap_or_else(|| role.to_string());
    let token = file.add(&name, role).map_err(stop)?;
    Ok(Made { name, role: role.as_str(), token })
}

fn list(args: &Args) -> Result<Listed, Stop> {
    let tokens = Site::read(&args.config)?.tokens().load().map_err(stop)?;
    let line = |token: Token| Line { name: token.name, role: token.role.as_str() };
    Ok(Listed { tokens: tokens.into_iter().map(line).collect() })
}

fn revoke(args: &Args) -> Result<Revoked, Stop> {
    let Some(name) = args.which.clone() else { return Err(Stop::usage("which? `token list` names them")) };
    let revoked = Site::read(&args.config)?.tokens().revoke(&name).map_err(stop)?;
    Ok(Revoked { name, revoked })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn stop(error: TokensError) -> Stop {
    let hint = "`goldenhour token list` shows what the file holds";
    Stop::one(Exit::Failure, Diagnostic::error(TokensError::CODE, error.to_string()).hint(hint))
}

fn name(text: &str) -> Result<String, &'static str> {
    if Token::is_name(text) { Ok(text.to_owned()) } else { Err("letters, digits, `-`, `_` and `.`, at most 40") }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, role, token } = self;
        write!(f, "{token}\n`{name}`, {role}; it is shown this once and kept nowhere")
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tokens.is_empty() {
            return f.write_str("no tokens: the API is closed");
        }
        let mut table = table();
        table.set_header(["name", "role"]);
        for line in &self.tokens {
            table.add_row([line.name.as_str(), line.role]);
        }
        write!(f, "{}", table.trim_fmt())
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        if self.revoked {
            write!(f, "`{name}` is revoked; a running daemon knows it within a second")
        } else {
            write!(f, "there is no token `{name}`; nothing changed")
        }
    }
}
