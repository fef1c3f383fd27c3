//! baresip as the one who is called: a phone with an RTP stack that is not ours.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use goldenhour::base::LegId;
use goldenhour::call::{Digit, LegCommand, LegEnd, LegEvent, ReleaseSide};
use goldenhour::campaign::Prompt;
use goldenhour::contact::CallResult;
use goldenhour::line::LineTrunk;
use goldenhour::wire::{Direction, Streams};

use crate::kamailio::Running;
use crate::ports::free_address;
use crate::scenario::free_ports;
use crate::wire_sipp::{HUNG_UP, Rig, is_end};

const FRAME: Duration = Duration::from_millis(20);

#[test]
fn it_answers_and_each_side_hears_the_other_in_a_law() {
    let mut phone = Baresip::start("auto");
    let (mut rig, leg) = phone.talks();
    rig.order(leg, LegCommand::Play(second()), None);
    assert_eq!(rig.until(|event| *event == LegEvent::PlayDone), [LegEvent::PlayDone]);
    let counts = rig.counts();
    let (sent, received) = (counts.rtp(Direction::Out), counts.rtp(Direction::In));
    assert!(sent == 50 && received >= 40, "{sent} sent, {received} received");
    let state = phone.ask("audio_debug", None);
    assert!(state.contains("encode: PCMA 8000Hz") && state.contains("decode: PCMA 8000Hz"), "{state}");
    assert!(state.contains("pt_enc=8"), "{state}");
    hang_up(&mut rig, leg);
    phone.hears("CALL_CLOSED");
}

#[test]
fn it_hangs_up_and_we_know_who_did() {
    let mut phone = Baresip::start("auto");
    let (rig, _) = phone.talks();
    phone.ask("hangup", None);
    let theirs = LegEnd {
        unanswered: None,
        sip_status: Some(200),
        q850: None,
        by: ReleaseSide::Them,
        media: None,
        unheard: false,
    };
    assert_eq!(rig.until(is_end), [LegEvent::Ended(theirs)]);
}

#[test]
fn its_keys_arrive_once_each_and_in_order() {
    let mut phone = Baresip::start("auto");
    let (mut rig, leg) = phone.talks();
    for key in ['5', '#', '9'] {
        phone.ask("sndcode", Some(key));
        assert_eq!(rig.until(|_| true), [LegEvent::Digit(Digit::new(key).unwrap())]);
    }
    assert!(rig.pause(10 * FRAME), "a key was pressed twice");
    hang_up(&mut rig, leg);
}

#[test]
fn while_it_holds_nothing_is_played_to_it_and_then_the_call_goes_on() {
    let mut phone = Baresip::start("auto");
    let (mut rig, leg) = phone.talks();
    rig.order(leg, LegCommand::Play(Prompt { path: "minute.wav".into(), pcm: vec![1_000; 480_000].into() }), None);
    let counts = rig.counts();
    let flows = |wanted: bool| {
        // A packet may be under way when the hold is answered.
        (0..100).any(|_| {
            let before = counts.rtp(Direction::Out);
            assert!(rig.pause(5 * FRAME), "nothing was to be reported");
            (counts.rtp(Direction::Out) > before) == wanted
        })
    };
    assert!(flows(true), "the prompt never began");
    phone.ask("hold", None);
    assert!(flows(false), "we play to a phone on hold");
    let held = counts.rtp(Direction::Out);
    assert!(rig.pause(10 * FRAME) && counts.rtp(Direction::Out) == held);
    phone.ask("resume", None);
    assert!(flows(true), "the prompt does not go on");
    hang_up(&mut rig, leg);
}

#[test]
fn it_rejects_and_that_is_busy() {
    let mut phone = Baresip::start("manual");
    let mut rig = phone.line();
    rig.dial();
    rig.until(|event| *event == LegEvent::Ringing);
    phone.ask("hangup", None);
    let said = rig.until(is_end);
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.sip_status, end.unanswered), (Some(486), Some(CallResult::Busy)));
}

#[test]
fn called_off_while_it_rings_it_stops_to_ring() {
    let mut phone = Baresip::start("manual");
    let mut rig = phone.line();
    let leg = rig.dial();
    rig.until(|event| *event == LegEvent::Ringing);
    rig.order(leg, LegCommand::Hangup, None);
    let said = rig.until(is_end);
    let Some(LegEvent::Ended(end)) = said.last() else { panic!("{said:?}") };
    assert_eq!((end.sip_status, end.unanswered), (Some(487), Some(CallResult::Cancelled)));
    phone.hears("CALL_CLOSED");
}

