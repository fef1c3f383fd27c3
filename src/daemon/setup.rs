//! From the configuration to what engine and line are told.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::engine::{EngineConfig, QueueSpec, RecoveredAttempt, TrunkSpec};
use crate::line::{self, LineTrunk, MediaRange, NumberRule, RecoveredLeg};
use crate::sip;
use crate::{base, wire};

use super::config::{Config, TrunkConfig};

/// `seed` is drawn once per process; `wall_rate` is the clock's.
pub fn engine(config: &Config, seed: u64, wall_rate: f64) -> EngineConfig {
    EngineConfig {
        seed,
        trunks: config.trunks.iter().map(trunk_spec).collect(),
        queues: config
            .queues
            .iter()
            .map(|queue| QueueSpec { name: queue.name.clone(), uri: queue.target.clone(), seats: queue.seats })
            .collect(),
        test_numbers_only: config.test_numbers_only,
        wall_rate,
        permit: EngineConfig::PERMIT,
    }
}

/// `sip_key` comes from the keys file: after a restart it rebuilds the same branches and tags.
/// Blocks while names of gateways are looked up.
pub fn wire(
    config: &Config,
    sip_key: [u8; 32],
    journal: Option<PathBuf>,
    (seed, srtp_key): (u64, [u8; 32]),
) -> Result<wire::Config, String> {
    let trunks = config.trunks.iter().map(|trunk| line_trunk(trunk, config.sip.ip())).collect::<Result<_, _>>()?;
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
    Ok(wire::Config {
        listen: config.sip,
        streams,
        line: line::Config::new(sip, trunks, media, seed, srtp_key),
        journal,
        recover: Vec::new(),
        queue: 1_024,
    })
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
    }
}

/// Who we are to a trunk, as the line knows it. `own`: the address that talks to it.
pub fn peer(trunk: &TrunkConfig, own: IpAddr) -> Result<sip::Peer, String> {
    let addr = trunk.peer.resolve(own).map_err(|why| format!("trunk `{}`: {why}", trunk.name))?;
    Ok(sip::Peer {
        transport: trunk.peer.transport,
        from: trunk.from.clone(),
        auth: trunk.auth.as_ref().map(|auth| sip::Credentials {
            user: auth.user.clone(),
            realm: auth.realm.clone(),
            password: auth.password.reveal().to_owned(),
        }),
        register: trunk.register.clone(),
        ..sip::Peer::new(addr)
    })
}

pub fn line_trunk(trunk: &TrunkConfig, own: IpAddr) -> Result<LineTrunk, String> {
    let sip::Peer { addr, transport, our_end: _, from, auth, domain, register } = peer(trunk, own)?;
    Ok(LineTrunk {
        name: trunk.name.clone(),
        addr,
        transport,
        host: Some(trunk.peer.host_port()),
        from,
        auth,
        domain,
        register,
        number: NumberRule { strip: trunk.number.strip.clone(), prefix: trunk.number.prefix.clone() },
        asserts_caller_id: true,
        prefer: sip::sdp::Codec::Pcma,
        learns_media_address: trunk.learn_media_address,
        srtp: trunk.srtp,
    })
}
