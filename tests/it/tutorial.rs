//! The tutorial of docs/CAMPAIGNS.md, typed word by word into an empty folder. Only the ports are others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Setup, Site};

const HEADING: &str = "## From an empty folder to a running campaign\n";
/// Between the outputs of two blocks, with the exit code of the first.
const MARK: &str = "::end of block ";

struct Block {
    script: String,
    /// The block of expected output that follows it, if one does.
    expected: String,
}

/// The shell blocks of the tutorial, each with the output that is shown behind it.
fn blocks(page: &str) -> Vec<Block> {
    let (_, rest) = page.split_once(HEADING).expect("the tutorial has gone");
    let section = rest.split("\n## ").next().unwrap();
    let mut found: Vec<Block> = Vec::new();
    for fenced in section.split("```").skip(1).step_by(2) {
        let (kind, body) = fenced.split_once('\n').unwrap();
        match kind {
            "sh" => found.push(Block { script: body.to_owned(), expected: String::new() }),
            "text" => body.clone_into(&mut found.last_mut().unwrap().expected),
            other => panic!("the tutorial has a block of `{other}`"),
        }
    }
    found
}

#[test]
fn the_tutorial_works_word_by_word() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CAMPAIGNS.md")).unwrap();
    let blocks = blocks(&page);
    assert!(blocks.len() > 10, "the tutorial has lost its blocks");
    // For its ports; the folder of the tutorial is another one, and empty.
    let site = Site::new(&Setup { ports: 220, ..Setup::default() });
    let first_rtp = site.http.port() + 9;
    let ports = [
        ("127.0.0.1:8080", site.http.to_string()),
        ("127.0.0.1:9464", site.metrics.to_string()),
        ("127.0.0.1:5060", format!("127.0.0.1:{}", site.http.port() + 4)),
        ("127.0.0.1:5080", site.gateway.to_string()),
        ("20000-20199", format!("{first_rtp}-{}", first_rtp + 199)),
    ];
    let mut script = String::from("trap 'kill $(jobs -p) 2> /dev/null' EXIT\n");
    for block in &blocks {
        writeln!(script, "{}echo \"{MARK}$?\"", block.script).unwrap();
    }
    for (shown, ours) in &ports {
        assert!(script.contains(shown), "{shown} has gone from the tutorial");
        script = script.replace(shown, ours);
    }
    let home = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_goldenhour")).parent().unwrap();
    // The longest of its waits has an end even if the daemon never gets ready.
    let output = Command::new("timeout")
        .args(["180", "bash", "-c", &format!("PATH=\"{}:$PATH\"\nexec 2>&1\n{script}", program.display())])
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut outputs = said.split(MARK);
    let mut output = outputs.next().unwrap().to_owned();
    for block in &blocks {
        let after = outputs.next().unwrap_or_else(|| panic!("it ended in\n{}\n{said}", block.script));
        let (exit, next) = after.split_once('\n').unwrap();
        let expected = if block.expected.contains(": error[") { "3" } else { "0" };
        assert_eq!(exit, expected, "{}\n{output}", block.script);
        assert!(
            output.contains(&block.expected),
            "{}\nwas to say\n{}\nand said\n{output}",
            block.script,
            block.expected
        );
        next.clone_into(&mut output);
    }
    assert!(said.contains("answers OPTIONS with 200") && said.contains("call_result=\"answered\""), "{said}");
}
