//! Why leads were never dialled: the forecast of the daemon, asked at the end about them alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{CampaignIx, Wall};
use crate::engine::{Blocked, Fate, Forecast, Later, LeadRow};
use crate::gate::Rule;

use super::Setting;
use super::shelf::Shelf;

/// Everything else would have let them through: there were too few hours, lines or agents.
pub const NOT_THEIR_TURN: &str = "not_their_turn";

pub fn uncalled<'a>(
    setting: &Setting,
    shelf: &Shelf,
    at: Wall,
    never: impl Iterator<Item = &'a LeadRow>,
) -> BTreeMap<&'static str, u64> {
    const PAGE: usize = 5_000;
    let leads = &setting.leads;
    let plan = vec![(leads.campaign, Arc::clone(&setting.campaign))];
    let mut forecast = Forecast::new(at, setting.engine_config(0), plan, setting.zones.clone());
    let mut fed: u64 = 0;
    let mut page = Vec::with_capacity(PAGE);
    for row in never {
        forecast.ledgers(shelf.ledgers(row.contact, row.phones.iter().map(|phone| phone.phone)));
        page.push(row.clone());
        fed += 1;
        if page.len() == PAGE {
            forecast.leads(std::mem::take(&mut page));
        }
    }
    forecast.leads(page);
    count(&forecast, leads.campaign, fed)
}

fn count(forecast: &Forecast, campaign: CampaignIx, fed: u64) -> BTreeMap<&'static str, u64> {
    let mut uncalled = BTreeMap::new();
    let outlooks = forecast.outlooks(campaign);
    // A row without any number makes no lead of the engine's.
    let phoneless = fed - outlooks.len() as u64;
    if phoneless > 0 {
        uncalled.insert(Blocked::NoPhone.as_str(), phoneless);
    }
    for (_, outlook) in outlooks {
        let why = match outlook.fate {
            Fate::Now
            | Fate::Later(Later::GoldenHours | Later::Retry | Later::Rule(Rule::CallingHours | Rule::Holidays)) => {
                NOT_THEIR_TURN
            }
            fate @ (Fate::Closed(_) | Fate::Blocked(_) | Fate::Later(Later::Rule(_))) => fate.as_str(),
        };
        *uncalled.entry(why).or_default() += 1;
    }
    uncalled
}
