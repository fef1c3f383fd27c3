//! SIPp as the gateway: started on a free port, ready before a test goes on, killed at its end.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::ports::free_address_at;

pub struct Sipp {
    child: Child,
    pub addr: SocketAddr,
}

impl Sipp {
    /// `-sn uas` with more arguments.
    pub fn uas(more: &[&str]) -> Self {
        Self::uas_at("127.0.0.1", more)
    }

    /// The same at another address of this machine.
    pub fn uas_at(host: &str, more: &[&str]) -> Self {
        Self::start(host, &["-sn", "uas"], more)
    }

    /// A scenario of tests/fixtures/sipp.
    pub fn plays(file: &str, more: &[&str]) -> Self {
        let path = format!("{}/tests/fixtures/sipp/{file}", env!("CARGO_MANIFEST_DIR"));
        Self::plays_file(Path::new(&path), more)
    }

    pub fn plays_file(file: &Path, more: &[&str]) -> Self {
        Self::start("127.0.0.1", &["-sf", file.to_str().unwrap()], more)
    }

    fn start(host: &str, scenario: &[&str], more: &[&str]) -> Self {
        let addr = free_address_at(host);
        let media = free_address_at(host);
        let child = Command::new("sipp")
            .args(scenario)
            .args(["-i", host, "-mi", host, "-nostdin", "-p", &addr.port().to_string()])
            .args(["-mp", &media.port().to_string()])
            .args(more)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("SIPp cannot be run ({error}): apt-get install sip-tester"));
        let mut sipp = Self { child, addr };
        sipp.wait_until_bound(more.contains(&"t1"));
        sipp
    }

    /// Waits until its calls (`-m`) are done; true if all of them went well.
    pub fn finish(mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    fn wait_until_bound(&mut self, tcp: bool) {
        let pause = UdpSocket::bind("127.0.0.1:0").unwrap();
        pause.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        for _ in 0..500 {
            let bound = if tcp { TcpListener::bind(self.addr).is_err() } else { UdpSocket::bind(self.addr).is_err() };
            if bound {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("SIPp ended at once: {status}");
            }
            // Nothing ever comes: a bounded wait.
            assert!(pause.recv(&mut [0; 1]).is_err());
        }
        panic!("SIPp does not listen on {}", self.addr);
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
