//! The daemon's configuration: one small YAML file, read with the same decoder and diagnostics as campaigns.
//!
//! Relative paths in it are relative to the folder of the file itself, so that it means the same from anywhere.

mod address;
mod group;
mod identity;
mod lists;
mod reach;
mod read;
mod schema;
mod secret;
mod spend;
mod trunk;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{Code, Diagnostic, TrunkIx};
use crate::campaign::KnownNames;
use crate::contact::Country;
use crate::feed::Sources;
use crate::wire::TlsFiles;

pub use group::GroupConfig;
pub use identity::{Attest, IdentityConfig, Without};
pub use lists::{ExportConfig, FeedConfig};
pub use schema::DAEMON;
pub use secret::Secret;
pub use trunk::{Auth, CallerIds, Gateway, NumberForm, QueueConfig, TrunkConfig};

/// After all checks; paths are joined with the folder of the file.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: Database,
    pub campaigns: PathBuf,
    /// Is what is saved in that folder in force without a signal?
    pub watch: bool,
    pub keys_file: PathBuf,
    pub http: SocketAddr,
    /// Hashes of the API's tokens. There need not be such a file.
    pub tokens_file: PathBuf,
    pub metrics: SocketAddr,
    /// UDP.
    pub sip: SocketAddr,
    /// Where connections of peers are taken.
    pub sip_tcp: Option<SocketAddr>,
    pub sip_tls: Option<(SocketAddr, TlsFiles)>,
    pub media: Media,
    /// Servers that names of gateways are asked of; the system's where there are none.
    pub dns_servers: Vec<SocketAddr>,
    /// In the order of the file: `TrunkIx` is the position.
    pub trunks: Vec<TrunkConfig>,
    pub groups: Vec<GroupConfig>,
    /// In the order of the file: `QueueIx` is the position.
    pub queues: Vec<QueueConfig>,
    /// Databases and servers that lists come from.
    pub sources: Sources,
    pub feeds: Vec<FeedConfig>,
    pub exports: Vec<ExportConfig>,
    /// Of this file: what relative paths in it begin with.
    pub folder: PathBuf,
    pub test_numbers_only: bool,
    /// Of numbers without a country code, in lists that say nothing else, on the command line and in the API.
    pub country: Option<Country>,
    /// Whose midnight ends the day of our own numbers.
    pub zone: TimeZone,
    pub drain_timeout: Duration,
    /// Where the engine's input journal is kept, if it is.
    pub journal: Option<PathBuf>,
    /// What traces of calls may take on disk; 0 keeps none.
    pub traces_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded default. The folder is made at first start.
    Sqlite(PathBuf),
}

/// Where RTP is received: `address` goes into SDP, one even port per call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub address: IpAddr,
    pub ports: RangeInclusive<u16>,
}

