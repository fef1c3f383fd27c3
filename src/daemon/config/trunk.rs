//! `trunks` and `queues`: the gateways that take our calls, and the PBX queues we transfer to.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Code, Reach, TrunkIx};
use crate::campaign::decode::{Entry, Findings, Node, NodeKind, did_you_mean, scalar, unit};
use crate::contact::Country;
use crate::engine::Spend;
use crate::sip::locate::Wish;
use crate::sip::{Network, Register, Transport, is_diversion};
use crate::wire::TlsFiles;

use super::address::SipUri;
use super::identity::{IdentityConfig, identity};
use super::reach;
use super::secret::Secret;
use super::spend;

/// Without `options_every`.
const OPTIONS_EVERY: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct TrunkConfig {
    pub name: String,
    /// A peer is exactly this address and port, plus the networks in `from`.
    pub peer: Gateway,
    /// For a gateway that is reached over TLS.
    pub tls: TlsFiles,
    pub from: Vec<Network>,
    /// Until true, this trunk dials test numbers only.
    pub live: bool,
    pub auth: Option<Auth>,
    pub register: Option<Register>,
    pub caller_ids: CallerIds,
    /// P-Asserted-Identity too, for a gateway that trusts us (RFC 3325).
    pub assert_caller_id: bool,
    /// The value of Diversion (RFC 5806), as it is sent.
    pub diversion: Option<String>,
    /// Who signs its calls (RFC 8224); they go unsigned without it.
    pub identity: Option<IdentityConfig>,
    pub number: NumberForm,
    /// The numbers that may be dialled over it.
    pub reach: Reach,
    pub max_calls: u32,
    pub max_cps: u32,
    /// `None`: calls over it may cost as much as they come to.
    pub spend: Option<Spend>,
    /// Its RTP may come from another address than its SDP names.
    pub learn_media_address: bool,
    /// How often it is asked by OPTIONS whether it is there. `None`: never.
    pub options_every: Option<Duration>,
    /// Calls by SRTP and never by RTP.
    pub srtp: bool,
}

/// Where a gateway is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// As the file has it: a name, or an address, in brackets where it is of version 6.
    pub host: String,
    /// As the file has it, or what the transport's port is.
    pub port: u16,
    /// As the file has it; UDP without it, unless the records of a name say otherwise.
    pub transport: Transport,
    says_port: bool,
    says_transport: bool,
    ip: Option<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    pub user: String,
    /// Only a challenge of this realm is answered.
    pub realm: String,
    pub password: Secret,
}

/// Numbers that a trunk may show, by pool. A plain list is one pool that every campaign may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerIds {
    pools: BTreeMap<String, Arc<[Arc<str>]>>,
    all: Arc<[Arc<str>]>,
    max_per_day: BTreeMap<Arc<str>, u32>,
}

/// How a gateway wants numbers: `strip` falls away from the front, then `prefix` is put there. A number that does not
/// begin with `strip` goes out as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberForm {
    pub strip: String,
    pub prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueConfig {
    pub name: String,
    /// The SIP URI for Refer-To, with the trunk's name replaced by its address.
    pub target: String,
    /// `None`: the URI names an address that is no trunk.
    pub trunk: Option<TrunkIx>,
    pub seats: u32,
}

impl Gateway {
    fn new(uri: &SipUri<'_>) -> Self {
        let port = uri.port.unwrap_or(uri.transport.default_port());
        let (says_port, says_transport) = (uri.port.is_some(), uri.says_transport);
        Self { host: uri.host.to_owned(), port, transport: uri.transport, says_port, says_transport, ip: uri.ip() }
    }

    /// `None` for a name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Where it is, if the file says so.
    pub fn addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.ip?, self.port))
    }

    /// What there is to find out where it is a name.
    pub fn wish(&self) -> Option<Wish> {
        let (port, transport) = (self.says_port.then_some(self.port), self.says_transport.then_some(self.transport));
        self.ip.is_none().then(|| Wish { host: self.host.clone(), port, transport })
    }

    /// Host and port, as they stand behind the `@` of a URI: a port with a name means that it alone is meant.
    pub fn host_port(&self) -> String {
        if self.wish().is_some() && !self.says_port {
            return self.host.clone();
        }
        format!("{}:{}", self.host, self.port)
    }
}

