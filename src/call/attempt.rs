//! One attempt's life on the line: dial, ring, answer, flow or transfer, end. What it meant is the engine's to say.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{AttemptId, Now, Tick, Wall};
use crate::campaign::{Campaign, Flow, FlowEnd, Promise, Step, StepIx};
use crate::contact::{CallResult, Then};

use super::player::{Player, PlayerInput, PlayerOutput};
use super::{Dial, LegCommand, LegEnd, LegEvent, MediaQuality, NotSent, ReleaseSide};

/// From the permit to the end. Feed it leg events; drain it after each.
#[derive(Debug)]
pub struct Attempt {
    id: AttemptId,
    campaign: Arc<Campaign>,
    at: Phase,
    /// Not before the answer: a dialler has ten times as many attempts that ring than that talk.
    player: Option<Box<Player>>,
    progress: Progress,
    give_up_at: Option<Tick>,
    cancelled: bool,
    abandoned: bool,
    out: VecDeque<AttemptOutput>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptInput {
    Leg(LegEvent),
    /// The engine wants it to end while it rings: closing time, a late do-not-call, shutdown. An answered call goes on.
    Cancel,
    /// It has to end whatever it does.
    HangUp,
    Timeout,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutput {
    Leg(LegCommand),
    /// A disposition counts from now on; a do-not-call in it must be in force before the call is over.
    Noted(Arc<str>),
    /// REFER to this queue; the engine knows its URI and answers by [`Attempt::refer`].
    Transfer {
        queue: String,
    },
    /// Last of all.
    Finished(Finished),
}

/// What the engine writes into the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub result: CallResult,
    /// For a void attempt: why nothing went out.
    pub not_sent: Option<NotSent>,
    pub progress: Progress,
    pub sip_status: Option<u16>,
    pub q850: Option<u8>,
    pub by: ReleaseSide,
    pub media: Option<Box<MediaQuality>>,
}

/// Wall times and facts collected on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub sent: Option<Wall>,
    pub ringing: Option<Wall>,
    pub answered: Option<Wall>,
    pub connected: Option<Wall>,
    pub ended: Option<Wall>,
    pub digits: String,
    pub disposition: Option<Arc<str>>,
    /// Said with the disposition; it counts where that one asks for a callback.
    pub callback: Option<Promise>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Dialling,
    Ringing,
    InCall,
    /// We have asked for the end and wait for it.
    Ending,
    Finished,
}

impl Attempt {
    /// More keys than any flow asks for; the rest of a stuck key is not evidence of anything.
    const MAX_DIGITS: usize = 32;

    pub fn dial(id: AttemptId, campaign: Arc<Campaign>, dial: Dial) -> Self {
        let out = VecDeque::from([AttemptOutput::Leg(LegCommand::Dial(dial))]);
        Self {
            id,
            campaign,
            at: Phase::Dialling,
            player: None,
            progress: Progress::default(),
            give_up_at: None,
            cancelled: false,
            abandoned: false,
            out,
        }
    }

    pub fn id(&self) -> AttemptId {
        self.id
    }

    pub fn campaign(&self) -> &Arc<Campaign> {
        &self.campaign
    }

    pub fn is_answered(&self) -> bool {
        self.answered_at().is_some()
    }

    pub fn answered_at(&self) -> Option<Wall> {
        self.progress.answered
    }

    /// We have asked for its end.
    pub fn is_ending(&self) -> bool {
        matches!(self.at, Phase::Ending | Phase::Finished)
    }

    pub fn handle(&mut self, now: Now, input: AttemptInput) {
        if self.at == Phase::Finished {
            return;
        }
        match input {
            AttemptInput::Leg(event) => self.on_leg(now, event),
            AttemptInput::Cancel => self.cancel(),
            AttemptInput::HangUp => self.hang_up(),
            AttemptInput::Timeout => self.on_timeout(now),
        }
    }

    /// The URI of the queue asked for by [`AttemptOutput::Transfer`]; `None` if there is no such queue (any more).
    pub fn refer(&mut self, now: Now, target: Option<String>) {
        match target {
            Some(target) => self.out.push_back(AttemptOutput::Leg(LegCommand::Refer { target })),
            None => self.play(now, PlayerInput::Referred { ok: false }),
        }
    }

