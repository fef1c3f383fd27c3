//! `goldenhour man --out DIR`: manual pages, for whoever packages the program.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::exit::{Exit, Stop};
use super::{Cli, output};

/// Write manual pages, one for each subcommand: `goldenhour man --out /usr/share/man/man1`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write to; it is made if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let place = || args.out.display().to_string();
    std::fs::create_dir_all(&args.out).with_context(place)?;
    clap_mangen::generate_to(Cli::command(), &args.out).with_context(place)?;
    let pages = std::fs::read_dir(&args.out).with_context(place)?.count();
    output::say(&format!("{pages} pages in {}", args.out.display()))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_its_page() {
        let home = tempfile::tempdir().unwrap();
        let out = home.path().join("man1");
        run(&Args { out: out.clone() }).unwrap();
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = std::fs::read_to_string(out.join(format!("goldenhour-{}.1", command.get_name()))).unwrap();
            assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{}", command.get_name());
        }
        assert!(out.join("goldenhour.1").is_file());
    }
}
