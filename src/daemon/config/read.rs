//! The file as a whole: top-level keys, defaults, and the checks that look at several of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{Code, Diagnostic, Span};
use crate::campaign::decode::{Fields, Findings, Node, NodeKind, Spanned, parse, scalar, source_text, unit};

use crate::contact::{Country, zones_of};
use crate::sip::Transport;
use crate::wire::TlsFiles;

use super::{Config, Database, Loaded, Media, address, group, lists, trunk};

const DATABASE: &str = "var/goldenhour.db";
const CAMPAIGNS: &str = "campaigns";
const KEYS_FILE: &str = "var/keys";
const TOKENS_FILE: &str = "var/tokens";
const HTTP_PORT: u16 = 8_080;
const METRICS_PORT: u16 = 9_464;
const MEDIA_PORTS: RangeInclusive<u16> = 20_000..=29_999;
const DRAIN_TIMEOUT: Duration = Duration::from_mins(1);
const DRAIN_TIMEOUT_MAX: Duration = Duration::from_hours(4);
const TRACES_MB: u64 = 64;

pub(super) fn config(name: &str, bytes: &[u8], folder: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let source = source_text(name, bytes).map_err(|finding| vec![finding])?;
    let mut findings = Findings::new(&source);
    let config = parse(&source, &mut findings).and_then(|root| file(&root, folder, &mut findings));
    match (config, findings.has_errors()) {
        (Some(config), false) => Ok(Loaded { config, warnings: findings.into_list() }),
        (_, _) => Err(findings.into_list()),
    }
}

pub(super) fn file(root: &Node, folder: &Path, findings: &mut Findings) -> Option<Config> {
    let mut fields = root.fields("the daemon's configuration", findings)?;
    let path = |text: &str| folder.join(text);
    let database = fields.optional("database", findings, |node, findings| database(node, folder, findings));
    let campaigns = fields.optional("campaigns", findings, scalar::text_some);
    let watch = fields.optional("watch", findings, scalar::boolean).unwrap_or(true);
    let keys_file = fields.optional("keys_file", findings, scalar::text_some);
    let mut tokens_file = None;
    let http = listener(&mut fields, "http", HTTP_PORT, findings, |inner, findings| {
        tokens_file = inner.optional("tokens_file", findings, scalar::text_some);
    });
    let metrics = listener(&mut fields, "metrics", METRICS_PORT, findings, |_, _| {});
    let sip = fields.take("sip").map(|node| (sip(node, folder, findings), node.span));
    let dns_servers = fields.take("dns").map(|node| dns(node, findings)).unwrap_or_default();
    let trunks_node = fields.take("trunks");
    let country = fields.optional("country", findings, scalar::country);
    let zone = fields.optional("zone", findings, zone).unwrap_or_else(|| zone_of(country));
    let around = trunk::Around { folder, country };
    let trunks = trunks_node.map(|node| trunk::trunks(node, around, findings)).unwrap_or_default();
    let groups = fields.take("trunk_groups").map(|node| group::groups(node, &trunks, findings)).unwrap_or_default();
    let queues = fields.take("queues").map(|node| trunk::queues(node, &trunks, findings)).unwrap_or_default();
    let sources = fields.take("sources").map(|node| lists::sources(node, folder, findings)).unwrap_or_default();
    let feeds = fields.take("feeds").map(|node| lists::feeds(node, &sources, findings)).unwrap_or_default();
    let exports = fields.take("exports").map(|node| lists::exports(node, folder, findings)).unwrap_or_default();
    let test_only = fields.optional("test_numbers_only", findings, |node, findings| {
        scalar::boolean(node, findings).map(|value| node.spanned(value))
    });
    let drain = unit::duration_in(Duration::ZERO..=DRAIN_TIMEOUT_MAX);
    let drain_timeout = fields.optional("drain_timeout", findings, drain).unwrap_or(DRAIN_TIMEOUT);
    let journal = fields.optional("journal", findings, scalar::text_some);
    let traces_bytes = fields.optional("traces", findings, traces).unwrap_or(TRACES_MB) << 20;
    fields.not_yet(&["nodes", "events", "auth", "tls", "log", "tracing", "sealing", "cdr"]);
    fields.finish(findings);
    let (sip, sip_span) = sip.unwrap_or((Some(Sip::default()), root.span));
    let sip = sip?;
    let config = Config {
        database: database.unwrap_or_else(|| Database::Sqlite(path(DATABASE))),
        campaigns: path(campaigns.as_deref().unwrap_or(CAMPAIGNS)),
        watch,
        keys_file: path(keys_file.as_deref().unwrap_or(KEYS_FILE)),
        http,
        tokens_file: path(tokens_file.as_deref().unwrap_or(TOKENS_FILE)),
        metrics,
        sip: sip.listen,
        sip_tcp: sip.tcp,
        sip_tls: sip.tls,
        media: sip.media,
        dns_servers,
        test_numbers_only: test_only.as_ref().map_or_else(|| !trunks.iter().any(|trunk| trunk.live), |s| s.value),
        trunks,
        groups,
        queues,
        sources,
        feeds,
        exports,
        folder: folder.to_owned(),
        drain_timeout,
        country,
        zone,
        journal: journal.as_deref().map(path),
        traces_bytes,
    };
    check_together(&config, test_only.as_ref(), sip_span, trunks_node.map(|node| node.span), findings);
    Some(config)
}

