//! The configuration's keys, for editors: `goldenhour schema daemon`.

use crate::campaign::schema::{Key, Pattern, Shape, Value, Words, may, must};

const NAME: &Pattern = &Pattern::NAME;
const DURATION: Value = Value::Of(&Pattern::DURATION);
const OFF: Value = Value::Words(&Words { what: "never", words: || vec!["off"] });

const fn listen(example: &'static str, doc: &'static str) -> Key {
    must("listen", Value::Text, doc).like(example)
}

const LISTENER: Shape = Shape {
    what: "a listener",
    doc: "Where it listens.",
    keys: &[&[listen("127.0.0.1:8080", "An IP address and a port.")]],
};

const HTTP: Shape = Shape {
    what: "a listener",
    doc: "Where it listens, and who may ask.",
    keys: &[&[
        listen("127.0.0.1:8080", "An IP address and a port."),
        may("tokens_file", Value::Text, "Hashes of the API's tokens; `goldenhour token` writes it.")
            .default("var/tokens"),
    ]],
};

const MEDIA: Shape = Shape {
    what: "media",
    doc: "Where RTP is received.",
    keys: &[&[
        may("address", Value::Text, "As SDP says it; that of `sip.listen` without it."),
        may("ports", Value::Text, "Each call takes a pair.").default("20000-29999"),
    ]],
};

const TLS: Shape = Shape {
    what: "tls",
    doc: "PEM files of one side.",
    keys: &[&[
        may("ca_file", Value::Text, "Whom we trust; the system's authorities without it."),
        may("cert_file", Value::Text, "Our own certificate with its chain, where we must show one."),
        may("key_file", Value::Text, "Its key."),
    ]],
};

