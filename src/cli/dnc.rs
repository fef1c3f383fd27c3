//! `goldenhour dnc`: who is never called, by number or by customer.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use crate::base::{Code, Diagnostic, Pii, Wall};
use crate::contact::{Country, normalise};
use crate::feed::rfc3339;
use crate::store::{DncEntry, DncFilter, DncSubjectKey, Keys, NewDnc, Sqlite, Store};

use super::exit::{Exit, Stop};
use super::finding::masked;
use super::output::{self, table};
use super::site::{Site, block_on};

/// The do-not-call list; a change is in force in a running daemon within a second
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The daemon's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    action: Action,
    /// As a list would write it; add and remove need it, or --customer
    #[arg(value_parser = secret, conflicts_with = "customer")]
    number: Option<Pii<String>>,
    /// The bank's customer key: the person with every number they have
    #[arg(long, value_name = "KEY", value_parser = secret)]
    customer: Option<Pii<String>>,
    /// With add: why, without personal data
    #[arg(long, value_name = "R", value_parser = reason)]
    reason: Option<String>,
    /// With add: when the entry ends [default: never]
    #[arg(long, value_name = "RFC3339", value_parser = Wall::parse)]
    until: Option<Wall>,
    /// With list: removed and ended entries too
    #[arg(long)]
    all: bool,
    /// With list: the newest so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    Add,
    Remove,
    List,
}

/// What one entry shows of itself.
#[derive(Debug, Serialize)]
struct Shown {
    /// `phone`, `customer`, `erased`.
    kind: &'static str,
    masked: String,
    /// Tells entries apart that look alike under the mask.
    fingerprint: Option<String>,
}

#[derive(Debug, Serialize)]
struct Done {
    action: &'static str,
    #[serde(flatten)]
    subject: Shown,
    /// False: it was not on the list.
    changed: bool,
    #[serde(serialize_with = "maybe_time")]
    until: Option<Wall>,
}

#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    subject: Shown,
    reason: String,
    source: String,
    #[serde(serialize_with = "maybe_time")]
    at: Option<Wall>,
    #[serde(serialize_with = "maybe_time")]
    until: Option<Wall>,
    #[serde(serialize_with = "maybe_time")]
    removed_at: Option<Wall>,
}

#[derive(Debug, Serialize)]
struct Listed {
    entries: Vec<Line>,
    /// There are more than `--limit` let through.
    more: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let ended = match args.action {
        Action::Add | Action::Remove => block_on(change(args)).map(|report| output::answer(args.json, &report, None)),
        Action::List => block_on(list(args)).map(|report| output::answer(args.json, &report, None)),
    };
    ended.unwrap_or_else(|stop| output::failed(args.json, stop))
}

async fn change(args: &Args) -> Result<Done, Stop> {
    args.check()?;
    let site = Site::read(&args.config)?;
    let Some(subject) = args.subject(site.config().country)? else {
        return Err(Stop::usage("whom? name a NUMBER, or a customer with --customer KEY"));
    };
    let (mut store, keys) = site.store().await?;
    let now = super::now();
    let (action, changed) = if args.action == Action::Add {
        let reason = args.reason.clone().unwrap_or_else(|| "not stated".to_owned());
        let entry = NewDnc { subject: subject.clone(), reason, source: "operator", until: args.until, at: now.wall };
        ("add", store.dnc_add(&entry).await.map(|()| true))
    } else {
        ("remove", store.dnc_remove(&subject, now).await)
    };
    // The change is durable by now; a later opener writes the log back.
    let _closed = store.close().await;
    let changed = changed.map_err(|error| Stop::store(&error))?;
    Ok(Done { action, subject: Shown::of(Some(&subject), &keys), changed, until: args.until })
}

async fn list(args: &Args) -> Result<Listed, Stop> {
    args.check()?;
    let site = Site::read(&args.config)?;
    let subject = args.subject(site.config().country)?;
    let (mut store, keys) = site.store().await?;
    let entries = entries(&mut store, args, subject.as_ref()).await;
    // Nothing was written.
    let _closed = store.close().await;
    let mut entries = entries?;
    let more = entries.len() > args.limit;
    entries.truncate(args.limit);
    Ok(Listed { entries: entries.into_iter().map(|entry| Line::of(entry, &keys)).collect(), more })
}

/// One more than asked for, where there are more. A subject is looked for among all entries, ended ones are passed over
/// here: the store only knows removed ones.
async fn entries(store: &mut Sqlite, args: &Args, subject: Option<&DncSubjectKey>) -> Result<Vec<DncEntry>, Stop> {
    let filter = if args.all { DncFilter::All } else { DncFilter::InForce };
    let now = super::now().wall;
    let wanted = |entry: &DncEntry| {
        let in_force = args.all || entry.until.is_none_or(|until| until > now);
        in_force && subject.is_none_or(|subject| entry.subject.as_ref() == Some(subject))
    };
    let all = store.dnc_list(filter, usize::MAX).await.map_err(|error| Stop::store(&error))?;
    Ok(all.into_iter().filter(wanted).take(args.limit.saturating_add(1)).collect())
}

