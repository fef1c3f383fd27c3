//! The signing service of one trunk: a POST for each call, as ATIS-1000082 has it, made by a few threads.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use crate::base::{Clock, LegId, Now, Pii, Tick};
use crate::daemon::clock::OsClock;
use crate::daemon::config::IdentityConfig;
use crate::daemon::pump::ToEngine;
use crate::feed::web_tls;
use crate::sip::Identity;

/// Questions at once: at 50 ms each they are enough for 160 calls a second.
const THREADS: usize = 8;
/// Questions that wait for a thread; all of them are late if it is more.
const WAITING: usize = 64;
/// A signature is at most 4 KiB of it.
const ANSWER_BYTES_MAX: u64 = 8_192;

/// Ends when it is dropped: each thread after the question that it is at.
#[derive(Debug)]
pub struct Signer {
    questions: SyncSender<Question>,
    attest: &'static str,
}

/// Of one call.
#[derive(Debug)]
pub struct Call<'a> {
    pub leg: LegId,
    pub hop: u8,
    pub caller_id: &'a str,
    pub number: &'a Pii<String>,
}

#[derive(Debug)]
struct Question {
    leg: LegId,
    hop: u8,
    body: Pii<String>,
    until: Tick,
}

/// What came of a question.
#[derive(Debug)]
pub struct Signed {
    pub leg: LegId,
    pub hop: u8,
    pub identity: Result<Identity, Unsigned>,
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    Refused,
    Late,
    Unreadable,
    Unreachable,
}

impl Unsigned {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Late => "late",
            Self::Unreadable => "unreadable",
            Self::Unreachable => "unreachable",
        }
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Refused => "the signing service refuses to",
            Self::Late => "the signing service gave no answer within `timeout`, or too many calls waited for it",
            Self::Unreadable => "what the signing service answers is not the value of one Identity header (RFC 8224)",
            Self::Unreachable => "the signing service cannot be reached",
        }
    }
}

impl Signer {
    pub fn start(config: &IdentityConfig, clock: &Arc<OsClock>, engine: &SyncSender<ToEngine>) -> anyhow::Result<Self> {
        let agent = agent(&config.signer)?;
        let (questions, inbox) = sync_channel(WAITING);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..THREADS {
            let (agent, url, inbox) = (agent.clone(), config.signer.clone(), Arc::clone(&inbox));
            let (clock, engine) = (Arc::clone(clock), engine.clone());
            let run = move || work(&agent, &url, &inbox, &*clock, &engine);
            std::thread::Builder::new().name("signer".into()).spawn(run)?;
        }
        Ok(Self { questions, attest: config.attest.as_str() })
    }

    /// False if nobody will answer. Never waits.
    pub fn ask(&self, now: Now, call: &Call<'_>, until: Tick) -> bool {
        let body = Pii::new(question(now, self.attest, call).to_string());
        let question = Question { leg: call.leg, hop: call.hop, body, until };
        match self.questions.try_send(question) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// `origid` is the attempt: whoever traces the call back to us names it (RFC 8588 §5).
fn question(now: Now, attest: &str, call: &Call<'_>) -> Value {
    let iat = now.wall.0.div_euclid(1_000_000);
    json!({ "signingRequest": {
        "attest": attest,
        "orig": { "tn": digits(call.caller_id) },
        "dest": { "tn": [digits(call.number.reveal())] },
        "iat": iat,
        "origid": call.leg.0.to_string(),
    } })
}

/// The canonical form of a number (RFC 8224 §8.3).
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

fn work(agent: &Agent, url: &str, inbox: &Mutex<Receiver<Question>>, clock: &dyn Clock, engine: &SyncSender<ToEngine>) {
    loop {
        let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Question { leg, hop, body, until }) = next else { return };
        let left = until.since(clock.now().tick);
        // Nobody waits for it any more.
        if left.is_zero() {
            continue;
        }
        let signed = Signed { leg, hop, identity: post(agent, url, body.reveal(), left) };
        if engine.send(ToEngine::Signed(signed)).is_err() {
            return;
        }
    }
}

fn post(agent: &Agent, url: &str, body: &str, left: Duration) -> Result<Identity, Unsigned> {
    let request = agent.post(url).config().timeout_global(Some(left)).build();
    let answer = request.header("Content-Type", "application/json").send(body).map_err(|error| fault(&error))?;
    if !answer.status().is_success() {
        return Err(Unsigned::Refused);
    }
    let read = answer.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    signature(&read.map_err(|error| fault(&error))?).ok_or(Unsigned::Unreadable)
}

fn fault(error: &ureq::Error) -> Unsigned {
    if matches!(error, ureq::Error::Timeout(_)) {
        return Unsigned::Late;
    }
    if matches!(error, ureq::Error::BodyExceedsLimit(_) | ureq::Error::Http(_) | ureq::Error::Protocol(_)) {
        return Unsigned::Unreadable;
    }
    Unsigned::Unreachable
}

/// Nothing of an answer is believed that could not be one header.
fn signature(answer: &[u8]) -> Option<Identity> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    Identity::parse(answer.pointer("/signingResponse/identity")?.as_str()?)
}

