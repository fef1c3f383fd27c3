//! From the configuration to what engine and line are told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::{EngineConfig, GroupSpec, QueueSpec, RecoveredAttempt, TrunkSpec};
use crate::line::{self, LineTrunk, MediaRange, NumberRule, RecoveredLeg};
use crate::sip;
use crate::sip::locate::Found;
use crate::{base, wire};

use super::config::{Config, TrunkConfig};

/// `seed` is drawn once per process; `wall_rate` is the clock's.
pub fn engine(config: &Config, seed: u64, wall_rate: f64) -> EngineConfig {
    EngineConfig {
        seed,
        trunks: config.trunks.iter().map(trunk_spec).collect(),
        groups: config
            .groups
            .iter()
            .map(|group| GroupSpec { name: group.name.clone(), members: group.members.clone() })
            .collect(),
        queues: config
            .queues
            .iter()
            .map(|queue| QueueSpec { name: queue.name.clone(), uri: queue.target.clone(), seats: queue.seats })
            .collect(),
        test_numbers_only: config.test_numbers_only,
        zone: config.zone.clone(),
        wall_rate,
        permit: EngineConfig::PERMIT,
    }
}

/// `sip_key` comes from the keys file: after a restart it rebuilds the same branches and tags.
pub fn wire(
    config: &Config,
    sip_key: [u8; 32],
    journal: Option<PathBuf>,
    (seed, srtp_key): (u64, [u8; 32]),
) -> wire::Config {
    let trunks = config.trunks.iter().map(line_trunk).collect();
    let mut local = config.sip;
    local.set_ip(config.media.address);
    let media = MediaRange {
        address: config.media.address,
        first_port: *config.media.ports.start(),
        last_port: *config.media.ports.end(),
    };
    let mut sip = sip::Config::new(SocketAddr::new(config.sip.ip(), local.port()), sip_key);
    sip.local_tcp = config.sip_tcp;
    sip.local_tls = config.sip_tls.as_ref().map(|(address, _)| *address);
    let streams = wire::Streams {
        trunks: config.trunks.iter().map(|trunk| trunk.tls.clone()).collect(),
        listen_tcp: config.sip_tcp,
        listen_tls: config.sip_tls.clone(),
    };
    wire::Config {
        listen: config.sip,
        streams,
        line: line::Config::new(sip, trunks, media, seed, srtp_key),
        journal,
        recover: Vec::new(),
        queue: 1_024,
        tap: None,
        captures: Arc::default(),
    }
}

/// What SIP recovery can end: a trunk that is no longer configured has nobody to send a CANCEL to.
pub fn recovered(config: &Config, attempts: &[RecoveredAttempt]) -> Vec<RecoveredLeg> {
    let leg = |attempt: &RecoveredAttempt| {
        let at = config.trunks.iter().position(|trunk| trunk.name == attempt.trunk)?;
        Some(RecoveredLeg {
            leg: base::LegId(attempt.attempt),
            trunk: base::TrunkIx(at as u16),
            number: attempt.number.clone()?,
            caller_id: attempt.caller_id.as_str().into(),
            dialog: None,
            tried: None,
        })
    };
    attempts.iter().filter_map(leg).collect()
}

fn trunk_spec(trunk: &TrunkConfig) -> TrunkSpec {
    TrunkSpec {
        name: trunk.name.clone(),
        live: trunk.live,
        max_calls: trunk.max_calls,
        max_cps: trunk.max_cps,
        caller_ids: trunk.caller_ids.pool(None).cloned().unwrap_or_default(),
        // All of them: the next plan may name others.
        pools: trunk.caller_ids.pools().clone(),
        shown_max: trunk.caller_ids.max_per_day().clone(),
        spend: trunk.spend,
        reach: Arc::new(trunk.reach.clone()),
    }
}

/// Who we are to a trunk, as the line knows it. A name leads nowhere yet.
pub fn peer(trunk: &TrunkConfig) -> sip::Peer {
    let addr = trunk.peer.addr().unwrap_or(sip::Peer::NOWHERE);
    sip::Peer {
        transport: trunk.peer.transport,
        from: trunk.from.clone(),
        auth: trunk.auth.as_ref().map(|auth| sip::Credentials {
            user: auth.user.clone(),
            realm: auth.realm.clone(),
            password: auth.password.reveal().to_owned(),
        }),
        register: trunk.register.clone(),
        diversion: trunk.diversion.clone(),
        ..sip::Peer::new(addr)
    }
}

pub fn line_trunk(trunk: &TrunkConfig) -> LineTrunk {
    let sip::Peer { addr, transport, routes, former: _, our_end: _, from, auth, domain, register, diversion } =
        peer(trunk);
    LineTrunk {
        name: trunk.name.clone(),
        addr,
        transport,
        routes,
        uri_transport: None,
        host: Some(trunk.peer.host_port()),
        from,
        auth,
        domain,
        register,
        number: NumberRule { strip: trunk.number.strip.clone(), prefix: trunk.number.prefix.clone() },
        options_every: trunk.options_every,
        reach: trunk.reach.clone(),
        asserts_caller_id: trunk.assert_caller_id,
        diversion,
        prefer: sip::sdp::Codec::Pcma,
        learns_media_address: trunk.learn_media_address,
        srtp: trunk.srtp,
    }
}

/// Its name was found there. The URI says what it said before: after a crash it must read the same.
pub(super) fn locate(trunk: &mut LineTrunk, found: &Found) {
    let Some(first) = found.routes.first() else { return };
    trunk.uri_transport.get_or_insert(trunk.transport);
    trunk.transport = found.transport;
    trunk.addr = first.target.addr;
    trunk.routes.clone_from(&found.routes);
}