/// As a URI without its scheme.
impl std::fmt::Display for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.host_port(), self.transport.uri_param())
    }
}

impl CallerIds {
    /// The numbers of a pool, or all of them where a campaign names none. `None`: there is no such pool.
    pub fn pool(&self, name: Option<&str>) -> Option<&Arc<[Arc<str>]>> {
        match name {
            None => Some(&self.all),
            Some(name) => self.pools.get(name),
        }
    }

    pub fn pools(&self) -> &BTreeMap<String, Arc<[Arc<str>]>> {
        &self.pools
    }

    /// How often a number may be shown in a day. Of one in several pools the lowest figure.
    pub fn max_per_day(&self) -> &BTreeMap<Arc<str>, u32> {
        &self.max_per_day
    }
}

impl NumberForm {
    pub fn shape(&self, number: &str) -> String {
        match number.strip_prefix(self.strip.as_str()) {
            Some(rest) => format!("{}{rest}", self.prefix),
            None => number.to_owned(),
        }
    }
}

/// What a trunk takes from the rest of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// What `password_file` is relative to.
    pub(super) folder: &'a Path,
    pub(super) country: Option<Country>,
}

pub(super) fn trunks(node: &Node, around: Around<'_>, findings: &mut Findings) -> Vec<TrunkConfig> {
    let entries = node.entries("trunks", findings).unwrap_or_default();
    entries.iter().filter_map(|entry| trunk(entry, around, findings)).collect()
}

pub(super) fn queues(node: &Node, trunks: &[TrunkConfig], findings: &mut Findings) -> Vec<QueueConfig> {
    let entries = node.entries("queues", findings).unwrap_or_default();
    entries.iter().filter_map(|entry| queue(entry, trunks, findings)).collect()
}

fn trunk(entry: &Entry, around: Around<'_>, findings: &mut Findings) -> Option<TrunkConfig> {
    let folder = around.folder;
    let name = scalar::key_name(entry, findings);
    let mut fields = entry.value.fields("a trunk", findings)?;
    let peer = fields.required("uri", findings, peer);
    let tls_node = fields.take("tls");
    let tls = tls_node.and_then(|node| tls(node, folder, findings));
    if let Some((node, gateway)) = tls_node.zip(peer.as_ref()).filter(|(_, peer)| peer.transport != Transport::Tls) {
        let message = format!("`tls` says nothing: {gateway} is not reached over TLS");
        findings.error_hint(node.span, Code::Contradiction, message, "end its `uri` with \";transport=tls\"");
    }
    let from = fields.optional("from", findings, |node, findings| node.list_of("from", findings, network));
    let live = fields.optional("live", findings, scalar::boolean).unwrap_or(false);
    let auth_node = fields.take("auth");
    let auth = auth_node.map(|node| auth(node, folder, findings));
    let account = auth.as_ref().and_then(Option::as_ref).map(|auth| auth.user.as_str());
    let register_node = fields.take("register");
    // Without a readable `auth` its user is not known, and that was said already.
    let register = register_node.filter(|_| !matches!(auth, Some(None))).map(|node| register(node, account, findings));
    let caller_ids = fields.required("caller_ids", findings, caller_ids);
    let assert_caller_id = fields.optional("assert_caller_id", findings, scalar::boolean).unwrap_or(true);
    let diversion = fields.optional("diversion", findings, diversion);
    let identity_node = fields.take("identity");
    let identity = identity_node.map(|node| identity(node, findings));
    let number = fields.optional("number", findings, number_form).unwrap_or_default();
    let reach = reach::reach(&mut fields, entry, live, around.country, findings);
    let max_calls = fields.required("max_calls", findings, scalar::u32_from(1..=100_000));
    let max_cps = fields.required("max_cps", findings, scalar::u32_from(1..=10_000));
    let spend_node = fields.take("spend");
    let spend = spend_node.map(|node| spend::spend(node, findings));
    let learn = fields.optional("learn_media_address", findings, scalar::boolean).unwrap_or(false);
    let options_every = fields.optional("options_every", findings, Heartbeat::read);
    let srtp_node = fields.take("srtp");
    let srtp = srtp_node.is_some_and(|node| srtp(node, peer.as_ref(), findings));
    fields.not_yet(&["transport", "codecs", "fail_over_to"]);
    fields.finish(findings);
    Some(TrunkConfig {
        name: name?,
        peer: peer?,
        tls: tls.unwrap_or_default(),
        from: from.unwrap_or_default(),
        live,
        auth: match auth {
            None => None,
            Some(auth) => Some(auth?),
        },
        register: match register {
            None => None,
            Some(register) => Some(register?),
        },
        caller_ids: caller_ids?,
        assert_caller_id,
        diversion,
        identity: match identity {
            None => None,
            Some(identity) => Some(identity?),
        },
        number,
        reach: reach?,
        max_calls: max_calls?,
        max_cps: max_cps?,
        spend: match spend {
            None => None,
            Some(spend) => Some(spend?),
        },
        learn_media_address: learn,
        options_every: options_every.unwrap_or(Heartbeat::Every(OPTIONS_EVERY)).interval(),
        srtp,
    })
}

