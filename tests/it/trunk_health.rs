//! A gateway that stops answering and comes back, as the daemon's metrics and log tell it.

use std::net::UdpSocket;

use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial;

const TAKES_NONE: &str = "the trunk takes no calls: it does not answer OPTIONS";
const TAKES_AGAIN: &str = "the trunk takes calls again";

fn stands(daemon: &Daemon, state: &str) -> bool {
    let state = format!("state=\"{state}\"");
    daemon.metric("goldenhour_trunk_state", &["trunk=\"gw-a\"", &state]) > 0.5
}

fn is_up(daemon: &Daemon) -> bool {
    daemon.metric("goldenhour_trunk_up", &["trunk=\"gw-a\""]) > 0.5
}

/// OPTIONS that were answered, or went unanswered.
fn options(daemon: &Daemon) -> f64 {
    daemon.metric("goldenhour_sip_messages_total", &["class=\"options\"", "direction=\"out\""])
}

#[test]
fn a_gateway_that_falls_silent_takes_the_trunk_down_and_brings_it_back_with_its_first_answer() {
    let site = Site::new(&Setup { options_every: "5s", ..Setup::default() });
    let town = trial::town(0, r#"{ "1": 100% }"#, "");
    let mut far = site.far_end(&town, &[]);
    let daemon = site.serve(&[]);
    let answered = || daemon.metric("goldenhour_sip_messages_total", &["class=\"2xx\"", "direction=\"in\""]);
    until("a heartbeat is answered", || answered() > 0.5);
    assert!(is_up(&daemon) && stands(&daemon, "up") && !daemon.log().contains(TAKES_NONE));

    // Its port is there, and nobody answers.
    far.kill();
    let mute = UdpSocket::bind(site.gateway).unwrap();
    until("it is silent", || stands(&daemon, "silent"));
    assert!(!is_up(&daemon) && !stands(&daemon, "up") && options(&daemon) > 4.5);
    assert!(daemon.log().contains(TAKES_NONE), "{}", daemon.log());

    drop(mute);
    let mut far = site.far_end(&town, &[]);
    until("it is up again", || is_up(&daemon));
    until("the log says so", || daemon.log().contains(TAKES_AGAIN));

    // Nobody is at its port, and the network says so.
    far.kill();
    until("it is silent again", || stands(&daemon, "silent"));
    assert_eq!(daemon.log().matches(TAKES_NONE).count(), 2, "{}", daemon.log());
    daemon.stop();
}
