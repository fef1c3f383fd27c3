//! Names of gateways: looked up at the start and again when the answers run out, beside everything else. What a name
//! came to goes to the line as new trunks; while it cannot be asked, the last answer holds.

use std::net::{IpAddr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::base::TrunkIx;
use crate::line::LineTrunk;
use crate::sip::locate::{Found, Naptr, Question, Records, Search, Srv, Wish};
use crate::wire::Order;

use super::config::{Config, Gateway};
use super::setup;

/// An answer is used for its time to live, within these bounds.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_hours(1);
/// After a look-up that failed, or found nothing.
const AGAIN: Duration = Duration::from_secs(10);
/// To each server, and how often.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// Trunks whose news waits.
const QUEUE: usize = 64;

/// Keeps the names of all trunks looked up until it is dropped.
#[derive(Debug)]
pub(super) struct Names {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    /// `None` where no trunk has a name. `orders` leads to the line.
    pub(super) fn start(config: &Config, orders: mpsc::Sender<Vec<Order>>) -> anyhow::Result<Option<Self>> {
        let wishes = config.trunks.iter().enumerate().filter_map(|(ix, trunk)| Some((ix, trunk.peer.wish()?)));
        let wishes: Vec<_> = wishes.collect();
        if wishes.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let config = config.clone();
        let run = move || runtime.block_on(keep(config, wishes, orders, stopped));
        let thread = Some(std::thread::Builder::new().name("names".into()).spawn(run)?);
        Ok(Some(Self { stop, thread }))
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _nobody_listens = self.stop.send(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the gateways' names panicked");
        }
    }
}

/// Where a gateway is now, for `doctor`. Blocks.
pub fn find(config: &Config, gateway: &Gateway) -> Result<Found, String> {
    let Some(wish) = gateway.wish() else {
        return Ok(Found { transport: gateway.transport, routes: Vec::new() });
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let (found, _) = search(&resolver(&config.dns_servers)?, &wish, config.sip.is_ipv4()).await?;
        Ok(found)
    })
}

async fn keep(
    config: Config,
    wishes: Vec<(usize, Wish)>,
    orders: mpsc::Sender<Vec<Order>>,
    mut stopped: watch::Receiver<bool>,
) {
    let resolver = match resolver(&config.dns_servers) {
        Ok(resolver) => resolver,
        Err(why) => return tracing::error!("no names can be looked up, and trunks that have one take no calls: {why}"),
    };
    let (tell, mut news) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    for (ix, wish) in wishes {
        let name = config.trunk(TrunkIx(ix as u16)).map(|trunk| trunk.name.clone()).unwrap_or_default();
        let (resolver, tell, v4) = (resolver.clone(), tell.clone(), config.sip.is_ipv4());
        tasks.spawn(async move {
            watch_name(&resolver, &name, &wish, v4, |found| tell.try_send((ix, found)).is_ok()).await;
        });
    }
    let mut trunks: Vec<LineTrunk> = config.trunks.iter().map(setup::line_trunk).collect();
    loop {
        let came = tokio::select! {
            came = news.recv() => came,
            _ = stopped.changed() => None,
        };
        let Some((ix, found)) = came else { return };
        if let Some(trunk) = trunks.get_mut(ix) {
            setup::locate(trunk, &found);
        }
        if orders.send(vec![Order::Trunks(trunks.clone())]).await.is_err() {
            return;
        }
    }
}

/// Says what is new, and the rest once.
async fn watch_name(resolver: &TokioResolver, trunk: &str, wish: &Wish, v4: bool, mut tell: impl FnMut(Found) -> bool) {
    let mut last: Option<Found> = None;
    let mut failing = false;
    loop {
        let pause = match search(resolver, wish, v4).await {
            Ok((found, lives)) => {
                if failing || last.as_ref() != Some(&found) {
                    let targets: Vec<String> = found.routes.iter().map(|route| route.target.to_string()).collect();
                    tracing::info!(trunk, name = wish.host, targets = targets.join(" "), "the name leads there");
                }
                failing = false;
                // What could not be told is told again.
                if last.as_ref() == Some(&found) || tell(found.clone()) {
                    last = Some(found);
                }
                lives.clamp(SHORTEST, LONGEST)
            }
            Err(why) => {
                if !std::mem::replace(&mut failing, true) {
                    let holds = last.is_some();
                    tracing::warn!(
                        trunk,
                        holds,
                        "{why}; the last answer holds, if there is one, and it is asked again"
                    );
                }
                AGAIN
            }
        };
        let _always_elapses = timeout(pause, std::future::pending::<()>()).await;
    }
}

