//! The import table: which room exists, what its one job is, and which rooms it may name. This list is the only one.

use super::tokens::{self, PathUse};
use super::tree::{Finding, SourceFile, Tree};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) job: &'static str,
    pub(crate) may: May,
    pub(crate) shell: bool,
}

/// What a room may import; always only from rows above its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum May {
    Only(&'static [&'static str]),
    AboveBut(&'static [&'static str]),
    CoreAnd(&'static [&'static str]),
}

const fn core(name: &'static str, job: &'static str, may: May) -> Room {
    Room { name, job, may, shell: false }
}

const fn shell(name: &'static str, job: &'static str, may: May) -> Room {
    Room { name, job, may, shell: true }
}

use May::{AboveBut, CoreAnd, Only};

#[rustfmt::skip]
pub(crate) const ROOMS: &[Room] = &[
    core("base", "ids, `Now { tick, wall }`, `Pii<T>`, seeded `Rng`, units, diagnostics", Only(&[])),
    core("contact", "list row, person, phones, zones, `CallResult` and `Outcome` vocabulary", Only(&["base"])),
    core("campaign", "YAML to raw to checked `Campaign`; policies, calendars, expressions, diff, schema, tests in the YAML",
        Only(&["base", "contact"])),
    core("model", "XGBoost trees, blend, calibration, drift statistics", Only(&["base"])),
    core("gate", "may this contact be called now? One file per rule; a `Verdict` with reasons and `until`",
        Only(&["base", "contact", "campaign"])),
    core("rank", "answer model by segment and slot, expected value, exploration and its propensity",
        Only(&["base", "contact", "campaign", "model"])),
    core("schedule", "golden hours, slot prices, frontier (due queue), retry, callbacks",
        Only(&["base", "contact", "campaign", "gate", "rank"])),
    core("pace", "how many dials now: preview, progressive, power, predictive, agentless; abandonment guard",
        Only(&["base", "campaign"])),
    core("call", "one attempt's state machine; flow player; the vocabulary of leg commands and events",
        Only(&["base", "contact", "campaign"])),
    core("sip", "messages, transactions, dialogs, SDP, digest, registration: bytes in, bytes and events out",
        Only(&["base"])),
    core("media", "RTP, jitter, G.711, DTMF, tones, answer and announcement classification: frames in, frames out",
        Only(&["base"])),
    core("line", "joins `sip` and `media` into the leg vocabulary of `call`; the only place that knows both",
        Only(&["base", "sip", "media", "call"])),
    core("engine", "the top machine: intake, tick, calls, agents, counters", AboveBut(&["sip", "media", "line"])),
    core("sim", "`World`: population, carrier, agents, disk and clock with faults; invariants; report", AboveBut(&[])),
    shell("obs", "tracing set-up, the typed metric catalogue; all of the shell may use it", Only(&["base", "engine"])),
    shell("store", "sqlx: SQLite and PostgreSQL behind one trait and one conformance suite", CoreAnd(&["obs"])),
    shell("feed", "list readers, outcome exporters", CoreAnd(&["obs", "store"])),
    shell("wire", "UDP, TCP, TLS and RTP sockets, pacing threads; moves bytes for `line`", Only(&["base", "line", "obs"])),
    shell("far", "the far end for trials (`gateway`, `demo`): people, machines, busy lines on real SIP and RTP",
        Only(&["base", "contact", "campaign", "media", "sip", "sim", "wire"])),
    shell("http", "API, health, metrics, desk and console", CoreAnd(&["store", "obs"])),
    shell("daemon", "start-up, the pump, reload, leases, shutdown, the one place that reads the OS clock", AboveBut(&[])),
    shell("cli", "one file per subcommand", AboveBut(&[])),
];

pub(crate) const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
pub(crate) const TABLE_BEGINS: &str = "<!-- rooms: written by tests/house.rs -->\n";
/// A red test leaves the text as it should be here, under target/tmp.
pub(crate) const TABLE_FILE: &str = "house-rooms.md";
pub(crate) const TABLE_ENDS: &str = "<!-- end of rooms -->";

/// The table as docs/ARCHITECTURE.md shows it.
pub(crate) fn render() -> String {
    let mut out = String::from("| room of `src/` | its one job | may import |\n|---|---|---|\n");
    for room in ROOMS {
        if room.name == "obs" {
            out.push_str("| *shell* | | |\n");
        }
        let line = format!("| `{}` | {} | {} |\n", room.name, room.job, room.may.words());
        out.push_str(&line);
    }
    out.push_str("| `main.rs` | parse, dispatch, exit code | cli |\n");
    out
}

/// The table in the document is the table of this file.
pub(crate) fn check_document(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.get(ARCHITECTURE) else {
        return vec![Finding { path: ARCHITECTURE.into(), line: 1, what: "is missing".into() }];
    };
    let shown = file.text.split_once(TABLE_BEGINS).and_then(|(_, rest)| rest.split_once(TABLE_ENDS));
    match shown {
        Some((table, _)) if table == render() => vec![],
        Some(_) | None => {
            let line = 1 + file.text.lines().take_while(|line| format!("{line}\n") != TABLE_BEGINS).count();
            let what = format!("put target/tmp/{TABLE_FILE} between `{}` and `{TABLE_ENDS}`", TABLE_BEGINS.trim_end());
            vec![file.finding(line, what)]
        }
    }
}

