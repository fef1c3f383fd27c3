//! Walks the tables of docs/sip/transactions.md, row by row: the page is the specification, and the machines obey it.

use std::collections::BTreeSet;

use super::*;
use crate::base::Tick;
use crate::sip::transaction::{Act, InviteClient, InviteServer, RequestClient, RequestServer, Timer, Times};

const PAGE: &str = include_str!("../../../docs/sip/transactions.md");

struct Row {
    state: &'static str,
    event: &'static str,
    action: &'static str,
    next: &'static str,
}

/// The rows under a heading.
fn rows(heading: &str) -> Vec<Row> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(&format!("{heading}\n"))).unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let rows: Vec<Row> = lines
        .map(|line| {
            let cells: Vec<&'static str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [state, event, action, next] = cells[..] else { panic!("{line}") };
            Row { state, event, action, next }
        })
        .collect();
    let unique: BTreeSet<_> = rows.iter().map(|row| (row.state, row.event)).collect();
    assert_eq!(unique.len(), rows.len(), "{heading}: one row for a state and an event");
    rows
}

fn word(act: Act) -> &'static str {
    match act {
        Act::Nothing => "nothing",
        Act::Pass => "pass",
        Act::PassAndAck => "pass and ACK",
        Act::Resend => "send again",
        Act::TimedOut => "timed out",
    }
}

/// What the walks need of a transaction.
trait Machine: Copy + std::fmt::Debug {
    const EVENTS: &'static [&'static str];
    const TIMERS: &'static [Timer];
    /// In this state, as early as it can be.
    fn reach(state: &str) -> Self;
    fn message(&mut self, event: &str) -> Act;
    fn fire(&mut self, at: Tick) -> Act;
    fn due(&self) -> Option<(Tick, Timer)>;

    fn state(&self) -> &'static str {
        let text = format!("{self:?}");
        let states = [
            ("state: Accepted { acked: true }", "Accepted, ACKed"),
            ("state: Accepted", "Accepted"),
            ("state: Calling", "Calling"),
            ("state: Trying", "Trying"),
            ("state: Proceeding", "Proceeding"),
            ("state: Completed", "Completed"),
            ("state: Confirmed", "Confirmed"),
            ("state: Terminated", "Terminated"),
        ];
        states.into_iter().find(|(part, _)| text.contains(part)).map(|(_, name)| name).unwrap()
    }

    /// Lets the timers run until this one is next. False where another state comes first, or nothing.
    fn wait_for(&mut self, timer: Timer) -> bool {
        let state = self.state();
        for _ in 0..100 {
            match self.due() {
                Some((_, next)) if next == timer => return self.state() == state,
                Some((at, _)) => self.fire(at),
                None => return false,
            };
            if self.state() != state {
                return false;
            }
        }
        false
    }
}

fn walk<M: Machine>(heading: &str) {
    let rows = rows(heading);
    for Row { state, event, action, next } in &rows {
        let mut machine = M::reach(state);
        assert_eq!(machine.state(), *state, "{heading}: {state} cannot be reached");
        let act = match M::TIMERS.iter().find(|timer| *event == format!("timer {timer:?}")) {
            Some(timer) => {
                assert!(machine.wait_for(*timer), "{heading}: {state} arms no {event}");
                machine.fire(machine.due().unwrap().0)
            }
            None => machine.message(event),
        };
        assert_eq!((word(act), machine.state()), (*action, *next), "{heading}: {state} | {event}");
    }
    let states: BTreeSet<_> = rows.iter().map(|row| row.state).collect();
    for state in states {
        let has = |event: &str| rows.iter().any(|row| row.state == state && row.event == event);
        for event in M::EVENTS {
            assert!(has(event), "{heading}: no row for {state} | {event}");
        }
        for timer in M::TIMERS.iter().filter(|timer| M::reach(state).wait_for(**timer)) {
            assert!(has(&format!("timer {timer:?}")), "{heading}: no row for {state} | timer {timer:?}");
        }
    }
    let reached: BTreeSet<_> = rows.iter().map(|row| row.next).collect();
    assert!(reached.iter().all(|next| rows.iter().any(|row| row.state == *next)), "{heading}: a state without rows");
}

