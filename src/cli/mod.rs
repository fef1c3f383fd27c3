//! The command line: one file per subcommand. Names, flags and exit codes are a stable contract.

mod ahead;
mod bench;
mod capture;
mod check;
mod completions;
mod demo;
mod diff;
mod dnc;
mod doctor;
mod erase;
mod exit;
mod explain;
mod export;
mod finding;
mod gateway;
mod import;
mod man;
mod migrate;
mod model;
mod outcomes;
mod output;
mod pause;
mod plan;
mod replay;
mod report;
mod schema;
mod score;
mod serve;
mod simulate;
mod site;
mod test;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::base::{Clock as _, Now};
use crate::daemon::OsClock;
use crate::obs::{LogFormat, start_logs};

pub use exit::Exit;

use exit::{OrExit, Stop};

/// Outbound dialer and campaign orchestrator for bank call centres.
#[derive(Debug, Parser)]
#[command(name = "goldenhour", version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration or campaign invalid, 4 a dependency \
                        unreachable, 5 refused by policy.")]
struct Cli {
    /// What to log: `info`, `warn,goldenhour::store=debug` [default: info; of the demo, errors]
    #[arg(long, global = true, env = "GOLDENHOUR_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How to log, on standard error
    #[arg(long, global = true, env = "GOLDENHOUR_LOG_FORMAT", default_value = "human", value_name = "FORMAT")]
    log_format: LogWords,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogWords {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Args),
    Capture(capture::Args),
    Check(check::Args),
    Completions(completions::Args),
    Demo(demo::Args),
    Gateway(gateway::Args),
    Serve(serve::Args),
    Simulate(simulate::Args),
    Dnc(dnc::Args),
    Doctor(doctor::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Erase(erase::Args),
    Export(export::Args),
    Import(import::Args),
    Man(man::Args),
    Migrate(migrate::Args),
    Model(model::Args),
    Outcomes(outcomes::Args),
    Plan(plan::Args),
    Replay(replay::Args),
    Report(report::Args),
    /// No new calls for a campaign, over a trunk, or at all; in force in a running daemon within a second
    Pause(pause::PauseArgs),
    /// New calls again for a campaign, over a trunk, or for all that are not paused by name
    Resume(pause::ResumeArgs),
    Schema(schema::Args),
    Score(score::Args),
    Test(test::Args),
    Token(token::Args),
}

/// The whole program. Results are on standard output, errors and logs on standard error.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            // Help and version are "errors" of code 0.
            if refusal.exit_code() == 0 {
                let _lost = refusal.print();
                return Exit::Ok.into();
            }
            // A number in the wrong place is still a number.
            output::complain(finding::masked(&refusal.render().to_string()).trim_end());
            return Exit::Usage.into();
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(Stop { exit, why }) => {
            output::complain_stop(&why);
            exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Stop> {
    let format = match cli.log_format {
        LogWords::Human => LogFormat::Human,
        LogWords::Json => LogFormat::Json,
    };
    let quiet = matches!(cli.command, Command::Demo(_));
    let filter = cli.log.as_deref().unwrap_or(if quiet { "error" } else { "info" });
    start_logs(filter, format).or_exit(Exit::Usage)?;
    match cli.command {
        Command::Bench(args) => bench::run(&args),
        Command::Capture(args) => capture::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Gateway(args) => gateway::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Dnc(args) => dnc::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Erase(args) => erase::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Outcomes(args) => outcomes::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Pause(args) => pause::pause(&args),
        Command::Resume(args) => pause::resume(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Token(args) => token::run(&args),
    }
}

/// The time, for commands that write beside the daemon.
fn now() -> Now {
    OsClock::new().now()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn unknown_flags_and_subcommands_are_usage_errors() {
        for line in [&["goldenhour", "check", "--fast", "x"][..], &["goldenhour", "chekc"], &["goldenhour"]] {
            assert_eq!(Cli::try_parse_from(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
        assert_eq!(Cli::try_parse_from(["goldenhour", "--help"]).unwrap_err().exit_code(), 0);
    }

    #[test]
    fn every_subcommand_says_what_it_does() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
