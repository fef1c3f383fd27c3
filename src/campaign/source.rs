//! Where a list comes from, as campaigns, feeds and the command line name it.

use std::fmt;

use jiff::civil::Date;

/// `list.source`, the `source` of a feed, or the `LIST` of `goldenhour import`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListSource {
    /// A path; in a campaign relative to the campaigns folder.
    File(String),
    /// `sql:VIEW`, or `sql:NAME/VIEW` where several databases are configured. The view may be `schema.view`.
    View { database: Option<String>, view: String },
    /// `http:NAME/PATH`: below the URL of a server that is configured, with its token.
    Feed { server: String, path: String },
    /// `https://…`, without login.
    Url(String),
}

/// Stands for the day of the run, `2026-12-01`.
const RUN_DATE: &str = "{run_date}";

/// Of a whole source.
const LENGTH_MAX: usize = 1_024;

impl ListSource {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > LENGTH_MAX || text.chars().any(char::is_control) {
            return Err("a source is one to 1,024 characters, without control characters");
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            let host = text.split_once("//").map_or("", |(_, rest)| rest);
            if host.is_empty() || host.starts_with('/') || text.contains(char::is_whitespace) {
                return Err("this is not a URL");
            }
            if host.split('/').next().is_some_and(|host| host.contains('@')) {
                return Err("a URL holds no login: configure the server under `sources` and write http:NAME/PATH");
            }
            return Ok(Self::Url(text.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("sql:") {
            return view(rest)
                .ok_or("a view is `sql:VIEW` or `sql:NAME/VIEW`: letters, digits and `_`, perhaps `schema.view`");
        }
        if let Some(rest) = text.strip_prefix("http:").or_else(|| text.strip_prefix("https:")) {
            let feed = rest.split_once('/').filter(|(server, path)| is_name(server) && fits_path(path));
            return feed
                .map(|(server, path)| Self::Feed { server: server.to_owned(), path: path.to_owned() })
                .ok_or("a feed is `http:NAME/PATH`, NAME being one of the configured servers");
        }
        Ok(Self::File(text.to_owned()))
    }

    /// With the day put in where the source asks for it.
    pub fn on(&self, day: Date) -> Self {
        let put = |text: &String| text.replace(RUN_DATE, &day.to_string());
        match self {
            Self::File(path) => Self::File(put(path)),
            Self::View { .. } => self.clone(),
            Self::Feed { server, path } => Self::Feed { server: server.clone(), path: put(path) },
            Self::Url(url) => Self::Url(put(url)),
        }
    }
}

impl fmt::Display for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::View { database: None, view } => write!(f, "sql:{view}"),
            Self::View { database: Some(name), view } => write!(f, "sql:{name}/{view}"),
            Self::Feed { server, path } => write!(f, "http:{server}/{path}"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

fn view(rest: &str) -> Option<ListSource> {
    let (database, view) = match rest.split_once('/') {
        Some((database, view)) => (Some(database).filter(|name| is_name(name))?, view),
        None => ("", rest),
    };
    let parts = view.split('.').count();
    let word = |word: &str| {
        let first = word.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        first && word.len() <= 63 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let database = (!database.is_empty()).then(|| database.to_owned());
    (parts <= 2 && view.split('.').all(word)).then(|| ListSource::View { database, view: view.to_owned() })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What stays below the server's own URL.
fn fits_path(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(['#', '\\', ' '])
        && path.split(['/', '?']).all(|part| part != ".." && part != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_source_is_told_by_its_beginning() {
        let file = |path: &str| ListSource::File(path.into());
        let view = |database: Option<&str>, view: &str| ListSource::View {
            database: database.map(str::to_owned),
            view: view.into(),
        };
        let feed = |server: &str, path: &str| ListSource::Feed { server: server.into(), path: path.into() };
        for (text, source) in [
            ("lists/a.csv.gz", file("lists/a.csv.gz")),
            ("sql:leads", view(None, "leads")),
            ("sql:mart.leads_today", view(None, "mart.leads_today")),
            ("sql:dw/mart.leads", view(Some("dw"), "mart.leads")),
            ("http:crm/lists/a.csv?day=1", feed("crm", "lists/a.csv?day=1")),
            ("https://bank.example/a.csv", ListSource::Url("https://bank.example/a.csv".into())),
        ] {
            assert_eq!(ListSource::parse(text), Ok(source.clone()), "{text}");
            assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn what_could_be_more_than_a_name_is_refused() {
        for bad in [
            "",
            "sql:",
            "sql:a;drop table b",
            "sql:\"a\"",
            "sql:a.b.c",
            "sql:1a",
            "sql:x y/leads",
            "http:crm",
            "http:crm/",
            "http:crm/../secret",
            "http:crm//other.example",
            "http:c m/a",
            "https://",
            "https://user:password@bank.example/a",
            "a\nb",
        ] {
            assert!(ListSource::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_day_of_the_run_is_put_in() {
        let day = jiff::civil::date(2026, 12, 1);
        let on = |text: &str| ListSource::parse(text).unwrap().on(day).to_string();
        assert_eq!(on("lists/{run_date}.csv"), "lists/2026-12-01.csv");
        assert_eq!(on("http:crm/a?d={run_date}"), "http:crm/a?d=2026-12-01");
        assert_eq!(on("sql:leads"), "sql:leads");
    }
}
