//! What operators have stopped, as the engine was last told: from the store's switches to commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{CampaignIx, TrunkIx};
use crate::campaign::Campaign;
use crate::engine::{OperatorCommand, Whose};
use crate::store::{Paused, SwitchOf, Turned};

#[derive(Debug)]
pub struct Switches {
    /// By position, as the engine knows them.
    trunks: Vec<(String, bool)>,
    campaigns: BTreeMap<CampaignIx, bool>,
}

impl Switches {
    pub fn new(trunks: Vec<String>) -> Self {
        Self { trunks: trunks.into_iter().map(|name| (name, false)).collect(), campaigns: BTreeMap::new() }
    }

    /// What has changed for these campaigns, and for the trunks.
    pub fn news(&mut self, paused: &Paused, campaigns: impl Iterator<Item = CampaignIx>) -> Vec<OperatorCommand> {
        let mut commands = Vec::new();
        for (at, (name, stopped)) in self.trunks.iter_mut().enumerate() {
            let is_stopped = paused.trunks.contains(name);
            if std::mem::replace(stopped, is_stopped) != is_stopped {
                let ix = TrunkIx(at as u16);
                let stop = if is_stopped { OperatorCommand::StopTrunk } else { OperatorCommand::ResumeTrunk };
                commands.push(stop(ix));
            }
        }
        for ix in campaigns {
            let is_paused = paused.holds(ix);
            if self.campaigns.insert(ix, is_paused).unwrap_or(false) != is_paused {
                commands.push(if is_paused { OperatorCommand::Pause(ix) } else { OperatorCommand::Resume(ix) });
            }
        }
        commands
    }

    /// `None` where calls under way go on, or where we have no such calls.
    pub fn hang_up(&self, turned: &Turned, campaigns: &BTreeMap<CampaignIx, Arc<Campaign>>) -> Option<OperatorCommand> {
        if !turned.switch.hang_up {
            return None;
        }
        let whose = match &turned.switch.of {
            SwitchOf::Everything => Whose::Everybody,
            SwitchOf::Campaign(name) => {
                Whose::Campaign(campaigns.iter().find(|(_, campaign)| campaign.name == *name).map(|(ix, _)| *ix)?)
            }
            SwitchOf::Trunk(name) => {
                Whose::Trunk(TrunkIx(self.trunks.iter().position(|(known, _)| known == name)? as u16))
            }
        };
        Some(OperatorCommand::HangUp(whose))
    }
}

/// In words, for the log.
pub fn said(turned: &Turned) -> String {
    let switch = &turned.switch;
    let what = match &switch.of {
        SwitchOf::Everything => "everything".to_owned(),
        SwitchOf::Campaign(name) => format!("the campaign `{name}`"),
        SwitchOf::Trunk(name) => format!("the trunk `{name}`"),
    };
    let done = if switch.paused { "stopped" } else { "let go on" };
    let ended = if switch.hang_up { ", and calls under way are ended" } else { "" };
    format!("{what} is {done}{ended}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Wall;
    use crate::store::Switch;

    fn turned(of: SwitchOf, hang_up: bool) -> Turned {
        let (who, reason) = ("a test".to_owned(), "of a test".to_owned());
        Turned { change: 1, switch: Switch { of, paused: true, hang_up, who, reason, at: Wall(1) } }
    }

    #[test]
    fn a_switch_is_told_once_and_only_of_trunks_that_are_ours() {
        let mut switches = Switches::new(vec!["gw-a".into(), "gw-b".into()]);
        let paused = Paused { trunks: vec!["gw-b".into(), "gw-x".into()], ..Paused::default() };
        let none = std::iter::empty;
        assert_eq!(switches.news(&paused, none()), [OperatorCommand::StopTrunk(TrunkIx(1))]);
        assert_eq!(switches.news(&paused, none()), []);
        assert_eq!(switches.news(&Paused::default(), none()), [OperatorCommand::ResumeTrunk(TrunkIx(1))]);
    }

    #[test]
    fn calls_are_ended_only_where_somebody_asked_for_it() {
        let switches = Switches::new(vec!["gw-a".into()]);
        let hang_up = |of, yes| switches.hang_up(&turned(of, yes), &BTreeMap::new());
        let trunk = |name: &str| SwitchOf::Trunk(name.to_owned());
        assert_eq!(hang_up(trunk("gw-a"), true), Some(OperatorCommand::HangUp(Whose::Trunk(TrunkIx(0)))));
        assert_eq!(hang_up(SwitchOf::Everything, true), Some(OperatorCommand::HangUp(Whose::Everybody)));
        for (of, yes) in [(trunk("gw-a"), false), (trunk("gw-x"), true), (SwitchOf::Campaign("x".into()), true)] {
            assert_eq!(hang_up(of, yes), None);
        }
    }
}