impl Args {
    /// What belongs to another action would be ignored in silence.
    fn check(&self) -> Result<(), Stop> {
        if self.action != Action::Add && (self.reason.is_some() || self.until.is_some()) {
            return Err(Stop::usage("--reason and --until go with `add`"));
        }
        if self.action != Action::List && self.all {
            return Err(Stop::usage("--all goes with `list`"));
        }
        if self.until.is_some_and(|until| until <= super::now().wall) {
            return Err(Stop::usage("--until lies in the past"));
        }
        Ok(())
    }

    fn subject(&self, country: Option<Country>) -> Result<Option<DncSubjectKey>, Stop> {
        if let Some(key) = &self.customer {
            return Ok(Some(DncSubjectKey::Customer(key.clone())));
        }
        let Some(number) = &self.number else { return Ok(None) };
        // As lists are read, so that both mean the same number.
        match normalise(number.reveal(), country) {
            Ok(number) => Ok(Some(DncSubjectKey::Phone(number.e164))),
            Err(why) => {
                let finding = Diagnostic::error(Code::ListPhone, why.to_string());
                Err(Stop::one(Exit::Usage, finding.hint("write + and the country code: +999200000001")))
            }
        }
    }
}

impl Shown {
    fn of(subject: Option<&DncSubjectKey>, keys: &Keys) -> Self {
        let (kind, shown) = match subject {
            Some(DncSubjectKey::Phone(number)) => ("phone", number.to_string()),
            Some(DncSubjectKey::Customer(key)) => ("customer", key.to_string()),
            None => ("erased", "-".to_owned()),
        };
        Self { kind, masked: shown, fingerprint: subject.map(|subject| keys.fingerprint_of(subject)) }
    }
}

impl Line {
    fn of(entry: DncEntry, keys: &Keys) -> Self {
        Self {
            subject: Shown::of(entry.subject.as_ref(), keys),
            reason: masked(&entry.reason),
            source: entry.source,
            at: Some(entry.at),
            until: entry.until,
            removed_at: entry.removed_at,
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown { kind, masked, fingerprint } = &self.subject;
        write!(f, "{kind} {masked} ({})", fingerprint.as_deref().unwrap_or("-"))?;
        match (self.action, self.changed, self.until) {
            ("add", _, None) => f.write_str(" is on the do-not-call list for ever"),
            ("add", _, Some(until)) => write!(f, " is on the do-not-call list until {} at least", rfc3339(until)),
            (_, true, _) => {
                f.write_str(" is off the do-not-call list")?;
                f.write_str(if *kind == "customer" { "; their numbers stay on it, each by itself" } else { "" })
            }
            (_, false, _) => f.write_str(" was not on the do-not-call list; nothing changed"),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return f.write_str("no entry");
        }
        let mut table = table();
        table.set_header(["kind", "who", "fingerprint", "since", "until", "removed", "source", "reason"]);
        let time = |at: Option<Wall>, none: &str| at.map_or_else(|| none.to_owned(), rfc3339);
        for line in &self.entries {
            let Shown { kind, masked, fingerprint } = &line.subject;
            table.add_row([
                (*kind).to_owned(),
                masked.clone(),
                fingerprint.clone().unwrap_or_default(),
                time(line.at, ""),
                time(line.until, "for ever"),
                time(line.removed_at, ""),
                line.source.clone(),
                line.reason.clone(),
            ]);
        }
        write!(f, "{}", table.trim_fmt())?;
        if self.more { f.write_str("\nthere are more: --limit") } else { Ok(()) }
    }
}

const REASON_MAX: usize = 200;

fn reason(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().count() > REASON_MAX || text.chars().any(char::is_control) {
        return Err("a reason is one line of at most 200 characters");
    }
    Ok(text.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "clap asks for a result")]
pub(super) fn secret(text: &str) -> Result<Pii<String>, Infallible> {
    Ok(Pii::new(text.to_owned()))
}

#[expect(clippy::ref_option, reason = "serde asks for a reference to the field")]
fn maybe_time<S: serde::Serializer>(at: &Option<Wall>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&rfc3339(*at)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert!(reason("asked on the phone").is_ok());
        for bad in ["", "  ", "two\nlines", &"x".repeat(201)] {
            assert!(reason(bad).is_err(), "{bad:?}");
        }
    }
}