fn peer(node: &Node, findings: &mut Findings) -> Option<Gateway> {
    let text = scalar::plain_text(node, "a SIP URI", findings)?;
    let Some(uri) = SipUri::parse(text).filter(|uri| uri.user.is_none()) else {
        let hint = "\"sip:192.0.2.10:5060\" without a user, perhaps with \";transport=tcp\" or \";transport=tls\"";
        findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not the URI of a gateway"), hint);
        return None;
    };
    Some(Gateway::new(&uri))
}

/// `tls: { ca_file, cert_file, key_file }`. The files are read at the start, and by `doctor`.
pub(super) fn tls(node: &Node, folder: &Path, findings: &mut Findings) -> Option<TlsFiles> {
    let mut fields = node.fields("tls", findings)?;
    let mut path =
        |key| -> Option<PathBuf> { fields.optional(key, findings, scalar::text_some).map(|text| folder.join(text)) };
    let (ca_file, cert_file, key_file) = (path("ca_file"), path("cert_file"), path("key_file"));
    fields.finish(findings);
    if cert_file.is_some() != key_file.is_some() {
        findings.error(node.span, Code::BadValue, "a certificate and its key go together: cert_file and key_file");
        return None;
    }
    Some(TlsFiles { ca_file, own: cert_file.zip(key_file) })
}

/// Its keys stand in the signalling (RFC 4568 §7.1.1), which must be secret for that.
fn srtp(node: &Node, peer: Option<&Gateway>, findings: &mut Findings) -> bool {
    // There is no third way: what may be left out at the other side's wish protects nothing.
    if scalar::one_of(node, "a way to use SRTP", &[("off", false), ("required", true)], &[], findings) != Some(true) {
        return false;
    }
    if let Some(peer) = peer.filter(|peer| peer.transport != Transport::Tls) {
        let message = format!("the keys of SRTP would go to {peer} in the clear");
        if peer.ip().is_some_and(|ip| ip.is_loopback()) {
            findings.warning(node.span, Code::Contradiction, message);
        } else {
            let hint = "end its `uri` with \";transport=tls\"";
            findings.error_hint(node.span, Code::Contradiction, message, hint);
        }
    }
    true
}

/// It goes out as it stands, so it must be one header and no more.
fn diversion(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::plain_text(node, "an address", findings)?;
    if is_diversion(text) {
        return Some(text.to_owned());
    }
    let hint = "\"<sip:+999100000001@bank.example>;reason=unconditional\": one address in angle brackets, in ASCII, at most \
                256 characters";
    findings.error_hint(node.span, Code::BadValue, "this is not the value of a Diversion header (RFC 5806)", hint);
    None
}

fn network(node: &Node, findings: &mut Findings) -> Option<Network> {
    let text = scalar::plain_text(node, "a network", findings)?;
    // `/0` would be everybody.
    let found = Network::parse(text).filter(|_| !text.ends_with("/0"));
    if found.is_none() {
        let hint = "an address, or a network: \"192.0.2.0/24\"";
        findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not a network"), hint);
    }
    found
}