fn expired<M: Machine>(mut machine: M) -> M {
    while let Some((at, _)) = machine.due() {
        machine.fire(at);
    }
    machine
}

impl Machine for InviteClient {
    const EVENTS: &'static [&'static str] = &["1xx", "2xx", "3xx–6xx", "unreachable"];
    const TIMERS: &'static [Timer] = &[Timer::A, Timer::B, Timer::D, Timer::M];

    fn reach(state: &str) -> Self {
        let mut tx = Self::new(Tick(0), &Times::default());
        match state {
            "Proceeding" => tx.message("1xx"),
            "Accepted" => tx.message("2xx"),
            "Completed" => tx.message("3xx–6xx"),
            "Terminated" => return expired(tx),
            _ => Act::Nothing,
        };
        tx
    }

    fn message(&mut self, event: &str) -> Act {
        match event {
            "1xx" => self.on_response(Tick(1), 180),
            "2xx" => self.on_response(Tick(1), 202),
            "3xx–6xx" => self.on_response(Tick(1), 603),
            "unreachable" => self.on_unreachable(),
            _ => panic!("{event}"),
        }
    }

    fn fire(&mut self, at: Tick) -> Act {
        self.on_timeout(at)
    }

    fn due(&self) -> Option<(Tick, Timer)> {
        self.poll_timeout()
    }
}

impl Machine for InviteServer {
    const EVENTS: &'static [&'static str] = &["INVITE", "send 1xx", "send 2xx", "send 3xx–6xx", "ACK"];
    const TIMERS: &'static [Timer] = &[Timer::G, Timer::H, Timer::I, Timer::L];

    fn reach(state: &str) -> Self {
        let mut tx = Self::new(&Times::default());
        let way: &[&str] = match state {
            "Accepted" => &["send 2xx"],
            "Accepted, ACKed" => &["send 2xx", "ACK"],
            "Completed" => &["send 3xx–6xx"],
            "Confirmed" => &["send 3xx–6xx", "ACK"],
            "Terminated" => return expired(Self::reach("Confirmed")),
            _ => &[],
        };
        for event in way {
            tx.message(event);
        }
        tx
    }

    fn message(&mut self, event: &str) -> Act {
        match event {
            "INVITE" => self.on_invite(),
            "send 1xx" => self.respond(Tick(1), 183),
            "send 2xx" => self.respond(Tick(1), 200),
            "send 3xx–6xx" => self.respond(Tick(1), 486),
            "ACK" => self.on_ack(Tick(1)),
            _ => panic!("{event}"),
        }
    }

    fn fire(&mut self, at: Tick) -> Act {
        self.on_timeout(at)
    }

    fn due(&self) -> Option<(Tick, Timer)> {
        self.poll_timeout()
    }
}

impl Machine for RequestClient {
    const EVENTS: &'static [&'static str] = &["1xx", "2xx–6xx"];
    const TIMERS: &'static [Timer] = &[Timer::E, Timer::F, Timer::K];

    fn reach(state: &str) -> Self {
        let mut tx = Self::new(Tick(0), &Times::default());
        match state {
            "Proceeding" => tx.message("1xx"),
            "Completed" => tx.message("2xx–6xx"),
            "Terminated" => return expired(tx),
            _ => Act::Nothing,
        };
        tx
    }

    fn message(&mut self, event: &str) -> Act {
        match event {
            "1xx" => self.on_response(Tick(1), 100),
            "2xx–6xx" => self.on_response(Tick(1), 481),
            _ => panic!("{event}"),
        }
    }

    fn fire(&mut self, at: Tick) -> Act {
        self.on_timeout(at)
    }

    fn due(&self) -> Option<(Tick, Timer)> {
        self.poll_timeout()
    }
}

#[test]
fn the_invite_client_walks_its_table() {
    walk::<InviteClient>("INVITE client");
}

#[test]
fn the_invite_server_walks_its_table() {
    walk::<InviteServer>("INVITE server");
}

#[test]
fn the_request_client_walks_its_table() {
    walk::<RequestClient>("Client of other requests");
}

