//! Brings a list here from wherever its source says: a file, a view of a database, a server on the web.

#[cfg(feature = "postgres")]
mod postgres;
mod sql;
mod sqlite;
mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::campaign::ListSource;

use super::{ListError, ListFile};

pub use web::tls as web_tls;

/// The databases and servers that lists may come from: `sources:` of the daemon's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    pub databases: BTreeMap<String, DatabaseSource>,
    pub servers: BTreeMap<String, ServerSource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseSource {
    /// Opened for reading only.
    Sqlite(PathBuf),
    /// `postgres://user@host:port/database`, without a password.
    Postgres { url: String, password: Option<Hidden> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSource {
    /// Ends with `/`.
    pub url: String,
    /// Sent as `Authorization: Bearer`, to this server only.
    pub token: Option<Hidden>,
    /// PEM; the system's authorities without it.
    pub authorities: Option<PathBuf>,
}

/// A password or token. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// How long the other side may be silent, and how long the whole list may take.
pub(super) const SILENCE_MAX: Duration = Duration::from_mins(1);
pub(super) const WHOLE_MAX: Duration = Duration::from_hours(2);

/// Blocks until the list is here. `folder` is where relative paths begin, `spool` where a nameless copy is kept.
pub fn reach(source: &ListSource, sources: &Sources, folder: &Path, spool: &Path) -> Result<ListFile, ListError> {
    let shown = PathBuf::from(source.to_string());
    match source {
        ListSource::File(path) => ListFile::open(&folder.join(path), spool),
        ListSource::View { database, view } => {
            let database = sources.database(database.as_deref())?;
            kept(shown, sql::csv_of(database.clone(), view.clone())?, spool)
        }
        ListSource::Feed { server, path } => {
            let server = sources.server(server)?;
            kept(shown, web::get(&format!("{}{path}", server.url), Some(server))?, spool)
        }
        ListSource::Url(url) => kept(shown, web::get(url, None)?, spool),
    }
}

/// What breaks on the other side is told from what breaks where it is kept.
fn kept(shown: PathBuf, from: impl Read, spool: &Path) -> Result<ListFile, ListError> {
    let mut far = Far { from, broke: None };
    let kept = ListFile::kept(shown, &mut far, spool);
    kept.map_err(|error| match far.broke {
        Some(why) => ListError::Unreachable(format!("it broke off: {why}")),
        None => error,
    })
}

struct Far<R> {
    from: R,
    broke: Option<String>,
}

impl<R: Read> Read for Far<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.from.read(into).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.broke = Some(error.to_string());
            }
        })
    }
}

impl Sources {
    /// Whether a source can be reached at all, as far as the configuration tells.
    pub fn check(&self, source: &ListSource) -> Result<(), ListError> {
        match source {
            ListSource::File(_) | ListSource::Url(_) => Ok(()),
            ListSource::View { database, .. } => self.database(database.as_deref()).map(drop),
            ListSource::Feed { server, .. } => self.server(server).map(drop),
        }
    }

    fn database(&self, name: Option<&str>) -> Result<&DatabaseSource, ListError> {
        let mut all = self.databases.values();
        match (name, all.next(), all.next()) {
            (Some(name), ..) => self.databases.get(name).ok_or_else(|| unknown(name, self.databases.keys())),
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(ListError::Source("no database is configured under `sources`".to_owned())),
            (None, Some(_), Some(_)) => {
                let names: Vec<&str> = self.databases.keys().map(String::as_str).collect();
                Err(ListError::Source(format!("which database: {}? write sql:NAME/VIEW", names.join(", "))))
            }
        }
    }

    fn server(&self, name: &str) -> Result<&ServerSource, ListError> {
        self.servers.get(name).ok_or_else(|| unknown(name, self.servers.keys()))
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> ListError {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let known = if known.is_empty() { "nothing is configured".to_owned() } else { known.join(", ") };
    ListError::Source(format!("`{name}` is not among `sources` ({known})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(names: &[&str]) -> Sources {
        let database = |name: &&str| ((*name).to_owned(), DatabaseSource::Sqlite("x.db".into()));
        Sources { databases: names.iter().map(database).collect(), ..Sources::default() }
    }

    #[test]
    fn what_breaks_off_is_unreachable_and_keeps_its_reason() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("division by zero"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let error = kept("x".into(), b"a,b\n1,".chain(Broken), dir.path()).unwrap_err();
        assert!(matches!(&error, ListError::Unreachable(why) if why == "it broke off: division by zero"), "{error}");
        let nowhere = dir.path().join("nowhere");
        assert!(matches!(kept("x".into(), io::empty(), &nowhere), Err(ListError::Io(_))));
    }

    #[test]
    fn one_database_needs_no_name_and_two_do() {
        let check = |names: &[&str], source: &str| sources(names).check(&ListSource::parse(source).unwrap());
        assert!(check(&["dw"], "sql:leads").is_ok() && check(&["dw", "crm"], "sql:crm/leads").is_ok());
        for (names, source, said) in [
            (&[][..], "sql:leads", "no database"),
            (&["crm", "dw"], "sql:leads", "crm, dw"),
            (&["dw"], "sql:wd/leads", "`wd` is not among `sources` (dw)"),
            (&["dw"], "http:crm/a.csv", "nothing is configured"),
        ] {
            let error = check(names, source).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        assert_eq!(format!("{:?}", Some(Hidden::new("s3cret"))), "Some(****)");
    }
}
