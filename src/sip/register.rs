//! Registration (RFC 3261 §10): tells a gateway where we are, and tells it again before it forgets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::{AttemptId, LegId, Rng, Tick};

use super::bytes::{number, param};
use super::header::Name;
use super::ids::{Branch, Hop, call_id};
use super::invite::Caller;
use super::keyring::{Keyring, Tries, Unanswered};
use super::message::Message;
use super::method::Method;
use super::packet::Packet;
use super::target::Target;
use super::transaction::{Act, RequestClient, Timer};
use super::uri::{Uri, write_user};
use super::writer::Writer;

/// A registrar may not make us come back sooner than this, whatever it grants.
const SOONEST: Duration = Duration::from_secs(5);
/// The wait after the first failure is up to this long and doubles with each further one (RFC 5626 §4.5).
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// Up to this; and at once where trying again soon would only lock the account.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// A Retry-After past this is not believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// What a 423 may ask for at most.
const LONGEST_EXPIRES_S: u32 = 86_400;

/// What a trunk registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// User part of the address of record.
    pub user: String,
    /// Its domain; the peer's address where it is `None`.
    pub domain: Option<String>,
    /// Asked for; the registrar may grant less.
    pub expires_s: u32,
    /// Nothing is dialled over this trunk while it is not registered.
    pub required: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A response for which `owns` is true.
    Response(&'a Message<'a>, u16),
    /// The network said that the peer cannot be reached (ICMP).
    Unreachable,
    /// A connection to the peer stands.
    Connected,
    /// Take the binding back, and be done.
    Unregister,
    /// `poll_timeout` has come.
    Timeout,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    Send(Target, Packet),
    /// A REGISTER was sent again on a timer.
    Resent,
    /// It was sent again with credentials.
    Authenticated,
    Report(Report),
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Bound for so long, and renewed before that is over.
    Bound { expires: Duration },
    /// This REGISTER came to nothing; the binding before it may still hold. `None`: it is not tried again.
    Failed { why: Failure, again: Option<Duration> },
    /// No longer bound: it ran out, or we took it back.
    Unbound,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("it answers {0}")]
    Status(u16),
    #[error("it does not answer")]
    Silence,
    #[error("it cannot be reached: nobody listens there, or its connection does not stand")]
    Unreachable,
    #[error("{0}")]
    Unauthorised(Unanswered),
    #[error("it answers 200 and does not keep our address")]
    NotBound,
}

/// One trunk's registration. All of a process share a Call-ID, and CSeq goes up (§10.2).
#[derive(Debug)]
pub struct Registration {
    wish: Register,
    /// Spells the Call-ID; no leg of a call.
    id: LegId,
    cseq: u32,
    keyring: Keyring,
    rng: Rng,
    /// In a row.
    failures: u32,
    /// The last one never got there.
    unreachable: bool,
    /// As a 423 has raised it.
    expires_s: u32,
    bound_until: Option<Tick>,
    doing: Doing,
    out: VecDeque<Output>,
}

#[derive(Debug)]
enum Doing {
    Waiting(Tick),
    Asking(Box<Asking>),
    Done,
}

/// A REGISTER under way.
#[derive(Debug)]
struct Asking {
    purpose: Purpose,
    tx: RequestClient,
    bytes: Packet,
    branch: Branch,
    tries: Tries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Bind,
    Unbind,
    /// Without a Contact a REGISTER only asks what is bound (§10.2.3): is this address?
    Query(SocketAddr),
}

impl Registration {
    /// Registers as soon as it is handled.
    pub fn new(wish: Register, mut rng: Rng) -> Self {
        let mut id = [0; 16];
        rng.fill(&mut id);
        let (id, expires_s) = (LegId(AttemptId::from_bytes(id)), wish.expires_s);
        let (keyring, doing, out) = (Keyring::default(), Doing::Waiting(Tick(0)), VecDeque::new());
        let (failures, unreachable, bound_until) = (0, false, None);
        Self { wish, id, cseq: 0, keyring, rng, failures, unreachable, expires_s, bound_until, doing, out }
    }

    /// Only asks whether our credentials are good and `address` is bound. Reports once, and changes nothing.
    pub fn query(wish: Register, rng: Rng, caller: &Caller<'_>, now: Tick, address: SocketAddr) -> Self {
        let mut query = Self::new(wish, rng);
        query.ask(caller, now, Purpose::Query(address), Tries::default());
        query
    }

