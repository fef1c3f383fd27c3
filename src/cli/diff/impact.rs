//! What a change means for the business: both versions rehearsed with the leads of the database.

use std::fmt;

use serde::Serialize;

use crate::campaign::Plan;
use crate::cli::ahead::{Places, Seen, thousands};
use crate::cli::exit::Stop;
use crate::cli::simulate::{CurvesSaid, of_database};

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
    /// Absent where the version does not have the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_curves: Option<CurvesSaid>,
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
    let (run, curves) = of_database(seen, plan, (*ix, campaign), crew.agents, crew.days).await?;
    Ok(Expected {
        leads_called: run.called,
        attempts: run.attempts,
        contacts: run.contacts,
        successes: run.successes,
        refusals: run.refusals,
        answer_curves: Some(curves),
    })
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
        )?;
        // Versions may differ in their segments, and a segment that is new has learned nothing.
        match (&old.answer_curves, &new.answer_curves) {
            (Some(was), Some(is)) if was != is => write!(f, "\n  old {was}\n  new {is}"),
            (was, is) => is.as_ref().or(was.as_ref()).map_or(Ok(()), |curves| write!(f, "\n  {curves}")),
        }
    }
}
