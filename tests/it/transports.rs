//! SIP over TCP and TLS against peers that are not ours: SIPp, and Kamailio in front of it.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::Duration;

use goldenhour::call::{LegCommand, LegEvent, NotSent};
use goldenhour::line::LineTrunk;
use goldenhour::sip::Transport;
use goldenhour::wire::{ClientTls, Failure, Streams, TlsFiles, Way, ask};

use crate::kamailio::{Kamailio, Running};
use crate::ports::free_address;
use crate::sipp_uas::Sipp;
use crate::wire_sipp::{HUNG_UP, Rig, is_end};

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// What the gateway is called. Nobody resolves it: the trunk has an address too.
const NAME: &str = "gw.example.com";
/// The year in which a good certificate runs out.
const GOOD: i32 = 2049;

fn trunk(addr: SocketAddr, transport: Transport) -> LineTrunk {
    LineTrunk { transport, host: Some(format!("{NAME}:{}", addr.port())), ..LineTrunk::new(addr) }
}

/// Dials until the connection stands: before that nothing is sent, and that is what is said.
fn dial_when_connected(rig: &mut Rig) -> goldenhour::base::LegId {
    for _ in 0..100 {
        let leg = rig.dial();
        match rig.next().first().map(|(_, event)| event.clone()) {
            Some(LegEvent::NotSent(NotSent::TrunkDown)) => {}
            Some(LegEvent::Sent) => return leg,
            other => panic!("{other:?}"),
        }
        assert!(rig.pause(Duration::from_millis(50)), "no event was due");
    }
    panic!("the connection never stood");
}

fn a_whole_call(rig: &mut Rig) {
    let leg = dial_when_connected(rig);
    rig.until(|event| *event == LegEvent::Answered);
    rig.order(leg, LegCommand::Hangup, None);
    assert_eq!(rig.until(is_end).last(), Some(&HUNG_UP));
}

#[test]
fn a_call_over_tcp_is_answered_and_hung_up() {
    let sipp = Sipp::uas(&["-t", "t1", "-m", "1", "-timeout", "60"]);
    let mut rig = Rig::over(trunk(sipp.addr, Transport::Tcp), Streams::default(), (44_000, 44_019));
    a_whole_call(&mut rig);
    assert!(sipp.finish(), "SIPp saw a failed call");
}

#[test]
fn a_trunk_that_refuses_connections_is_down_and_nothing_is_sent() {
    let mut rig = Rig::over(trunk(free_address(), Transport::Tcp), Streams::default(), (44_020, 44_039));
    rig.dial();
    assert_eq!(rig.until(is_end), [LegEvent::NotSent(NotSent::TrunkDown)]);
    for _ in 0..100 {
        if rig.link().failure == Some(Failure::Refused) {
            return;
        }
        rig.pause(Duration::from_millis(50));
    }
    panic!("{:?}", rig.link());
}

#[test]
fn a_connection_that_ends_before_a_byte_came_is_made_less_and_less_often() {
    // As a gateway does that dislikes our certificate: with TLS 1.3 it says so when the connection stands already.
    let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = Rig::over(trunk(gateway.local_addr().unwrap(), Transport::Tcp), Streams::default(), (44_110, 44_119));
    gateway.set_nonblocking(true).unwrap();
    let mut made = 0;
    // 0.5 s, 1 s and 2 s between them: five would be there in this time if the pause did not grow.
    for _ in 0..50 {
        made += usize::from(gateway.accept().is_ok());
        rig.pause(Duration::from_millis(50));
    }
    assert!((2..=4).contains(&made), "{made} connections");
    assert_eq!(rig.link().failure, Some(Failure::Closed));
}

#[test]
fn a_call_over_version_six_is_answered_and_hung_up() {
    let sipp = Sipp::uas_at("[::1]", &["-t", "t1", "-m", "1", "-timeout", "60"]);
    let mut rig = Rig::over(
        LineTrunk { transport: Transport::Tcp, ..LineTrunk::new(sipp.addr) },
        Streams::default(),
        (44_040, 44_059),
    );
    a_whole_call(&mut rig);
    assert!(sipp.finish(), "SIPp saw a failed call");
}

