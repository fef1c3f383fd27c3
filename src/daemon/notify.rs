//! Tells systemd how we are: sd_notify(3), a datagram of `KEY=value` lines to the socket that it names.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::http::Health;

/// Without systemd, or a service of another type, it does nothing.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<UnixDatagram>,
    /// The unit has `WatchdogSec`.
    watched: bool,
}

impl Notify {
    /// What a stop needs beyond the drain: hanging up, writing, closing.
    const AFTER_DRAIN: Duration = Duration::from_secs(30);

    pub fn from_environment() -> Self {
        let Some(name) = variable("NOTIFY_SOCKET") else { return Self::default() };
        let socket = match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "systemd cannot be told how we are: NOTIFY_SOCKET is out of order");
                None
            }
        };
        // Set for a parent, it is no concern of ours (sd_watchdog_enabled(3)).
        let ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string().as_str());
        Self { socket, watched: ours && variable("WATCHDOG_USEC").is_some() }
    }

    /// After the start, and after a reload however it went: the old plan is as ready as the new one.
    pub fn ready(&self) {
        self.send("READY=1\nSTATUS=dialling");
    }

    pub fn reloading(&self) {
        self.send("RELOADING=1\nSTATUS=reloading");
    }

    /// The stop may take as long as calls may; systemd waits that long instead of its `TimeoutStopSec`.
    pub fn stopping(&self, drain: Duration) {
        let patience = (drain + Self::AFTER_DRAIN).as_micros();
        self.send(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={patience}\nSTATUS=draining: calls under way finish"));
    }

    /// A sign of life, passed on from the engine: a process whose engine hangs gives none, and is restarted.
    pub fn alive(&self, health: &Health) {
        if self.watched && health.hangs_for().is_none() {
            self.send("WATCHDOG=1");
        }
    }

    fn send(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            tracing::debug!(%error, "systemd did not take our state");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "systemd hands these over in the environment, and in no other way")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// A path, or with `@` a name in the abstract space.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::base::Tick;
    use crate::obs::Metrics;

    fn pair(watched: bool) -> (Notify, impl Fn() -> Option<String>) {
        let (own, systemd) = UnixDatagram::pair().unwrap();
        systemd.set_nonblocking(true).unwrap();
        let heard = move || {
            let mut buffer = [0; 256];
            let length = systemd.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
        };
        (Notify { socket: Some(own), watched }, heard)
    }

    #[test]
    fn an_engine_that_hangs_gives_no_sign_of_life() {
        let now = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&now);
        let health = Health::new(move || Tick(clock.load(Ordering::Relaxed)), Metrics::new().unwrap());
        let (notify, heard) = pair(true);
        notify.alive(&health);
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1"));
        now.store(11_000_000, Ordering::Relaxed);
        notify.alive(&health);
        assert_eq!(heard(), None);
        health.beat(Tick(11_000_000));
        notify.alive(&health);
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1"));
    }

    #[test]
    fn who_is_not_watched_gives_no_sign_of_life() {
        let (notify, heard) = pair(false);
        notify.alive(&Health::new(|| Tick(0), Metrics::new().unwrap()));
        assert_eq!(heard(), None);
    }

    #[test]
    fn a_stop_asks_for_as_long_as_the_drain_may_take() {
        let (notify, heard) = pair(true);
        notify.stopping(Duration::from_mins(1));
        assert!(heard().unwrap().contains("STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\n"));
    }

    #[test]
    fn sockets_are_paths_or_abstract_names() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("notify");
        assert!(connect(path.as_os_str()).is_err());
        let _systemd = UnixDatagram::bind(&path).unwrap();
        assert!(connect(path.as_os_str()).is_ok());
        let name = format!("goldenhour-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _abstract = UnixDatagram::bind_addr(&address).unwrap();
        assert!(connect(OsStr::new(&format!("@{name}"))).is_ok());
    }
}
