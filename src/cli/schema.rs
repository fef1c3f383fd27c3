//! `goldenhour schema KIND`: JSON Schema of our YAML files, for editors.

use clap::builder::PossibleValuesParser;

use crate::campaign::schema::{FILES, json_schema};
use crate::daemon::config::DAEMON;

use super::exit::{Exit, OrExit as _, Stop};
use super::output;

/// The configuration, which is no file of the campaigns folder.
const CONFIGURATION: &str = "daemon";

/// Print the JSON Schema of a kind of file, for completion in editors
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the file is
    #[arg(value_name = "KIND", value_parser = kinds())]
    kind: String,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(FILES.iter().map(|(name, _)| *name).chain([CONFIGURATION]))
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    output::say(&text(&args.kind).or_exit(Exit::Failure)?)?;
    Ok(Exit::Ok)
}

/// As it is committed, but for the last line break.
pub(super) fn text(kind: &str) -> Result<String, serde_json::Error> {
    let table = FILES.iter().find(|(name, _)| *name == kind).map_or(&DAEMON, |(_, table)| *table);
    serde_json::to_string_pretty(&json_schema(&format!("Goldenhour: {kind}"), table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_is_committed() {
        for kind in FILES.iter().map(|(name, _)| *name).chain([CONFIGURATION]) {
            let path = format!("{}/campaigns/schema/{kind}.json", env!("CARGO_MANIFEST_DIR"));
            assert_eq!(format!("{}\n", text(kind).unwrap()), std::fs::read_to_string(path).unwrap());
        }
    }
}
