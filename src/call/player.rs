//! Plays a flow: prompts, keys, branches. It knows nothing of SIP, only of the leg's words.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::Tick;
use crate::campaign::{Flow, FlowEnd, Key, Promise, Step, StepIx};

use super::{Digit, LegCommand};

/// One run of a flow on one answered leg.
#[derive(Debug)]
pub struct Player {
    flow: Arc<Flow>,
    at: Doing,
    tries: u8,
    keys: String,
    steps_entered: u16,
    out: VecDeque<PlayerOutput>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayerInput {
    /// The callee is on the line: begin.
    Start,
    Digit(Digit),
    PlayDone,
    Referred {
        ok: bool,
    },
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayerOutput {
    Leg(LegCommand),
    /// A step with a disposition was entered: it counts from this moment, whatever happens to the call.
    Noted {
        disposition: String,
        callback: Option<Promise>,
    },
    /// The flow wants this queue's URI; the attempt knows it.
    Transfer {
        queue: String,
    },
    /// A transfer went through: the flow is done and a person has taken over.
    Connected,
    /// A transfer failed and the flow has no word for that.
    Stranded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Idle,
    Playing(StepIx),
    Collecting { step: StepIx, until: Tick },
    Transferring(StepIx),
    Done,
}

impl Player {
    /// A flow may loop ("press 0 to hear this again"); a call may not loop for ever.
    const MAX_STEPS: u16 = 64;

    pub fn new(flow: Arc<Flow>) -> Self {
        Self { flow, at: Doing::Idle, tries: 0, keys: String::new(), steps_entered: 0, out: VecDeque::new() }
    }

    pub fn handle(&mut self, now: Tick, input: PlayerInput) {
        match (self.at, input) {
            (Doing::Idle, PlayerInput::Start) => self.enter(now, self.flow.start),
            (Doing::Playing(step), PlayerInput::PlayDone) => self.heard(now, step),
            (Doing::Playing(step), PlayerInput::Digit(digit)) => {
                // Barge-in, only where somebody waits for a key: otherwise the prompt must be heard.
                if self.step(step).is_some_and(|s| s.collect.is_some()) {
                    self.out.push_back(PlayerOutput::Leg(LegCommand::StopPlay));
                    self.listen(now, step);
                    self.key(now, step, digit);
                }
            }
            (Doing::Collecting { step, .. }, PlayerInput::Digit(digit)) => self.key(now, step, digit),
            (Doing::Collecting { step, until }, PlayerInput::Timeout) if now >= until => self.unanswered(now, step),
            (Doing::Transferring(_), PlayerInput::Referred { ok: true }) => {
                self.at = Doing::Done;
                self.out.push_back(PlayerOutput::Connected);
            }
            (Doing::Transferring(step), PlayerInput::Referred { ok: false }) => self.stranded(now, step),
            // Late reports of what no longer runs, and keys that nobody asked for.
            (
                Doing::Idle | Doing::Playing(_) | Doing::Collecting { .. } | Doing::Transferring(_) | Doing::Done,
                PlayerInput::Start
                | PlayerInput::Digit(_)
                | PlayerInput::PlayDone
                | PlayerInput::Referred { .. }
                | PlayerInput::Timeout,
            ) => {}
        }
    }

    pub fn poll_output(&mut self) -> Option<PlayerOutput> {
        self.out.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Tick> {
        match self.at {
            Doing::Collecting { until, .. } => Some(until),
            Doing::Idle | Doing::Playing(_) | Doing::Transferring(_) | Doing::Done => None,
        }
    }

    fn step(&self, ix: StepIx) -> Option<&Step> {
        self.flow.steps.get(usize::from(ix.0))
    }

    fn enter(&mut self, now: Tick, ix: StepIx) {
        self.steps_entered += 1;
        if self.steps_entered > Self::MAX_STEPS {
            return self.hang_up();
        }
        self.tries = 1;
        let said = self.step(ix).and_then(|step| Some((step.disposition.clone()?, step.callback)));
        if let Some((disposition, callback)) = said {
            self.out.push_back(PlayerOutput::Noted { disposition, callback });
        }
        self.say(now, ix);
    }

    fn say(&mut self, now: Tick, ix: StepIx) {
        match self.step(ix).map(|step| step.play.clone()) {
            None => self.hang_up(),
            Some(None) => self.heard(now, ix),
            Some(Some(prompt)) => {
                self.at = Doing::Playing(ix);
                self.out.push_back(PlayerOutput::Leg(LegCommand::Play(prompt)));
            }
        }
    }

    /// The prompt is over, or there was none.
    fn heard(&mut self, now: Tick, ix: StepIx) {
        let Some(step) = self.step(ix) else { return self.hang_up() };
        if step.collect.is_some() {
            return self.listen(now, ix);
        }
        match &step.then {
            Some(FlowEnd::Transfer { queue }) => {
                let queue = queue.clone();
                self.at = Doing::Transferring(ix);
                self.out.push_back(PlayerOutput::Transfer { queue });
            }
            Some(FlowEnd::Hangup) | None => self.hang_up(),
        }
    }

    fn listen(&mut self, now: Tick, ix: StepIx) {
        let Some(collect) = self.step(ix).and_then(|step| step.collect) else { return self.hang_up() };
        self.keys.clear();
        self.at = Doing::Collecting { step: ix, until: now + collect.timeout };
    }

    fn key(&mut self, now: Tick, ix: StepIx, digit: Digit) {
        let Some(collect) = self.step(ix).and_then(|step| step.collect) else { return self.hang_up() };
        self.keys.push(digit.key());
        if self.keys.len() < usize::from(collect.digits) {
            self.at = Doing::Collecting { step: ix, until: now + collect.timeout };
            return;
        }
        let pressed = Key::Digits(std::mem::take(&mut self.keys));
        match self.branch(ix, &pressed) {
            Some(next) => self.enter(now, next),
            None => self.unanswered(now, ix),
        }
    }

    /// No key in time, or one that leads nowhere: say it again while there are tries, then the timeout's branch.
    fn unanswered(&mut self, now: Tick, ix: StepIx) {
        let tries = self.step(ix).and_then(|step| step.collect).map_or(1, |collect| collect.tries);
        if self.tries < tries {
            self.tries += 1;
            return self.say(now, ix);
        }
        match self.branch(ix, &Key::Timeout) {
            Some(next) => self.enter(now, next),
            None => self.hang_up(),
        }
    }

    fn stranded(&mut self, now: Tick, ix: StepIx) {
        if let Some(next) = self.branch(ix, &Key::Failed) {
            self.enter(now, next);
        } else {
            self.out.push_back(PlayerOutput::Stranded);
            self.hang_up();
        }
    }

    fn branch(&self, ix: StepIx, key: &Key) -> Option<StepIx> {
        self.step(ix).and_then(|step| step.on.get(key).copied())
    }

    fn hang_up(&mut self) {
        self.at = Doing::Done;
        self.out.push_back(PlayerOutput::Leg(LegCommand::Hangup));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::campaign::{Collect, Prompt};

    fn prompt(name: &str) -> Prompt {
        Prompt { path: name.into(), pcm: vec![0; 8_000].into() }
    }

    fn step(name: &str) -> Step {
        Step {
            name: name.into(),
            play: None,
            disposition: None,
            callback: None,
            collect: None,
            on: BTreeMap::new(),
            then: None,
        }
    }

    /// hello: plays, one key of {1, 9}, 5 s, twice; accept and opt_out say and end; queue transfers.
    fn flow() -> Arc<Flow> {
        let on = BTreeMap::from([
            (Key::Digits("1".into()), StepIx(1)),
            (Key::Digits("9".into()), StepIx(2)),
            (Key::Digits("2".into()), StepIx(3)),
        ]);
        let collect = Some(Collect { digits: 1, timeout: Duration::from_secs(5), tries: 2 });
        Arc::new(Flow {
            start: StepIx(0),
            steps: vec![
                Step { play: Some(prompt("hello")), collect, on, ..step("hello") },
                Step { play: Some(prompt("thanks")), disposition: Some("accepted".into()), ..step("accept") },
                Step { disposition: Some("do_not_call".into()), ..step("opt_out") },
                Step { then: Some(FlowEnd::Transfer { queue: "sales".into() }), ..step("queue") },
            ],
        })
    }

    fn drain(player: &mut Player) -> Vec<String> {
        std::iter::from_fn(|| player.poll_output())
            .map(|output| match output {
                PlayerOutput::Leg(LegCommand::Play(prompt)) => format!("play {}", prompt.path),
                PlayerOutput::Leg(LegCommand::StopPlay) => "stop".into(),
                PlayerOutput::Leg(LegCommand::Hangup) => "hangup".into(),
                PlayerOutput::Leg(other) => format!("{other:?}"),
                PlayerOutput::Noted { disposition, .. } => format!("noted {disposition}"),
                PlayerOutput::Transfer { queue } => format!("transfer {queue}"),
                PlayerOutput::Connected => "connected".into(),
                PlayerOutput::Stranded => "stranded".into(),
            })
            .collect()
    }

    fn digit(key: char) -> PlayerInput {
        PlayerInput::Digit(Digit::new(key).unwrap())
    }

    const SECOND: Tick = Tick(1_000_000);

    #[test]
    fn a_key_during_the_prompt_cuts_it_short_and_branches() {
        let mut player = Player::new(flow());
        player.handle(Tick(0), PlayerInput::Start);
        player.handle(SECOND, digit('1'));
        assert_eq!(drain(&mut player), ["play hello", "stop", "noted accepted", "play thanks"]);
        player.handle(SECOND, PlayerInput::PlayDone);
        assert_eq!(drain(&mut player), ["hangup"]);
    }

    #[test]
    fn the_prompt_is_said_again_after_a_timeout_and_then_the_call_ends() {
        let mut player = Player::new(flow());
        player.handle(Tick(0), PlayerInput::Start);
        player.handle(SECOND, PlayerInput::PlayDone);
        let until = player.poll_timeout().unwrap();
        assert_eq!(until, Tick(6_000_000));
        player.handle(Tick(5_999_999), PlayerInput::Timeout);
        assert_eq!(drain(&mut player), ["play hello"], "not a microsecond early");
        player.handle(until, PlayerInput::Timeout);
        player.handle(until, PlayerInput::PlayDone);
        let until = player.poll_timeout().unwrap();
        player.handle(until, PlayerInput::Timeout);
        assert_eq!(drain(&mut player), ["play hello", "hangup"]);
    }

    #[test]
    fn a_key_that_leads_nowhere_uses_up_a_try() {
        let mut player = Player::new(flow());
        player.handle(Tick(0), PlayerInput::Start);
        player.handle(SECOND, digit('7'));
        player.handle(SECOND, digit('7'));
        assert_eq!(drain(&mut player), ["play hello", "stop", "play hello", "stop", "hangup"]);
    }

    #[test]
    fn opting_out_counts_before_anything_else_happens() {
        let mut player = Player::new(flow());
        player.handle(Tick(0), PlayerInput::Start);
        player.handle(SECOND, digit('9'));
        assert_eq!(drain(&mut player), ["play hello", "stop", "noted do_not_call", "hangup"]);
    }

    #[test]
    fn a_transfer_ends_connected_or_stranded() {
        for (ok, last) in [(true, vec!["connected"]), (false, vec!["stranded", "hangup"])] {
            let mut player = Player::new(flow());
            player.handle(Tick(0), PlayerInput::Start);
            player.handle(SECOND, digit('2'));
            assert_eq!(drain(&mut player), ["play hello", "stop", "transfer sales"]);
            player.handle(SECOND, PlayerInput::Referred { ok });
            assert_eq!(drain(&mut player), last);
        }
    }

    #[test]
    fn a_flow_that_goes_in_circles_hangs_up() {
        let on = BTreeMap::from([(Key::Timeout, StepIx(0))]);
        let collect = Some(Collect { digits: 1, timeout: Duration::from_secs(1), tries: 1 });
        let mut player =
            Player::new(Arc::new(Flow { start: StepIx(0), steps: vec![Step { collect, on, ..step("loop") }] }));
        player.handle(Tick(0), PlayerInput::Start);
        let mut rounds = 0;
        while let Some(until) = player.poll_timeout() {
            player.handle(until, PlayerInput::Timeout);
            rounds += 1;
        }
        assert_eq!((rounds, drain(&mut player)), (u32::from(Player::MAX_STEPS), vec!["hangup".to_owned()]));
    }
}
