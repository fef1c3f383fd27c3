//! `experiment:`, one way of calling against another, and against not calling.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::base::{Share, Split};

/// `decide: { method: sequential }` and `split_by: customer_id` are the only ones there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    pub id: Arc<str>,
    /// Sorted by name, so that the order of the file moves nobody. One of them is [`Experiment::CHAMPION`].
    pub arms: Vec<Arm>,
    /// A disposition of the campaign.
    pub success: String,
    pub alpha: Share,
    pub min_contacts_per_arm: u32,
    /// `stop_if: { complaint_rate_above }`
    pub complaint_rate_above: Option<Share>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    pub name: Arc<str>,
    pub share: Share,
    /// `call: never`: the campaign calls nobody in it.
    pub held_out: bool,
    /// What agents say, in place of the campaign's `script`.
    pub script: Option<Arc<str>>,
}

/// Position among the arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArmIx(pub u8);

/// An arm of one customer in ten thousand is found in so many, as good as surely.
const LOOKS: u64 = 200_000;

impl Experiment {
    pub const CHAMPION: &'static str = "champion";
    /// More arms than anybody has customers for.
    pub const MOST_ARMS: usize = 8;
    pub const ALPHA: Share = Share::from_ppm(50_000);
    pub const MIN_CONTACTS_PER_ARM: u32 = 400;

    /// The same customer is in the same arm for ever, as long as id and shares stay. Another id splits anew, independently.
    pub fn arm_of(&self, customer: Split) -> ArmIx {
        let at = self.place(customer);
        let found = self.stretches().position(|(_, stretch)| stretch.contains(&at));
        ArmIx(found.and_then(|at| u8::try_from(at).ok()).unwrap_or(0))
    }

    pub fn arm(&self, ix: ArmIx) -> Option<&Arm> {
        self.arms.get(usize::from(ix.0))
    }

    /// A customer of the arm: somebody whom the campaign's own tests can be about.
    pub fn someone_in(&self, arm: &str) -> Split {
        let is_in = |customer: &Split| self.arm(self.arm_of(*customer)).is_some_and(|found| &*found.name == arm);
        (0..LOOKS).map(Split).find(is_in).unwrap_or_default()
    }

    /// Two campaigns that split by the same id, and nobody is in a called arm of both: what one holds out the other may call.
    pub fn shares_nobody_with(&self, other: &Self) -> bool {
        let apart = |one: &Range<u32>, its: Range<u32>| one.end <= its.start || its.end <= one.start;
        self.id == other.id && self.called().all(|one| other.called().all(|its| apart(&one, its)))
    }

    fn called(&self) -> impl Iterator<Item = Range<u32>> {
        self.stretches().filter(|(arm, _)| !arm.held_out).map(|(_, stretch)| stretch)
    }

    /// Arms side by side, each with its part of what [`Experiment::place`] gives.
    fn stretches(&self) -> impl Iterator<Item = (&Arm, Range<u32>)> {
        self.arms.iter().scan(0, |below, arm| {
            let from = *below;
            *below += arm.share.ppm;
            Some((arm, from..*below))
        })
    }

    /// In parts per million: uniform over customers, since SHA-256 is.
    fn place(&self, Split(customer): Split) -> u32 {
        let digest = Sha256::new()
            .chain_update(b"goldenhour experiment\0")
            .chain_update(self.id.as_bytes())
            .chain_update([0])
            .chain_update(customer.to_be_bytes())
            .finalize();
        let (head, _) = digest.split_at(8);
        let uniform = u64::from_be_bytes(head.try_into().unwrap_or_default());
        // Lemire 2019: multiply and shift.
        ((u128::from(uniform) * u128::from(Share::ONE.ppm)) >> 64) as u32
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn arm(name: &str, percent: u32, held_out: bool) -> Arm {
        Arm { name: name.into(), share: Share::from_ppm(percent * 10_000), held_out, script: None }
    }

    /// Sorted as the reader sorts them.
    pub(crate) fn experiment(id: &str, arms: Vec<Arm>) -> Experiment {
        Experiment {
            id: id.into(),
            arms,
            success: "accepted".into(),
            alpha: Experiment::ALPHA,
            min_contacts_per_arm: Experiment::MIN_CONTACTS_PER_ARM,
            complaint_rate_above: None,
        }
    }

    fn three(id: &str) -> Experiment {
        experiment(id, vec![arm("challenger", 20, false), arm("champion", 78, false), arm("holdout", 2, true)])
    }

    #[test]
    fn arms_get_their_shares_of_customers() {
        let experiment = three("golden-script");
        let mut counts = [0_u32; 3];
        for customer in 0..100_000 {
            counts[usize::from(experiment.arm_of(Split(customer)).0)] += 1;
        }
        for (count, expected) in counts.iter().zip([20_000, 78_000, 2_000]) {
            // Four standard deviations.
            let tolerance = 4.0 * (f64::from(expected) * (1.0 - f64::from(expected) / 100_000.0)).sqrt();
            assert!(f64::from(count.abs_diff(expected)) < tolerance, "{counts:?}");
        }
    }

    #[test]
    fn a_customer_stays_in_an_arm_and_another_experiment_splits_anew() {
        let (one, same, other) = (three("a"), three("a"), three("b"));
        let arms = |of: &Experiment| (0..10_000).map(|n| of.arm_of(Split(n))).collect::<Vec<_>>();
        assert_eq!(arms(&one), arms(&same));
        // Independent splits agree in .2² + .78² + .02² of all customers.
        let agree = arms(&one).iter().zip(arms(&other)).filter(|(a, b)| **a == *b).count();
        assert!((6_250..6_750).contains(&agree), "{agree}");
    }

    #[test]
    fn what_one_campaign_holds_out_another_of_the_same_id_calls() {
        let today = experiment("model", vec![arm("challenger", 20, true), arm("champion", 80, false)]);
        let instead = |id: &str, percent| {
            experiment(id, vec![arm("champion", percent, false), arm("holdout", 100 - percent, true)])
        };
        let calls = |of: &Experiment, n| of.arm(of.arm_of(Split(n))).is_some_and(|arm| !arm.held_out);
        let new = instead("model", 20);
        assert!((0..10_000).all(|n| calls(&today, n) != calls(&new, n)));
        assert!(today.shares_nobody_with(&new) && new.shares_nobody_with(&today));
        assert!(!today.shares_nobody_with(&instead("model", 21)), "one in a hundred is called by both");
        assert!(!today.shares_nobody_with(&instead("other", 20)), "another id splits anew");
    }

    /// Written down, because people must stay where they were put in every version of the program.
    #[test]
    fn the_split_is_the_same_in_every_version() {
        let arms: Vec<u8> = (0..24).map(|n| three("golden-script").arm_of(Split(n)).0).collect();
        assert_eq!(arms, [1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1]);
    }
}