#[test]
fn the_request_server_walks_its_table() {
    let tx = RequestServer::answered(Tick(0), &Times::default());
    let (end, timer) = tx.poll_timeout();
    assert_eq!(timer, Timer::J);
    let state = |at: Tick| if at < end { "Completed" } else { "Terminated" };
    let before = |state: &str| if state == "Completed" { Tick(end.0 - 1) } else { end };
    let rows = rows("Server of other requests");
    assert_eq!(rows.len(), 3);
    for Row { state: from, event, action, next } in rows {
        let at = before(from);
        let got = match event {
            "request" => (word(tx.on_request(at)), state(at)),
            "timer J" => ("nothing", state(end)),
            _ => panic!("{event}"),
        };
        assert_eq!((state(at), got), (from, (action, next)), "{from} | {event}");
    }
}

/// Leg 1 in this state, with nothing left in the lists, and the INVITE it began with.
fn call_in(state: &str) -> (Solo, Vec<u8>) {
    let mut solo = Solo::calling();
    let invite = solo.sent[0].clone();
    let way: &[&str] = match state {
        "Calling" => &[],
        "Stopping" => &["hang up"],
        "Ringing" => &["180"],
        "Cancelling" => &["180", "hang up"],
        "Talking" => &["2xx"],
        "Refreshing" => &["2xx", "half of the session"],
        "Ending" => &["2xx", "hang up"],
        "Over" => &["3xx–6xx"],
        _ => panic!("{state}"),
    };
    for event in way {
        happen(&mut solo, &invite, event);
        if *event != way[way.len() - 1] {
            solo.clear();
        }
    }
    let keep = solo.sent.clone();
    solo.clear();
    // What later events answer.
    solo.sent = keep;
    (solo, invite)
}

fn happen(solo: &mut Solo, invite: &[u8], event: &str) {
    let timer = format!("{}Session-Expires: 1800;refresher=uac\r\n", contact());
    let reliable = format!("{}Require: 100rel\r\nRSeq: 1\r\n", contact());
    let sdp_type = format!("{}Content-Type: application/sdp\r\n", contact());
    let answer = |status: &str, tag: &str, headers: &str, body: &str| response(invite, status, tag, headers, body);
    match event {
        "100" => solo.feed(answer("100 Trying", "", "", "")),
        "180" => solo.feed(answer("180 Ringing", "b", &contact(), "")),
        "183 with media" => solo.feed(answer("183 Progress", "b", &contact(), SDP)),
        "reliable 183" => solo.feed(answer("183 Progress", "b", &reliable, SDP)),
        "2xx" => solo.feed(answer("200 OK", "b", &timer, SDP)),
        "2xx of another fork" => solo.feed(answer("200 OK", "other", &contact(), SDP)),
        "2xx without media" => solo.feed(answer("200 OK", "b", &contact(), "")),
        "487" => solo.feed(answer("487 Request Terminated", "b", "", "")),
        "3xx–6xx" => solo.feed(answer("603 Decline", "b", "", "")),
        "hang up" => solo.command(Command::Hangup { leg: leg(1) }),
        "unreachable" => solo.handle(Input::Unreachable { to: addr(GW) }),
        "no answer" => solo.wait(LIFE),
        "ring time is over" => solo.wait(SECOND * 30),
        "half of the session" => solo.wait(SECOND * 900),
        "2xx to the re-INVITE" => solo.answer("200 OK", "", &timer, SDP),
        "491 to the re-INVITE" => solo.answer("491 Request Pending", "", "", ""),
        "488 to the re-INVITE" => solo.answer("488 Not Acceptable", "", "", ""),
        "481 to the re-INVITE" => solo.answer("481 Gone", "", "", ""),
        "any answer to BYE" => solo.answer_to("BYE", "503 Busy", "", "", ""),
        "their BYE" => solo.feed(request("BYE", 50, "", "")),
        "their re-INVITE" => solo.feed(request("INVITE", 50, &sdp_type, SDP)),
        "their re-INVITE with other codecs" => {
            solo.feed(request("INVITE", 50, &sdp_type, &SDP.replace("AVP 8", "AVP 18")));
        }
        "their UPDATE with an offer" => solo.feed(request("UPDATE", 50, &sdp_type, SDP)),
        "their INFO with a key" => solo.feed(request("INFO", 50, "Content-Type: application/dtmf\r\n", "5")),
        "their OPTIONS" => solo.feed(request("OPTIONS", 50, "", "")),
        "their REFER" => solo.feed(request("REFER", 50, "Refer-To: <sip:x@y>\r\n", "")),
        _ => panic!("{event}"),
    }
}

