//! Kamailio as the gateway: registrar, and proxy in front of SIPp.

use std::fs;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use goldenhour::base::TrunkIx;
use goldenhour::call::{LegCommand, LegEvent};
use goldenhour::contact::CallResult;
use goldenhour::line::LineTrunk;
use goldenhour::sip::{Credentials, Register, Unanswered};
use goldenhour::wire::Streams;

use crate::ports::free_address;
use crate::sipp_uas::Sipp;
use crate::wire_sipp::{HUNG_UP, Rig, is_end};

const TRUNK: TrunkIx = TrunkIx(0);

#[test]
fn a_call_gets_through_with_md5_and_with_sha_256() {
    for (algorithm, first_port) in [("MD5", 44_100), ("SHA-256", 44_120)] {
        let home = tempfile::tempdir().unwrap();
        let sipp = Sipp::uas(&["-m", "2", "-timeout", "60"]);
        let kamailio = Kamailio::proxy(home.path(), algorithm, &format!("$du = \"sip:{}\";", sipp.addr));
        let mut rig = Rig::over(trunk(&kamailio, "s3cret"), Streams::default(), (first_port, first_port + 19));
        for _ in 0..2 {
            a_whole_call(&mut rig);
        }
        assert!(sipp.finish(), "{algorithm}: SIPp saw a failed call");
        assert_eq!(unanswered(&rig), [0; 4], "{algorithm}");
    }
}

#[test]
fn a_wrong_password_ends_the_call_and_is_counted_as_that() {
    let home = tempfile::tempdir().unwrap();
    let kamailio = Kamailio::proxy(home.path(), "SHA-256", "");
    let mut rig = Rig::over(trunk(&kamailio, "guess"), Streams::default(), (44_140, 44_159));
    rig.dial();
    let said = rig.until(is_end);
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.sip_status, end.unanswered), (Some(407), Some(CallResult::TrunkRefused)), "{end:?}");
    let rejected = Unanswered::REASONS.iter().position(|reason| *reason == "rejected").unwrap();
    assert_eq!(unanswered(&rig)[rejected], 1);
}

#[test]
fn where_two_phones_ring_the_one_that_answers_has_the_call() {
    let home = tempfile::tempdir().unwrap();
    let rings = Sipp::plays("rings.xml", &["-m", "1", "-timeout", "60"]);
    let answers = Sipp::uas(&["-m", "1", "-timeout", "60"]);
    let route = format!("$ru = \"sip:a@{}\";\n    append_branch(\"sip:b@{}\");", rings.addr, answers.addr);
    let kamailio = Kamailio::proxy(home.path(), "MD5", &route);
    let mut rig = Rig::over(trunk(&kamailio, "s3cret"), Streams::default(), (44_160, 44_179));
    a_whole_call(&mut rig);
    assert!(rings.finish(), "the other phone was not called off as it should be");
    assert!(answers.finish(), "SIPp saw a failed call");
}

#[test]
fn a_gateway_that_is_full_is_no_fault_of_the_number() {
    let home = tempfile::tempdir().unwrap();
    let route = "append_to_reply(\"Retry-After: 7\\r\\n\");\n    sl_send_reply(\"503\", \"Full\");\n    exit;";
    let kamailio = Kamailio::proxy(home.path(), "MD5", route);
    let mut rig = Rig::over(trunk(&kamailio, "s3cret"), Streams::default(), (44_180, 44_199));
    rig.dial();
    let said = rig.until(is_end);
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.sip_status, end.unanswered), (Some(503), Some(CallResult::TrunkRefused)));
}

#[test]
fn a_trunk_registers_and_takes_its_address_back() {
    let home = tempfile::tempdir().unwrap();
    let kamailio = Kamailio::proxy(home.path(), "SHA-256", "");
    let register = Register { user: "bank".into(), domain: None, expires_s: 600, required: true };
    let trunk = LineTrunk { register: Some(register), ..trunk(&kamailio, "s3cret") };
    let rig = Rig::over(trunk, Streams::default(), (44_200, 44_219));
    let until = |registered: bool| {
        (0..200).any(|_| {
            let stands = rig.counts().registered(TRUNK) == registered;
            stands || !rig.pause(Duration::from_millis(25))
        })
    };
    assert!(until(true), "{:?}", unanswered(&rig));
    let counts = rig.counts();
    assert_eq!(counts.registrations(TRUNK), [1, 0]);
    // The shard does not end before the registrar has heard of it.
    drop(rig);
    assert!(!counts.registered(TRUNK));
}

fn a_whole_call(rig: &mut Rig) {
    let leg = rig.dial();
    let said = rig.until(|event| *event == LegEvent::Answered || is_end(event));
    assert_eq!(said.last(), Some(&LegEvent::Answered), "{said:?}");
    rig.order(leg, LegCommand::Hangup, None);
    assert_eq!(rig.until(is_end).last(), Some(&HUNG_UP));
}

fn trunk(kamailio: &Kamailio, password: &str) -> LineTrunk {
    let (user, realm) = ("bank".to_owned(), "gw.example".to_owned());
    let auth = Some(Credentials { user, realm, password: password.to_owned() });
    LineTrunk { auth, ..LineTrunk::new(kamailio.addr) }
}

/// Challenges that went unanswered, by reason.
fn unanswered(rig: &Rig) -> [u64; 4] {
    std::array::from_fn(|reason| rig.counts().unauthorised(TRUNK, reason))
}

pub(crate) struct Kamailio {
    pub(crate) addr: SocketAddr,
    _running: Running,
}

impl Kamailio {
    /// Wants `s3cret` for the realm `gw.example`; `route` says what becomes of a call that has it.
    fn proxy(home: &Path, algorithm: &str, route: &str) -> Self {
        let config = include_str!("../fixtures/kamailio/proxy.cfg").replace("@ALGORITHM@", algorithm);
        Self::start(home, &config.replace("@ROUTE@", route))
    }

    /// `@ADDRESS@` in the configuration is where it is asked whether it runs, by TCP.
    pub(crate) fn start(home: &Path, config: &str) -> Self {
        let addr = free_address();
        let file = home.join("kamailio.cfg");
        fs::write(&file, config.replace("@ADDRESS@", &addr.to_string())).unwrap();
        let mut program = Command::new("kamailio");
        program.args(["-DD", "-E", "-m", "64", "-M", "8", "-f"]).arg(&file);
        program.arg("-P").arg(home.join("kamailio.pid")).arg("-Y").arg(home).arg("-w").arg(home);
        Self { addr, _running: Running::start(program, addr, "kamailio kamailio-tls-modules") }
    }
}

/// A program that ends with its test.
pub(crate) struct Running(Child);

impl Running {
    /// Ready once it takes connections at `addr`.
    pub(crate) fn start(mut program: Command, addr: SocketAddr, package: &str) -> Self {
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child =
            program.spawn().unwrap_or_else(|error| panic!("cannot be run ({error}): apt-get install {package}"));
        let mut running = Self(child);
        let pause = UdpSocket::bind("127.0.0.1:0").unwrap();
        pause.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        for _ in 0..500 {
            if TcpStream::connect(addr).is_ok() {
                return running;
            }
            if let Some(status) = running.0.try_wait().unwrap() {
                panic!("{package} ended at once: {status}");
            }
            // Nothing ever comes: a bounded wait.
            assert!(pause.recv(&mut [0; 1]).is_err());
        }
        panic!("{package} does not listen on {addr}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its children go with the terminating parent; a killed one would leave them behind.
        let _gone = Command::new("kill").arg(self.0.id().to_string()).status();
        let _status = self.0.wait();
    }
}
