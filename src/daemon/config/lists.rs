//! `sources`, `feeds` and `exports`: where lists come from by themselves, and where outcomes go.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::{Code, Span};
use crate::campaign::ListSource;
use crate::campaign::decode::{Fields, Findings, Node, scalar};
use crate::feed::{DatabaseSource, Format, Hidden, Profile, ReadOptions, ServerSource, Sources, Style, Timetable};

use super::secret::Secret;

/// A list that the daemon loads by the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedConfig {
    pub campaign: String,
    /// Instead of the campaign's `list.source`; a path is relative to the folder of the configuration.
    pub source: Option<ListSource>,
    pub when: Timetable,
    pub encoding: Option<String>,
}

/// An export that the daemon writes by the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportConfig {
    pub when: Timetable,
    pub dir: PathBuf,
    pub style: Style,
}

/// Far above any real installation.
const MOST: usize = 1_000;

pub(super) fn sources(node: &Node, folder: &Path, findings: &mut Findings) -> Sources {
    let mut sources = Sources::default();
    for entry in node.entries("sources", findings).unwrap_or_default() {
        let name = scalar::key_name(entry, findings);
        let Some(mut fields) = entry.value.fields("a source", findings) else { continue };
        let url = fields.take("url");
        let found = match (fields.take("database"), url) {
            (Some(node), None) => database(node, &mut fields, folder, findings).map(Found::Database),
            (None, Some(node)) => server(node, &mut fields, folder, findings).map(Found::Server),
            (Some(_), Some(node)) => {
                findings.error(node.span, Code::Contradiction, "a source is a `database` or a `url`, not both");
                None
            }
            (None, None) => {
                fields.missing("database: or url:", findings);
                None
            }
        };
        fields.finish(findings);
        match (name, found) {
            (Some(name), Some(Found::Database(database))) => drop(sources.databases.insert(name, database)),
            (Some(name), Some(Found::Server(server))) => drop(sources.servers.insert(name, server)),
            (_, _) => {}
        }
    }
    sources
}

enum Found {
    Database(DatabaseSource),
    Server(ServerSource),
}

fn database(node: &Node, fields: &mut Fields<'_>, folder: &Path, findings: &mut Findings) -> Option<DatabaseSource> {
    let text = scalar::plain_text(node, "a database URL", findings)?;
    let hint = "\"postgres://user@host:5432/name\" with `password_file`, or \"sqlite://file.db\"";
    if let Some(path) = text.strip_prefix("sqlite://").filter(|path| !path.is_empty() && !path.contains('?')) {
        return Some(DatabaseSource::Sqlite(folder.join(path)));
    }
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let Some(authority) = rest.and_then(|rest| rest.split('/').next()).filter(|authority| !authority.is_empty()) else {
        findings.unshown(node.span, Code::BadValue, "this is no database that lists can come from", hint);
        return None;
    };
    let password = secret("password_file", fields, folder, findings);
    let in_login = authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    if in_login || text.contains("password=") {
        let message = "a password does not stand in this file";
        findings.unshown(node.span, Code::BadValue, message, "name a `password_file`");
        return None;
    }
    if !cfg!(feature = "postgres") {
        let (message, hint) =
            ("this program was built without the feature `postgres`", "cargo build --release --features postgres");
        findings.error_hint(node.span, Code::NotSupported, message, hint);
        return None;
    }
    if let Some(host) = in_the_clear(text, authority) {
        let message =
            format!("lists of people may come from {host} in the clear: write `?sslmode=verify-full` behind it");
        findings.warning(node.span, Code::BadValue, message);
    }
    Some(DatabaseSource::Postgres { url: text.to_owned(), password: password? })
}

/// The host of a PostgreSQL URL, if it is another machine and the session need not be encrypted (libpq, "SSL support").
fn in_the_clear<'a>(url: &str, authority: &'a str) -> Option<&'a str> {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let here = ["127.0.0.1", "localhost", "[::1]"];
    let here =
        here.iter().any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    let encrypted = ["require", "verify-ca", "verify-full"].iter().any(|mode| url.contains(&format!("sslmode={mode}")));
    (!here && !encrypted).then_some(host)
}

fn server(node: &Node, fields: &mut Fields<'_>, folder: &Path, findings: &mut Findings) -> Option<ServerSource> {
    let text = scalar::plain_text(node, "a URL", findings)?;
    let authorities = fields.optional("ca_file", findings, |node, findings| readable(node, folder, findings));
    let token = secret("token_file", fields, folder, findings)?;
    if !matches!(ListSource::parse(text), Ok(ListSource::Url(_))) || text.contains(['?', '#']) {
        let hint = "\"https://lists.bank.example/cards/\", without login and query";
        findings.unshown(node.span, Code::BadValue, "this is not the URL of a server", hint);
        return None;
    }
    let host = text.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or(""));
    if let Some(host) = host.filter(|host| !matches!(*host, "127.0.0.1" | "localhost" | "[")) {
        let message = format!("lists of people come from {host} in the clear");
        if token.is_some() {
            findings.error_hint(node.span, Code::BadValue, message, "a token is sent over https:// only");
            return None;
        }
        findings.warning(node.span, Code::BadValue, message);
    }
    let url = format!("{}/", text.trim_end_matches('/'));
    Some(ServerSource { url, token, authorities })
}