/// An answer in words where there is no way at all; and for how long it is good.
async fn search(resolver: &TokioResolver, wish: &Wish, v4: bool) -> Result<(Found, Duration), String> {
    let mut search = Search::new(wish.clone(), v4);
    let mut lives = LONGEST;
    while let Some(question) = search.question().cloned() {
        let (records, ttl) = ask(resolver, &question, v4).await.map_err(|why| {
            let (Question::Naptr(name) | Question::Srv(name) | Question::Addresses(name)) = &question;
            format!("the name `{}` cannot be looked up ({name}): {why}", wish.host)
        })?;
        lives = lives.min(ttl.unwrap_or(lives));
        search.answer(records);
    }
    let found = search.found();
    if found.routes.is_empty() {
        let version = if v4 { 4 } else { 6 };
        return Err(format!("the name `{}` has no address of IP version {version}, that of `sip.listen`", wish.host));
    }
    Ok((found, lives))
}

/// No such records is an answer; a server that cannot be asked is an error.
async fn ask(resolver: &TokioResolver, question: &Question, v4: bool) -> Result<(Records, Option<Duration>), NetError> {
    let (name, kind) = match question {
        Question::Naptr(name) => (name, RecordType::NAPTR),
        Question::Srv(name) => (name, RecordType::SRV),
        Question::Addresses(name) => (name, if v4 { RecordType::A } else { RecordType::AAAA }),
    };
    let answer = match resolver.lookup(name.as_str(), kind).await {
        Ok(answer) => answer,
        Err(error) if error.is_no_records_found() => return Ok((nothing(question), None)),
        Err(error) => return Err(error),
    };
    let ttl = answer.answers().iter().map(|record| Duration::from_secs(record.ttl.into())).min();
    let data = || answer.answers().iter().map(|record| &record.data);
    let records = match question {
        Question::Naptr(_) => Records::Naptr(data().filter_map(naptr).collect()),
        Question::Srv(_) => Records::Srv(data().filter_map(srv).collect()),
        Question::Addresses(_) => Records::Addresses(data().filter_map(RData::ip_addr).collect::<Vec<IpAddr>>()),
    };
    Ok((records, ttl))
}

const fn nothing(question: &Question) -> Records {
    match question {
        Question::Naptr(_) => Records::Naptr(Vec::new()),
        Question::Srv(_) => Records::Srv(Vec::new()),
        Question::Addresses(_) => Records::Addresses(Vec::new()),
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(found) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: found.order,
        preference: found.preference,
        flags: text(&found.flags),
        service: text(&found.services),
        replacement: found.replacement.to_string(),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(found) = data else { return None };
    let (priority, weight, port) = (found.priority, found.weight, found.port);
    Some(Srv { priority, weight, port, target: found.target.to_string() })
}

/// The system's, hosts file included, unless servers are named.
fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, String> {
    let mut builder = if servers.is_empty() {
        TokioResolver::builder_tokio().map_err(|why| format!("the system's resolver (/etc/resolv.conf): {why}"))?
    } else {
        let servers = servers.iter().map(|server| {
            let [mut udp, mut tcp] = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            (udp.port, tcp.port) = (server.port(), server.port());
            NameServerConfig::new(server.ip(), true, vec![udp, tcp])
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options: &mut ResolverOpts = builder.options_mut();
    // We keep answers ourselves.
    options.cache_size = 0;
    (options.timeout, options.attempts) = (PATIENCE, ATTEMPTS);
    builder.build().map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests;