fn zone(node: &Node, findings: &mut Findings) -> Option<TimeZone> {
    let text = scalar::plain_text(node, "a time zone", findings)?;
    let found = TimeZone::get(text).ok().filter(|zone| zone.iana_name().is_some());
    if found.is_none() {
        let message = format!("there is no time zone `{text}`");
        findings.error_hint(node.span, Code::BadValue, message, "an IANA name: Asia/Shanghai");
    }
    found
}

/// A country with one clock has told us; of one with several nobody knows which.
fn zone_of(country: Option<Country>) -> TimeZone {
    let prefix = country.and_then(Country::prefix).unwrap_or_default();
    match zones_of(&prefix) {
        [only] => TimeZone::get(only).unwrap_or(TimeZone::UTC),
        _ => TimeZone::UTC,
    }
}

/// What no single key can know.
fn check_together(
    config: &Config,
    test_only: Option<&Spanned<bool>>,
    sip_at: Span,
    trunks_at: Option<Span>,
    findings: &mut Findings,
) {
    if let Some(Spanned { value: false, span }) = test_only
        && !config.trunks.iter().any(|trunk| trunk.live)
    {
        let hint = "mark the trunk that may dial customers `live: true`; it lifts test_numbers_only by itself";
        findings.error_hint(*span, Code::Contradiction, "no trunk is live, so only test numbers can be dialled", hint);
    }
    let far = |trunk: &&super::TrunkConfig| trunk.peer.ip().is_some_and(|ip| !ip.is_loopback());
    if let Some(trunk) = config.trunks.iter().find(far) {
        for (what, address) in [("sip.listen", config.sip.ip()), ("sip.media.address", config.media.address)] {
            if address.is_loopback() {
                let message = format!("{what} is a loopback address, which trunk `{}` cannot answer", trunk.name);
                findings.error_hint(sip_at, Code::Contradiction, message, "give the address that the gateway sees");
            }
        }
    }
    let other = |trunk: &&super::TrunkConfig| trunk.peer.ip().is_some_and(|ip| ip.is_ipv4() != config.sip.is_ipv4());
    if let Some(trunk) = config.trunks.iter().find(other) {
        let message = format!("sip.listen and trunk `{}` speak different versions of IP", trunk.name);
        findings.error(sip_at, Code::Contradiction, message);
    }
    let calls: u32 = config.trunks.iter().map(|trunk| trunk.max_calls).sum();
    let pairs = (u32::from(*config.media.ports.end()) + 1 - u32::from(*config.media.ports.start())) / 2;
    if let Some(at) = trunks_at.filter(|_| calls > pairs) {
        let message = format!("the trunks may have {calls} calls, and sip.media.ports holds {pairs}");
        findings.warning(at, Code::Contradiction, message);
    }
}