fn auth(node: &Node, folder: &Path, findings: &mut Findings) -> Option<Auth> {
    let mut fields = node.fields("auth", findings)?;
    let user = fields.required("user", findings, quotable);
    let realm = fields.required("realm", findings, quotable);
    let file = fields.required("password_file", findings, scalar::text_at);
    if let Some(password) = fields.take("password") {
        let hint = "write it into a file of its own and name that: password_file";
        findings.error_hint(password.span, Code::BadValue, "secrets do not stand in the configuration", hint);
    }
    fields.finish(findings);
    let file = file?;
    match Secret::read(&folder.join(&file.value)) {
        Err(why) => {
            findings.error(file.span, Code::File, why);
            None
        }
        Ok((password, warning)) => {
            if let Some(warning) = warning {
                findings.warning(file.span, Code::File, warning);
            }
            Some(Auth { user: user?, realm: realm?, password })
        }
    }
}

/// `account` is the user of `auth`.
fn register(node: &Node, account: Option<&str>, findings: &mut Findings) -> Option<Register> {
    let mut fields = node.fields("register", findings)?;
    let range = unit::duration_in(Duration::from_mins(1)..=Duration::from_hours(24));
    let expires = fields.optional("expires", findings, range).unwrap_or(Duration::from_hours(1));
    let user = fields.optional("user", findings, quotable);
    let domain = fields.optional("domain", findings, domain);
    let required = fields.optional("required", findings, scalar::boolean).unwrap_or(true);
    fields.finish(findings);
    let Some(user) = user.or_else(|| account.map(str::to_owned)) else {
        let hint = "`register: { user: bank }`, or `auth` with its user";
        findings.error_hint(node.span, Code::BadValue, "nobody is named who registers", hint);
        return None;
    };
    Some(Register { user, domain, expires_s: u32::try_from(expires.as_secs()).ok()?, required })
}

fn domain(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::plain_text(node, "a domain", findings)?;
    let uri = format!("sip:{text}");
    let found = SipUri::parse(&uri).filter(|uri| uri.user.is_none());
    if found.is_none() {
        findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not a domain"), "\"sip.bank.example\"");
    }
    found.map(|_| text.to_owned())
}

#[derive(Clone, Copy, Debug)]
enum Heartbeat {
    Every(Duration),
    /// The gateway does not answer OPTIONS.
    Off,
}

impl Heartbeat {
    fn read(node: &Node, findings: &mut Findings) -> Option<Self> {
        if node.scalar("a duration or `off`", findings)?.text == "off" {
            return scalar::one_of(node, "never", &[("off", Self::Off)], &[], findings);
        }
        unit::duration_in(Duration::from_secs(5)..=Duration::from_hours(1))(node, findings).map(Self::Every)
    }

    const fn interval(self) -> Option<Duration> {
        match self {
            Self::Every(interval) => Some(interval),
            Self::Off => None,
        }
    }
}

/// Goes into a quoted string of a header: RFC 3261 §25.1.
fn quotable(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::text_some(node, findings)?;
    if text.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        findings.error(node.span, Code::BadValue, "quotes, backslashes and control characters cannot stand here");
        return None;
    }
    Some(text)
}

/// A list, or a map of pool names to pools.
fn caller_ids(node: &Node, findings: &mut Findings) -> Option<CallerIds> {
    let NodeKind::Map(entries) = &node.kind else {
        return Some(CallerIds { all: Arc::from(numbers(node, findings)?), ..CallerIds::default() });
    };
    let mut found = CallerIds::default();
    let mut all: Vec<Arc<str>> = Vec::new();
    for entry in entries {
        let name = scalar::key_name(entry, findings);
        let (numbers, max) = pool(&entry.value, findings)?;
        for number in &numbers {
            if !all.contains(number) {
                all.push(Arc::clone(number));
            }
            if let Some(max) = max {
                let known = found.max_per_day.entry(Arc::clone(number)).or_insert(max);
                *known = max.min(*known);
            }
        }
        found.pools.insert(name?, Arc::from(numbers));
    }
    Some(CallerIds { all: Arc::from(all), ..found })
}

