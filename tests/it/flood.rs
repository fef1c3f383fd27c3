//! The real daemon under a flood from strangers while its calls go on. `GOLDENHOUR_FLOOD` says how many datagrams.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use goldenhour::base::Rng;

use crate::daemon::{Daemon, Setup, Site, until};
use crate::sipp::Sipp;
use crate::trial::{self, Trial};

const CALLS: u32 = 40;
const USUALLY: u32 = 100_000;
/// As many as the smallest buffer of a socket holds.
const BURST: u32 = 100;
/// What an idle daemon may grow by for reasons of its own. A hundred bytes for each datagram would be far more.
const SLACK_KB: u64 = 3_000;

#[test]
fn a_flood_from_strangers_gets_no_byte_costs_no_memory_and_disturbs_no_call() {
    let site = Site::new(&Setup { max_cps: 10, ..Setup::default() });
    Trial::default().write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", CALLS)));
    site.import("trial", &site.path("list.csv"));
    let mut sipp = Sipp::start(&site, "gbk.xml", Some(CALLS));
    let mut daemon = site.serve(&[]);
    let mut strangers = Strangers::new(site.sip);
    let half = datagrams() / 2;
    until("calls are up", || sipp.calls().1 >= 5);
    strangers.flood(half, &daemon);
    // It waits for the ACK and for the answer to its BYE of each call.
    assert_eq!(sipp.process().wait().code(), Some(0), "{}", sipp.process().log());
    until("all are closed", || site.number("SELECT count(*) FROM attempt WHERE state = 'done'") == i64::from(CALLS));
    let whole =
        "SELECT count(*) FROM outcome WHERE t_answered IS NOT NULL AND sip_status = 200 AND released_by = 'them'";
    assert_eq!(site.number(whole), i64::from(CALLS));
    let before = resident_kb(daemon.process().id());
    strangers.flood(half, &daemon);
    let after = resident_kb(daemon.process().id());
    println!("{} datagrams, {before} KiB before the second half and {after} KiB after it", strangers.sent);
    assert!(after <= before + SLACK_KB, "{before} KiB before, {after} KiB after");
    strangers.must_have_heard_nothing();
    daemon.stop();
}

struct Strangers {
    daemon: SocketAddr,
    sockets: Vec<UdpSocket>,
    seeds: Vec<Vec<u8>>,
    rng: Rng,
    sent: u32,
}

impl Strangers {
    /// At two addresses; one is that of the gateway, at another port.
    fn new(daemon: SocketAddr) -> Self {
        let sockets = ["127.0.0.1:0", "127.0.0.2:0"].map(|at| UdpSocket::bind(at).unwrap()).into();
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/datagram");
        let mut files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let seeds = files.into_iter().map(|file| std::fs::read(file).unwrap()).collect();
        Self { daemon, sockets, seeds, rng: Rng::seeded(11), sent: 0 }
    }

    /// No faster than they are read, so that none is lost on the way: each one is counted.
    fn flood(&mut self, count: u32, daemon: &Daemon) {
        for _ in 0..count / BURST {
            for _ in 0..BURST {
                let bytes = self.datagram();
                let socket = &self.sockets[self.rng.below(self.sockets.len() as u32) as usize];
                socket.send_to(&bytes, self.daemon).unwrap();
            }
            self.sent += BURST;
            self.wait_until_read();
        }
        let counted = || daemon.metric("goldenhour_sip_unknown_source_total", &[]);
        until("all of it is counted", || counted() >= f64::from(self.sent) * 0.99);
    }

    /// What the kernel holds for the daemon's socket is nothing again. Metrics are too slow to ask for that.
    fn wait_until_read(&self) {
        let port = format!(":{:04X}", self.daemon.port());
        let is_read = || {
            let table = std::fs::read_to_string("/proc/net/udp").unwrap();
            let mut sockets = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let own = sockets.find(|columns| columns.get(1).is_some_and(|local| local.ends_with(&port)));
            own.is_some_and(|columns| columns[4].ends_with(":00000000"))
        };
        // Within microseconds, where the machine is idle.
        if !(0..50).any(|_| is_read()) {
            until("the burst is read", is_read);
        }
    }

    /// Random, or a message of the corpus with some damage.
    fn datagram(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        if rng.chance(0.5) {
            let mut bytes = vec![0; rng.below(600) as usize + 1];
            rng.fill(&mut bytes);
            return bytes;
        }
        let mut bytes = self.seeds[rng.below(self.seeds.len() as u32) as usize].clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len().max(1) as u32) as usize;
            match rng.below(4) {
                0 => bytes.truncate(at.max(1)),
                1 => drop(bytes.drain(at..(at + 20).min(bytes.len()))),
                2 => bytes.extend_from_within(at..),
                _ => bytes[at..].iter_mut().take(1).for_each(|byte| *byte = rng.u32() as u8),
            }
        }
        bytes
    }

    fn must_have_heard_nothing(&self) {
        for socket in &self.sockets {
            socket.set_nonblocking(true).unwrap();
            let heard = socket.recv_from(&mut [0; 2_048]);
            assert_eq!(heard.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test goes on is said from outside")]
fn datagrams() -> u32 {
    std::env::var("GOLDENHOUR_FLOOD").map_or(USUALLY, |count| count.parse().unwrap())
}

fn resident_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
