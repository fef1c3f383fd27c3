//! The core stays a value: no await, clock, socket, thread, file, process or log. Its tests may read files.

use super::rooms::ROOMS;
use super::tokens::{self, PathUse};
use super::tree::{Finding, Tree};

/// Paths that a core room may not name, and why. Types that only carry data (`std::net::SocketAddr`) are fine.
const BANNED: &[(&[&str], &str)] = &[
    (&["std", "fs"], "read files in the shell and pass their text in"),
    (&["std", "thread"], "threads belong to the shell"),
    (&["std", "process"], "processes belong to the shell"),
    (&["std", "env"], "settings come in as values"),
    (&["std", "io", "stdin"], "the shell reads"),
    (&["std", "io", "stdout"], "the shell writes"),
    (&["std", "io", "stderr"], "the shell writes"),
    (&["std", "net", "UdpSocket"], "sockets belong to `wire`"),
    (&["std", "net", "TcpStream"], "sockets belong to `wire`"),
    (&["std", "net", "TcpListener"], "sockets belong to `wire`"),
    (&["std", "net", "ToSocketAddrs"], "names are resolved in the shell"),
    (&["std", "net", "*"], "name the types one by one"),
    (&["std", "os"], "the operating system belongs to the shell"),
    (&["std", "time", "Instant"], "time comes in as `base::Now`"),
    (&["std", "time", "SystemTime"], "time comes in as `base::Now`"),
    (&["std", "time", "*"], "name the types one by one"),
    (&["std", "sync", "mpsc"], "channels belong to the shell"),
    (&["tokio"], "the core is synchronous"),
    (&["sqlx"], "the core speaks `StoreRequest`"),
    (&["axum"], "HTTP belongs to the shell"),
    (&["prometheus"], "the core emits counts; `obs` exposes them"),
    (&["tracing"], "the core emits outputs; the shell logs them"),
    (&["getrandom"], "randomness comes in as a seeded `base::Rng`"),
    (&["async"], "the core is synchronous"),
    (&["await"], "the core is synchronous"),
];

/// Of these the tests of a core room may use: reading fixtures.
const FINE_IN_TESTS: &[&str] = &["fs", "env"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let core: Vec<&str> = ROOMS.iter().filter(|room| !room.shell).map(|room| room.name).collect();
    let test_files = test_files(tree);
    for file in tree.rust(&["src/"]) {
        let room = file.path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or("");
        if !core.contains(&room) {
            continue;
        }
        let Ok(scan) = tokens::scan(file) else { continue };
        let whole_file_is_test = test_files.iter().any(|prefix| file.path.starts_with(prefix.as_str()));
        for path in &scan.paths {
            let in_test = path.in_test || whole_file_is_test;
            if let Some((banned, why)) = BANNED.iter().find(|(banned, _)| matches(path, banned, in_test)) {
                findings.push(file.finding(path.line, format!("`{}` in the core: {why}", banned.join("::"))));
            }
        }
    }
    findings
}

fn matches(path: &PathUse, banned: &[&str], in_test: bool) -> bool {
    let starts = path.segments.len() >= banned.len() && path.segments.iter().zip(banned).all(|(a, b)| a == b);
    // A lone word such as a field called `tokio` is no path into the crate; `async` and `await` are always themselves.
    let counts = path.segments.len() > 1 || matches!(banned, ["async" | "await"]);
    let excused = in_test && banned.iter().any(|word| FINE_IN_TESTS.contains(word));
    starts && counts && !excused
}

/// `#[cfg(test)] mod name;` in `src/x/mod.rs` makes `src/x/name` test code.
pub(crate) fn test_files(tree: &Tree) -> Vec<String> {
    let mut prefixes = Vec::new();
    for file in tree.rust(&["src/"]) {
        let Ok(scan) = tokens::scan(file) else { continue };
        let folder = match file.path.strip_suffix("/mod.rs") {
            Some(folder) => folder,
            None => file.path.trim_end_matches(".rs"),
        };
        prefixes.extend(scan.test_modules.iter().map(|name| format!("{folder}/{name}.rs")));
        prefixes.extend(scan.test_modules.iter().map(|name| format!("{folder}/{name}/")));
    }
    prefixes
}