/// `Some(None)` where no such key stands; `None` where it stands and cannot be read, which is reported.
#[expect(clippy::option_option, reason = "absent and unreadable differ")]
fn secret(
    key: &'static str,
    fields: &mut Fields<'_>,
    folder: &Path,
    findings: &mut Findings,
) -> Option<Option<Hidden>> {
    let Some(node) = fields.take(key) else { return Some(None) };
    let path = scalar::text_some(node, findings)?;
    match Secret::read(&folder.join(path)) {
        Ok((secret, warning)) => {
            if let Some(warning) = warning {
                findings.warning(node.span, Code::File, warning);
            }
            Some(Some(Hidden::new(secret.reveal())))
        }
        Err(why) => {
            findings.error(node.span, Code::File, why);
            None
        }
    }
}

fn readable(node: &Node, folder: &Path, findings: &mut Findings) -> Option<PathBuf> {
    let path = folder.join(scalar::text_some(node, findings)?);
    match fs::metadata(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            findings.error(node.span, Code::File, format!("{}: {error}", path.display()));
            None
        }
    }
}

pub(super) fn feeds(node: &Node, sources: &Sources, findings: &mut Findings) -> Vec<FeedConfig> {
    let feeds = node.list_of("feeds", findings, |node, findings| feed(node, sources, findings)).unwrap_or_default();
    bounded(feeds, node.span, findings)
}

fn feed(node: &Node, sources: &Sources, findings: &mut Findings) -> Option<FeedConfig> {
    let mut fields = node.fields("a feed", findings)?;
    let campaign = fields.required("campaign", findings, scalar::name);
    let source = fields.optional("source", findings, |node, findings| {
        let text = scalar::text_some(node, findings)?;
        let found = ListSource::parse(&text).map_err(str::to_owned);
        let found = found.and_then(|source| sources.check(&source).map(|()| source).map_err(|error| error.to_string()));
        let hint = "\"lists/{run_date}.csv\", \"sql:VIEW\", \"http:NAME/PATH\"";
        found.map_err(|why| findings.unshown(node.span, Code::BadValue, &why, hint)).ok()
    });
    let when = timetable(&mut fields, findings);
    let encoding = fields.optional("encoding", findings, |node, findings| {
        let name = scalar::text_some(node, findings)?;
        let options = ReadOptions { encoding: Some(name.clone()), ..ReadOptions::default() };
        match options.check() {
            Ok(()) => Some(name),
            Err(error) => {
                findings.error(node.span, Code::BadValue, error.to_string());
                None
            }
        }
    });
    fields.finish(findings);
    Some(FeedConfig { campaign: campaign?, source, when: when?, encoding })
}

pub(super) fn exports(node: &Node, folder: &Path, findings: &mut Findings) -> Vec<ExportConfig> {
    let exports =
        node.list_of("exports", findings, |node, findings| export(node, folder, findings)).unwrap_or_default();
    bounded(exports, node.span, findings)
}

fn export(node: &Node, folder: &Path, findings: &mut Findings) -> Option<ExportConfig> {
    let mut fields = node.fields("an export", findings)?;
    let when = timetable(&mut fields, findings);
    let dir = fields.required("dir", findings, scalar::text_some);
    let format = fields.required("format", findings, |node, findings| {
        let words = [("csv", Format::Csv), ("jsonl", Format::Jsonl)];
        scalar::one_of(node, "a format", &words, &["parquet"], findings)
    });
    let profile = fields.optional("profile", findings, |node, findings| {
        let words = [("machine", Profile::Machine), ("spreadsheet", Profile::Spreadsheet)];
        scalar::one_of(node, "a profile", &words, &[], findings)
    });
    let features = fields.optional("features", findings, scalar::boolean).unwrap_or(false);
    fields.finish(findings);
    let style = Style { format: format?, profile: profile.unwrap_or(Profile::Machine), features };
    Some(ExportConfig { when: when?, dir: folder.join(dir?), style })
}