pub(crate) fn second() -> Prompt {
    Prompt { path: "second.wav".into(), pcm: vec![1_000; 8_000].into() }
}

pub(crate) fn hang_up(rig: &mut Rig, leg: LegId) {
    rig.order(leg, LegCommand::Hangup, None);
    assert_eq!(rig.until(is_end), [HUNG_UP]);
}

pub(crate) struct Baresip {
    sip: SocketAddr,
    control: TcpStream,
    /// What its control connection has said so far.
    said: String,
    _running: Running,
    _home: tempfile::TempDir,
}

impl Baresip {
    /// `answers`: by itself (`auto`) or not (`manual`).
    fn start(answers: &str) -> Self {
        Self::with(&format!("answermode={answers}"))
    }

    /// `settings`: parameters of its account.
    pub(crate) fn with(settings: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (sip, control) = (free_pair(), free_address());
        let sound = home.path().join("minute.wav");
        write_tone(&sound);
        let (first, last) = free_ports();
        let config = include_str!("../fixtures/baresip/config")
            .replace("@MODULES@", modules())
            .replace("@SIP@", &sip.to_string())
            .replace("@CONTROL@", &control.to_string())
            .replace("@RTP@", &format!("{first}-{last}"))
            .replace("@SOUND@", sound.to_str().unwrap());
        let account = format!("<sip:+999100000042@{sip}>;regint=0;{settings};audio_codecs=pcma/8000/1\n");
        for (name, text) in [("config", &config), ("accounts", &account), ("contacts", &String::new())] {
            fs::write(home.path().join(name), text).unwrap();
        }
        let mut program = Command::new("baresip");
        program.arg("-4").arg("-f").arg(home.path());
        let running = Running::start(program, control, "baresip-core");
        let control = TcpStream::connect(control).unwrap();
        control.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { sip, control, said: String::new(), _running: running, _home: home }
    }

    fn line(&self) -> Rig {
        Self::line_over(LineTrunk::new(self.sip))
    }

    /// With a trunk that calls by SRTP or not at all.
    pub(crate) fn secure_line(&self) -> Rig {
        Self::line_over(LineTrunk { srtp: true, ..LineTrunk::new(self.sip) })
    }

    fn line_over(trunk: LineTrunk) -> Rig {
        Rig::over(trunk, Streams::default(), free_ports())
    }

    /// With a call that it has answered.
    fn talks(&mut self) -> (Rig, LegId) {
        let mut rig = self.line();
        let leg = rig.dial();
        let said = rig.until(|event| *event == LegEvent::Answered || is_end(event));
        assert_eq!(said, [LegEvent::Sent, LegEvent::Ringing, LegEvent::Answered]);
        self.hears("CALL_ESTABLISHED");
        (rig, leg)
    }

    /// A command of its menu, as a netstring, and what it says to that.
    pub(crate) fn ask(&mut self, command: &str, parameter: Option<char>) -> String {
        self.said.clear();
        let parameter = parameter.map(|text| format!(",\"params\":\"{text}\"")).unwrap_or_default();
        let json = format!("{{\"command\":\"{command}\"{parameter}}}");
        self.control.write_all(format!("{}:{json},", json.len()).as_bytes()).unwrap();
        self.hears("\"response\":true");
        self.said.clone()
    }

    /// Reads until it has said this; its connection has a time limit.
    pub(crate) fn hears(&mut self, what: &str) {
        let mut buffer = [0; 4_096];
        while !self.said.contains(what) {
            let read =
                self.control.read(&mut buffer).unwrap_or_else(|error| panic!("no {what} ({error}): {}", self.said));
            assert!(read > 0, "baresip is gone: {}", self.said);
            self.said += &String::from_utf8_lossy(&buffer[..read]);
        }
    }
}

/// Where Debian puts them.
fn modules() -> &'static str {
    ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"]
        .into_iter()
        .find(|path| Path::new(path).is_dir())
        .unwrap_or_else(|| panic!("baresip has no modules: apt-get install baresip-core"))
}

/// It takes the next port for TLS.
fn free_pair() -> SocketAddr {
    let pairs = (0..50).map(|_| free_address()).filter(|addr| addr.port() < u16::MAX);
    let free = |addr: SocketAddr| UdpSocket::bind(addr).is_ok() && TcpListener::bind(addr).is_ok();
    pairs.into_iter().find(|addr| free(*addr) && free(SocketAddr::new(addr.ip(), addr.port() + 1))).unwrap()
}

/// A minute, because it hangs up at the end of what it plays.
fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..480_000u32 {
        file.write_sample(if n % 8 < 4 { 4_000i16 } else { -4_000 }).unwrap();
    }
    file.finalize().unwrap();
}