const DNS: Shape = Shape {
    what: "dns",
    doc: "Who is asked for the names of gateways.",
    keys: &[&[may(
        "servers",
        Value::List(&Value::Text),
        "Addresses of name servers, perhaps with a port; those of the system without it.",
    )
    .like(r#"["192.0.2.53"]"#)]],
};

const SIP: Shape = Shape {
    what: "sip",
    doc: "Our side of the telephony.",
    keys: &[&[
        may(
            "listen",
            Value::List(&Value::Text),
            "One UDP address, and one each for tcp:// and tls:// where peers may open connections. Never 0.0.0.0.",
        )
        .like(r#"["udp://127.0.0.1:5060"]"#),
        may("tls", Value::Map(&TLS), "What the tls:// listener shows, and with ca_file, whom it lets in."),
        may("media", Value::Map(&MEDIA), "Where RTP is received."),
    ]],
};

const AUTH: Shape = Shape {
    what: "auth",
    doc: "Answers a challenge of this realm, and no other.",
    keys: &[&[
        must("user", Value::Text, "The user."),
        must("realm", Value::Text, "Only a challenge of this realm is answered."),
        must("password_file", Value::Text, "A file with the password on one line, mode 0600."),
    ]],
};

const REGISTER: Shape = Shape {
    what: "register",
    doc: "Tells the gateway where we are, before calls go out.",
    keys: &[&[
        may("expires", DURATION, "Asked for, from 1m to 24h; the gateway may grant less.").default("1h"),
        may("user", Value::Text, "Of the address that is registered; the user of `auth` without it."),
        may("domain", Value::Text, "Of that address; the gateway's own address without it.").like("sip.bank.example"),
        may("required", Value::Bool, "Nothing is dialled over this trunk while it is not registered.").default("true"),
    ]],
};

const IDENTITY: Shape = Shape {
    what: "identity",
    doc: "Who signs its calls: the answer goes into Identity (RFC 8224) as it stands.",
    keys: &[&[
        must("signer", Value::Text, "A URL that takes one POST for each call: https://, or http:// on this machine.")
            .like("https://stir.bank.example/stir/v1/signing"),
        must(
            "attest",
            Value::Words(&Words { what: "a level of attestation", words: || vec!["A", "B", "C"] }),
            "What the signature says of the number shown.",
        )
        .like("A"),
        may("timeout", DURATION, "How long a call waits for its signature, 20ms to 400ms.").default("200ms"),
        may(
            "without",
            Value::Words(&Words {
                what: "what to do with a call that is not signed",
                words: || vec!["refuse", "send"],
            }),
            "A call that is not signed is not dialled, or goes out unsigned.",
        )
        .default("refuse"),
    ]],
};

const NUMBER: Shape = Shape {
    what: "number",
    doc: "How this gateway wants numbers.",
    keys: &[&[
        may(
            "strip",
            Value::Text,
            "Falls away from the front of a number; one that does not begin with it goes out unchanged.",
        )
        .like("+86"),
        may("prefix", Value::Text, "Is put there.").like("0"),
    ]],
};

const NUMBERS: Value = Value::List(&Value::Text);

const POOL: Shape = Shape {
    what: "a pool of numbers",
    doc: "Numbers that campaigns ask for by the pool's name.",
    keys: &[&[
        must("numbers", NUMBERS, "Our own numbers."),
        may(
            "max_per_day",
            Value::Integer(1, 1_000_000),
            "How often each may be shown in a day of the daemon's `zone`.",
        )
        .like("200"),
    ]],
};

/// A decimal, in quotes or without.
const MONEY: Value = Value::Scalar;

const SPEND: Shape = Shape {
    what: "spend",
    doc: "What calls over it cost, and the most they may cost in a day, in the currency that you count in.",
    keys: &[&[
        must(
            "max_per_day",
            MONEY,
            "Nothing more is dialled over it on a day of the daemon's `zone` once this is used up.",
        )
        .like("2000.00"),
        must("per_minute", MONEY, "Of talk time; at most six digits behind the point.").like("0.05"),
        may("per_call", MONEY, "Of each answered call, beside its minutes.").default("0"),
        may("billed_by", DURATION, "The steps in which talk time is billed, from 1s to 1h.").default("60s"),
    ]],
};

const TRUNK: Shape = Shape {
    what: "a trunk",
    doc: "A gateway that takes our calls.",
    keys: &[&[
        must("uri", Value::Text, "Only what comes from exactly this address and port is heard, and from `from`. May end in ;transport=tcp or tls.")
            .like("sip:192.0.2.10:5060"),
        may("tls", Value::Map(&TLS), "For a `uri` with ;transport=tls: whom we trust, and what we show."),
        may("from", Value::List(&Value::Text), "Networks that this gateway answers from, too.")
            .like(r#"["192.0.2.0/28"]"#),
        may("live", Value::Bool, "Until true, this trunk dials test numbers only.").default("false"),
        may("auth", Value::Map(&AUTH), "Who we are to it."),
        may("register", Value::Map(&REGISTER), "Register with it; it takes our calls unregistered without it."),
        must(
            "caller_ids",
            Value::Either(&[NUMBERS, Value::Named(NAME, &Value::Either(&[NUMBERS, Value::Map(&POOL)]))]),
            "The numbers it may show: a list, or a map of pool names to pools.",
        ),
        may("assert_caller_id", Value::Bool, "The number shown goes into P-Asserted-Identity too.").default("true"),
        may("diversion", Value::Text, "The value of Diversion (RFC 5806) in each of its INVITEs, sent as it stands.")
            .like("<sip:+999100000001@bank.example>;reason=unconditional"),
        may("identity", Value::Map(&IDENTITY), "Who signs its calls; they go unsigned without it."),
        may("srtp", Value::Words(&SRTP), "`required`: calls by SRTP and never by RTP.").default("off"),
        may("number", Value::Map(&NUMBER), "How it wants numbers; as they are without it."),
        may(
            "allow",
            NUMBERS,
            "Prefixes of the numbers that may be dialled over it; the daemon's country and test numbers without it.",
        )
        .like(r#"["+86"]"#),
        may("deny", NUMBERS, "Prefixes that may not. The longest prefix that fits a number decides.")
            .like(r#"["+8616"]"#),
        must("max_calls", Value::Integer(1, 100_000), "Calls at once, ringing ones included.").like("60"),
        must("max_cps", Value::Integer(1, 10_000), "New calls in any window of one second.").like("5"),
        may("spend", Value::Map(&SPEND), "How much calls over it may cost in a day; as much as it comes to without it."),
        may("learn_media_address", Value::Bool, "Its RTP may come from another address than its SDP names.")
            .default("false"),
        may(
            "options_every",
            Value::Either(&[DURATION, OFF]),
            "How often OPTIONS asks whether it is there, 5s to 1h; `off` for one that does not answer them.",
        )
        .default("30s"),
    ]],
};

const SRTP: Words = Words { what: "a way to use SRTP", words: || vec!["off", "required"] };

const MEMBER: Shape = Shape {
    what: "a trunk of a group",
    doc: "When it has its turn.",
    keys: &[&[
        may("priority", Value::Integer(1, 100), "The lowest goes first; others while it has no room, or is down.")
            .default("1"),
        may("weight", Value::Integer(1, 1_000), "Its share of the calls among those of its priority.").default("1"),
    ]],
};

const QUEUE: Shape = Shape {
    what: "a queue",
    doc: "Where answered calls are transferred.",
    keys: &[&[
        must("uri", Value::Text, "An extension at a trunk.").like("sip:8001@gw-a"),
        must("seats", Value::Integer(1, 100_000), "People there. Progressive pacing dials no more than are free.")
            .like("12"),
    ]],
};

const SOURCE: Shape = Shape {
    what: "a source",
    doc: "A database or a server that lists come from: one of `database` and `url`.",
    keys: &[&[
        may("database", Value::Text, "For `sql:NAME/VIEW`.").like("postgres://reader@db.bank.example:5432/cards"),
        may("password_file", Value::Text, "A file with the password on one line, mode 0600."),
        may("url", Value::Text, "For `http:NAME/PATH`.").like("https://lists.bank.example/cards/"),
        may("token_file", Value::Text, "A file with a bearer token on one line, mode 0600."),
        may("ca_file", Value::Text, "The authority that signed its certificate, where it is your own."),
    ]],
};

const CRON: Key = must("cron", Value::Text, "Five fields as in crontab(5).").like("30 7 * * 1-5");
const ZONE: Key = may("zone", Value::Text, "IANA zone of that time.").default("UTC");

const FEED: Shape = Shape {
    what: "a feed",
    doc: "A list that is loaded by the clock.",
    keys: &[&[
        must("campaign", Value::Of(NAME), "For which campaign."),
        may("source", Value::Text, "Instead of the campaign's `list.source`.").like("lists/{run_date}.csv"),
        CRON,
        ZONE,
        may("encoding", Value::Text, "Of a text file that is not UTF-8.").like("gb18030"),
    ]],
};

const EXPORT: Shape = Shape {
    what: "an export",
    doc: "Outcomes that are written by the clock.",
    keys: &[&[
        CRON,
        ZONE,
        must("dir", Value::Text, "The folder to write into."),
        must("format", Value::Words(&Words { what: "a format", words: || vec!["csv", "jsonl"] }), "Of the files."),
        may(
            "profile",
            Value::Words(&Words { what: "a profile", words: || vec!["machine", "spreadsheet"] }),
            "`spreadsheet` escapes what a spreadsheet would take for a formula.",
        )
        .default("machine"),
        may("features", Value::Bool, "With the list's columns as of the dial.").default("false"),
    ]],
};

const TRACES: Shape = Shape {
    what: "traces",
    doc: "SIP of each call, summed up and masked, for `goldenhour explain --attempt`.",
    keys: &[&[may(
        "max_mb",
        Value::Integer(0, 65_536),
        "What they may take on disk; the oldest go first. 0 keeps none.",
    )
    .default("64")]],
};

pub const DAEMON: Shape = Shape {
    what: "the daemon's configuration",
    doc: "The daemon's configuration. Relative paths are relative to the folder of this file. Secrets never stand in it.",
    keys: &[&[
        may("database", Value::Text, "The embedded database; its folder is made at first start.")
            .default("sqlite://var/goldenhour.db"),
        may("campaigns", Value::Text, "The folder of campaigns; it may be empty.").default("campaigns"),
        may("watch", Value::Bool, "Is a campaign in force as soon as it is saved?").default("true"),
        may("journal", Value::Text, "Where the engine's input journal is kept; none without it.").like("var/journal"),
        may("traces", Value::Either(&[Value::Map(&TRACES), OFF]), "SIP of each call, for debugging; `off` keeps none."),
        may(
            "country",
            Value::Text,
            "Country of numbers without a country code, ISO 3166-1; they are refused without it.",
        )
        .like("CN"),
        may(
            "zone",
            Value::Text,
            "Whose midnight ends the day of `max_per_day`; the country's, where it has one clock, else UTC.",
        )
        .like("Asia/Shanghai"),
        may("sources", Value::Named(NAME, &Value::Map(&SOURCE)), "Databases and servers that lists come from."),
        may("feeds", Value::List(&Value::Map(&FEED)), "Lists that are loaded by the clock."),
        may("exports", Value::List(&Value::Map(&EXPORT)), "Outcomes that are written by the clock."),
        may("keys_file", Value::Text, "Keys of the number vault, made at first start with mode 0600.")
            .default("var/keys"),
        may("http", Value::Map(&HTTP), "Health and API; \"127.0.0.1:8080\" without it."),
        may("metrics", Value::Map(&LISTENER), "/metrics; \"127.0.0.1:9464\" without it."),
        may("sip", Value::Map(&SIP), "Our side of the telephony."),
        may("dns", Value::Map(&DNS), "Who is asked for the names of gateways."),
        may("trunks", Value::Named(NAME, &Value::Map(&TRUNK)), "Gateways by name."),
        may(
            "trunk_groups",
            Value::Named(NAME, &Value::Named(NAME, &Value::Map(&MEMBER))),
            "Several trunks under one name, which campaigns may use as the name of a trunk.",
        ),
        may("queues", Value::Named(NAME, &Value::Map(&QUEUE)), "Queues by name."),
        may(
            "test_numbers_only",
            Value::Bool,
            "True until a trunk is live; true holds every trunk to test numbers, live or not.",
        ),
        may("drain_timeout", DURATION, "How long a shutdown waits for calls to end by themselves, up to 4h.")
            .default("60s"),
    ]],
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{SourceText, render};
    use crate::campaign::decode::{Findings, parse};
    use crate::campaign::schema::agree::{differences, json};
    use crate::campaign::schema::json_schema;
    use crate::daemon::config::read;
    use crate::daemon::config::tests::FULL;

    /// What the sample of the configuration leaves out.
    const LISTS: &str = r#"
dns: { servers: ["192.0.2.53"] }
sources:
  views: { database: "sqlite://lists.db" }
  crm: { url: "https://lists.bank.example/cards/", token_file: password }
feeds:
  - { campaign: retention, source: "sql:views/retention", cron: "30 7 * * 1-5", zone: Asia/Shanghai }
exports:
  - { cron: "0 6 * * *", dir: exports, format: csv, profile: machine }
"#;

    #[test]
    fn every_key_of_the_configuration_is_in_the_tables_and_vice_versa() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("password"), "s3cret\n").unwrap();
        let over_tls = FULL.replace(
            "sip:192.0.2.11\"",
            "sip:192.0.2.11;transport=tls\", options_every: off, srtp: required, tls: { ca_file: ca.pem }, \
             spend: { max_per_day: 20.5, per_minute: 0.05, per_call: 0, billed_by: 6s }, \
             identity: { signer: \"https://stir.bank.example/x\", attest: A, timeout: 100ms, without: send }",
        );
        let source = Arc::new(SourceText { name: "goldenhour.yaml".into(), text: [&over_tls, LISTS].concat() });
        let mut findings = Findings::new(&source);
        let root = parse(&source, &mut findings).unwrap();
        read::file(&root, home.path(), &mut findings);
        // `password_file` goes with PostgreSQL, which is a feature; `password` is decoded only to say that secrets do not
        // stand here.
        let found = differences(&[&DAEMON], &findings.asked, &[]);
        let expected = [
            r#"a source: "password_file" is in the table, and not decoded"#,
            r#"auth: "password" is decoded, and in no table"#,
        ];
        assert_eq!(found, expected);
        assert!(!findings.has_errors(), "{}", render(&findings.into_list()));

        let validator = jsonschema::draft202012::new(&json_schema("daemon", &DAEMON)).unwrap();
        assert!(validator.is_valid(&json(&root)));
        assert!(!validator.is_valid(&serde_json::json!({ "databse": "x" })));
    }

    #[test]
    fn the_committed_schema_is_the_generated_one() {
        let text = serde_json::to_string_pretty(&json_schema("Goldenhour: daemon", &DAEMON)).unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/schema/daemon.json");
        expect_test::expect_file![path].assert_eq(&format!("{text}\n"));
    }
}
