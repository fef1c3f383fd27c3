//! How easily each person is reached: drawn by chance, and for those who were dialled before, as their dials have shown.

use std::collections::HashMap;

use crate::base::{ContactId, Rng};
use crate::contact::CallResult;
use crate::engine::LedgerPage;
use crate::gate::Ledger;
use crate::rank::{logistic, logit};

/// Dials before the rehearsal, of any campaign, that tell something of the person.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    answered: u16,
    in_vain: u16,
}

#[derive(Debug)]
pub(super) struct Ease {
    tried: HashMap<ContactId, Tried>,
}

impl Ease {
    /// Standard deviation of a contact's own logit around its segment's. With it the second attempt succeeds less often
    /// than the first, because who answers easily has answered.
    const SPREAD: f64 = 0.8;
    /// A logit that varies so much flattens the mean; this keeps the mean of the first attempts at the segment's rate
    /// (Zeger, Liang and Albert 1988, Biometrics 44: c² = (16√3 / 15π)²).
    const STEEPER: f64 = 1.105_1;
    /// What past dials are held against, as the answer model does; the outcome hardly depends on it.
    const TYPICAL: f64 = 0.25;
    /// People of whom one is taken, the likelier the better they fit what is known (sampling-importance resampling: Rubin 1988,
    /// Bayesian Statistics 3).
    const CANDIDATES: usize = 16;

    pub(super) fn of(ledgers: &LedgerPage) -> Self {
        let tried = ledgers.contacts.iter().map(|(contact, ledger)| (*contact, Tried::of(ledger)));
        Self { tried: tried.filter(|(_, tried)| tried.answered + tried.in_vain > 0).collect() }
    }

    /// The chance that this person answers where the segment does with `p`. The same `own` draws the same person.
    pub(super) fn p_answer(&self, contact: ContactId, p: f64, own: &mut Rng) -> f64 {
        let ease = match self.tried.get(&contact) {
            None => Self::SPREAD * own.normal(),
            Some(tried) => tried.draw(own),
        };
        Self::shifted(p, ease)
    }

    fn shifted(p: f64, ease: f64) -> f64 {
        logistic(Self::STEEPER * logit(p) + ease)
    }
}

impl Tried {
    fn of(ledger: &Ledger) -> Self {
        let results = ledger.dials.iter().filter_map(|dial| dial.result);
        results.fold(Self::default(), |tried, result| Self {
            answered: tried.answered + u16::from(result == CallResult::Answered),
            in_vain: tried.in_vain + u16::from(result.nobody_came()),
        })
    }

    fn draw(self, own: &mut Rng) -> f64 {
        let candidates: [f64; Ease::CANDIDATES] = std::array::from_fn(|_| Ease::SPREAD * own.normal());
        let likely = candidates.map(|ease| {
            let p = Ease::shifted(Ease::TYPICAL, ease);
            p.powi(i32::from(self.answered)) * (1.0 - p).powi(i32::from(self.in_vain))
        });
        let mut left = own.f64() * likely.iter().sum::<f64>();
        let mut taken = 0.0;
        for (ease, weight) in candidates.into_iter().zip(likely) {
            taken = ease;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{AttemptId, CampaignIx, PhoneId, Wall};
    use crate::gate::PastDial;

    /// Mean chance of an answer among people who all have these dials behind them, where their segment answers with 25 %.
    fn mean_after(results: &[CallResult]) -> f64 {
        let mut ledger = Ledger::default();
        for (nth, result) in (0..).zip(results) {
            ledger.note(PastDial {
                attempt: AttemptId(nth),
                at: Wall(i64::try_from(nth).unwrap()),
                campaign: CampaignIx(0),
                phone: PhoneId(1),
                result: Some(*result),
                contact: false,
                free: false,
                callback: false,
            });
        }
        let people = (1..=4_000).map(ContactId);
        let page =
            LedgerPage { contacts: people.clone().map(|one| (one, ledger.clone())).collect(), phones: Vec::new() };
        let ease = Ease::of(&page);
        people.map(|one| ease.p_answer(one, 0.25, &mut Rng::seeded(one.0.into()))).sum::<f64>() / 4_000.0
    }

    #[test]
    fn strangers_answer_as_their_segment_does() {
        let mean = mean_after(&[]);
        assert!((mean - 0.25).abs() < 0.01, "{mean}");
    }

    #[test]
    fn who_never_came_to_the_phone_is_harder_to_reach_and_who_answered_easier() {
        let [two, five] = [2, 5].map(|dials| mean_after(&vec![CallResult::NoAnswer; dials]));
        assert!(five < two - 0.02 && two < 0.23, "{five} {two}");
        let answered = mean_after(&[CallResult::Answered, CallResult::NoAnswer]);
        assert!(answered > 0.26, "{answered}");
    }

    #[test]
    fn busy_lines_and_failures_of_ours_say_nothing_of_a_person() {
        let mean = mean_after(&[CallResult::Busy, CallResult::NetworkFailure, CallResult::UnknownCounted]);
        assert!((mean - mean_after(&[])).abs() < 1e-12, "{mean}");
    }
}