/// What was sent since, and what was reported, as the page writes it.
fn action(solo: &Solo, before: usize) -> String {
    let mut sent: Vec<(String, usize)> = Vec::new();
    for line in solo.lines().split_off(before) {
        match sent.last_mut().filter(|(last, _)| *last == line) {
            Some((_, count)) => *count += 1,
            None => sent.push((line, 1)),
        }
    }
    let sent = sent.iter().map(|(line, count)| if *count > 1 { format!("{count} × {line}") } else { line.clone() });
    let sent: Vec<String> = sent.collect();
    let reported = solo.events.iter().map(|event| match ended(event) {
        Some(end) => format!("Ended {:?}", end.cause),
        None => format!("{event:?}").split([' ', '(', '{']).next().unwrap().to_owned(),
    });
    let reported: Vec<String> = reported.collect();
    let sent = if sent.is_empty() { "nothing".to_owned() } else { sent.join(", ") };
    if reported.is_empty() { sent } else { format!("{sent}; {}", reported.join(", ")) }
}

fn state_of(solo: &Solo) -> &'static str {
    let text = format!("{:?}", solo.ua);
    let is = |part: &str| text.contains(part);
    match () {
        () if solo.ua.live_calls() == 0 => "Over",
        () if is("ending: Some") || is("over: true") => "Ending",
        () if is("reinvite: Some") => "Refreshing",
        () if is("stage: Up") => "Talking",
        () if is("cancel: Wanted") => "Stopping",
        () if is("cancel: Sent") => "Cancelling",
        () if is("tx: InviteClient { state: Calling") => "Calling",
        () => "Ringing",
    }
}

#[test]
fn a_call_of_ours_walks_its_table() {
    let rows = rows("A call of ours");
    for Row { state, event, action: wanted, next } in &rows {
        let (mut solo, invite) = call_in(state);
        assert_eq!(state_of(&solo), *state, "{state} cannot be reached");
        let before = solo.sent.len();
        happen(&mut solo, &invite, event);
        assert_eq!((action(&solo, before), state_of(&solo)), ((*wanted).to_owned(), *next), "{state} | {event}");
    }
    let states: BTreeSet<_> = rows.iter().map(|row| row.state).collect();
    assert!(rows.iter().all(|row| states.contains(row.next)));
}

/// `fn name(` somewhere among the tests of this room.
fn tests_of_the_room() -> BTreeSet<String> {
    let sources = [
        include_str!("calling.rs"),
        include_str!("ending.rs"),
        include_str!("in_dialog.rs"),
        include_str!("reliable.rs"),
        include_str!("serving.rs"),
        include_str!("session.rs"),
        include_str!("tables.rs"),
    ];
    let tests = sources.iter().flat_map(|source| source.split("#[test]\nfn ").skip(1));
    tests.filter_map(|test| test.split('(').next()).map(str::to_owned).collect()
}

#[test]
fn every_test_that_the_pages_name_exists() {
    let tests = tests_of_the_room();
    let dialogs = include_str!("../../../docs/sip/dialogs.md");
    let named = [PAGE, dialogs].into_iter().flat_map(|page| page.split('`').skip(1).step_by(2));
    let long: Vec<&str> = named.filter(|name| name.contains('_') && !name.contains(['/', ' '])).collect();
    assert!(long.len() > 40, "{long:?}");
    for name in long {
        assert!(tests.contains(name), "no test is called {name}");
    }
    let rows = dialogs.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    for row in rows {
        assert!(row.contains("| `"), "no test shows it: {row}");
    }
}
