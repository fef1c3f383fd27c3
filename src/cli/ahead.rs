//! What `plan`, `explain`, `diff` and `report` share: a moment of the database, fed to an engine that never dials.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::{CampaignIx, LeadId, TrunkIx, Wall};
use crate::campaign::{Campaign, Plan};
use crate::engine::{Forecast, Heard, LeadRow, LedgerPage, SpendView};
use crate::rank::Tally;
use crate::store::{LedgerCursor, ListSeen, Paused, Sqlite, Store as _, StoreError};

use super::exit::Stop;
use super::site::Site;

/// Rows asked for at a time.
const PAGE: usize = 5_000;

/// A database at one moment, and which campaigns stand in it.
#[derive(Debug)]
pub(super) struct Seen {
    store: Sqlite,
    pub(super) at: Wall,
    pub(super) paused: Paused,
    known: BTreeMap<String, CampaignIx>,
}

/// One plan, with the place of each campaign.
pub(super) type Places = Vec<(CampaignIx, Arc<Campaign>)>;

impl Seen {
    /// `at`: the moment to look from; without it now, or the latest time that a dialling daemon has seen if that is later
    /// (`serve --clock-start`).
    pub(super) async fn open(site: &Site, at: Option<Wall>) -> Result<Self, Stop> {
        let mut store = site.look().await?;
        let read = async {
            let high_water = store.high_water().await?;
            let paused = store.paused().await?;
            let known = store.campaign_table().await?.into_iter().map(|(ix, name)| (name, ix)).collect();
            Ok((high_water, paused, known))
        };
        let (high_water, paused, known) = read.await.map_err(|error: StoreError| Stop::store(&error))?;
        let at = at.unwrap_or_else(|| super::now().wall.max(high_water));
        Ok(Self { store, at, paused, known })
    }

    pub(super) fn store(&mut self) -> &mut Sqlite {
        &mut self.store
    }

    /// What attempts of a campaign told of answers, as a daemon that starts would hear it.
    pub(super) async fn heard(&mut self, campaign: &str) -> Result<Vec<Heard>, Stop> {
        let Some(ix) = self.known.get(campaign) else { return Ok(Vec::new()) };
        let since = self.at - Duration::from_hours(24 * Tally::DAYS as u64);
        self.store.heard_since(*ix, since).await.map_err(|error| Stop::store(&error))
    }

    /// Of the database's own table: also of a campaign whose file is gone.
    pub(super) fn name_of(&self, campaign: CampaignIx) -> String {
        let known = self.known.iter().find(|(_, ix)| **ix == campaign);
        known.map_or_else(|| format!("campaign {campaign}"), |(name, _)| name.clone())
    }

    /// Campaigns that nothing was loaded for yet get places behind all others; the database is not told.
    pub(super) fn places(&self, plan: &Plan) -> Places {
        let mut next = self.known.values().map(|ix| ix.0.saturating_add(1)).max().unwrap_or(0);
        let mut place = |campaign: &Arc<Campaign>| {
            let ix = self.known.get(&campaign.name).copied().unwrap_or_else(|| {
                next = next.saturating_add(1);
                CampaignIx(next - 1)
            });
            (ix, Arc::clone(campaign))
        };
        plan.campaigns.iter().map(&mut place).collect()
    }

    /// Everything that the daemon's engine would know, of the leads only those of `wanted`.
    pub(super) async fn forecast(
        &mut self,
        site: &Site,
        plan: &Plan,
        wanted: impl Fn(&Campaign) -> bool,
    ) -> Result<Forecast, Stop> {
        self.forecast_and_note(site, plan, wanted, |_| ()).await
    }