fn database(node: &Node, folder: &Path, findings: &mut Findings) -> Option<Database> {
    let text = scalar::plain_text(node, "a database URL", findings)?;
    let hint = "\"sqlite://var/goldenhour.db\": a file, relative to the folder of this one";
    // The text itself is not shown: a mistyped URL may hold a password.
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        findings.unshown(node.span, Code::NotSupported, "PostgreSQL is not supported yet", hint);
        return None;
    }
    let path = text.strip_prefix("sqlite://").filter(|path| !path.is_empty() && !path.contains('?'));
    if path.is_none() {
        findings.unshown(node.span, Code::BadValue, "this is not a database URL", hint);
    }
    path.map(|path| Database::Sqlite(folder.join(path)))
}

/// `traces: { max_mb: 64 }`, or `off`.
fn traces(node: &Node, findings: &mut Findings) -> Option<u64> {
    if matches!(&node.kind, NodeKind::Scalar(word) if word.text == "off") {
        return scalar::one_of(node, "never", &[("off", 0)], &[], findings);
    }
    let mut fields = node.fields("traces", findings)?;
    let max_mb = fields.optional("max_mb", findings, |node, findings| scalar::integer(node, 0..=65_536, findings));
    fields.finish(findings);
    max_mb
}

/// `dns: { servers: ["192.0.2.53", "127.0.0.1:5353"] }`
fn dns(node: &Node, findings: &mut Findings) -> Vec<SocketAddr> {
    let Some(mut fields) = node.fields("dns", findings) else { return Vec::new() };
    let servers = fields.optional("servers", findings, |node, findings| node.list_of("servers", findings, dns_server));
    fields.finish(findings);
    servers.unwrap_or_default()
}

fn dns_server(node: &Node, findings: &mut Findings) -> Option<SocketAddr> {
    const PORT: u16 = 53;
    let text = scalar::plain_text(node, "the address of a name server", findings)?;
    let found = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse().ok()?, PORT)));
    if found.is_none() {
        let message = format!("`{text}` is not the address of a name server");
        findings.error_hint(node.span, Code::BadValue, message, "an IP address, perhaps with a port: \"192.0.2.53\"");
    }
    found
}

/// `http: { listen: "127.0.0.1:8080" }`, the default of both listeners being loopback.
fn listener(
    fields: &mut Fields<'_>,
    key: &'static str,
    port: u16,
    findings: &mut Findings,
    mut more: impl FnMut(&mut Fields<'_>, &mut Findings),
) -> SocketAddr {
    let read = |node: &Node, findings: &mut Findings| {
        let mut inner = node.fields("a listener", findings)?;
        let address = inner.required("listen", findings, |node, findings| {
            let text = scalar::plain_text(node, "an address", findings)?;
            let found = text.parse().ok();
            if found.is_none() {
                let hint = format!("an IP address and a port: \"127.0.0.1:{port}\"");
                findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not an address"), hint);
            }
            found
        });
        more(&mut inner, findings);
        inner.not_yet(&["tls", "users"]);
        inner.finish(findings);
        address
    };
    fields.optional(key, findings, read).unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

struct Sip {
    listen: SocketAddr,
    tcp: Option<SocketAddr>,
    tls: Option<(SocketAddr, TlsFiles)>,
    media: Media,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, address::SIP_PORT)),
            tcp: None,
            tls: None,
            media: Media { address: Ipv4Addr::LOCALHOST.into(), ports: MEDIA_PORTS },
        }
    }
}

