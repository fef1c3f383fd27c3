//! A group of two gateways of which the first takes no calls: the whole daemon against a refusing socket and our far end.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

/// Answers every INVITE with 503 and nothing before it.
struct Refuser {
    at: SocketAddr,
    over: Arc<AtomicBool>,
    /// Call-IDs, repetitions included.
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Refuser {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (at, over) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut calls = Vec::new();
            let mut buffer = [0; 2_048];
            while !seen.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("INVITE") {
                    calls.push(header(&text, "Call-ID"));
                    let names = ["Via", "From", "To", "Call-ID", "CSeq"];
                    let echoed: String = names.map(|name| format!("{name}: {}\r\n", header(&text, name))).concat();
                    let echoed = echoed.replacen(">\r\nCall-ID", ">;tag=no\r\nCall-ID", 1);
                    let answer = format!("SIP/2.0 503 Service Unavailable\r\n{echoed}Content-Length: 0\r\n\r\n");
                    socket.send_to(answer.as_bytes(), from).unwrap();
                }
            }
            calls
        });
        Self { at, over, thread: Some(thread) }
    }

    fn stop(mut self) -> Vec<String> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

fn header(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name} in {text}")).to_owned()
}

/// Trunk `gw-a` refuses, `gw-b` is the far end and has room for all; both in the group `both`, in this order.
fn site(refuser: &Refuser, ring_s: u32, people: u32) -> Site {
    let site = Site::new(&Setup { max_cps: 5, ..Setup::default() });
    let path = site.path("goldenhour.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (head, queues) = config.split_once("queues:").unwrap();
    let (shared, trunk) = head.split_once("  gw-a:\n").unwrap();
    let refusing = trunk.replace(&site.gateway.to_string(), &refuser.at.to_string());
    let other = trunk.replace("+999100000001", "+999100000002").replace("max_cps: 5", "max_cps: 100");
    let groups = "trunk_groups:\n  both: { gw-a: { priority: 1 }, gw-b: { priority: 2 } }\n";
    let queues = queues.replace("@gw-a", "@gw-b");
    site.write("goldenhour.yaml", &format!("{shared}  gw-a:\n{refusing}  gw-b:\n{other}{groups}queues:{queues}"));
    Trial { ring_s, more: "trunk: { group: both }", ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", people)));
    site
}

#[test]
fn calls_that_one_gateway_refuses_ring_once_over_the_other() {
    let refuser = Refuser::start();
    let site = site(&refuser, 8, 12);
    let mut far = site.far_end(&trial::town(100, r#"{ "1": 100% }"#, ""), &[]);
    site.import("trial", &site.path("list.csv"));
    let daemon = site.serve(&[]);
    until("everybody was called", || site.number("SELECT count(*) FROM attempt WHERE state = 'done'") == 12);
    let rerouted = daemon.metric("goldenhour_trunk_reroutes_total", &["trunk=\"gw-a\""]);
    daemon.stop();
    far.must_run();
    let refused = refuser.stop();
    let rows = "SELECT lower(hex(id)), trunk, caller_id, result FROM attempt ORDER BY id";
    for [id, trunk, caller_id, result] in site.texts(rows) {
        assert_eq!((&*trunk, &*caller_id), ("gw-b", "+999100000002"), "{id}");
        assert!(matches!(&*result, "answered" | "no_answer"), "{id}: {result}");
    }
    let rang: Vec<String> =
        site.witnessed("invite").iter().map(|line| line["call_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(rang.len(), 12, "each once");
    // The breaker takes the first trunk out after five calls in a row; what was on its way by then goes there too.
    assert!((5..=12).contains(&refused.len()), "{}", refused.len());
    assert!(refused.iter().all(|call| rang.contains(call)), "one and the same call over both");
    assert!((rerouted - refused.len() as f64).abs() < 0.5, "{rerouted} of {}", refused.len());
}

#[test]
fn a_call_on_its_second_trunk_is_ended_there_after_a_crash_and_nobody_is_called_again() {
    let refuser = Refuser::start();
    let site = site(&refuser, 60, 3);
    let mut far = site.far_end(&trial::nobody_in_town(), &[]);
    site.import("trial", &site.path("list.csv"));
    let daemon = site.serve(&[]);
    until("three phones ring", || site.count_witnessed("invite") == 3);
    daemon.kill();
    let daemon = site.serve(&[]);
    until("their calls are cancelled", || site.count_witnessed("ended") == 3);
    daemon.stop();
    far.must_run();
    assert_eq!((refuser.stop().len(), site.count_witnessed("invite")), (3, 3));
    let results = site.texts("SELECT trunk, result FROM attempt");
    assert_eq!(results, vec![["gw-b".to_owned(), "unknown_counted".to_owned()]; 3]);
}
