//! How easily one person is reached, as their own past says it: the contact's term of the answer model.

/// A class of log-odds, a step of [`Reachability::STEP`] each; 0 says nothing. It is part of a cell's key, so it is coarse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reachability(i8);

impl Reachability {
    pub const STEP: f32 = 0.4;
    pub const WORST: Self = Self(-3);
    pub const BEST: Self = Self(4);
    /// How many dials the model's own guess is worth against the person's past.
    const WEIGHT: f32 = 4.0;
    /// The guess that the past is held against. The shift in log-odds hardly depends on it.
    const TYPICAL: f32 = 0.25;

    /// Of so many dials in all campaigns, so many were answered. The mean of a Beta distribution after them (gamma and
    /// beta frailty: Vaupel, Manton, Stallard 1979), as a shift of log-odds.
    pub fn of(tries: u16, answered: u16) -> Self {
        let (tries, answered) = (f32::from(tries.max(answered)), f32::from(answered));
        let p = (Self::WEIGHT * Self::TYPICAL + answered) / (Self::WEIGHT + tries);
        let p = p.min(0.99);
        let shift = (p / (1.0 - p)).ln() - (Self::TYPICAL / (1.0 - Self::TYPICAL)).ln();
        let steps = (shift / Self::STEP).round() as i8;
        Self(steps.clamp(Self::WORST.0, Self::BEST.0))
    }

    /// To be added to the log-odds of an answer.
    pub fn shift(self) -> f32 {
        f32::from(self.0) * Self::STEP
    }

    /// As it is stored.
    pub fn steps(self) -> i8 {
        self.0
    }

    /// What is beyond the classes counts as the nearest one.
    pub fn from_steps(steps: i8) -> Self {
        Self(steps.clamp(Self::WORST.0, Self::BEST.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_as_the_model_says() {
        assert_eq!(Reachability::of(0, 0), Reachability::default());
        assert!(Reachability::default().shift().abs() < f32::EPSILON);
    }

    #[test]
    fn answers_raise_it_and_silence_lowers_it_within_bounds() {
        assert!(Reachability::of(1, 1) > Reachability::of(0, 0) && Reachability::of(3, 0) < Reachability::of(0, 0));
        assert!(Reachability::of(3, 2) > Reachability::of(3, 1));
        assert_eq!(Reachability::of(u16::MAX, 0), Reachability::WORST);
        assert_eq!(Reachability::of(u16::MAX, u16::MAX), Reachability::BEST);
        assert_eq!(Reachability::of(0, 5), Reachability::of(5, 5), "more answers than dials");
    }

    #[test]
    fn every_class_survives_its_storage() {
        for steps in i8::MIN..=i8::MAX {
            let class = Reachability::from_steps(steps);
            assert_eq!(Reachability::from_steps(class.steps()), class);
            assert!((Reachability::WORST..=Reachability::BEST).contains(&class));
        }
    }
}
