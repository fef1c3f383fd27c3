//! `goldenhour completions SHELL`: a script for the shell's own completion.

use clap::CommandFactory;
use clap_complete::Shell;

use super::exit::{Exit, Stop};
use super::{Cli, output};

/// Print a completion script: `goldenhour completions bash > /etc/bash_completion.d/goldenhour`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    output::say(script(args.shell).trim_end())?;
    Ok(Exit::Ok)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "goldenhour", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_with_the_subcommands() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            assert!(script(shell).contains("completions"), "{shell}");
        }
    }
}
