//! Messages with exactly one fault, made by rule: every part of a valid message is left out, repeated, torn, garbled and
//! stretched, one at a time.

use super::*;

/// Stands in branch and CSeq of every request, so that whoever sends it can give it a number of its own.
pub const NUMBER: u32 = 7_000_000;

/// A valid message in its parts.
#[derive(Clone)]
struct Plain {
    start: [String; 3],
    headers: Vec<(&'static str, String)>,
    body: Vec<String>,
}

/// What the peer knows of one call.
pub struct Call {
    pub leg: LegId,
    /// Via and From of our INVITE, which its answers repeat.
    pub via: String,
    pub from: String,
}

impl Call {
    fn call_id(&self) -> String {
        self.leg.0.to_string()
    }
}

/// Every faulty message about this call. The same call gives the same messages in the same order.
pub fn all(call: &Call) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for plain in plains(call) {
        torn_lines(&plain, &mut out);
        start_lines(&plain, &mut out);
        for at in 0..plain.headers.len() {
            headers(&plain, at, &mut out);
            values(&plain, at, &mut out);
        }
        lengths(&plain, &mut out);
        bodies(&plain, &mut out);
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn plains(call: &Call) -> Vec<Plain> {
    let body: Vec<String> = SDP.lines().map(str::to_owned).collect();
    let sdp = [("Content-Type", "application/sdp".to_owned())];
    let refer = [("Event", "refer".to_owned()), ("Subscription-State", "terminated;reason=noresource".to_owned())];
    let relay = [("Content-Type", "application/dtmf-relay".to_owned())];
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256, opaque=\"o\"";
    let keys = vec!["Signal=5".to_owned(), "Duration=160".to_owned()];
    let sipfrag = vec!["SIP/2.0 200 OK".to_owned()];
    let mut all = vec![
        answer(call, "180", "Ringing", &[], &[]),
        answer(call, "183", "Session Progress", &sdp, &body),
        answer(call, "200", "OK", &sdp, &body),
        answer(call, "302", "Moved", &[("Retry-After", "18 (soon);duration=9".to_owned())], &[]),
        answer(call, "401", "Unauthorized", &[("WWW-Authenticate", challenge.to_owned())], &[]),
        answer(call, "486", "Busy Here", &[("Reason", "Q.850;cause=17;text=\"busy\"".to_owned())], &[]),
    ];
    for (method, headers, body) in [
        ("INVITE", &sdp[..], &body[..]),
        ("ACK", &sdp, &body),
        ("UPDATE", &sdp, &body),
        ("INFO", &relay, &keys),
        ("NOTIFY", &refer, &sipfrag),
        ("OPTIONS", &[], &[]),
        ("REFER", &[("Refer-To", "<sip:x@h?Replaces=a%3Bto-tag%3Db>".to_owned())], &[]),
        ("BYE", &[], &[]),
        ("CANCEL", &[], &[]),
        ("PRACK", &[("RAck", "1 1 INVITE".to_owned())], &[]),
    ] {
        all.push(ask(call, method, true, headers, body));
    }
    for (method, headers, body) in [("INVITE", &sdp[..], &body[..]), ("OPTIONS", &[], &[]), ("REGISTER", &[], &[])] {
        all.push(ask(call, method, false, headers, body));
    }
    all
}

fn answer(call: &Call, code: &str, phrase: &str, more: &[(&'static str, String)], body: &[String]) -> Plain {
    let mut headers = vec![
        ("Via", call.via.clone()),
        ("Record-Route", format!("<sip:{GW};lr>, \"p\" <sip:p2;lr>")),
        ("From", call.from.clone()),
        ("To", format!("\"far end\" <sip:+999100000002@{GW}>;tag=b")),
        ("Call-ID", call.call_id()),
        ("CSeq", "1 INVITE".to_owned()),
        ("Contact", format!("<sip:far@{GW}>")),
    ];
    headers.extend_from_slice(more);
    Plain { start: ["SIP/2.0".to_owned(), code.to_owned(), phrase.to_owned()], headers, body: body.to_vec() }
}

fn ask(call: &Call, method: &str, inside: bool, more: &[(&'static str, String)], body: &[String]) -> Plain {
    let ours = call.from.split(";tag=").nth(1).unwrap_or_default();
    let (to_tag, call_id) =
        if inside { (format!(";tag={ours}"), call.call_id()) } else { (String::new(), format!("out-{method}@h")) };
    let mut headers = vec![
        ("Via", format!("SIP/2.0/UDP {GW};rport;branch=z9hG4bKf{method}{NUMBER}{inside}")),
        ("Max-Forwards", "70".to_owned()),
        ("From", format!("\"far end\" <sip:+999100000002@{GW}>;tag=b")),
        ("To", format!("<sip:+999100000001@{US}>{to_tag}")),
        ("Call-ID", call_id),
        ("CSeq", format!("{NUMBER} {method}")),
        ("Contact", format!("\"x\" <sip:far@{GW};ob>;expires=60")),
        ("Accept", "application/sdp".to_owned()),
    ];
    headers.extend_from_slice(more);
    let uri = format!("sip:goldenhour@{US}");
    Plain { start: [method.to_owned(), uri, "SIP/2.0".to_owned()], headers, body: body.to_vec() }
}

impl Plain {
    fn text(&self) -> String {
        let body = self.body.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
        let lines =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        format!("{}\r\n{lines}Content-Length: {}\r\n\r\n{body}", self.start.join(" "), body.len())
    }

    /// With one header line written otherwise.
    fn with_line(&self, at: usize, line: &[u8]) -> Vec<u8> {
        let text = self.text();
        let (name, value) = &self.headers[at];
        let old = format!("{name}: {value}\r\n");
        let start = text.find(&old).unwrap();
        [&text.as_bytes()[..start], line, &text.as_bytes()[start + old.len()..]].concat()
    }
}

/// Line ends that are none, and datagrams that stop early.
fn torn_lines(plain: &Plain, out: &mut Vec<Vec<u8>>) {
    let text = plain.text();
    let ends: Vec<usize> = text.match_indices("\r\n").map(|(at, _)| at).collect();
    for &at in &ends {
        for end in ["\n", "\r", "", "\r\r\n", "\0\r\n", "\r\n\r\n", "\r\n ", "\n\r"] {
            out.push(format!("{}{end}{}", &text[..at], &text[at + 2..]).into_bytes());
        }
        for cut in [at, at + 1, at + 2, at.saturating_sub(3)] {
            out.push(text.as_bytes()[..cut].to_vec());
        }
    }
}

fn start_lines(plain: &Plain, out: &mut Vec<Vec<u8>>) {
    let response = plain.start[0].starts_with("SIP");
    for part in 0..3 {
        let own = plain.start[part].clone();
        let mut others = vec![
            String::new(),
            format!(" {own}"),
            format!("{own} "),
            format!("\t{own}"),
            format!("{own}\0"),
            format!("<{own}>"),
            format!("\"{own}"),
            own.to_lowercase(),
            format!("{own}{}", "x".repeat(40_000)),
            own.replace('/', ""),
            own.replace('2', "7"),
            own.replace(':', ""),
        ];
        if response && part == 1 {
            others.extend(
                ["0", "99", "700", "999", "1000", "-1", "20", "2 0", "4294967496", "٢٠٠", "0x7"].map(str::to_owned),
            );
        } else if part == 1 {
            let uris =
                ["sip:", "sip:@h", "sip:a@[::1", "sip:::1", "sip:a@h:99999", "sip:a@h:", "sip:a@h?b=c", "urn:x", "*"];
            others.extend(uris.map(str::to_owned));
        }
        for other in others {
            let mut changed = plain.clone();
            changed.start[part] = other;
            out.push(changed.text().into_bytes());
        }
    }
    out.push(plain.text().replacen(' ', "  ", 1).into_bytes());
}

/// The line as a whole.
fn headers(plain: &Plain, at: usize, out: &mut Vec<Vec<u8>>) {
    let (name, value) = &plain.headers[at];
    for line in [
        String::new(),
        format!("{name}: {value}\r\n{name}: {value}\r\n"),
        format!("{name}: {value}\r\n{name}: other\r\n"),
        format!("{name}: {value}, {value}\r\n"),
        format!("{name}:\r\n"),
        format!("{name}: \r\n \r\n"),
        format!("{name} {value}\r\n"),
        format!(": {value}\r\n"),
        format!("{name}; {value}\r\n"),
        format!(" {name}: {value}\r\n"),
        format!("{}: {value}\r\n", &name[1..]),
        format!("{name}\0: {value}\r\n"),
        format!("{}{name}: {value}\r\n", "n".repeat(40_000)),
        format!("{name}: {}\r\n", value.repeat(1_000)),
        format!("{name}: {value}{}\r\n", ";p=v".repeat(10_000)),
        format!("{name}: {value}{}\r\n", ", x".repeat(10_000)),
        format!("{}{name}: {value}\r\n", "Via: SIP/2.0/UDP h\r\n".repeat(130)),
        format!("{name}: \"{value}\r\n"),
        format!("{name}: <{value}\r\n"),
        format!("{name}: {value}>\r\n"),
        format!("{name}: {value};\r\n"),
        format!("{name}: {value},\r\n"),
        format!("{name}: ,{value}\r\n"),
        format!("{name}: {value}\"\r\n"),
        format!("{name}: {value}\\\r\n"),
    ] {
        out.push(plain.with_line(at, line.as_bytes()));
    }
    for bytes in [&b"\xb2\xe2\xd5\x5c"[..], b"\xff", b"\xc3\x28", b"\0", b"\x7f"] {
        out.push(plain.with_line(at, &[name.as_bytes(), b": ", bytes, value.as_bytes(), b"\r\n"].concat()));
        out.push(plain.with_line(at, &[name.as_bytes(), bytes, b": ", value.as_bytes(), b"\r\n"].concat()));
    }
}

/// Every separator and every number of a value.
fn values(plain: &Plain, at: usize, out: &mut Vec<Vec<u8>>) {
    let (name, value) = &plain.headers[at];
    let mut put = |new: &str| out.push(plain.with_line(at, format!("{name}: {new}\r\n").as_bytes()));
    for (place, separator) in value.match_indices(|c: char| !c.is_ascii_alphanumeric()) {
        let (before, after) = (&value[..place], &value[place + separator.len()..]);
        for other in ["", "\0", "\"", "<", ";", "\r\n ", "\r", &separator.repeat(2)] {
            put(&format!("{before}{other}{after}"));
        }
        put(before);
    }
    for (start, end) in numbers(value) {
        for other in NUMBERS {
            put(&format!("{}{other}{}", &value[..start], &value[end..]));
        }
    }
}

const NUMBERS: [&str; 9] =
    ["", "-1", "2147483648", "4294967296", "99999999999999999999999999", "1e9", "0x10", "٣", "000000000000000000001"];

/// Where runs of digits begin and end.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..bytes.len()).filter(|&at| digit(at) && (at == 0 || !digit(at - 1)));
    starts.map(|start| (start, (start..bytes.len()).find(|&at| !digit(at)).unwrap_or(bytes.len()))).collect()
}

fn lengths(plain: &Plain, out: &mut Vec<Vec<u8>>) {
    let text = plain.text();
    let own: usize = plain.body.iter().map(|line| line.len() + 2).sum();
    let line = format!("Content-Length: {own}\r\n");
    for other in [own + 1, own.saturating_sub(1), own / 2, 65_536, usize::MAX] {
        out.push(text.replacen(&line, &format!("Content-Length: {other}\r\n"), 1).into_bytes());
    }
    for other in NUMBERS {
        out.push(text.replacen(&line, &format!("Content-Length: {other}\r\n"), 1).into_bytes());
    }
    out.push(text.replacen(&line, &format!("{line}l: {}\r\n", own + 1), 1).into_bytes());
    out.push(text.replacen(&line, &format!("Content-Length: {own}, {own}\r\n"), 1).into_bytes());
}

fn bodies(plain: &Plain, out: &mut Vec<Vec<u8>>) {
    for (at, line) in plain.body.iter().enumerate() {
        let mut others = vec![
            String::new(),
            format!("{line}\r\n{line}"),
            line.replace('=', ""),
            line.replace('=', " ="),
            format!("{line}\0"),
            format!("{line}{}", " 8".repeat(5_000)),
            format!("{line}\r\n").repeat(100),
            line.to_uppercase(),
            format!("\u{fffd}{line}"),
        ];
        others.extend(
            numbers(line)
                .into_iter()
                .flat_map(|(start, end)| NUMBERS.map(|number| format!("{}{number}{}", &line[..start], &line[end..]))),
        );
        let spaces: Vec<usize> = line.match_indices(' ').map(|(at, _)| at).collect();
        others.extend(
            spaces.into_iter().flat_map(|at| {
                ["", "  ", "\t", "\0"].map(|other| format!("{}{other}{}", &line[..at], &line[at + 1..]))
            }),
        );
        for other in others {
            let mut changed = plain.clone();
            changed.body[at] = other;
            out.push(changed.text().into_bytes());
        }
        let mut missing = plain.clone();
        missing.body.remove(at);
        out.push(missing.text().into_bytes());
    }
}
