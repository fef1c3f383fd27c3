//! Settings of one line.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::Reach;
use crate::sip::locate::Route;
use crate::sip::{self, Credentials, Network, Peer, Register, Target, Transport, sdp};

use super::NumberRule;

/// Settings of one `Line`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its `peers` are made from `trunks`.
    pub sip: sip::Config,
    /// Indexed by `TrunkIx`.
    pub trunks: Vec<LineTrunk>,
    pub media: MediaRange,
    /// `Silent` after this long without RTP in an answered call. Zero: never.
    pub silence_after: Duration,
    /// For how long a port rests after its leg, so that late packets of one call are not heard in the next.
    pub quarantine: Duration,
    /// Behind SSRCs, sequence numbers and timestamps (RFC 3550 §5.1).
    pub seed: u64,
    /// Behind the keys of SRTP: drawn from the system at each start, and written nowhere.
    pub srtp_key: SrtpKey,
}

/// Prints as nothing.
#[derive(Clone)]
pub struct SrtpKey(pub [u8; 32]);

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKey(..)")
    }
}

/// Where our RTP comes from and arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaRange {
    /// As the peers see it.
    pub address: IpAddr,
    /// Both inclusive. Even ports are used, the odd one above is for RTCP (RFC 3550 §11).
    pub first_port: u16,
    pub last_port: u16,
}

/// A route to a gateway.
#[derive(Clone)]
pub struct LineTrunk {
    /// For logs.
    pub name: String,
    /// Where requests go; datagrams come from exactly here.
    pub addr: SocketAddr,
    pub transport: Transport,
    /// Where its name leads: `addr` and all that are as good. Empty where the configuration has an address.
    pub routes: Vec<Route>,
    /// What its URI says of the transport, where the records of its name chose it.
    pub uri_transport: Option<Transport>,
    /// Host and port as the gateway knows itself; the address where it is `None`.
    pub host: Option<String>,
    /// Networks it may send from too, at any port.
    pub from: Vec<Network>,
    pub auth: Option<Credentials>,
    /// What we register there, if anything.
    pub register: Option<Register>,
    /// Domain of From and P-Asserted-Identity; our address where it is `None`.
    pub domain: Option<String>,
    pub number: NumberRule,
    /// The numbers that may be dialled over it, as E.164: the last lock, behind the gate's rule.
    pub reach: Reach,
    /// Sends the caller id as P-Asserted-Identity (RFC 3325) too.
    pub asserts_caller_id: bool,
    /// The value of Diversion (RFC 5806) in each INVITE, as it stands.
    pub diversion: Option<String>,
    /// How often it is asked by OPTIONS whether it is there. `None`: never, and it is never found silent.
    pub options_every: Option<Duration>,
    /// First in our offers.
    pub prefer: sdp::Codec,
    /// Its voice may come from another address than its SDP says (symmetric RTP, RFC 4961): learned once for each call.
    pub learns_media_address: bool,
    /// Calls by SRTP and never by RTP.
    pub srtp: bool,
}

impl Config {
    pub const SILENCE_AFTER: Duration = Duration::from_secs(10);
    /// Longer than packets stay under way. Short, because every resting port holds a socket; and a session hears nobody
    /// but its own peer anyway.
    pub const QUARANTINE: Duration = Duration::from_secs(1);

    pub fn new(sip: sip::Config, trunks: Vec<LineTrunk>, media: MediaRange, seed: u64, srtp_key: [u8; 32]) -> Self {
        let srtp_key = SrtpKey(srtp_key);
        Self { sip, trunks, media, silence_after: Self::SILENCE_AFTER, quarantine: Self::QUARANTINE, seed, srtp_key }
    }
}

impl LineTrunk {
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            name: String::new(),
            addr,
            transport: Transport::Udp,
            routes: Vec::new(),
            uri_transport: None,
            host: None,
            from: Vec::new(),
            auth: None,
            register: None,
            domain: None,
            number: NumberRule::default(),
            // Nobody real, until somebody says whom.
            reach: Reach::of_country(None, &[]),
            asserts_caller_id: false,
            diversion: None,
            options_every: None,
            prefer: sdp::Codec::Pcma,
            learns_media_address: false,
            srtp: false,
        }
    }

    pub fn target(&self) -> Target {
        Target::new(self.transport, self.addr)
    }

    /// Everywhere it can be reached.
    pub fn targets(&self) -> Vec<Target> {
        self.peer().targets().collect()
    }

    /// Its name was looked for, and has led nowhere yet.
    pub fn is_nowhere(&self) -> bool {
        self.addr == Peer::NOWHERE
    }

    /// Does what came from there come from this trunk?
    pub fn owns(&self, from: Target) -> bool {
        self.peer().owns(from)
    }

    /// Of `host`, or of the address, without a port: what its certificate must name.
    pub fn host_name(&self) -> String {
        match &self.host {
            None => self.addr.ip().to_string(),
            Some(host) if host.ends_with(']') => host.clone(),
            Some(host) => host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned(),
        }
    }

    pub(super) fn peer(&self) -> Peer {
        Peer {
            transport: self.transport,
            routes: self.routes.clone(),
            from: self.from.clone(),
            auth: self.auth.clone(),
            domain: self.domain.clone(),
            register: self.register.clone(),
            diversion: self.diversion.clone(),
            ..Peer::new(self.addr)
        }
    }
}

impl fmt::Debug for LineTrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineTrunk({}, {} networks, auth {})", self.target(), self.from.len(), self.auth.is_some())
    }
}
