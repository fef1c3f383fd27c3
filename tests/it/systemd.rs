//! Under systemd: what the daemon says on its notify socket, and a unit that systemd itself understands.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use goldenhour::daemon::config::Config;

use crate::daemon::{Process, Setup, Site, until};
use crate::trial::Trial;

const UNIT: &str = "packaging/systemd/goldenhour.service";

/// Everything that was said until now.
fn hear(socket: &UnixDatagram, heard: &mut Vec<String>) {
    let mut buffer = [0; 1_024];
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => heard.push(String::from_utf8_lossy(&buffer[..length]).into_owned()),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                return;
            }
        }
    }
}

#[test]
fn the_daemon_tells_systemd_how_it_is() {
    let site = Site::new(&Setup { ports: 100, max_calls: 20, seats: 5, ..Setup::default() });
    Trial::default().write(&site);
    let path = site.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_goldenhour"));
    command.arg("serve").arg("--config").arg(site.path("goldenhour.yaml"));
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "30000000").env_remove("WATCHDOG_PID");
    let mut daemon = Process::start(command, &site.path("serve.log"));

    let mut heard = Vec::new();
    let mut wait = |what: &str, daemon: &mut Process, holds: &dyn Fn(&[String]) -> bool| {
        until(what, || {
            daemon.must_run();
            hear(&socket, &mut heard);
            holds(&heard)
        });
        std::mem::take(&mut heard)
    };
    let begins = |word: &'static str| move |said: &[String]| said.iter().any(|one| one.starts_with(word));
    let first = wait("it is ready", &mut daemon, &begins("READY=1"));
    assert!(first[0].starts_with("READY=1"), "{first:?}");
    wait("the engine lives", &mut daemon, &begins("WATCHDOG=1"));
    daemon.signal("HUP");
    wait("it reloads", &mut daemon, &|said| begins("RELOADING=1")(said) && begins("READY=1")(said));
    daemon.signal("TERM");
    until("it stops", || {
        hear(&socket, &mut heard);
        begins("STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\n")(&heard)
    });
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn systemd_understands_the_unit_and_finds_it_closed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root.join(UNIT)).unwrap();
    // The program and its manual page are not installed here.
    let here = text.replace("/usr/bin/goldenhour", env!("CARGO_BIN_EXE_goldenhour"));
    let here: String =
        here.lines().filter(|line| !line.starts_with("Documentation=")).flat_map(|l| [l, "\n"]).collect();
    let path = home.path().join("goldenhour.service");
    std::fs::write(&path, here).unwrap();
    // Exposure in tenths: 20 is 2.0, "OK".
    for arguments in [&["verify"][..], &["security", "--offline=yes", "--threshold=20"]] {
        let output = Command::new("systemd-analyze")
            .args(arguments)
            .arg(&path)
            .output()
            .expect("systemd-analyze is not on the PATH: run scripts/test, which installs it");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        // A line that it does not understand is only shown.
        let understood = arguments != ["verify"] || !said.contains("goldenhour.service:");
        assert!(output.status.success() && understood, "{arguments:?}: {said}");
    }
}

#[test]
fn the_packaged_configuration_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/goldenhour.yaml");
    let loaded = Config::load(&path).unwrap();
    assert!(loaded.warnings.is_empty() && loaded.config.test_numbers_only);
    assert!(loaded.config.keys_file.starts_with("/var/lib/goldenhour"));
}