    /// The same, and `note` sees each of these leads on its way.
    pub(super) async fn forecast_and_note(
        &mut self,
        site: &Site,
        plan: &Plan,
        wanted: impl Fn(&Campaign) -> bool,
        mut note: impl FnMut(&LeadRow),
    ) -> Result<Forecast, Stop> {
        let places = self.places(plan);
        let mut forecast = Forecast::new(self.at, site.engine_config(), places.clone(), plan.zones.clone());
        for (ix, _) in places.iter().filter(|(ix, _)| self.paused.holds(*ix)) {
            forecast.pause(*ix);
        }
        for (at, trunk) in site.config().trunks.iter().enumerate() {
            if self.paused.trunks.contains(&trunk.name) {
                forecast.stop_trunk(TrunkIx(at as u16));
            }
        }
        if site.config().trunks.iter().any(|trunk| trunk.spend.is_some()) {
            let talked = self.store.talked_since(forecast.day_began()).await.map_err(|error| Stop::store(&error))?;
            forecast.talked(talked);
        }
        self.feed_ledgers(&mut forecast).await.map_err(|error| Stop::store(&error))?;
        for (ix, _) in places.iter().filter(|(_, campaign)| wanted(campaign)) {
            self.feed_leads(&mut forecast, *ix, &mut note).await.map_err(|error| Stop::store(&error))?;
        }
        Ok(forecast)
    }

    pub(super) async fn lists(&mut self, campaign: CampaignIx) -> Result<Vec<ListSeen>, Stop> {
        self.store.lists_of(campaign).await.map_err(|error| Stop::store(&error))
    }

    /// Every lead of one campaign, and the histories of everybody.
    pub(super) async fn leads(&mut self, campaign: CampaignIx) -> Result<(Vec<LeadRow>, LedgerPage), Stop> {
        let read = async {
            let (mut leads, mut ledgers) = (Vec::new(), LedgerPage::default());
            let now = crate::base::Now { wall: self.at, ..super::now() };
            let mut cursor = Some(LedgerCursor::default());
            while let Some(from) = cursor {
                let (page, next) = self.store.ledgers(from, PAGE, now).await?;
                ledgers.contacts.extend(page.contacts);
                ledgers.phones.extend(page.phones);
                cursor = next;
            }
            let mut after = LeadId(0);
            loop {
                let rows = self.store.every_lead(campaign, after, PAGE).await?;
                let Some(last) = rows.last().map(|row| row.lead) else { break };
                after = last;
                leads.extend(rows);
            }
            Ok((leads, ledgers))
        };
        read.await.map_err(|error: StoreError| Stop::store(&error))
    }

    async fn feed_ledgers(&mut self, forecast: &mut Forecast) -> Result<(), StoreError> {
        let now = crate::base::Now { wall: self.at, ..super::now() };
        let mut cursor = LedgerCursor::default();
        loop {
            let (page, next) = self.store.ledgers(cursor, PAGE, now).await?;
            forecast.ledgers(page);
            match next {
                Some(next) => cursor = next,
                None => return Ok(()),
            }
        }
    }

    async fn feed_leads(
        &mut self,
        forecast: &mut Forecast,
        campaign: CampaignIx,
        note: &mut impl FnMut(&LeadRow),
    ) -> Result<(), StoreError> {
        let mut after = LeadId(0);
        loop {
            let rows = self.store.every_lead(campaign, after, PAGE).await?;
            let Some(last) = rows.last().map(|row| row.lead) else { return Ok(()) };
            after = last;
            rows.iter().for_each(&mut *note);
            forecast.leads(rows);
        }
    }
}

/// Why nothing goes out until the next day, where the trunks of a campaign have cost what they may.
pub(super) fn spent_out(forecast: &Forecast, campaign: CampaignIx) -> Option<String> {
    let said = |(trunk, spend): (&str, SpendView)| {
        format!("{trunk} has cost {} today and may cost {}", spend.today, spend.max_per_day)
    };
    let all: Vec<String> = forecast.spent_out(campaign).into_iter().map(said).collect();
    (!all.is_empty()).then(|| format!("{} (spend)", all.join(", ")))
}

/// The clock that a campaign is spoken of by: its fallback zone, UTC without one.
pub(super) fn clock(campaign: &Campaign, plan: &Plan) -> TimeZone {
    campaign.calling_hours.fallback_zone.map_or(TimeZone::UTC, |ix| plan.zones.get(ix).clone())
}

/// `Tue 2026-12-01 09:30 +08`
pub(super) fn shown(at: Wall, clock: &TimeZone) -> String {
    at.timestamp().to_zoned(clock.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

/// `12,345`
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_are_easy_to_read() {
        let shown = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn instants_are_shown_on_the_clock_of_the_campaign() {
        let at = Wall::parse("2026-12-01T01:30:00Z").unwrap();
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(shown(at, &zone), "Tue 2026-12-01 09:30 CST");
    }
}