fn agent(url: &str) -> anyhow::Result<Agent> {
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .max_idle_connections_per_host(THREADS)
        .user_agent(concat!("goldenhour/", env!("CARGO_PKG_VERSION")));
    if url.starts_with("https://") {
        config = config.tls_config(web_tls(None)?);
    }
    Ok(config.build().into())
}

#[cfg(test)]
impl Signer {
    /// Takes so many questions, as long as the second value lives, and answers none.
    pub fn mute(questions: usize) -> (Self, impl Sized) {
        let (questions, inbox) = sync_channel(questions);
        (Self { questions, attest: "A" }, inbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AttemptId, Wall};

    #[test]
    fn a_question_names_both_numbers_in_digits_and_the_attempt() {
        let now = Now { wall: Wall::parse("2026-12-01T00:00:00Z").unwrap(), ..Now::default() };
        let number = Pii::new("+999100000002".to_owned());
        let leg = LegId(AttemptId::parse("01939d9f-1c00-7000-8000-000000000001").unwrap());
        let call = Call { leg, hop: 0, caller_id: "+1 999 555 0100", number: &number };
        let wanted = r#"{"signingRequest":{"attest":"A","dest":{"tn":["999100000002"]},"iat":1796083200,"orig":{"tn":"19995550100"},"origid":"01939d9f-1c00-7000-8000-000000000001"}}"#;
        assert_eq!(question(now, "A", &call), serde_json::from_str::<Value>(wanted).unwrap());
    }

    #[test]
    fn what_a_signing_service_answers_is_one_header_or_nothing() {
        let good = "eyJ.eyJ.c2ln;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken";
        let answer = |identity: &str| json!({ "signingResponse": { "identity": identity } }).to_string();
        assert_eq!(signature(answer(good).as_bytes()), Identity::parse(good));
        let (long, deep) = (answer(&"x".repeat(4_097)), "[".repeat(8_000));
        for bad in [
            "",
            "null",
            "eyJ.eyJ.c2ln",
            "{\"signingResponse\":",
            "{\"identity\":\"a\"}",
            "{\"signingResponse\":{\"identity\":[\"a\"]}}",
            "{\"signingResponse\":{\"identity\":1}}",
            "{\"requestError\":{\"serviceException\":{\"messageId\":\"SVC4000\"}}}",
            &answer(""),
            &answer("a\r\nX-Evil: yes"),
            &answer("a\nVia: SIP/2.0/UDP 192.0.2.1"),
            "{\"signingResponse\":{\"identity\":\"a\\u000d\\u000ab\"}}",
            &answer("a\u{0}"),
            &answer("签名"),
            &answer(" a"),
            &answer("a\t;info=<x>"),
            &long,
            &deep,
        ] {
            assert!(signature(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(signature(b"{\"signingResponse\":{\"identity\":\"\xff\"}}").is_none());
    }
}
