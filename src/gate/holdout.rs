//! Who is held out of a campaign is never called by it: only so does anybody know what a call changes.

use super::{Facts, Reason, Rule};

pub(super) fn check(facts: &Facts, reasons: &mut Vec<Reason>) {
    let Some((experiment, ix)) = facts.campaign.experiment.as_ref().zip(facts.lead.arm) else { return };
    let Some(arm) = experiment.arm(ix).filter(|arm| arm.held_out) else { return };
    let detail = format!("held out by experiment {}: arm {}, {} of all customers", experiment.id, arm.name, arm.share);
    reasons.push(Reason { rule: Rule::Holdout, detail, until: None });
}

#[cfg(test)]
mod tests {
    use crate::campaign::ArmIx;
    use crate::gate::Rule;
    use crate::gate::fixture::World;

    #[test]
    fn who_is_held_out_is_never_called_and_the_other_arms_are() {
        let mut world = World::open();
        world.hold_out();
        assert_eq!((world.rules(), world.until()), (vec![Rule::Holdout], None));
        assert_eq!(world.reasons()[0].detail, "held out by experiment e1: arm holdout, 2% of all customers");
        world.lead.arm = Some(ArmIx(0));
        assert!(world.ask().allows());
    }

    #[test]
    fn without_its_experiment_an_arm_holds_nobody_out() {
        let mut world = World::open();
        world.hold_out();
        world.campaign.experiment = None;
        assert!(world.ask().allows());
    }
}
