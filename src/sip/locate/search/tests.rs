//! The rules of RFC 3263 §4, each against a small zone.

use super::*;

const HOST: &str = "gw.example";

fn wish(port: Option<u16>, transport: Option<Transport>) -> Wish {
    Wish { host: HOST.to_owned(), port, transport }
}

fn naptr(order: u16, preference: u16, flags: &str, service: &str, replacement: &str) -> Naptr {
    let text = str::to_owned;
    Naptr { order, preference, flags: text(flags), service: text(service), replacement: text(replacement) }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
    Srv { priority, weight, port, target: target.to_owned() }
}

#[derive(Default)]
struct Zone {
    naptr: Vec<(&'static str, Vec<Naptr>)>,
    srv: Vec<(&'static str, Vec<Srv>)>,
    addresses: Vec<(&'static str, Vec<&'static str>)>,
}

impl Zone {
    /// The targets by priority, as text, and what was asked.
    fn find(&self, wish: Wish, v4: bool) -> (Vec<String>, Vec<String>) {
        let mut search = Search::new(wish, v4);
        let mut asked = Vec::new();
        while let Some(question) = search.question() {
            asked.push(match question {
                Question::Naptr(name) => format!("NAPTR {name}"),
                Question::Srv(name) => format!("SRV {name}"),
                Question::Addresses(name) => format!("A {name}"),
            });
            assert!(asked.len() <= 40, "a search ends");
            let records = match question {
                Question::Naptr(name) => Records::Naptr(get(&self.naptr, name)),
                Question::Srv(name) => Records::Srv(get(&self.srv, name)),
                Question::Addresses(name) => {
                    Records::Addresses(get(&self.addresses, name).iter().map(|ip| ip.parse().unwrap()).collect())
                }
            };
            search.answer(records);
        }
        let found = search.found();
        assert!(found.routes.iter().all(|route| route.target.transport == found.transport));
        (found.routes.iter().map(|route| route.target.to_string()).collect(), asked)
    }
}

fn get<T: Clone>(of: &[(&str, Vec<T>)], name: &str) -> Vec<T> {
    of.iter().find(|(known, _)| *known == name).map(|(_, records)| records.clone()).unwrap_or_default()
}

fn zone() -> Zone {
    Zone {
        naptr: vec![(
            HOST,
            vec![
                naptr(90, 1, "s", "SIP+D2S", "_sip._sctp.gw.example"),
                naptr(80, 9, "u", "E2U+sip", "x"),
                naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.gw.example"),
                naptr(100, 2, "S", "sip+d2t", "_sip._tcp.gw.example"),
                naptr(100, 1, "s", "SIP+D2U", "_sip._udp.gw.example"),
            ],
        )],
        srv: vec![
            ("_sip._udp.gw.example", vec![srv(20, 0, 5070, "b.gw.example"), srv(10, 0, 5060, "a.gw.example")]),
            ("_sip._tcp.gw.example", vec![srv(10, 0, 5080, "a.gw.example")]),
            ("_sips._tcp.gw.example", vec![srv(10, 0, 5061, "a.gw.example")]),
        ],
        addresses: vec![
            (HOST, vec!["192.0.2.9"]),
            ("a.gw.example", vec!["192.0.2.1", "2001:db8::1"]),
            ("b.gw.example", vec!["192.0.2.2"]),
        ],
    }
}

#[test]
fn the_order_of_naptr_decides_the_transport_and_what_we_cannot_speak_is_passed_over() {
    let (found, asked) = zone().find(wish(None, None), true);
    assert_eq!(found, ["192.0.2.1:5060", "192.0.2.2:5070"]);
    assert_eq!(asked, ["NAPTR gw.example", "SRV _sip._udp.gw.example", "A a.gw.example", "A b.gw.example"]);
    let mut other = zone();
    other.naptr[0].1[3].order = 1;
    assert_eq!(other.find(wish(None, None), true).0, ["tcp:192.0.2.1:5080"]);
}

#[test]
fn without_naptr_the_services_are_asked_for_by_name_and_without_those_the_host_itself() {
    let mut zone = zone();
    zone.naptr.clear();
    assert_eq!(zone.find(wish(None, None), true).0, ["192.0.2.1:5060", "192.0.2.2:5070"]);
    zone.srv.remove(0);
    assert_eq!(zone.find(wish(None, None), true).0, ["tcp:192.0.2.1:5080"]);
    zone.srv.clear();
    let (found, asked) = zone.find(wish(None, None), true);
    assert_eq!(found, ["192.0.2.9:5060"]);
    assert_eq!(asked[1..], ["SRV _sip._udp.gw.example", "SRV _sip._tcp.gw.example", "A gw.example"]);
}

#[test]
fn a_named_transport_asks_for_its_own_service_and_no_naptr() {
    for (over, want) in [(Transport::Tls, "tls:192.0.2.1:5061"), (Transport::Tcp, "tcp:192.0.2.1:5080")] {
        let (found, asked) = zone().find(wish(None, Some(over)), true);
        assert_eq!(found, [want]);
        assert!(asked[0].starts_with("SRV _sip"), "{asked:?}");
    }
    let mut bare = zone();
    bare.srv.clear();
    assert_eq!(bare.find(wish(None, Some(Transport::Tls)), true).0, ["tls:192.0.2.9:5061"]);
}

#[test]
fn a_port_means_this_host_and_nothing_else() {
    let (found, asked) = zone().find(wish(Some(5090), None), true);
    assert_eq!((found, asked), (vec!["192.0.2.9:5090".to_owned()], vec!["A gw.example".to_owned()]));
    assert_eq!(zone().find(wish(Some(5091), Some(Transport::Tls)), true).0, ["tls:192.0.2.9:5091"]);
}

#[test]
fn only_addresses_of_our_own_version_count() {
    assert_eq!(zone().find(wish(None, None), false).0, ["[2001:db8::1]:5060"]);
    let mut zone = zone();
    zone.addresses.remove(1);
    assert!(zone.find(wish(None, None), false).0.is_empty());
}

#[test]
fn a_dot_as_server_says_that_there_is_none_and_the_host_is_not_asked_instead() {
    let mut zone = zone();
    zone.srv = vec![("_sip._udp.gw.example", vec![srv(0, 0, 0, ".")])];
    assert!(zone.find(wish(None, None), true).0.is_empty());
}

#[test]
fn the_weight_of_a_server_is_shared_by_its_addresses_and_equal_hosts_share_alike() {
    let mut zone = zone();
    zone.naptr.clear();
    zone.srv = vec![("_sip._udp.gw.example", vec![srv(1, 60, 5060, "a.gw.example"), srv(1, 40, 5060, "b.gw.example")])];
    zone.addresses[1].1 = vec!["192.0.2.1", "192.0.2.3", "192.0.2.1"];
    let mut search = Search::new(wish(None, None), true);
    search.answer(Records::Naptr(Vec::new()));
    search.answer(Records::Srv(zone.srv[0].1.clone()));
    for addresses in [&zone.addresses[1].1, &zone.addresses[2].1] {
        search.answer(Records::Addresses(addresses[..].iter().take(2).map(|ip| ip.parse().unwrap()).collect()));
    }
    let weights: Vec<_> = search.found().routes.iter().map(|route| route.weight).collect();
    assert_eq!(weights, [30, 30, 40]);
}

#[test]
fn a_name_with_too_many_servers_keeps_the_first_sixteen() {
    let mut zone = zone();
    let many = |n: u16| srv(n, 0, 5000 + n, "a.gw.example");
    zone.srv[0].1 = (0..1_000).rev().map(many).collect();
    let (found, asked) = zone.find(wish(None, None), true);
    assert_eq!((found.len(), asked.len()), (MAX_ROUTES, MAX_ROUTES + 2));
    assert_eq!(found[15], "192.0.2.1:5015");
}

#[test]
fn a_foreign_answer_is_none() {
    let mut search = Search::new(wish(None, None), true);
    search.answer(Records::Addresses(vec!["192.0.2.7".parse().unwrap()]));
    search.answer(Records::Naptr(Vec::new()));
    assert_eq!(search.question(), Some(&Question::Srv("_sip._tcp.gw.example".to_owned())));
}