/// Every `crate::x` path of `src` against the table, and no way around it.
pub(crate) fn check_imports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust(&["src/"]) {
        let scan = match tokens::scan(file) {
            Ok(scan) => scan,
            Err(why) => {
                findings.push(file.finding(1, why));
                continue;
            }
        };
        match Place::of(&file.path) {
            Place::Root => findings.extend(check_root(file, &scan.paths)),
            Place::Main => findings.extend(scan.paths.iter().filter_map(|path| check_main(file, path))),
            Place::In { room, top } => match ROOMS.iter().find(|known| known.name == room) {
                Some(known) => {
                    if top && !is_declared(tree, room) {
                        findings
                            .push(file.finding(1, format!("src/lib.rs does not declare `{room}`: nobody compiles it")));
                    }
                    findings.extend(scan.paths.iter().filter_map(|path| check_path(file, known, top, path)));
                }
                None => findings.push(file.finding(1, format!("`{room}` is not in the table of tests/house/rooms.rs"))),
            },
        }
    }
    findings
}

/// True where there is no `lib.rs`, as in the tests of the checks.
fn is_declared(tree: &Tree, room: &str) -> bool {
    tree.get("src/lib.rs").is_none_or(|root| root.text.lines().any(|line| line == format!("pub mod {room};")))
}

enum Place<'a> {
    Root,
    Main,
    /// `top`: the file is the room's own `mod.rs`, whose `super` is the crate.
    In {
        room: &'a str,
        top: bool,
    },
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let inner = path.strip_prefix("src/").unwrap_or(path);
        match inner.split_once('/') {
            None if inner == "lib.rs" => Self::Root,
            None if inner == "main.rs" => Self::Main,
            None => Self::In { room: inner.strip_suffix(".rs").unwrap_or(inner), top: true },
            Some((room, rest)) => Self::In { room, top: rest == "mod.rs" },
        }
    }
}

impl May {
    fn words(self) -> String {
        let all = |names: &[&str]| names.join(" ");
        match self {
            Self::Only([]) => "–".into(),
            Self::Only(names) => all(names),
            Self::AboveBut([]) => "all above".into(),
            Self::AboveBut(names) => format!("all above but {}", all(names)),
            Self::CoreAnd(names) => format!("core {}", all(names)),
        }
    }
}

impl Room {
    /// May this room name that one?
    pub(crate) fn may_import(&self, other: &str) -> bool {
        let place = |name: &str| ROOMS.iter().position(|room| room.name == name);
        let (Some(own), Some(theirs)) = (place(self.name), place(other)) else { return false };
        let is_core = ROOMS.get(theirs).is_some_and(|room| !room.shell);
        own == theirs
            || theirs < own
                && match self.may {
                    Only(names) => names.contains(&other),
                    AboveBut(names) => !names.contains(&other),
                    CoreAnd(names) => is_core || names.contains(&other),
                }
    }
}

fn check_path(file: &SourceFile, room: &Room, top: bool, path: &PathUse) -> Option<Finding> {
    let say = |what: String| Some(file.finding(path.line, what));
    if path.segments.iter().filter(|word| *word == "super").count() > 1 {
        return say("`super::super`: write `crate::room::..`".into());
    }
    match path.segments.first().map(String::as_str) {
        Some("super") if top && path.inline_modules == 0 && path.segments.len() > 1 => {
            say("`super` is the whole crate here: write `crate::room::..`".into())
        }
        Some("crate") => match path.segments.get(1).map(String::as_str) {
            None if path.renamed => say("`crate as ..` hides what is imported: write `crate::room::..`".into()),
            // `pub(crate)`
            None => None,
            Some(other) if room.may_import(other) => None,
            Some(other) if ROOMS.iter().any(|known| known.name == other) => say(format!(
                "`{}` may not import `{other}` (allowed: {}); move the code down, or pass the value in",
                room.name,
                room.may.words()
            )),
            Some(other) => say(format!("`crate::{other}` is no room: name one of the table in {ARCHITECTURE}")),
        },
        Some("goldenhour") if path.segments.len() > 1 => say("write `crate::..` inside the library".into()),
        Some(_) | None => None,
    }
}

/// `lib.rs` only declares the rooms: a `pub use` there would let every room see everything.
fn check_root(file: &SourceFile, paths: &[PathUse]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in paths.iter().filter(|path| path.segments.iter().any(|word| word == "use" || word == "crate")) {
        findings.push(file.finding(path.line, "lib.rs declares rooms and nothing else"));
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let gate = "#[cfg(feature = \"daemon\")]";
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.trim().strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        let gated = at > 0 && lines.get(at - 1).is_some_and(|before| before.trim() == gate);
        match ROOMS.iter().find(|room| room.name == name) {
            None => {
                findings.push(file.finding(at + 1, format!("`{name}` is not in the table of tests/house/rooms.rs")));
            }
            Some(room) if room.shell && !gated => {
                findings.push(file.finding(at + 1, format!("`{name}` is a room of the shell: put `{gate}` above it")));
            }
            Some(room) if !room.shell && gated => {
                findings.push(
                    file.finding(at + 1, format!("`{name}` is a room of the core: it compiles without features")),
                );
            }
            Some(_) => {}
        }
    }
    findings
}

fn check_main(file: &SourceFile, path: &PathUse) -> Option<Finding> {
    match (path.segments.first().map(String::as_str), path.segments.get(1).map(String::as_str)) {
        (Some("goldenhour"), Some(room)) if room != "cli" => {
            Some(file.finding(path.line, format!("main.rs may only call `cli`, not `{room}`")))
        }
        (_, _) => None,
    }
}
