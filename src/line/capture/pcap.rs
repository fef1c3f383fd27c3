//! A capture file in libpcap's classic format (draft-ietf-opsawg-pcap): packets of IP, with headers made here around what
//! the sockets carried.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::base::Wall;

/// The packets begin with their IP header, of version 4 or 6.
const LINKTYPE_RAW: u32 = 101;
const SNAP: u32 = 262_144;
const RECORD: usize = 16;
const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP: usize = 8;
/// The longest that a datagram carries over IPv4.
const PAYLOAD_MAX: usize = 65_535 - IPV4 - UDP;
const PROTOCOL_UDP: u8 = 17;
const HOPS: u8 = 64;

/// Holds numbers and voices: it prints as their number.
#[derive(Clone)]
pub struct Pcap {
    bytes: Vec<u8>,
    packets: usize,
    bytes_max: usize,
}

impl Pcap {
    pub(super) fn new(bytes_max: usize) -> Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
        bytes.extend_from_slice(&2_u16.to_le_bytes());
        bytes.extend_from_slice(&4_u16.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&SNAP.to_le_bytes());
        bytes.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
        Self { bytes, packets: 0, bytes_max }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn packets(&self) -> usize {
        self.packets
    }

    /// False if there is no room for it.
    pub(super) fn datagram(&mut self, at: Wall, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> bool {
        let payload = payload.get(..PAYLOAD_MAX).unwrap_or(payload);
        let (from_ip, to_ip) = of_one_family(from.ip(), to.ip());
        let header = if from_ip.is_ipv4() { IPV4 } else { IPV6 };
        let length = header + UDP + payload.len();
        if self.bytes.len() + RECORD + length > self.bytes_max {
            return false;
        }
        let micros = at.0.max(0);
        let stamp = [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, length as u32, length as u32];
        self.bytes.extend(stamp.into_iter().flat_map(u32::to_le_bytes));
        self.bytes.extend(ip_header(from_ip, to_ip, (UDP + payload.len()) as u16));
        self.bytes.extend(udp_header((from_ip, from.port()), (to_ip, to.port()), payload));
        self.bytes.extend_from_slice(payload);
        self.packets += 1;
        true
    }
}

impl fmt::Debug for Pcap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pcap").field("packets", &self.packets).finish_non_exhaustive()
    }
}

/// An address of version 4 beside one of version 6 is written as RFC 4291 §2.5.5.2 maps it.
fn of_one_family(from: IpAddr, to: IpAddr) -> (IpAddr, IpAddr) {
    if from.is_ipv4() == to.is_ipv4() {
        return (from, to);
    }
    (six(from).into(), six(to).into())
}

fn six(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// RFC 791 §3.1 or RFC 8200 §3, around so many octets.
fn ip_header(from: IpAddr, to: IpAddr, inside: u16) -> Vec<u8> {
    let ends = [octets(from), octets(to)].concat();
    if from.is_ipv6() {
        let [high, low] = inside.to_be_bytes();
        return [&[0x60, 0, 0, 0, high, low, PROTOCOL_UDP, HOPS], &ends[..]].concat();
    }
    let [high, low] = (inside + IPV4 as u16).to_be_bytes();
    let header = |[sum_high, sum_low]: [u8; 2]| {
        // Not to be fragmented; no identification.
        let fixed = [0x45, 0, high, low, 0, 0, 0x40, 0, HOPS, PROTOCOL_UDP, sum_high, sum_low];
        [&fixed[..], &ends[..]].concat()
    };
    header(checksum(&header([0, 0])).to_be_bytes())
}

/// RFC 768; over IPv6 the checksum may not be left out (RFC 8200 §8.1).
fn udp_header(from: (IpAddr, u16), to: (IpAddr, u16), payload: &[u8]) -> Vec<u8> {
    let length = (UDP + payload.len()) as u16;
    let ports = [from.1.to_be_bytes(), to.1.to_be_bytes(), length.to_be_bytes()].concat();
    let pseudo = [octets(from.0), octets(to.0), vec![0, PROTOCOL_UDP], length.to_be_bytes().to_vec()].concat();
    let sum = match checksum(&[&pseudo, &ports[..], payload].concat()) {
        0 => 0xffff,
        sum => sum,
    };
    [&ports[..], &sum.to_be_bytes()].concat()
}

/// RFC 1071 §1.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| match word {
        [high, low] => u16::from_be_bytes([*high, *low]),
        [high] => u16::from_be_bytes([*high, 0]),
        _ => 0,
    });
    let sum: u64 = words.map(u64::from).sum();
    let folded = (0..3).fold(sum, |sum, _| (sum & 0xffff) + (sum >> 16));
    !(folded as u16)
}
