//! Why a command on data stopped, as findings: a code, what happened, what to do, and the exit code of each.

use std::fmt;
use std::path::Path;

use crate::base::{Code, Diagnostic, render};
use crate::feed::{ImportError, ListError};
use crate::store::{KeysError, StoreError};

use super::exit::{Exit, Stop};

/// Findings as one error, so that `?` carries them to `main`, which shows each with its code.
#[derive(Debug)]
pub(super) struct Findings(pub(super) Vec<Diagnostic>);

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(render(&self.0).trim_end())
    }
}

impl std::error::Error for Findings {}

impl Stop {
    pub(super) fn found(exit: Exit, findings: Vec<Diagnostic>) -> Self {
        Self { exit, why: Findings(findings).into() }
    }

    pub(super) fn one(exit: Exit, finding: Diagnostic) -> Self {
        Self::found(exit, vec![finding])
    }

    /// For what clap cannot know.
    pub(super) fn usage(what: &'static str) -> Self {
        Self { exit: Exit::Usage, why: anyhow::anyhow!("{what}; --help says more") }
    }

    pub(super) fn store(error: &StoreError) -> Self {
        Self::one(exit_of(error), store_finding(error))
    }

    /// Whatever keeps the database from being opened: scripts wait and try again.
    pub(super) fn store_open(error: &StoreError) -> Self {
        Self::one(Exit::Unreachable, store_finding(error))
    }

    /// `path` is the list or the label file.
    pub(super) fn import(path: &Path, error: &ImportError) -> Self {
        let (exit, finding) = match error {
            ImportError::Store(error) => return Self::store(error),
            ImportError::List(ListError::UnknownEncoding(_)) => (Exit::Usage, error.diagnostic()),
            ImportError::List(ListError::Model(_)) => (Exit::Invalid, error.diagnostic()),
            ImportError::List(ListError::Unreachable(_)) => (Exit::Unreachable, error.diagnostic()),
            ImportError::List(ListError::Source(_)) => (Exit::Usage, error.diagnostic()),
            ImportError::List(_) | ImportError::NoLead(_) => (Exit::Failure, error.diagnostic()),
            ImportError::RefuseIf(_) | ImportError::BrokenModel(_) => (Exit::Refused, error.diagnostic()),
            ImportError::Rejects(_) => {
                let finding = error.diagnostic().hint("name a file that can be written with --rejects FILE");
                (Exit::Failure, finding)
            }
        };
        // A list without a header has people where the names of columns are expected.
        let message = format!("{}: {}", path.display(), masked(&finding.message));
        let hint = finding.hint.as_deref().map_or_else(|| fallback(finding.code), masked);
        Self::one(exit, Diagnostic { message, hint: Some(hint), ..finding })
    }
}

/// What to do where the finding itself does not say.
fn fallback(code: Code) -> String {
    if code == Code::File {
        return "is the name right, and may this user read the file?".to_owned();
    }
    if code == Code::ListColumns {
        return "is its first line the header, and is it a list of this campaign?".to_owned();
    }
    format!("docs/errors/{code}.md says more")
}

/// Longer than a date without dashes.
const DIGITS_OF_A_NUMBER: usize = 9;
const DIGITS_HIDDEN: usize = 4;
const DIGITS_LEFT: usize = 4;

/// The text with everything that looks like a phone number masked as `Pii` masks it.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        out.push_str(before);
        if digits.len() < DIGITS_OF_A_NUMBER {
            out.push_str(digits);
        } else {
            let (head, tail) = digits.split_at(digits.len() - DIGITS_LEFT);
            out.push_str(head.get(..head.len() - DIGITS_HIDDEN).unwrap_or(""));
            out.push_str("****");
            out.push_str(tail);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn exit_of(error: &StoreError) -> Exit {
    match error {
        StoreError::UnknownCampaign(_) => Exit::Invalid,
        StoreError::Open { .. }
        | StoreError::Held { .. }
        | StoreError::Busy
        | StoreError::Version(_)
        | StoreError::Keys(_) => Exit::Unreachable,
        StoreError::Fenced
        | StoreError::Full
        | StoreError::Corrupt(_)
        | StoreError::NoImport
        | StoreError::Exhausted(_)
        | StoreError::Chain { .. }
        | StoreError::Database(_) => Exit::Failure,
    }
}

fn store_finding(error: &StoreError) -> Diagnostic {
    let finding = Diagnostic::error(error.code(), error.to_string());
    let hint = match error {
        StoreError::Open { .. } => "does this user own the folder of `database:`, and is the file a database of ours?",
        StoreError::Held { .. } => {
            "one process dials and one loads at a time: wait for the other to end, then try again"
        }
        StoreError::Fenced => "another daemon took over; nothing is lost, look there",
        StoreError::Busy => "nothing was written: try again",
        StoreError::Full => "nothing was written: make room on the disk and try again",
        StoreError::Version(_) => "use the program that wrote it, or a newer one",
        StoreError::Corrupt(_) | StoreError::Chain { .. } => {
            "stop dialling, keep the files as they are, and restore the database and its keys file from one backup"
        }
        StoreError::UnknownCampaign(_) => "`goldenhour check` lists the campaigns of a folder",
        StoreError::NoImport | StoreError::Exhausted(_) | StoreError::Database(_) => {
            "run it again; if it stays, keep the database and report the message"
        }
        StoreError::Keys(KeysError::Other | KeysError::Missing { .. } | KeysError::Malformed { .. }) => {
            "restore the keys file that belongs to this database; `keys_file:` of the configuration names it"
        }
        StoreError::Keys(KeysError::Open { .. }) => "numbers are sealed with these keys: only this user may read them",
        StoreError::Keys(KeysError::Io { .. }) => {
            "a database without its keys file cannot be read: restore it from your backup, owned by this user"
        }
        StoreError::Keys(KeysError::Random) => "the system's generator failed: try again",
    };
    finding.hint(hint)
}

/// For a name on the command line.
pub(super) fn unknown_campaign<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let all: Vec<&str> = known.collect();
    let near = all
        .iter()
        .map(|known| (strsim::jaro_winkler(known, name), *known))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let finding = Diagnostic::error(Code::UnknownName, format!("no campaign is called `{}`", masked(name)));
    match (near, all.is_empty()) {
        (Some((_, near)), _) => finding.hint(format!("did you mean `{near}`?")),
        (None, false) => finding.hint(format!("there are {}", all.join(", "))),
        (None, true) => finding.hint("the folder of campaigns is empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pii;

    #[test]
    fn numbers_are_masked_as_personal_data_is_and_dates_are_not() {
        assert_eq!(masked("a +999200000001, 20261201 b"), format!("a {}, 20261201 b", Pii::new("+999200000001")));
        assert_eq!(masked("99920000000112345"), "999200000****2345");
        assert_eq!((masked("账 1"), masked("")), ("账 1".to_owned(), String::new()));
    }

    #[test]
    fn a_header_full_of_people_does_not_reach_the_terminal() {
        let header = crate::feed::HeaderError { twice: vec!["+999200000001".into()], ..Default::default() };
        let stop = Stop::import(Path::new("l.csv"), &ListError::Header(header).into());
        let shown = stop.why.to_string();
        assert!(shown.contains("l.csv") && shown.contains("GH2009") && !shown.contains("999200000001"), "{shown}");
    }

    #[test]
    fn an_unknown_campaign_is_told_its_neighbours() {
        let hint = |name| unknown_campaign(name, ["activation", "spending"].into_iter()).hint.unwrap();
        assert_eq!(hint("activaton"), "did you mean `activation`?");
        assert_eq!(hint("zzz"), "there are activation, spending");
    }
}