#[test]
fn a_call_over_tls_passes_kamailio_which_asks_for_our_certificate() {
    let home = tempfile::tempdir().unwrap();
    let pki = Pki::new(home.path());
    let gateway = pki.certificate("gateway", &format!("DNS:{NAME}"), GOOD);
    let ours = pki.certificate("dialler", "DNS:dialler.example.com", GOOD);
    let sipp = Sipp::uas(&["-m", "1", "-timeout", "60"]);
    let kamailio = tls_proxy(home.path(), sipp.addr, &pki, &gateway);
    let files = TlsFiles { ca_file: Some(pki.authority()), own: Some(ours) };
    let streams = Streams { trunks: vec![files], ..Streams::default() };
    let mut rig = Rig::over(trunk(kamailio.addr, Transport::Tls), streams, (44_060, 44_079));
    a_whole_call(&mut rig);
    let link = rig.link();
    assert!(link.connected && link.theirs_runs_out.is_some() && link.ours_runs_out.is_some(), "{link:?}");
    assert!(sipp.finish(), "SIPp saw a failed call");

    // Without a certificate of ours the door stays shut, and we are told whose fault that is.
    let why = reach(kamailio.addr, &TlsFiles { ca_file: Some(pki.authority()), own: None }).unwrap_err();
    assert!(matches!(why, Failure::OursRefused(_) | Failure::NothingShared), "{why}");
}

#[test]
fn each_way_in_which_tls_fails_is_told_in_words() {
    let home = tempfile::tempdir().unwrap();
    let (pki, other) = (Pki::new(home.path()), Pki::new(&made(home.path().join("other"))));
    let trusts = |pki: &Pki| TlsFiles { ca_file: Some(pki.authority()), own: None };
    let names = format!("DNS:{NAME}");
    let said = |server: &OpenSsl, files: TlsFiles| reach(server.addr, &files).unwrap_err().to_string();

    let good = pki.certificate("good", &names, GOOD);
    let server = OpenSsl::start(&good, &[]);
    assert!(said(&server, trusts(&other)).contains("authority that is not trusted"));
    let expired = OpenSsl::start(&pki.certificate("expired", &names, 2021), &[]);
    let words = said(&expired, trusts(&pki));
    assert!(words.contains("has expired, on 2021-"), "{words}");
    let wrong = OpenSsl::start(&pki.certificate("wrong", "DNS:other.example.com", GOOD), &[]);
    let words = said(&wrong, trusts(&pki));
    assert!(words.contains(&format!("not for {NAME}")) && words.contains("other.example.com"), "{words}");
    let old = OpenSsl::start(&good, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(said(&old, trusts(&pki)).contains("no TLS version"), "{}", said(&old, trusts(&pki)));

    assert!(reach(free_address(), &trusts(&pki)).unwrap_err().to_string().contains("refused"));
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = plain.local_addr().unwrap();
    let talker = std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"SIP/2.0 400 Bad Request\r\n\r\n").unwrap();
        stream
    });
    assert!(reach(addr, &trusts(&pki)).unwrap_err().to_string().contains("speaks no TLS"));
    drop(talker.join().unwrap());

    // A URI of the certificate names the domain as well (RFC 5922).
    let by_uri = OpenSsl::start(&pki.certificate("uri", &format!("URI:sip:{NAME}"), GOOD), &[]);
    assert!(reach(by_uri.addr, &trusts(&pki)).is_ok());
}

#[test]
fn a_stranger_s_connection_is_closed_without_a_byte_and_a_peer_s_is_heard() {
    let (listen, gateway) = (free_address(), free_address());
    let streams = Streams { listen_tcp: Some(listen), ..Streams::default() };
    // The one trunk is somewhere else: this machine is a stranger.
    let elsewhere = LineTrunk::new("192.0.2.1:5060".parse().unwrap());
    let rig = Rig::over(elsewhere, streams.clone(), (44_080, 44_089));
    assert_eq!(question(listen), "");
    drop(rig);
    let _rig = Rig::over(LineTrunk::new(gateway), streams, (44_090, 44_099));
    let answer = question(listen);
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
}

