//! What a change means for the business: both versions rehearsed with the leads of the database.

use std::fmt;

use serde::Serialize;

use crate::campaign::Plan;
use crate::cli::ahead::{Places, Seen, thousands};
use crate::cli::exit::Stop;
use crate::cli::simulate::of_database;
use crate::sim::RunFigures;

/// Of one campaign. A version that does not have it calls nobody.
#[derive(Debug, Serialize)]
pub(super) struct Impact {
    agents: u32,
    days: u32,
    old: Expected,
    new: Expected,
}

#[derive(Debug, Default, Serialize)]
struct Expected {
    leads_called: u64,
    attempts: u64,
    contacts: u64,
    successes: u64,
    refusals: u64,
}

/// People, or lines where a flow takes the calls, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew {
    pub agents: u32,
    pub days: u32,
}

impl Impact {
    pub(super) async fn of(
        seen: &mut Seen,
        crew: Crew,
        name: &str,
        (old, old_places): (&Plan, &Places),
        (new, new_places): (&Plan, &Places),
    ) -> Result<Self, Stop> {
        Ok(Self {
            agents: crew.agents,
            days: crew.days,
            old: expected(seen, crew, name, old, old_places).await?,
            new: expected(seen, crew, name, new, new_places).await?,
        })
    }
}

async fn expected(seen: &mut Seen, crew: Crew, name: &str, plan: &Plan, places: &Places) -> Result<Expected, Stop> {
    let Some((ix, campaign)) = places.iter().find(|(_, campaign)| campaign.name == name) else {
        return Ok(Expected::default());
    };
    let figures = of_database(seen, plan, (*ix, campaign), crew.agents, crew.days).await?;
    Ok(Expected::from(&figures))
}

impl From<&RunFigures> for Expected {
    fn from(run: &RunFigures) -> Self {
        Self {
            leads_called: run.called,
            attempts: run.attempts,
            contacts: run.contacts,
            successes: run.successes,
            refusals: run.refusals,
        }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u32, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let moved = |what: &str, old: u64, new: u64| format!("{what} {} -> {}", thousands(old), thousands(new));
        let Self { old, new, .. } = self;
        write!(
            f,
            "{} with {} agents or lines: {}, {}, {}, {}",
            plural(self.days, "day"),
            self.agents,
            moved("successes", old.successes, new.successes),
            moved("contacts", old.contacts, new.contacts),
            moved("attempts", old.attempts, new.attempts),
            moved("leads called", old.leads_called, new.leads_called)
        )
    }
}