fn timetable(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<Timetable> {
    let zone = match fields.take("zone") {
        Some(node) => scalar::text_some(node, findings)?,
        None => "UTC".to_owned(),
    };
    fields.required("cron", findings, |node, findings| {
        let text = scalar::text_some(node, findings)?;
        let found = Timetable::parse(&text, &zone);
        let hint = "five fields as in crontab(5), in quotes: \"30 7 * * 1-5\" is 7:30 from Monday to Friday";
        found
            .map_err(|why| {
                findings.error_hint(node.span, Code::BadValue, format!("not a time for `{zone}`: {why}"), hint);
            })
            .ok()
    })
}

fn bounded<T>(mut all: Vec<T>, at: Span, findings: &mut Findings) -> Vec<T> {
    if all.len() > MOST {
        findings.error(at, Code::YamlBounds, format!("more than {MOST} of them"));
        all.truncate(MOST);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::render;
    use crate::daemon::config::{Config, read};

    #[expect(clippy::unwrap_in_result, reason = "what fails there is the trial's own folder")]
    fn config(text: &str) -> Result<Config, String> {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("t"), "s3cret\n").unwrap();
        read::config("goldenhour.yaml", text.as_bytes(), home.path())
            .map(|loaded| loaded.config)
            .map_err(|findings| render(&findings))
    }

    #[test]
    fn sources_feeds_and_exports_read_as_they_say() {
        let config = config(
            r#"
sources:
  dw: { database: "sqlite://dw.db" }
  crm: { url: "https://crm.example/lists", token_file: t }
feeds:
  - { campaign: bill, source: "sql:mart.leads", cron: "30 7 * * 1-5", zone: "Asia/Shanghai", encoding: gb18030 }
  - { campaign: activation, cron: "0 8 * * *" }
exports: [{ cron: "*/15 * * * *", format: jsonl, dir: out, profile: spreadsheet, features: true }]
"#,
        )
        .unwrap();
        let server = &config.sources.servers["crm"];
        assert_eq!(
            (server.url.as_str(), server.token.as_ref()),
            ("https://crm.example/lists/", Some(&Hidden::new("s3cret")))
        );
        assert!(matches!(&config.sources.databases["dw"], DatabaseSource::Sqlite(path) if path.is_absolute()));
        let [first, second] = config.feeds.as_slice() else { panic!() };
        assert_eq!((first.campaign.as_str(), first.encoding.as_deref()), ("bill", Some("gb18030")));
        assert_eq!((second.source.as_ref(), &second.when), (None, &Timetable::parse("0 8 * * *", "UTC").unwrap()));
        let [export] = config.exports.as_slice() else { panic!() };
        assert!(export.dir.ends_with("out") && export.style.features && export.style.profile == Profile::Spreadsheet);
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn every_mistake_is_shown_with_what_to_do_and_no_secret() {
        for (text, said) in [
            ("feeds: [{ campaign: a, cron: \"0 0 30 2 *\" }]", "it never comes"),
            ("feeds: [{ campaign: a, cron: \"0 8 * * *\", zone: Mars }]", "no time zone"),
            ("feeds: [{ campaign: a }]", "has no `cron`"),
            ("feeds: [{ campaign: a, cron: \"0 8 * * *\", source: \"sql:x\" }]", "no database is configured"),
            ("feeds: [{ campaign: a, cron: \"0 8 * * *\", encoding: klingon }]", "no encoding is called"),
            ("sources: { a: { database: \"sqlite://a.db\", url: \"https://b\" } }", "not both"),
            ("sources: { a: { cron: \"x\" } }", "database: or url:"),
            ("sources: { a: { database: \"mysql://root:s3cret@x/y\" } }", "no database that lists can come from"),
            ("sources: { a: { database: \"postgres://me:s3cret@x/y\" } }", "a password does not stand in this file"),
            ("sources: { a: { url: \"https://me:s3cret@x/\" } }", "not the URL of a server"),
            ("sources: { a: { url: \"http://crm.example/\", token_file: t } }", "a token is sent over https:// only"),
            ("sources: { a: { url: \"https://x/\", ca_file: nowhere.pem } }", "nowhere.pem"),
            ("exports: [{ cron: \"0 8 * * *\", format: parquet, dir: x }]", "not supported yet"),
            ("exports: [{ cron: \"0 8 * * *\", format: jsonl }]", "has no `dir`"),
        ] {
            let shown = config(text).unwrap_err();
            assert!(shown.contains(said) && !shown.contains("s3cret"), "{text}\n{shown}");
        }
    }

    #[test]
    fn a_database_elsewhere_is_asked_for_encryption_and_one_here_is_not() {
        let host = |url: &'static str| in_the_clear(url, url.split('/').nth(2).unwrap());
        for elsewhere in
            ["postgres://me@db.bank:5432/x", "postgres://me@db.bank/x?sslmode=prefer", "postgres://localhost.bank/x"]
        {
            assert!(host(elsewhere).is_some(), "{elsewhere}");
        }
        for fine in
            ["postgres://me@127.0.0.1:5432/x", "postgres://[::1]/x", "postgres://me@db.bank/x?sslmode=verify-full"]
        {
            assert_eq!(host(fine), None, "{fine}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn postgresql_is_refused_by_the_name_of_its_feature() {
        let shown = config("sources: { a: { database: \"postgres://me@x/y\", password_file: t } }").unwrap_err();
        assert!(shown.contains("feature `postgres`"), "{shown}");
    }
}