/// What an OPTIONS gets.
fn question(at: SocketAddr) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let options = format!(
        "OPTIONS sip:x@{at} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    // A stranger's door may be shut before it has spoken.
    let _shut = stream.write_all(options.as_bytes());
    let mut buffer = [0; 2_048];
    let length = stream.read(&mut buffer).unwrap_or(0);
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// Makes the connection, and waits a moment for what the other side says to it.
#[expect(clippy::unwrap_in_result, reason = "the files are the test's own; what the gateway says is the result")]
fn reach(addr: SocketAddr, files: &TlsFiles) -> Result<(), Failure> {
    let tls = ClientTls::new(files, NAME).unwrap();
    let way = Way { to: addr, from: LOOPBACK, tls: Some(&tls), patience: Duration::from_millis(500) };
    ask(way, |_| b"\r\n\r\n".to_vec(), |_| true).map(drop)
}

fn made(folder: PathBuf) -> PathBuf {
    fs::create_dir(&folder).unwrap();
    folder
}

/// So that two certificates may have one subject.
const CA: &str = "[ca]\ndefault_ca = d\n[d]\ndir = .\ndatabase = index.txt\nnew_certs_dir = .\nserial = serial\n\
    certificate = ca.pem\nprivate_key = ca.key\ndefault_md = sha256\npolicy = p\nunique_subject = no\n\
    [p]\ncommonName = supplied\n";

/// An authority of this test alone.
struct Pki {
    home: PathBuf,
}

impl Pki {
    fn new(home: &Path) -> Self {
        let pki = Self { home: home.to_owned() };
        fs::write(home.join("ca.cnf"), CA).unwrap();
        fs::write(home.join("index.txt"), "").unwrap();
        fs::write(home.join("serial"), "01\n").unwrap();
        pki.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "30",
            "-subj",
            "/CN=Authority of a test",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]);
        pki
    }

    fn authority(&self) -> PathBuf {
        self.home.join("ca.pem")
    }

    /// Certificate and key for these names, good until the start of this year.
    fn certificate(&self, name: &str, names: &str, until: i32) -> (PathBuf, PathBuf) {
        let file = |kind: &str| format!("{name}.{kind}");
        self.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
            "-subj",
            "/CN=gateway",
        ]);
        fs::write(self.home.join(file("ext")), format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n")).unwrap();
        self.openssl(&[
            "ca",
            "-config",
            "ca.cnf",
            "-batch",
            "-notext",
            "-in",
            &file("csr"),
            "-out",
            &file("pem"),
            "-startdate",
            "20200101000000Z",
            "-enddate",
            &format!("{until}0101000000Z"),
            "-extfile",
            &file("ext"),
        ]);
        (self.home.join(file("pem")), self.home.join(file("key")))
    }

    fn openssl(&self, args: &[&str]) {
        let output = Program::new("openssl").args(args).current_dir(&self.home).output();
        let output = output.unwrap_or_else(|error| panic!("openssl cannot be run ({error}): apt-get install openssl"));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// `openssl s_server`, which accepts one connection after the other.
struct OpenSsl {
    addr: SocketAddr,
    _running: Running,
}

impl OpenSsl {
    fn start((certificate, key): &(PathBuf, PathBuf), more: &[&str]) -> Self {
        let addr = free_address();
        let mut program = Program::new("openssl");
        program.args(["s_server", "-www", "-accept", &addr.to_string()]).arg("-cert").arg(certificate);
        program.arg("-key").arg(key).args(more);
        Self { addr, _running: Running::start(program, addr, "openssl") }
    }
}

/// Takes calls over TLS from whoever shows a certificate of the authority, and hands them to SIPp by datagram.
fn tls_proxy(home: &Path, sipp: SocketAddr, pki: &Pki, (certificate, key): &(PathBuf, PathBuf)) -> Kamailio {
    let config = include_str!("../fixtures/kamailio/tls.cfg")
        .replace("@UDP@", &free_address().to_string())
        .replace("@SIPP@", &sipp.to_string())
        .replace("@CERTIFICATE@", &certificate.display().to_string())
        .replace("@KEY@", &key.display().to_string())
        .replace("@CA@", &pki.authority().display().to_string());
    Kamailio::start(home, &config)
}