/// A configuration, and warnings to be shown.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// Reads and checks the file and the secrets it names. `Err` holds at least one error, and every other finding.
    pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
        let bytes = fs::read(path).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            vec![Diagnostic::error(Code::File, message).hint("name the daemon's configuration with --config FILE")]
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        read::config(&path.to_string_lossy(), &bytes, folder)
    }

    /// For the campaign loader: which trunks, groups of them, and queues a campaign may name.
    pub fn known_names(&self) -> KnownNames {
        KnownNames {
            trunks: self
                .trunks
                .iter()
                .map(|trunk| &trunk.name)
                .chain(self.groups.iter().map(|g| &g.name))
                .cloned()
                .collect(),
            queues: self.queues.iter().map(|queue| queue.name.clone()).collect(),
        }
    }

    pub fn trunk(&self, ix: TrunkIx) -> Option<&TrunkConfig> {
        self.trunks.get(ix.ix())
    }

    /// A folder beside the database.
    pub fn traces_folder(&self) -> PathBuf {
        let Database::Sqlite(path) = &self.database;
        path.with_extension("traces")
    }

    /// A trunk that is not live dials test numbers only, whatever the rest of the file says.
    pub fn test_numbers_only_on(&self, ix: TrunkIx) -> bool {
        self.test_numbers_only || self.trunk(ix).is_none_or(|trunk| !trunk.live)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::base::{Money, Severity, Tariff, render};

    /// As the documentation shows it; the folder has the password file.
    pub(super) const FULL: &str = r#"
database: "sqlite://var/goldenhour.db"
campaigns: campaigns/
keys_file: var/keys
http: { listen: "127.0.0.1:8080" }
metrics: { listen: "127.0.0.1:9464" }
sip: { listen: ["udp://192.0.2.1:5060"], media: { address: "192.0.2.1", ports: "20000-29999" } }
trunks:
  gw-a:
    uri: "sip:192.0.2.10:5080"
    from: ["192.0.2.0/28"]
    live: true
    auth: { user: bank, realm: gw.example, password_file: password }
    register: { expires: 10m, user: "1001", domain: sip.bank.example, required: false }
    caller_ids:
      card-centre: ["+999100000001", "95500"]
      loans: { numbers: ["+999100000002"], max_per_day: 200 }
    number: { strip: "+86", prefix: "0" }
    allow: ["+86", "+999"]
    deny: ["+8616"]
    max_calls: 60
    max_cps: 5
  gw-b: { uri: "sip:192.0.2.11", caller_ids: ["+999100000003"], assert_caller_id: false, max_calls: 1, max_cps: 1 }
trunk_groups:
  cards: { gw-a: { priority: 1, weight: 60 } }
queues:
  card-sales: { uri: "sip:8001@gw-a", seats: 12 }
  loans: { uri: "sip:8002@192.0.2.99:5070", seats: 3 }
drain_timeout: 90s
traces: { max_mb: 100 }
"#;

    fn with_password_file() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("password"), "s3cret\n").unwrap();
        home
    }

    fn read(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
        read::config("goldenhour.yaml", text.as_bytes(), with_password_file().path())
    }

    fn refused(text: &str) -> String {
        render(&read(text).unwrap_err())
    }

    #[test]
    fn srtp_is_required_or_off_and_its_keys_travel_over_tls_alone() {
        let with = |uri: &str, srtp: &str| {
            let text = format!("sip:{uri}\", srtp: {srtp}, caller_ids");
            read(&FULL.replace("sip:192.0.2.11\", caller_ids", &text))
        };
        for (uri, srtp, want) in [
            ("192.0.2.11;transport=tls", "required", true),
            ("192.0.2.11", "off", false),
            ("127.0.0.1:5060", "required", true),
        ] {
            let config = with(uri, srtp).unwrap().config;
            assert_eq!(config.trunk(TrunkIx(1)).unwrap().srtp, want, "{uri}");
        }
        for uri in ["192.0.2.11", "192.0.2.11;transport=tcp"] {
            let said = render(&with(uri, "required").unwrap_err());
            assert!(said.contains("the keys of SRTP would go to") && said.contains("in the clear"), "{said}");
        }
        let said = render(&with("192.0.2.11;transport=tls", "optional").unwrap_err());
        assert!(said.contains("a way to use SRTP"), "{said}");
    }

    fn with_spend(spend: &str) -> Result<Loaded, Vec<Diagnostic>> {
        read(&FULL.replace("max_cps: 5", &format!("max_cps: 5\n    spend: {spend}")))
    }

    #[test]
    fn what_a_day_of_a_trunk_may_cost_is_read_to_the_millionth() {
        let config = with_spend("{ max_per_day: 2000.00, per_minute: 0.0125, per_call: \"0.01\", billed_by: 6s }");
        let spend = config.unwrap().config.trunks[0].spend.unwrap();
        let Tariff { per_minute, per_call, billed_by_s } = spend.tariff;
        let all = [spend.max_per_day, per_minute, per_call].map(|money| money.millionths);
        assert_eq!((all, billed_by_s), ([2_000_000_000, 12_500, 10_000], 6));
        let config = with_spend("{ max_per_day: 10, per_minute: 1 }").unwrap().config;
        let spend = config.trunks[0].spend.unwrap();
        assert_eq!((spend.tariff.per_call, spend.tariff.billed_by_s), (Money::ZERO, 60));
        assert_eq!(config.trunks[1].spend, None);
    }

    #[test]
    fn a_spend_that_means_nothing_is_refused_in_words() {
        for (spend, says) in [
            ("{ per_minute: 0.05 }", "has no `max_per_day`"),
            ("{ max_per_day: 2000 }", "has no `per_minute`"),
            ("{ max_per_day: 2000, per_minute: 0 }", "a call that costs nothing never reaches `max_per_day`"),
            ("{ max_per_day: 0.04, per_minute: 0.05 }", "the shortest call costs 0.05, and a day may cost 0.04"),
            ("{ max_per_day: -5, per_minute: 0.05 }", "`-5` is not an amount of money"),
            ("{ max_per_day: 1e3, per_minute: 0.05 }", "`1e3` is not an amount of money"),
            ("{ max_per_day: 2000 EUR, per_minute: 0.05 }", "without a currency"),
            ("{ max_per_day: 2000, per_minute: 0.0000001 }", "at most six digits behind it"),
            ("{ max_per_day: 2000, per_minute: 007 }", "octal"),
            ("{ max_per_day: 2000, per_minute: 0.05, billed_by: 500ms }", "500ms is out of range: 1s to 1h"),
            ("{ max_per_day: 2000, per_minute: 0.05, billed_by: 1500ms }", "whole seconds"),
            ("{ max_per_day: 2000, per_minute: 0.05, currency: EUR }", "unknown key `currency`"),
        ] {
            let said = render(&with_spend(spend).unwrap_err());
            assert!(said.contains(says), "{spend}: {said}");
        }
    }

    #[test]
    fn traces_are_kept_beside_the_database_unless_they_are_off() {
        let with = |traces: &str| read(&FULL.replace("traces: { max_mb: 100 }", traces)).unwrap().config;
        let bytes = ["traces: { max_mb: 100 }", "", "traces: off", "traces: { max_mb: 0 }"]
            .map(|traces| with(traces).traces_bytes);
        assert_eq!(bytes, [100 << 20, 64 << 20, 0, 0]);
        assert!(with("").traces_folder().ends_with("var/goldenhour.traces"));
        let said = refused(&FULL.replace("max_mb: 100", "max_mb: 65537"));
        assert!(said.contains("a whole number from 0 to 65536"), "{said}");
    }

    fn with_group(group: &str) -> Result<Loaded, Vec<Diagnostic>> {
        read(&FULL.replace("cards: { gw-a: { priority: 1, weight: 60 } }", group))
    }

    #[test]
    fn a_group_names_trunks_by_priority_and_weight() {
        let both_live = FULL.replace("gw-b: { uri", "gw-b: { live: true, allow: [\"+999\"], uri");
        let text = both_live.replace("weight: 60 } }", "weight: 60 }, gw-b: { priority: 2 } }");
        let config = read(&text).unwrap().config;
        let [group] = &config.groups[..] else { panic!("{:?}", config.groups) };
        let members: Vec<_> = group.members.iter().map(|m| (m.trunk.0, m.priority, m.weight)).collect();
        assert_eq!((group.name.as_str(), members), ("cards", vec![(0, 1, 60), (1, 2, 1)]));
        assert!(config.known_names().trunks.contains("cards"));
    }

    #[test]
    fn a_group_that_means_nothing_is_refused_in_words() {
        for (group, says) in [
            ("gw-a: { gw-a: {} }", "`gw-a` is a trunk already"),
            ("cards: { gw-c: {} }", "`gw-c` is not a trunk"),
            ("cards: { gw-a: { weight: 0 } }", "1"),
            ("cards: {}", "this one has 0"),
            ("cards: { gw-a: {}, gw-b: {} }", "mixes trunks that are live"),
        ] {
            let said = render(&with_group(group).unwrap_err());
            assert!(said.contains(says), "{group}: {said}");
        }
    }

    #[test]
    fn the_full_file_reads_as_it_says() {
        let config = read(FULL).unwrap().config;
        let gw_a = config.trunk(TrunkIx(0)).unwrap();
        assert_eq!((gw_a.name.as_str(), gw_a.peer.to_string().as_str()), ("gw-a", "192.0.2.10:5080"));
        assert_eq!(gw_a.auth.as_ref().unwrap().password.reveal(), "s3cret");
        let register = gw_a.register.as_ref().unwrap();
        assert_eq!((register.user.as_str(), register.expires_s, register.required), ("1001", 600, false));
        assert_eq!(gw_a.number.shape("+8613800138000"), "013800138000");
        assert_eq!(gw_a.number.shape("+999100000001"), "+999100000001");
        let pool = |name| gw_a.caller_ids.pool(name).map(|numbers| numbers.len());
        assert_eq!((pool(Some("card-centre")), pool(None), pool(Some("cards"))), (Some(2), Some(3), None));
        assert_eq!(config.trunk(TrunkIx(1)).unwrap().peer.port, 5060);
        let asserted = [0, 1].map(|at| config.trunk(TrunkIx(at)).unwrap().assert_caller_id);
        assert_eq!(asserted, [true, false]);
        assert_eq!(
            gw_a.caller_ids.max_per_day().iter().map(|(id, max)| (&**id, *max)).collect::<Vec<_>>(),
            [("+999100000002", 200)]
        );
        let targets: Vec<_> = config.queues.iter().map(|queue| (queue.target.as_str(), queue.trunk)).collect();
        assert_eq!(targets, [("sip:8001@192.0.2.10:5080", Some(TrunkIx(0))), ("sip:8002@192.0.2.99:5070", None)]);
        assert_eq!(config.drain_timeout, Duration::from_secs(90));
        assert!(config.campaigns.is_absolute() && config.campaigns.ends_with("campaigns"));
        assert!(config.known_names().queues.contains("card-sales"));
    }

    #[test]
    fn one_live_trunk_lifts_the_test_rule_for_itself_only() {
        let config = read(FULL).unwrap().config;
        assert!(!config.test_numbers_only);
        assert!(!config.test_numbers_only_on(TrunkIx(0)) && config.test_numbers_only_on(TrunkIx(1)));
        assert!(config.test_numbers_only_on(TrunkIx(9)));
        let careful = read(&format!("{FULL}test_numbers_only: true\n")).unwrap().config;
        assert!(careful.test_numbers_only_on(TrunkIx(0)));
    }

    #[test]
    fn what_a_trunk_lets_out_is_what_it_lists_or_else_the_country() {
        use crate::base::Destination::{Allowed, Denied, NotListed};
        let judged = |text: &str, trunk: u16, number: &str| {
            read(text).unwrap().config.trunk(TrunkIx(trunk)).unwrap().reach.judge(number)
        };
        let abroad = "+442079460018";
        let listed = ["+8613", "+8616", "+999100000001", abroad].map(|number| judged(FULL, 0, number));
        assert_eq!(listed, [Allowed, Denied, Allowed, NotListed]);
        assert_eq!([judged(FULL, 1, "+999100000001"), judged(FULL, 1, abroad)], [Allowed, NotListed]);
        let at_home = format!("{FULL}country: GB\n").replace("allow: [\"+86\", \"+999\"]", "");
        assert_eq!([0, 1].map(|trunk| judged(&at_home, trunk, abroad)), [Allowed; 2]);
        assert_eq!(judged(&at_home, 0, "+8613"), NotListed);
    }

    #[test]
    fn the_day_of_our_own_numbers_is_the_country_s_where_it_has_one_clock() {
        for (more, zone) in [
            ("", "UTC"),
            ("country: CN\n", "Asia/Shanghai"),
            ("country: US\n", "UTC"),
            ("country: US\nzone: America/Chicago\n", "America/Chicago"),
        ] {
            let config = read(&format!("{FULL}{more}")).unwrap().config;
            assert_eq!(config.zone.iana_name(), Some(zone), "{more}");
        }
    }

    #[test]
    fn almost_nothing_is_enough_and_stays_on_this_machine() {
        let config = read("drain_timeout: 1m\n").unwrap().config;
        assert!(config.test_numbers_only && config.trunks.is_empty());
        for address in [config.http.ip(), config.metrics.ip(), config.sip.ip(), config.media.address] {
            assert!(address.is_loopback());
        }
        assert!(matches!(&config.database, Database::Sqlite(path) if path.ends_with("var/goldenhour.db")));
    }

    #[test]
    fn a_trunk_registers_the_user_of_its_credentials_and_calls_wait_for_it() {
        let trunk = |more: &str| {
            let text =
                "trunks:\n  gw: { uri: \"sip:127.0.0.1:5080\", caller_ids: [\"123\"], max_calls: 1, max_cps: 1, ";
            format!("{text}{more} }}\n")
        };
        let auth = "auth: { user: bank, realm: r, password_file: password }";
        let config = read(&trunk(&format!("{auth}, register: {{}}"))).unwrap().config;
        let register = config.trunks[0].register.clone().unwrap();
        assert_eq!((register.user.as_str(), register.domain, register.expires_s), ("bank", None, 3_600));
        assert!(register.required);
        let said = refused(&trunk("register: {}"));
        assert!(said.contains("nobody is named who registers"), "{said}");
        for bad in ["expires: 30s", "expires: 2d", "domain: \"a b\"", "domain: \"u@h\"", "user: \"a\\\"b\""] {
            assert!(read(&trunk(&format!("{auth}, register: {{ {bad} }}"))).is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_shown_together_each_at_its_place() {
        let text = "databse: x\ndatabase: \"postgres://h/d\"\nsip: { listen: [\"tls://127.0.0.1:5061\"] }\ntrunks:\n  \
                    gw: { uri: \"sip:gw.example\", caller_ids: [12], max_calls: 0 }\n";
        expect![[r#"
            error[GH1008]: goldenhour.yaml:2: PostgreSQL is not supported yet
             = help: "sqlite://var/goldenhour.db": a file, relative to the folder of this one
            goldenhour.yaml:1:1: error[GH1003]: unknown key `databse` in the daemon's configuration
              |
            1 | databse: x
              | ^^^^^^^
              = help: did you mean `database`?
            goldenhour.yaml:3:6: error[GH1005]: a listener for TLS needs `sip.tls`
              |
            3 | sip: { listen: ["tls://127.0.0.1:5061"] }
              |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              = help: tls: { cert_file: gw.pem, key_file: gw.key }
            goldenhour.yaml:3:16: error[GH1006]: SIP needs an address for UDP, whatever else it listens on
              |
            3 | sip: { listen: ["tls://127.0.0.1:5061"] }
              |                ^^^^^^^^^^^^^^^^^^^^^^^^
              = help: "udp://192.0.2.1:5060"
            goldenhour.yaml:5:7: error[GH1005]: a trunk has no `max_cps`
              |
            5 |   gw: { uri: "sip:gw.example", caller_ids: [12], max_calls: 0 }
              |       ^
            goldenhour.yaml:5:45: error[GH1006]: a number was expected, and `12` is not text without quotes
              |
            5 |   gw: { uri: "sip:gw.example", caller_ids: [12], max_calls: 0 }
              |                                             ^^
              = help: quote it: "12"
            goldenhour.yaml:5:61: error[GH1006]: a whole number from 1 to 100000 was expected, not `0`
              |
            5 |   gw: { uri: "sip:gw.example", caller_ids: [12], max_calls: 0 }
              |                                                             ^
        "#]]
        .assert_eq(&refused(text));
    }

    fn signed(signer: &str, attest: &str) -> String {
        let identity = format!("identity: {{ signer: \"{signer}\", attest: {attest} }}");
        FULL.replace("assert_caller_id: false", &identity)
    }

    #[test]
    fn whoever_signs_the_calls_of_a_trunk_is_read() {
        let identity = |attest: &str| {
            let config = read(&signed("http://127.0.0.1:8089/stir/v1/signing", attest)).unwrap().config;
            config.trunks.iter().find_map(|trunk| trunk.identity.clone()).unwrap()
        };
        let usual = IdentityConfig {
            signer: "http://127.0.0.1:8089/stir/v1/signing".to_owned(),
            attest: Attest::Full,
            timeout: Duration::from_millis(200),
            without: Without::Refuse,
        };
        assert_eq!(identity("A"), usual);
        let other = IdentityConfig {
            attest: Attest::Gateway,
            timeout: Duration::from_millis(50),
            without: Without::Send,
            ..usual
        };
        assert_eq!(identity("C, timeout: 50ms, without: send"), other);
    }

    #[test]
    fn what_would_dial_wrongly_or_not_at_all_is_refused() {
        let trunk =
            "trunks: { gw: { uri: \"sip:192.0.2.10\", caller_ids: [\"+999100000001\"], max_calls: 1, max_cps: 1 } }";
        for (text, expected) in [
            ("test_numbers_only: false\n".into(), "no trunk is live"),
            (trunk.to_owned(), "which trunk `gw` cannot answer"),
            (format!("sip: {{ listen: [\"udp://[2001:db8::1]:5060\"] }}\n{trunk}"), "different versions of IP"),
            ("sip: { listen: [\"udp://0.0.0.0:5060\"] }".into(), "written into Via"),
            ("sip: { media: { ports: \"29999-20000\" } }".into(), "not a range of ports"),
            (FULL.replace("@gw-a", "@gw-x"), "did you mean `gw-a`?"),
            (FULL.replace("password_file: password", "password_file: none"), "error[GH1015]"),
            (FULL.replace("password_file: password", "password: s3cret"), "secrets do not stand"),
            (FULL.replace("[\"+999100000001\", \"95500\"]", "[]"), "at least one number"),
            (FULL.replace("[\"+86\", \"+999\"]", "[]"), "an empty list lets no call out"),
            (FULL.replace("[\"+86\", \"+999\"]", "[\"86\"]"), "not the beginning of an E.164 number"),
            (FULL.replace("[\"+86\", \"+999\"]", "[\"+8616\"]"), "stands in `allow` and in `deny`"),
            (FULL.replace("max_per_day: 200", "max_per_day: 0"), "from 1 to 1000000"),
            (FULL.replace("assert_caller_id: false", "diversion: \"<sip:1@h>\\r\\nX: y\""), "of a Diversion header"),
            (signed("http://stir.bank.example/x", "A"), "in the clear"),
            (signed("ftp://stir.bank.example/x", "A"), "not the URL of a signing service"),
            (signed("https://me:s3cret@stir.bank.example/x", "A"), "not the URL of a signing service"),
            (signed("https://stir.bank.example/x?key=s3cret", "A"), "not the URL of a signing service"),
            (signed("https://stir.bank.example/x", "D"), "`D` is not a level of attestation"),
            (signed("https://stir.bank.example/x", "A, timeout: 500ms"), "out of range: 20ms to 400ms"),
            (signed("https://stir.bank.example/x", "A, without: hope"), "`hope` is not what to do with a call"),
            (FULL.replace("assert_caller_id: false", "identity: { attest: A }"), "has no `signer`"),
            (format!("{FULL}zone: Mars\n"), "there is no time zone `Mars`"),
            (FULL.replace("allow: [\"+86\", \"+999\"]", ""), "nothing says which numbers it may dial"),
            ("database: \"mysql://u:s3cret@h/d\"".into(), "not a database URL"),
            ("database: \"postgres://u:s3cret@h/d\"".into(), "PostgreSQL is not supported yet"),
            ("database: \"postgres:/u:s3cret@h/d\"".into(), "error[GH1006]: goldenhour.yaml:1: this is not"),
            ("databse: \"postgres://u:s3cret@h/d\"".into(), "did you mean `database`?"),
        ] {
            let shown = refused(&text);
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
    }

    #[test]
    fn a_trunk_is_asked_every_thirty_seconds_unless_its_file_says_otherwise() {
        let every = |more: &str| {
            let text = FULL.replacen("sip:192.0.2.11\"", &format!("sip:192.0.2.11\"{more}"), 1);
            read(&text).map(|read| read.config.trunk(TrunkIx(1)).unwrap().options_every)
        };
        assert_eq!(every("").unwrap(), Some(Duration::from_secs(30)));
        assert_eq!(every(", options_every: 5s").unwrap(), Some(Duration::from_secs(5)));
        assert_eq!(every(", options_every: off").unwrap(), None);
        for bad in ["4s", "2h", "0", "on"] {
            assert!(every(&format!(", options_every: {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_trunk_over_tls_has_a_name_and_files_of_its_own() {
        let text = FULL
            .replace(
                "sip:192.0.2.11\"",
                "sip:gw.example.com:5061;transport=tls\", tls: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem }",
            )
            .replace(
                "\"udp://192.0.2.1:5060\"",
                "\"udp://192.0.2.1:5060\", \"tcp://192.0.2.1:5060\", \"tls://192.0.2.1:5061\"",
            )
            .replace("media: { address", "tls: { cert_file: c.pem, key_file: k.pem }, media: { address");
        let config = read(&text).unwrap().config;
        let gw_b = config.trunk(TrunkIx(1)).unwrap();
        assert_eq!(gw_b.peer.to_string(), "gw.example.com:5061;transport=tls");
        assert_eq!(gw_b.peer.ip(), None);
        assert!(gw_b.tls.ca_file.as_ref().unwrap().ends_with("ca.pem") && gw_b.tls.own.is_some());
        assert_eq!(config.sip_tcp, "192.0.2.1:5060".parse().ok());
        assert_eq!(config.sip_tls.as_ref().unwrap().0.port(), 5061);
    }

    #[test]
    fn connections_that_could_not_be_are_refused() {
        for (from, to, expected) in [
            ("sip:192.0.2.11\"", "sip:192.0.2.11\", tls: { ca_file: ca.pem }", "not reached over TLS"),
            ("sip:192.0.2.11\"", "sip:192.0.2.11;transport=tls\", tls: { cert_file: c.pem }", "go together"),
            ("sip:192.0.2.11\"", "sip:192.0.2.11;transport=ws\"", "not the URI of a gateway"),
            ("5060\"]", "5060\", \"tls://192.0.2.1:5061\"]", "needs `sip.tls`"),
            ("5060\"]", "5060\", \"ws://192.0.2.1:80\"]", "WebSockets are not supported"),
            ("5060\"]", "5060\", \"udp://192.0.2.1:5062\"]", "more than one listener"),
            ("media: { address", "tls: { cert_file: c.pem, key_file: k.pem }, media: { address", "nobody listens"),
        ] {
            let shown = refused(&FULL.replacen(from, to, 1));
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
    }

    #[test]
    fn what_the_uri_fixes_of_a_name_is_not_asked_for() {
        let config = read(&FULL.replace("sip:192.0.2.11\"", "sip:localhost:5061;transport=tls\"")).unwrap().config;
        let peer = &config.trunk(TrunkIx(1)).unwrap().peer;
        let wish = peer.wish().unwrap();
        assert_eq!((wish.port, wish.transport), (Some(5061), Some(crate::sip::Transport::Tls)));
        let bare = read(&FULL.replace("sip:192.0.2.11\"", "sip:gw.example.com\"")).unwrap().config;
        let peer = &bare.trunk(TrunkIx(1)).unwrap().peer;
        let wish = peer.wish().unwrap();
        assert_eq!((wish.host.as_str(), wish.port, wish.transport), ("gw.example.com", None, None));
        assert_eq!((peer.host_port().as_str(), peer.addr()), ("gw.example.com", None));
        let fixed = read(FULL).unwrap().config;
        assert_eq!(fixed.trunk(TrunkIx(1)).unwrap().peer.wish(), None);
    }

    #[test]
    fn names_may_be_asked_of_servers_of_their_own() {
        let with = |servers: &str| read(&format!("{FULL}\ndns: {{ servers: {servers} }}\n"));
        let config = with("[\"127.0.0.1:5353\", \"192.0.2.53\"]").unwrap().config;
        assert_eq!(config.dns_servers, ["127.0.0.1:5353".parse().unwrap(), "192.0.2.53:53".parse().unwrap()]);
        assert!(read(FULL).unwrap().config.dns_servers.is_empty());
        assert!(render(&with("[\"dns.example\"]").unwrap_err()).contains("`dns.example` is not the address"));
    }

    #[test]
    fn a_trunk_with_more_calls_than_ports_and_an_open_password_are_warnings() {
        let loaded = read(&FULL.replace("20000-29999", "20000-20009")).unwrap();
        let shown = render(&loaded.warnings);
        assert!(shown.contains("sip.media.ports holds 5") && shown.contains("chmod 600"), "{shown}");
        assert!(loaded.warnings.iter().all(|finding| finding.severity == Severity::Warning));
    }

    #[test]
    fn a_missing_file_says_how_to_name_one() {
        let findings = Config::load(Path::new("does/not/exist.yaml")).unwrap_err();
        assert!(render(&findings).contains("--config FILE"));
    }
}