    pub fn handle(&mut self, caller: &Caller<'_>, now: Tick, input: Input<'_>) {
        match input {
            Input::Response(response, status) => self.on_response(caller, now, response, status),
            Input::Unreachable if self.is_asking() => self.fail(now, Failure::Unreachable, None),
            Input::Unreachable => {}
            // Nothing but the missing connection was in the way.
            Input::Connected if self.unreachable && !self.is_asking() => {
                self.ask(caller, now, Purpose::Bind, Tries::default());
            }
            Input::Connected => {}
            Input::Unregister => self.unregister(caller, now),
            Input::Timeout => self.on_timeout(caller, now),
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<(Tick, Timer)> {
        let doing = match &self.doing {
            Doing::Waiting(until) => Some((*until, Timer::Register)),
            Doing::Asking(asking) => asking.tx.poll_timeout(),
            Doing::Done => None,
        };
        doing.into_iter().chain(self.bound_until.map(|at| (at, Timer::Lapse))).min()
    }

    /// Is this the answer to what is under way?
    pub fn owns(&self, id: LegId, response: &Message<'_>) -> bool {
        let Doing::Asking(asking) = &self.doing else { return false };
        id == self.id
            && response.cseq() == Some((self.cseq, Method::Register))
            && response.top_via().and_then(|via| via.branch()) == Some(&asking.branch[..])
    }

    pub fn is_asking(&self) -> bool {
        matches!(self.doing, Doing::Asking(_))
    }

    pub fn may_dial(&self, now: Tick) -> bool {
        !self.wish.required || self.bound_until.is_some_and(|until| until > now)
    }

    fn on_timeout(&mut self, caller: &Caller<'_>, now: Tick) {
        if self.bound_until.take_if(|until| *until <= now).is_some() {
            self.report(Report::Unbound);
        }
        match &mut self.doing {
            Doing::Waiting(until) if *until <= now => self.ask(caller, now, Purpose::Bind, Tries::default()),
            Doing::Asking(asking) if asking.tx.poll_timeout().is_some_and(|(at, _)| at <= now) => {
                match asking.tx.on_timeout(now) {
                    Act::Resend => {
                        let bytes = asking.bytes.clone();
                        self.out.extend([Output::Resent, Output::Send(caller.peer.target(), bytes)]);
                    }
                    Act::TimedOut => self.fail(now, Failure::Silence, None),
                    Act::Nothing | Act::Pass | Act::PassAndAck => {}
                }
            }
            Doing::Waiting(_) | Doing::Asking(_) | Doing::Done => {}
        }
    }

    fn unregister(&mut self, caller: &Caller<'_>, now: Tick) {
        // A REGISTER under way may bind us yet; the higher CSeq of this one undoes it (§10.3 step 7).
        if self.bound_until.is_some() || self.is_asking() {
            self.ask(caller, now, Purpose::Unbind, Tries::default());
        } else {
            self.doing = Doing::Done;
        }
    }

    fn ask(&mut self, caller: &Caller<'_>, now: Tick, purpose: Purpose, tries: Tries) {
        self.cseq += 1;
        self.unreachable = false;
        let branch = caller.ids.branch(self.id, self.cseq, Hop::Request(0));
        let bytes = self.write(caller, purpose, &branch);
        let to = caller.peer.target();
        self.out.push_back(Output::Send(to, bytes.clone()));
        let tx = RequestClient::new(now, &caller.config.times.over(to.transport));
        self.doing = Doing::Asking(Box::new(Asking { purpose, tx, bytes, branch, tries }));
    }

    fn write(&mut self, caller: &Caller<'_>, purpose: Purpose, branch: &Branch) -> Packet {
        let address = caller.peer.addr.to_string();
        let domain = self.wish.domain.as_deref().unwrap_or(&address);
        let uri = format!("sip:{domain}").into_bytes();
        let mut user = Vec::new();
        write_user(&self.wish.user, &mut user);
        let record = [b"<sip:", &user[..], b"@", domain.as_bytes(), b">"].concat();
        let (mut credentials, mut out) = (Vec::new(), Vec::new());
        if let Some(who) = &caller.peer.auth {
            self.keyring.write(caller.ids, self.id, who, (Method::Register, &uri), &mut credentials);
        }
        let sent_by = caller.config.sent_by(caller.peer.transport);
        let mut writer = Writer::request(&mut out, Method::Register, &uri, sent_by, branch);
        writer.raw(b"From: ").raw(&record).raw(b";tag=").raw(&caller.ids.tag(self.id)).raw(b"\r\n");
        writer.header("To", &record).header("Call-ID", &call_id(self.id)).cseq(self.cseq, Method::Register);
        let expires_s = match purpose {
            Purpose::Bind => Some(self.expires_s),
            Purpose::Unbind => Some(0),
            Purpose::Query(_) => None,
        };
        if let Some(expires) = expires_s {
            writer
                .contact(caller.config.contact(Some(caller.peer), caller.peer.target()))
                .number_header("Expires", expires);
        }
        writer.header("User-Agent", caller.config.user_agent.as_bytes()).raw(&credentials).end();
        Packet::from(&out[..])
    }

    fn on_response(&mut self, caller: &Caller<'_>, now: Tick, response: &Message<'_>, status: u16) {
        let Doing::Asking(asking) = &mut self.doing else { return };
        if asking.tx.on_response(now, status) != Act::Pass || status < 200 {
            return;
        }
        let (purpose, mut tries) = (asking.purpose, asking.tries);
        match status {
            200..=299 => {
                let contact = caller.config.contact(Some(caller.peer), caller.peer.target()).addr;
                let address = if let Purpose::Query(address) = purpose { address } else { contact };
                self.succeed(now, purpose, Binding::find(response, address));
            }
            401 | 407 => match self.keyring.take(response, caller.peer.auth.as_ref(), &mut tries) {
                Ok(()) => {
                    self.out.push_back(Output::Authenticated);
                    self.ask(caller, now, purpose, tries);
                }
                Err(why) => self.fail(now, Failure::Unauthorised(why), None),
            },
            423 if purpose == Purpose::Bind && self.accept_longer(response) => self.ask(caller, now, purpose, tries),
            // A redirection would lead off the trunk; it is not followed.
            _ => self.fail(now, Failure::Status(status), response.retry_after_s()),
        }
    }

    /// Interval Too Brief (§10.2.8): raised once, or the registrar could keep us asking.
    fn accept_longer(&mut self, response: &Message<'_>) -> bool {
        let least = response.named(b"Min-Expires").and_then(|value| number(value, LONGEST_EXPIRES_S));
        let raised = least.filter(|least| *least > self.expires_s && self.expires_s == self.wish.expires_s);
        self.expires_s = raised.unwrap_or(self.expires_s);
        raised.is_some()
    }

    fn succeed(&mut self, now: Tick, purpose: Purpose, binding: Binding) {
        let asked_s = self.expires_s;
        let granted_s = match binding {
            Binding::Ours(expires_s) => expires_s.unwrap_or(asked_s),
            // Some registrars list nothing where only the one was asked for.
            Binding::NoList(expires_s) if purpose == Purpose::Bind => expires_s.unwrap_or(asked_s),
            Binding::NoList(_) | Binding::NotOurs => 0,
        };
        let expires = Duration::from_secs(granted_s.min(asked_s).into());
        match purpose {
            Purpose::Bind if expires.is_zero() => self.fail(now, Failure::NotBound, None),
            Purpose::Bind => {
                self.failures = 0;
                self.bound_until = Some(now + expires);
                let early = expires.mul_f64(0.5 + 0.4 * self.rng.f64());
                self.doing = Doing::Waiting(now + early.max(SOONEST));
                self.report(Report::Bound { expires });
            }
            Purpose::Unbind => {
                self.bound_until = None;
                self.doing = Doing::Done;
                self.report(Report::Unbound);
            }
            Purpose::Query(_) => {
                self.doing = Doing::Done;
                self.report(if expires.is_zero() { Report::Unbound } else { Report::Bound { expires } });
            }
        }
    }

    fn fail(&mut self, now: Tick, why: Failure, retry_after_s: Option<u32>) {
        let binds = matches!(&self.doing, Doing::Asking(asking) if asking.purpose == Purpose::Bind);
        let again = binds.then(|| self.wait(&why, retry_after_s));
        self.unreachable = binds && why == Failure::Unreachable;
        self.doing = again.map_or(Doing::Done, |again| Doing::Waiting(now + again));
        self.report(Report::Failed { why, again });
    }

    /// Between a half and all of a time that doubles, so that the trunks of many daemons do not come back together.
    fn wait(&mut self, why: &Failure, retry_after_s: Option<u32>) -> Duration {
        let doubled = FIRST_WAIT * (1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        let full = match why {
            Failure::Unauthorised(_) | Failure::Status(403) => LONGEST_WAIT,
            Failure::Status(_) | Failure::Silence | Failure::Unreachable | Failure::NotBound => {
                doubled.min(LONGEST_WAIT)
            }
        };
        let asked = Duration::from_secs(retry_after_s.unwrap_or(0).into()).min(LONGEST_RETRY_AFTER);
        let spread_ms = full.as_millis() as f64 * (0.5 + 0.5 * self.rng.f64());
        Duration::from_millis(spread_ms as u64).max(asked)
    }

    fn report(&mut self, report: Report) {
        self.out.push_back(Output::Report(report));
    }
}

/// What a 200 says of our address: seconds where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    Ours(Option<u32>),
    /// It lists no addresses at all.
    NoList(Option<u32>),
    NotOurs,
}

impl Binding {
    /// The account may be bound to other addresses too. A single one that is not ours is ours as the gateway saw it
    /// behind NAT.
    fn find(response: &Message<'_>, local: SocketAddr) -> Self {
        let whole = response.named(b"Expires").and_then(|value| number(value, u32::MAX));
        let mut contacts = response.list(Name::Contact).filter_map(super::addr::NameAddr::parse);
        let Some(first) = contacts.next() else { return Self::NoList(whole) };
        let rest: Vec<_> = contacts.collect();
        let is_ours = |uri: &[u8]| Uri::parse(uri).is_ok_and(|uri| uri.socket_addr() == Some(local));
        let ours = std::iter::once(&first).chain(&rest).find(|contact| is_ours(contact.uri));
        match ours.or(rest.is_empty().then_some(&first)) {
            Some(ours) => Self::Ours(param(ours.params, b"expires").and_then(|s| number(s, u32::MAX)).or(whole)),
            None => Self::NotOurs,
        }
    }
}
