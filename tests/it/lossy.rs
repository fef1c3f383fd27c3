//! The real daemon and the real far end with a network between them that loses, doubles and reorders one datagram in
//! twenty each. In virtual time, with more loss and more calls: `src/sip/tests/lossy.rs`.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use goldenhour::base::Rng;

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

const CALLS: u32 = 60;
const SHARE: f64 = 0.05;
/// Ring time, a prompt and its silence, and after each of them timer B with five seconds more.
const PATIENCE_US: i64 = 60_000_000;

#[test]
fn one_datagram_in_twenty_lost_and_nobody_is_rung_twice_and_every_outcome_comes() {
    let mut site = Site::new(&Setup::default());
    let front = site.gateway;
    site.gateway.set_port(front.port() + 1);
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(2, "Asia/Shanghai", CALLS)));
    site.import("trial", &site.path("list.csv"));
    let _far = site.far_end(&trial::town(60, r#"{ "1": 50% }"#, ""), &[]);
    let network = Network::between(site.sip, front, site.gateway);
    let daemon = site.serve(&[]);
    let closed = || site.number("SELECT count(*) FROM attempt WHERE state = 'done'");
    until("all are closed", || closed() == i64::from(CALLS));
    let called: Vec<String> = site.witnessed("invite").iter().map(|line| line["number"].to_string()).collect();
    assert_eq!(called.iter().collect::<BTreeSet<_>>().len(), called.len(), "somebody was rung twice");
    assert_eq!(site.number("SELECT count(*) FROM outcome"), i64::from(CALLS));
    let longest = site.number("SELECT max(t_ended - t_sent) FROM outcome");
    assert!(longest < PATIENCE_US, "an attempt took {longest} µs");
    let answered = site.number("SELECT count(*) FROM outcome WHERE t_answered IS NOT NULL");
    assert!((20..55).contains(&answered), "{answered} of {CALLS} answered");
    let lost = network.lost.load(Ordering::Relaxed);
    assert!(lost > 10, "only {lost} were lost");
    daemon.stop();
}

/// Both sides see each other at its addresses: what they write of each other is changed on the way.
struct Network {
    ends: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    ways: Vec<JoinHandle<()>>,
}

impl Network {
    fn between(caller: SocketAddr, front: SocketAddr, far: SocketAddr) -> Self {
        let [front_socket, back_socket] =
            [front, "127.0.0.1:0".parse().unwrap()].map(|at| UdpSocket::bind(at).unwrap());
        let back = back_socket.local_addr().unwrap();
        let (ends, lost) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let there = [(caller, back), (front, far)];
        let here = there.map(|(a, b)| (b, a));
        let ways = [
            (front_socket.try_clone().unwrap(), back_socket.try_clone().unwrap(), far, there),
            (back_socket, front_socket, caller, here),
        ];
        let ways = ways.into_iter().zip(1..).map(|((from, to, target, names), seed)| {
            let (ends, lost) = (Arc::clone(&ends), Arc::clone(&lost));
            std::thread::spawn(move || one_way(&from, &to, target, names, Rng::seeded(seed), &ends, &lost))
        });
        let ways = ways.collect();
        Self { ends, lost, ways }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        for way in self.ways.drain(..) {
            assert!(way.join().is_ok() || std::thread::panicking());
        }
    }
}

fn one_way(
    from: &UdpSocket,
    to: &UdpSocket,
    target: SocketAddr,
    names: [(SocketAddr, SocketAddr); 2],
    mut rng: Rng,
    ends: &AtomicBool,
    lost: &AtomicU64,
) {
    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = vec![0; 65_536];
    let mut held: Option<Vec<u8>> = None;
    while !ends.load(Ordering::Relaxed) {
        let came = from.recv_from(&mut buffer).ok().map(|(length, _)| renamed(&buffer[..length], names));
        // One that was held back follows the next, or comes when nothing else does.
        let late = held.take();
        let send = |bytes: &[u8]| assert!(to.send_to(bytes, target).is_ok());
        match came {
            Some(_) if rng.chance(SHARE) => drop(lost.fetch_add(1, Ordering::Relaxed)),
            Some(bytes) if late.is_none() && rng.chance(SHARE) => held = Some(bytes),
            Some(bytes) => {
                let copies = 1 + u32::from(rng.chance(SHARE));
                (0..copies).for_each(|_| send(&bytes));
            }
            None => {}
        }
        if let Some(bytes) = late {
            send(&bytes);
        }
    }
}

fn renamed(bytes: &[u8], names: [(SocketAddr, SocketAddr); 2]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (before, after) in
        names.map(|(before, after)| (before.to_string().into_bytes(), after.to_string().into_bytes()))
    {
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(before.len()).position(|part| part == before) {
            bytes.splice(at + found..at + found + before.len(), after.iter().copied());
            at += found + after.len();
        }
    }
    bytes
}
