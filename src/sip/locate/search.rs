//! One search from a name to its ways (RFC 3263 §4): questions out, answers in, until there is nothing left to ask.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::sip::target::{Target, Transport};

use super::{MAX_ROUTES, Naptr, Question, Records, Route, Srv};

/// What the URI says: a name, and what it fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub host: String,
    pub port: Option<u16>,
    pub transport: Option<Transport>,
}

#[derive(Debug)]
pub struct Search {
    host: String,
    /// Only addresses of this version are of use.
    v4: bool,
    transport: Transport,
    questions: VecDeque<(Question, Goal)>,
    routes: Vec<Route>,
}

/// What an answer is for.
#[derive(Clone, Debug)]
enum Goal {
    Services,
    Servers(Transport),
    Server(Srv),
    /// The host itself, at this port.
    Host(u16),
}

/// What a name came to. Without routes it has no address that we can talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub transport: Transport,
    pub routes: Vec<Route>,
}

impl Search {
    pub fn new(wish: Wish, v4: bool) -> Self {
        let Wish { host, port, transport } = wish;
        let over = transport.unwrap_or_default();
        let mut search = Self { host, v4, transport: over, questions: VecDeque::new(), routes: Vec::new() };
        match (port, transport) {
            // Whoever names a port has said which server he means (§4.2).
            (Some(port), _) => search.ask_host(port),
            (None, Some(over)) => {
                search.ask_servers(over, service_name(over, &search.host));
                search.ask_host(over.default_port());
            }
            (None, None) => {
                let host = search.host.clone();
                search.questions.push_back((Question::Naptr(host), Goal::Services));
            }
        }
        search
    }

    /// What to ask now.
    pub fn question(&self) -> Option<&Question> {
        self.questions.front().map(|(question, _)| question)
    }

    /// The answer to that question.
    pub fn answer(&mut self, records: Records) {
        let Some((_, goal)) = self.questions.pop_front() else { return };
        match (goal, records) {
            (Goal::Services, Records::Naptr(services)) => self.on_services(services),
            (Goal::Servers(over), Records::Srv(servers)) => self.on_servers(over, servers),
            (Goal::Server(server), Records::Addresses(found)) => self.add(&server, &found),
            (Goal::Host(port), Records::Addresses(found)) => {
                let host = Srv { priority: 0, weight: 1, port, target: String::new() };
                // Equals: each takes its share of the calls.
                self.add(&Srv { weight: u16::try_from(found.len()).unwrap_or(1), ..host }, &found);
            }
            // An answer to something else is none.
            (Goal::Services, _) => self.on_services(Vec::new()),
            (Goal::Servers(_) | Goal::Server(_) | Goal::Host(_), _) => {}
        }
    }

    /// Once there is nothing left to ask.
    pub fn found(self) -> Found {
        let Self { transport, mut routes, .. } = self;
        // The order of records in an answer means nothing and changes from one to the next.
        routes.sort_unstable();
        Found { transport, routes }
    }

    /// The transports of the other side's choice (§4.1). TLS is not among them: a trunk has it only where its URI says so.
    fn on_services(&mut self, mut services: Vec<Naptr>) {
        services.sort_by_key(|service| (service.order, service.preference));
        let usable = services.into_iter().filter(|service| service.flags.eq_ignore_ascii_case("s"));
        let chosen = usable.filter_map(|service| Some((transport_of(&service.service)?, service.replacement)));
        let mut chosen: Vec<_> = chosen.take(MAX_ROUTES).collect();
        if chosen.is_empty() {
            let both = [Transport::Udp, Transport::Tcp];
            chosen = both.map(|over| (over, service_name(over, &self.host))).into();
        }
        for (over, name) in chosen {
            self.ask_servers(over, name);
        }
        self.ask_host(Transport::Udp.default_port());
    }

    /// The first transport with servers is the trunk's, and nothing else is asked any more.
    fn on_servers(&mut self, over: Transport, mut servers: Vec<Srv>) {
        if servers.is_empty() {
            return;
        }
        self.questions.clear();
        self.transport = over;
        servers.sort_by_key(|server| server.priority);
        // A lone dot says that there is no such service (RFC 2782).
        for server in servers.into_iter().filter(|server| !matches!(server.target.as_str(), "." | "")).take(MAX_ROUTES)
        {
            self.questions.push_back((Question::Addresses(server.target.clone()), Goal::Server(server)));
        }
    }

    /// The weight of a server is shared by its addresses.
    fn add(&mut self, server: &Srv, found: &[IpAddr]) {
        let fitting: Vec<IpAddr> = found.iter().copied().filter(|ip| ip.is_ipv4() == self.v4).collect();
        let share = u16::try_from(fitting.len()).map_or(1, |many| server.weight.div_ceil(many.max(1)));
        for ip in fitting {
            let target = Target::new(self.transport, SocketAddr::new(ip, server.port));
            let known = self.routes.iter().any(|route| route.target == target);
            if !known && self.routes.len() < MAX_ROUTES {
                self.routes.push(Route { priority: server.priority, weight: share, ..Route::new(target) });
            }
        }
    }

    fn ask_servers(&mut self, over: Transport, name: String) {
        self.questions.push_back((Question::Srv(name), Goal::Servers(over)));
    }

    fn ask_host(&mut self, port: u16) {
        self.questions.push_back((Question::Addresses(self.host.clone()), Goal::Host(port)));
    }
}

fn transport_of(service: &str) -> Option<Transport> {
    let known = [("SIP+D2U", Transport::Udp), ("SIP+D2T", Transport::Tcp)];
    known.into_iter().find(|(name, _)| service.eq_ignore_ascii_case(name)).map(|(_, over)| over)
}

fn service_name(over: Transport, host: &str) -> String {
    let service = match over {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    format!("{service}.{host}")
}

#[cfg(test)]
mod tests;
