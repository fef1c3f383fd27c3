//! Ports for daemons and for peers that must be told theirs before they start.
//!
//! A port from `bind(0)` may be given to any other socket in the moment between our look and the peer's own bind. So these lie
//! below the range that the kernel gives away by itself (`net.ipv4.ip_local_port_range`), and a range is held against other
//! tests by listeners on the first port of each of its blocks.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;

/// Ports are held in blocks of this size.
const BLOCK: u16 = 200;

/// What this process gives to peers, one block after the other.
static PEERS: Mutex<Option<Block>> = Mutex::new(None);

struct Block {
    _held: Vec<TcpListener>,
    next: u16,
    end: u16,
}

pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A range where nobody gets a port by chance, as long as the listeners live; and nothing that another test left behind sits
/// on any port of it but the first of each block.
pub fn hold_ports(count: u16) -> (Vec<TcpListener>, u16) {
    let starts = (20_000..30_000 - count).step_by(usize::from(BLOCK));
    for first in starts {
        let blocks = (0..count.div_ceil(BLOCK)).map(|at| TcpListener::bind(local(first + at * BLOCK)));
        let held: Result<Vec<TcpListener>, _> = blocks.collect();
        if let Some(held) = held.ok().filter(|_| all_free(first, count)) {
            return (held, first);
        }
    }
    panic!("no range of {count} ports is free");
}

pub fn free_address() -> SocketAddr {
    free_address_at("127.0.0.1")
}

/// Free for UDP and TCP. The port above it is given to nobody: peers take it for TLS or RTCP.
pub fn free_address_at(host: &str) -> SocketAddr {
    loop {
        let address: SocketAddr = format!("{host}:{}", next_port()).parse().unwrap();
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

fn next_port() -> u16 {
    let mut peers = PEERS.lock().unwrap();
    if peers.as_ref().is_none_or(|block| block.next >= block.end) {
        let (held, first) = hold_ports(BLOCK);
        *peers = Some(Block { _held: held, next: first + 2, end: first + BLOCK });
    }
    let block = peers.as_mut().unwrap();
    block.next += 2;
    block.next - 2
}

/// A process whose test is over may live for a moment longer, and so may its sockets.
fn all_free(first: u16, count: u16) -> bool {
    let tcp = [1, 2].iter().all(|at| TcpListener::bind(local(first + at)).is_ok());
    tcp && (first + 3..first + count).all(|port| UdpSocket::bind(local(port)).is_ok())
}
