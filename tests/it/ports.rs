//! Free ports for peers that must be told theirs before they start.
//!
//! A port from `bind(0)` may be given to any other socket in the moment between our look and the peer's own bind. So these lie
//! below the range that the kernel gives away by itself (`net.ipv4.ip_local_port_range`), and each process, which is each
//! test of nextest's, goes through a block of its own.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 10_000;
const BLOCK: u32 = 64;
/// Up to 20,000, from where on ranges are held for daemons (`daemon::hold_ports`).
const BLOCKS: u32 = 156;

static NEXT: AtomicU32 = AtomicU32::new(0);

pub fn free_address() -> SocketAddr {
    free_address_at("127.0.0.1")
}

/// Free for UDP and TCP. The port above it is given to nobody: peers take it for TLS or RTCP.
pub fn free_address_at(host: &str) -> SocketAddr {
    let block = std::process::id() % BLOCKS;
    for _ in 0..BLOCK * BLOCKS / 2 {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (block * BLOCK + 2 * nth) % (BLOCK * BLOCKS);
        let address = format!("{host}:{port}").parse().unwrap();
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port of {host} is free");
}
