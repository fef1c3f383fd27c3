//! Calls that are signed on their way out: the whole daemon, a signing service and a gateway that is a socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::daemon::{Setup, Site, until};
use crate::trial::{self, Trial};

type Seen<T> = Arc<Mutex<Vec<T>>>;

/// INVITEs, first sendings and repetitions. Everybody is busy.
fn gateway(at: SocketAddr) -> Seen<String> {
    let socket = UdpSocket::bind(at).unwrap();
    let seen = Seen::default();
    let invites = Arc::clone(&seen);
    thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !text.starts_with("INVITE") {
                continue;
            }
            let names = ["Via", "From", "To", "Call-ID", "CSeq"];
            let echoed: String = names.map(|name| format!("{name}: {}\r\n", header(&text, name).unwrap())).concat();
            let echoed = echoed.replacen(">\r\nCall-ID", ">;tag=no\r\nCall-ID", 1);
            invites.lock().unwrap().push(text);
            let answer = format!("SIP/2.0 486 Busy Here\r\n{echoed}Content-Length: 0\r\n\r\n");
            socket.send_to(answer.as_bytes(), from).unwrap();
        }
    });
    seen
}

fn header(text: &str, name: &str) -> Option<String> {
    let lines = text.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let found: Vec<&str> = lines.collect();
    assert!(found.len() < 2, "{name} in {text}");
    found.first().map(|value| (*value).to_owned())
}

/// Of a call, with everything that a header may hold.
fn signature(origid: &str) -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{origid}.c2ln-_=;info=<https://cert.example/a.pem?x=%41>;alg=ES256;ppt=\"shaken\"")
}

/// Signs whatever it is asked to, and keeps what that was.
fn signer(listener: TcpListener) -> Seen<Value> {
    let seen = Seen::default();
    let asked = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let asked = Arc::clone(&asked);
            thread::spawn(move || while sign(stream.as_ref().unwrap(), &asked).is_some() {});
        }
    });
    seen
}

/// One request. `None` at the end of the connection.
fn sign(mut stream: &TcpStream, asked: &Mutex<Vec<Value>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    assert!(line.starts_with("POST /stir/v1/signing "), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request: Value = serde_json::from_slice(&body).unwrap();
    let identity = signature(request["signingRequest"]["origid"].as_str()?);
    asked.lock().unwrap().push(request);
    let answer = json!({ "signingResponse": { "identity": identity } }).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).ok()
}

fn site(signer: SocketAddr, timeout_ms: u32, without: &str, people: u32) -> Site {
    let site = Site::new(&Setup { max_cps: 20, ..Setup::default() });
    let config = std::fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    let identity = format!(
        "    identity: {{ signer: \"http://{signer}/stir/v1/signing\", attest: B, timeout: {timeout_ms}ms, \
         without: {without} }}\n"
    );
    site.write("goldenhour.yaml", &config.replace("    max_calls", &format!("{identity}    max_calls")));
    Trial::default().write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", people)));
    site.import("trial", &site.path("list.csv"));
    site
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

#[test]
fn each_call_leaves_with_its_own_signature_byte_for_byte() {
    let (listener, at) = listener();
    let site = site(at, 400, "refuse", 6);
    let (asked, invites) = (signer(listener), gateway(site.gateway));
    // On a machine that is too busy a call may be late: it is due again in a minute.
    let daemon = site.serve(&["--clock-rate", "60"]);
    until("everybody was called", || site.number("SELECT count(*) FROM attempt WHERE result = 'busy'") == 6);
    let signed = daemon.metric("goldenhour_trunk_signatures_total", &["trunk=\"gw-a\"", "result=\"signed\""]);
    daemon.stop();
    let (asked, invites) = (asked.lock().unwrap().clone(), invites.lock().unwrap().clone());
    assert!(signed > 5.5 && invites.len() > 5, "{signed} and {}", invites.len());
    for invite in invites {
        let call = header(&invite, "Call-ID").unwrap();
        let request = asked.iter().map(|asked| &asked["signingRequest"]).find(|asked| asked["origid"] == call).unwrap();
        let to = request["dest"]["tn"][0].as_str().unwrap();
        assert_eq!(header(&invite, "Identity"), Some(signature(&call)));
        assert!(invite.starts_with(&format!("INVITE sip:+{to}@")), "{invite}");
        assert_eq!((&request["attest"], &request["orig"]["tn"]), (&json!("B"), &json!("999100000001")));
        assert!(request["iat"].as_i64().unwrap() > 1_700_000_000);
    }
}

#[test]
fn without_a_signer_nobody_is_dialled_until_it_is_there() {
    let (closed, at) = listener();
    drop(closed);
    let site = site(at, 400, "refuse", 3);
    let invites = gateway(site.gateway);
    // A call that never left is due again in a minute.
    let daemon = site.serve(&["--clock-rate", "60"]);
    let unreachable = || daemon.metric("goldenhour_trunk_signatures_total", &["result=\"unreachable\""]);
    until("nobody signs", || unreachable() > 2.5);
    until("nothing was dialled", || site.number("SELECT count(*) FROM attempt WHERE result = 'void'") >= 3);
    assert_eq!(invites.lock().unwrap().len(), 0);
    let closed = daemon.metric("goldenhour_leads", &["state=\"closed\""]);
    assert!(closed < 0.5, "each is due again");
    let asked = signer(TcpListener::bind(at).unwrap());
    until("everybody was called", || site.number("SELECT count(*) FROM attempt WHERE result = 'busy'") == 3);
    assert!(daemon.log().contains("calls are not signed and not dialled"), "{}", daemon.log());
    daemon.stop();
    let invites = invites.lock().unwrap();
    assert!(invites.iter().all(|text| header(text, "Identity").is_some()), "{invites:?}");
    assert!(asked.lock().unwrap().len() >= 3);
}

#[test]
fn a_trunk_may_send_what_a_silent_signer_did_not_sign() {
    // Takes connections and answers none of them.
    let (_silent, at) = listener();
    let site = site(at, 100, "send", 3);
    let invites = gateway(site.gateway);
    let daemon = site.serve(&["--clock-rate", "60"]);
    until("everybody was called", || site.number("SELECT count(*) FROM attempt WHERE result = 'busy'") == 3);
    let late = daemon.metric("goldenhour_trunk_signatures_total", &["result=\"late\""]);
    daemon.stop();
    assert!(late > 2.5, "{late}");
    assert!(invites.lock().unwrap().iter().all(|text| header(text, "Identity").is_none()));
}