fn sip(node: &Node, folder: &Path, findings: &mut Findings) -> Option<Sip> {
    let default = Sip::default();
    let mut fields = node.fields("sip", findings)?;
    let (listen, tcp, tls_at) = match fields.take("listen") {
        Some(node) => listeners(node, findings)?,
        None => (Some(default.listen), None, None),
    };
    let tls_node = fields.take("tls");
    let files = tls_node.and_then(|node| trunk::tls(node, folder, findings));
    match (tls_at, tls_node) {
        (Some(_), None) => {
            let hint = "tls: { cert_file: gw.pem, key_file: gw.key }";
            findings.error_hint(node.span, Code::MissingKey, "a listener for TLS needs `sip.tls`", hint);
        }
        (Some(_), Some(node)) if files.as_ref().is_some_and(|files| files.own.is_none()) => {
            findings.error(node.span, Code::MissingKey, "a listener for TLS needs `cert_file` and `key_file`");
        }
        (None, Some(node)) => {
            let hint = "list it: \"tls://192.0.2.1:5061\"; what a trunk wants stands in its own `tls`";
            findings.error_hint(node.span, Code::Contradiction, "nobody listens for TLS", hint);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let media = match fields.take("media") {
        Some(node) => media(node, listen, findings),
        None => listen.map(|listen| Media { address: listen.ip(), ..default.media }),
    };
    fields.not_yet(&["external_address"]);
    fields.finish(findings);
    Some(Sip { listen: listen?, tcp, tls: tls_at.zip(files), media: media? })
}

/// One address of each kind, of which UDP is compulsory.
type Listeners = (Option<SocketAddr>, Option<SocketAddr>, Option<SocketAddr>);

fn listeners(node: &Node, findings: &mut Findings) -> Option<Listeners> {
    let all = node.list_of("listen", findings, one_listener)?;
    let mut found = (None, None, None);
    for (transport, address) in all {
        let place = match transport {
            Transport::Udp => &mut found.0,
            Transport::Tcp => &mut found.1,
            Transport::Tls => &mut found.2,
        };
        if place.replace(address).is_some() {
            let message = format!("more than one listener for {} is not supported yet", transport.name());
            findings.error(node.span, Code::NotSupported, message);
        }
    }
    if found.0.is_none() {
        let message = "SIP needs an address for UDP, whatever else it listens on";
        findings.error_hint(node.span, Code::BadValue, message, LISTEN);
    }
    Some(found)
}

const LISTEN: &str = "\"udp://192.0.2.1:5060\"";

fn one_listener(node: &Node, findings: &mut Findings) -> Option<(Transport, SocketAddr)> {
    let text = scalar::plain_text(node, "an address", findings)?;
    let Some((scheme, address)) = address::listen(text) else {
        findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not a listener"), LISTEN);
        return None;
    };
    let Some(transport) = Transport::parse(scheme) else {
        if matches!(scheme, "ws" | "wss") {
            findings.error_hint(node.span, Code::NotSupported, "WebSockets are not supported yet", LISTEN);
        } else {
            findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not a listener"), LISTEN);
        }
        return None;
    };
    if address.ip().is_unspecified() {
        let message = "name the address itself: it is written into Via and Contact";
        findings.error_hint(node.span, Code::BadValue, message, LISTEN);
        return None;
    }
    Some((transport, address))
}

fn media(node: &Node, listen: Option<SocketAddr>, findings: &mut Findings) -> Option<Media> {
    let mut fields = node.fields("media", findings)?;
    let address = match fields.take("address") {
        None => listen.map(|listen| listen.ip()),
        Some(node) => {
            let text = scalar::plain_text(node, "an address", findings)?;
            let found = text.parse().ok().filter(|ip: &std::net::IpAddr| !ip.is_unspecified());
            if found.is_none() {
                let message = format!("`{text}` cannot be given to the other side");
                findings.error_hint(node.span, Code::BadValue, message, "an IP address of this machine");
            }
            found
        }
    };
    let ports = fields.take("ports").map_or(Some(MEDIA_PORTS), |node| ports(node, findings));
    fields.finish(findings);
    Some(Media { address: address?, ports: ports? })
}

fn ports(node: &Node, findings: &mut Findings) -> Option<RangeInclusive<u16>> {
    let text = scalar::plain_text(node, "a range of ports", findings)?;
    let parsed = text.split_once('-').and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    match parsed {
        Some((low, high)) if (1_024..high).contains(&low) => Some(low..=high),
        Some(_) | None => {
            let hint = "\"20000-29999\": from 1024 on, at least two; a call takes two";
            findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not a range of ports"), hint);
            None
        }
    }
}
