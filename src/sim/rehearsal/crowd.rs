//! Who picks up, and what they think of it: drawn from the seed, the contact and the attempt.
//!
//! A rehearsal knows three things about people: how often a segment answers in a slot, that some answer more easily than
//! others, and the chance that the right person says yes once they are reached, which is the score unless somebody knows
//! better. The rest is [`Population`]'s.

use crate::base::Rng;
use crate::campaign::Campaign;
use crate::engine::{Intent, LedgerPage};
use crate::rank::{AnswerModel, Past, Slot};
use crate::sim::population::{Behaviour, Kind, Person, Population, mix};

use super::ease::Ease;
use super::flow_keys::FlowKeys;

/// What whoever picks up will say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    Yes,
    No,
    /// The right person, who decides nothing.
    Undecided,
    /// Somebody else.
    Stranger,
    /// Nobody: an answering machine.
    Machine,
}

#[derive(Debug)]
pub struct Crowd {
    people: Population,
    keys: FlowKeys,
    has_flow: bool,
    ease: Ease,
    seed: u64,
}

impl Crowd {
    /// Of those who pick up.
    pub const RIGHT_PARTY: f64 = 0.9;
    /// Of the right people who do not say yes.
    pub const SAYS_NO: f64 = 0.35;

    pub fn new(campaign: &Campaign, ledgers: &LedgerPage, seed: u64) -> Self {
        let people = Population { seed, ..Population::default() };
        Self { people, keys: FlowKeys::of(campaign), has_flow: campaign.flow.is_some(), ease: Ease::of(ledgers), seed }
    }

    /// For the carrier, which plays what is drawn here.
    pub fn people(&self) -> Population {
        self.people.clone()
    }

    /// `yes` is the chance that the right person says so.
    pub fn pick_up(&self, intent: &Intent, answers: &AnswerModel, yes: f64) -> (Behaviour, Stance) {
        let context = &intent.context;
        let ordinal = u32::from(context.attempt_no);
        let slot = Slot::new(context.slot_weekday, u16::from(context.slot_half_hour) * Slot::MINUTES);
        let mut own = Rng::seeded(mix(self.seed, u64::from(intent.contact.0), u64::MAX));
        let p = f64::from(answers.p_answer(context.segment, slot, Past::default()));
        let p = self.ease.p_answer(intent.contact, p, &mut own);
        let stance = self.stance(&mut own, intent, yes);
        let number = u64::from(intent.phone.0);
        let behaviour = self.people.behaviour_of(number, ordinal, |_| p, |rng| self.person(rng, stance));
        match behaviour.kind {
            Kind::Machine { .. } => (behaviour, Stance::Machine),
            Kind::Person(_)
            | Kind::Busy
            | Kind::Rejected
            | Kind::NoAnswer
            | Kind::Vacant
            | Kind::Suspended
            | Kind::PoweredOff
            | Kind::NotReachable
            | Kind::Congestion => (behaviour, stance),
        }
    }

    /// The same person thinks the same of it at every attempt; who picks up may be another one.
    fn stance(&self, own: &mut Rng, intent: &Intent, yes: f64) -> Stance {
        let (yes, no) = (own.chance(yes), own.chance(Self::SAYS_NO));
        let attempt = u64::from(intent.context.attempt_no) | 1 << 32;
        let mut now = Rng::seeded(mix(self.seed, u64::from(intent.contact.0), attempt));
        match (now.chance(Self::RIGHT_PARTY), yes, no) {
            (false, ..) => Stance::Stranger,
            (true, true, _) => Stance::Yes,
            (true, false, true) => Stance::No,
            (true, false, false) => Stance::Undecided,
        }
    }

    fn person(&self, rng: &mut Rng, stance: Stance) -> Person {
        if !self.has_flow {
            // Straight to the agents: how long they wait there is the desk's to know.
            return Person { keys: Vec::new(), patience_ms: u32::MAX };
        }
        let pressed = match stance {
            Stance::Yes => self.keys.yes.as_ref(),
            Stance::No => self.keys.no.as_ref(),
            Stance::Undecided | Stance::Stranger | Stance::Machine => None,
        };
        let keys: Vec<(u32, char)> =
            pressed.into_iter().flatten().map(|key| (self.people.listens(rng), *key)).collect();
        let listens = keys.iter().map(|(after, _)| *after).sum::<u32>().max(self.people.listens(rng));
        let stays = pressed.is_some();
        Person { patience_ms: if stays { u32::MAX } else { self.people.patience(rng, listens) }, keys }
    }
}
