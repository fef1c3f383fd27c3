//! Against a real, small name server on loopback.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, Record};

use super::*;
use crate::sip::{Peer, Transport};

type Zone = Arc<Mutex<Vec<(&'static str, RData)>>>;

/// Answers until it is dropped, with a time to live of one second.
struct Server {
    addr: SocketAddr,
    zone: Zone,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(zone: Vec<(&'static str, RData)>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (addr, zone, over) =
            (socket.local_addr().unwrap(), Arc::new(Mutex::new(zone)), Arc::new(AtomicBool::new(false)));
        let (known, ended) = (Arc::clone(&zone), Arc::clone(&over));
        let serve = move || {
            let mut buffer = [0; 4_096];
            while !ended.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let answer = answer(&known.lock().unwrap(), &buffer[..length]);
                socket.send_to(&answer, from).unwrap();
            }
        };
        Self { addr, zone, over, thread: Some(std::thread::spawn(serve)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(zone: &[(&'static str, RData)], question: &[u8]) -> Vec<u8> {
    let question = Message::from_vec(question).unwrap();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    let query = question.queries[0].clone();
    let known = zone.iter().filter(|(name, _)| Name::from_ascii(name).unwrap() == *query.name());
    if known.clone().next().is_none() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    for (_, data) in known.filter(|(_, data)| data.record_type() == query.query_type()) {
        answer.add_answer(Record::from_rdata(query.name().clone(), 1, data.clone()));
    }
    answer.add_query(query);
    answer.to_vec().unwrap()
}

fn zone() -> Vec<(&'static str, RData)> {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    let bytes = |text: &str| text.as_bytes().into();
    let naptr =
        |order, service, to| RData::NAPTR(NAPTR::new(order, 1, bytes("s"), bytes(service), bytes(""), name(to)));
    vec![
        ("gw.example.", naptr(20, "SIP+D2U", "_sip._udp.gw.example.")),
        ("gw.example.", naptr(10, "SIP+D2T", "_sip._tcp.gw.example.")),
        ("_sip._tcp.gw.example.", RData::SRV(SRV::new(2, 0, 5070, name("b.gw.example.")))),
        ("_sip._tcp.gw.example.", RData::SRV(SRV::new(1, 0, 5060, name("a.gw.example.")))),
        ("_sip._udp.gw.example.", RData::SRV(SRV::new(1, 0, 5060, name("b.gw.example.")))),
        ("a.gw.example.", RData::A(A::new(127, 0, 0, 11))),
        ("b.gw.example.", RData::A(A::new(127, 0, 0, 12))),
    ]
}

fn config(uri: &str, dns: &str) -> Config {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("goldenhour.yaml");
    let limits = "caller_ids: [\"123\"], max_calls: 1, max_cps: 1";
    std::fs::write(&file, format!("{dns}\ntrunks: {{ gw: {{ uri: \"{uri}\", {limits} }} }}\n")).unwrap();
    Config::load(&file).unwrap().config
}

fn asking(server: &Server, uri: &str) -> Config {
    config(uri, &format!("dns: {{ servers: [\"{}\"] }}", server.addr))
}

fn targets(config: &Config) -> Result<Vec<String>, String> {
    let found = find(config, &config.trunks[0].peer)?;
    Ok(found.routes.iter().map(|route| route.target.to_string()).collect())
}

#[test]
fn a_name_is_followed_through_naptr_srv_and_a() {
    let server = Server::start(zone());
    let found = |uri: &str| targets(&asking(&server, uri));
    assert_eq!(found("sip:gw.example").unwrap(), ["tcp:127.0.0.11:5060", "tcp:127.0.0.12:5070"]);
    assert_eq!(found("sip:gw.example;transport=udp").unwrap(), ["127.0.0.12:5060"]);
    assert_eq!(found("sip:a.gw.example").unwrap(), ["127.0.0.11:5060"]);
    assert_eq!(found("sip:a.gw.example:5099;transport=tls").unwrap(), ["tls:127.0.0.11:5099"]);
}

#[test]
fn a_name_without_address_and_a_server_that_is_silent_are_said_in_words() {
    let server = Server::start(zone());
    let why = targets(&asking(&server, "sip:nobody.example")).unwrap_err();
    assert!(why.contains("`nobody.example` has no address of IP version 4"), "{why}");
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = format!("dns: {{ servers: [\"{}\"] }}", mute.local_addr().unwrap());
    let why = targets(&config("sip:gw.example:5060", &servers)).unwrap_err();
    assert!(why.contains("`gw.example` cannot be looked up"), "{why}");
}

#[test]
fn the_hosts_file_of_the_system_counts() {
    assert_eq!(targets(&config("sip:localhost:5099", "")).unwrap(), ["127.0.0.1:5099"]);
}

#[test]
fn the_line_hears_where_a_name_leads_and_hears_it_again_when_it_leads_elsewhere() {
    let server = Server::start(zone());
    let config = asking(&server, "sip:gw.example");
    assert!(setup::line_trunk(&config.trunks[0]).is_nowhere(), "nothing is known before the first answer");
    let (orders, mut heard) = mpsc::channel(4);
    let names = Names::start(&config, orders).unwrap();
    let mut trunk = || match heard.blocking_recv().unwrap().remove(0) {
        Order::Trunks(mut trunks) => trunks.remove(0),
        order @ Order::Command(_) => panic!("{order:?}"),
    };
    let first = trunk();
    assert_eq!((first.transport, first.targets().len()), (Transport::Tcp, 2));
    // Whatever the records say, the URI in a request is the one of the configuration.
    assert_eq!((first.host.as_deref(), first.uri_transport), (Some("gw.example"), Some(Transport::Udp)));
    assert_ne!(first.addr, Peer::NOWHERE);
    server.zone.lock().unwrap().retain(|(name, _)| *name != "a.gw.example.");
    assert_eq!(trunk().targets(), ["tcp:127.0.0.12:5070".parse().unwrap()]);
    drop(names);
}

#[test]
fn trunks_with_addresses_need_no_thread() {
    let (orders, _heard) = mpsc::channel(1);
    assert!(Names::start(&config("sip:127.0.0.1:5080", ""), orders).unwrap().is_none());
}