/// A list, or `{ numbers: [...], max_per_day: N }`.
fn pool(node: &Node, findings: &mut Findings) -> Option<(Vec<Arc<str>>, Option<u32>)> {
    let NodeKind::Map(_) = &node.kind else { return Some((numbers(node, findings)?, None)) };
    let mut fields = node.fields("a pool of numbers", findings)?;
    let listed = fields.required("numbers", findings, numbers);
    let max = fields.optional("max_per_day", findings, scalar::u32_from(1..=1_000_000));
    fields.finish(findings);
    Some((listed?, max))
}

fn numbers(node: &Node, findings: &mut Findings) -> Option<Vec<Arc<str>>> {
    let list = node.list_of("caller_ids", findings, caller_id)?;
    if list.is_empty() {
        findings.error(node.span, Code::BadValue, "a trunk needs at least one number to show");
        return None;
    }
    Some(list)
}

fn caller_id(node: &Node, findings: &mut Findings) -> Option<Arc<str>> {
    let text = scalar::plain_text(node, "a number", findings)?;
    let digits = text.strip_prefix('+').unwrap_or(text);
    if (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Arc::from(text));
    }
    findings.error_hint(
        node.span,
        Code::BadValue,
        "this is not a number",
        "\"+\" and digits, or the digits of a short one",
    );
    None
}

fn number_form(node: &Node, findings: &mut Findings) -> Option<NumberForm> {
    let mut fields = node.fields("number", findings)?;
    let strip = fields.optional("strip", findings, dial_text).unwrap_or_default();
    let prefix = fields.optional("prefix", findings, dial_text).unwrap_or_default();
    fields.finish(findings);
    Some(NumberForm { strip, prefix })
}

/// What may stand in the user part of a number's URI.
fn dial_text(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::text(node, findings)?;
    if text.len() > 16 || !text.bytes().all(|b| b.is_ascii_digit() || b"+*".contains(&b)) {
        findings.error(node.span, Code::BadValue, "at most 16 digits, `+` and `*` were expected");
        return None;
    }
    Some(text)
}

fn queue(entry: &Entry, trunks: &[TrunkConfig], findings: &mut Findings) -> Option<QueueConfig> {
    let name = scalar::key_name(entry, findings);
    let mut fields = entry.value.fields("a queue", findings)?;
    let target = fields.required("uri", findings, |node, findings| target(node, trunks, findings));
    let seats = fields.required("seats", findings, scalar::u32_from(1..=100_000));
    fields.finish(findings);
    let (target, trunk) = target?;
    Some(QueueConfig { name: name?, target, trunk, seats: seats? })
}

/// `sip:8001@gw-a`, where the host is a trunk or an address.
fn target(node: &Node, trunks: &[TrunkConfig], findings: &mut Findings) -> Option<(String, Option<TrunkIx>)> {
    let text = scalar::plain_text(node, "a SIP URI", findings)?;
    let uri = SipUri::parse(text);
    let Some((uri, user)) = uri.as_ref().and_then(|uri| Some((uri, uri.user?))) else {
        let hint = "\"sip:8001@gw-a\": an extension at a trunk";
        findings.error_hint(node.span, Code::BadValue, format!("`{text}` is not the URI of a queue"), hint);
        return None;
    };
    if let Some(at) = trunks.iter().position(|trunk| trunk.name == uri.host)
        && let Some(trunk) = trunks.get(at)
    {
        let gateway = &trunk.peer;
        let place = uri.port.map_or_else(|| gateway.host_port(), |port| format!("{}:{port}", gateway.host));
        return Some((format!("sip:{user}@{place}"), Some(TrunkIx(at as u16))));
    }
    if uri.ip().is_some() {
        return Some((text.to_owned(), None));
    }
    let names = trunks.iter().map(|trunk| trunk.name.as_str());
    let hint = did_you_mean(uri.host, names).unwrap_or_else(|| "name a trunk of `trunks`, or an IP address".into());
    findings.error_hint(node.span, Code::UnknownName, format!("`{}` is not a trunk", uri.host), hint);
    None
}