    pub fn poll_output(&mut self) -> Option<AttemptOutput> {
        self.out.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Tick> {
        let player = self.player.as_ref().and_then(|player| player.poll_timeout());
        [player, self.give_up_at].into_iter().flatten().min()
    }

    fn on_leg(&mut self, now: Now, event: LegEvent) {
        match event {
            LegEvent::Sent => self.progress.sent = Some(now.wall),
            LegEvent::NotSent(why) => self.finish_unsent(now, why),
            LegEvent::Ringing | LegEvent::EarlyMedia => {
                self.progress.ringing.get_or_insert(now.wall);
                if self.at == Phase::Dialling {
                    self.at = Phase::Ringing;
                }
            }
            LegEvent::Answered => self.answered(now),
            LegEvent::Digit(digit) => {
                if self.progress.digits.len() < Self::MAX_DIGITS {
                    self.progress.digits.push(digit.key());
                }
                self.play(now, PlayerInput::Digit(digit));
            }
            LegEvent::PlayDone => self.play(now, PlayerInput::PlayDone),
            LegEvent::Referred { ok } => {
                if ok {
                    self.progress.connected.get_or_insert(now.wall);
                }
                self.play(now, PlayerInput::Referred { ok });
            }
            // One-way audio or a dead peer: nobody hears our prompts, so we do not keep the line.
            LegEvent::Silent => self.hang_up(),
            LegEvent::Ended(end) => self.finish(now, end),
        }
    }

    fn answered(&mut self, now: Now) {
        if self.progress.answered.is_some() {
            return;
        }
        self.progress.answered = Some(now.wall);
        if self.at == Phase::Ending {
            // CANCEL and 200 crossed: the line has sent BYE already.
            return;
        }
        self.at = Phase::InCall;
        self.give_up_at = Some(now.tick + self.campaign.pacing.max_call_duration);
        self.player = Some(Box::new(Player::new(self.flow())));
        self.play(now, PlayerInput::Start);
    }

    /// The campaign's flow, or the shortest one: straight to the agents' queue.
    fn flow(&self) -> Arc<Flow> {
        if let Some(flow) = &self.campaign.flow {
            return Arc::clone(flow);
        }
        let then = self.campaign.agents.as_ref().map(|agents| FlowEnd::Transfer { queue: agents.queue.clone() });
        let step = Step {
            name: "queue".into(),
            play: None,
            disposition: None,
            callback: None,
            collect: None,
            on: std::collections::BTreeMap::new(),
            then,
        };
        Arc::new(Flow { start: StepIx(0), steps: vec![step] })
    }

    fn play(&mut self, now: Now, input: PlayerInput) {
        let Some(mut player) = self.player.take() else { return };
        player.handle(now.tick, input);
        while let Some(output) = player.poll_output() {
            match output {
                PlayerOutput::Leg(LegCommand::Hangup) | PlayerOutput::Connected => self.hang_up(),
                PlayerOutput::Leg(command) => self.out.push_back(AttemptOutput::Leg(command)),
                PlayerOutput::Noted { disposition, callback } => self.note(&disposition, callback),
                PlayerOutput::Transfer { queue } => self.out.push_back(AttemptOutput::Transfer { queue }),
                PlayerOutput::Stranded => self.abandoned = true,
            }
        }
        self.player = Some(player);
    }

    /// The last one noted stands, except that nothing overrules a do-not-call.
    fn note(&mut self, name: &str, callback: Option<Promise>) {
        let name: Arc<str> = name.into();
        self.out.push_back(AttemptOutput::Noted(Arc::clone(&name)));
        if !self.progress.disposition.as_deref().is_some_and(|noted| self.is_dnc(noted)) {
            self.progress.disposition = Some(name);
            self.progress.callback = callback;
        }
    }

    fn is_dnc(&self, disposition: &str) -> bool {
        let meaning = self.campaign.dispositions.get(disposition);
        meaning.is_some_and(|m| m.then.iter().any(|then| matches!(then, Then::DncCustomer | Then::DncPhone)))
    }

    fn cancel(&mut self) {
        if matches!(self.at, Phase::Dialling | Phase::Ringing) {
            self.cancelled = true;
            self.hang_up();
        }
    }

    fn on_timeout(&mut self, now: Now) {
        if self.give_up_at.is_some_and(|at| now.tick >= at) {
            self.give_up_at = None;
            return self.hang_up();
        }
        self.play(now, PlayerInput::Timeout);
    }

    fn hang_up(&mut self) {
        if matches!(self.at, Phase::Ending | Phase::Finished) {
            return;
        }
        self.at = Phase::Ending;
        self.give_up_at = None;
        self.out.push_back(AttemptOutput::Leg(LegCommand::Hangup));
    }

    fn finish_unsent(&mut self, now: Now, why: NotSent) {
        self.progress.ended = Some(now.wall);
        self.out_finished(Finished {
            result: CallResult::Void,
            not_sent: Some(why),
            progress: Progress::default(),
            sip_status: None,
            q850: None,
            by: ReleaseSide::Nobody,
            media: None,
        });
    }

    fn finish(&mut self, now: Now, end: LegEnd) {
        self.progress.ended = Some(now.wall);
        let result = match (self.progress.answered, end.unanswered) {
            (Some(_), _) if self.abandoned => CallResult::Abandoned,
            (Some(_), _) => CallResult::Answered,
            (None, _) if self.cancelled => CallResult::Cancelled,
            (None, Some(result)) => result,
            (None, None) => CallResult::NetworkFailure,
        };
        let progress = std::mem::take(&mut self.progress);
        self.out_finished(Finished {
            result,
            not_sent: None,
            progress,
            sip_status: end.sip_status,
            q850: end.q850,
            by: end.by,
            media: end.media,
        });
    }

    fn out_finished(&mut self, finished: Finished) {
        self.at = Phase::Finished;
        self.give_up_at = None;
        self.player = None;
        self.out.push_back(AttemptOutput::Finished(finished));
    }
}
