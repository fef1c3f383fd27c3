//! What came of it, per stage, in figures that add up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use comfy_table::{CellAlignment, Table, presets};

use crate::base::{CampaignIx, LeadId, Now};
use crate::contact::{CallResult, OutcomeKind};
use crate::engine::{Engine, Input};
use crate::gate::Rule;
use crate::store::{LedgerCursor, Sqlite, Store as _};

use super::stage::Stage;

/// Attempts that earlier runs in the same folder made.
#[derive(Debug, Default)]
pub(super) struct Before {
    last_seal: u64,
}

pub(super) async fn dialled_before(store: &mut Sqlite) -> anyhow::Result<Before> {
    let mut last_seal = 0;
    loop {
        let page = store.outcomes(last_seal, 1_000).await?;
        match page.last() {
            Some(last) => last_seal = last.seal,
            None => return Ok(Before { last_seal }),
        }
    }
}

/// One stage. `leads = dialled + blocked + waiting`; `attempts = answered + not answered`.
#[derive(Debug, Default)]
struct Figures {
    leads: u64,
    dialled: BTreeSet<LeadId>,
    blocked: BTreeMap<Rule, u64>,
    waiting: u64,
    attempts: u64,
    answered: u64,
    accepted: u64,
    opted_out: u64,
    today: u64,
    void_today: u64,
}

/// The table, the rules that blocked, and the check that everything adds up.
pub(super) async fn table(store: &mut Sqlite, stage: &Stage, before: &Before, now: Now) -> anyhow::Result<String> {
    let names: Vec<String> = stage.plan.campaigns.iter().map(|campaign| campaign.name.clone()).collect();
    let places = store.campaign_ix(&names).await?;
    let mut stages: BTreeMap<CampaignIx, Figures> = places.iter().map(|ix| (*ix, Figures::default())).collect();
    count_outcomes(store, before, &mut stages).await?;
    count_leads(store, stage, &places, now, &mut stages).await?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "stage",
        "loaded",
        "blocked",
        "waiting",
        "dialled",
        "attempts",
        "answered",
        "accepted",
        "opted out",
    ]);
    let mut rules: BTreeMap<Rule, u64> = BTreeMap::new();
    let mut sums = [0_u64; 8];
    for (campaign, ix) in stage.plan.campaigns.iter().zip(&places) {
        let Some(s) = stages.get(ix).filter(|s| s.leads > 0) else { continue };
        let blocked: u64 = s.blocked.values().sum();
        let dialled = s.dialled.len() as u64;
        anyhow::ensure!(
            s.leads == dialled + blocked + s.waiting,
            "the leads of {} do not add up: {s:?}",
            campaign.name
        );
        s.blocked.iter().for_each(|(rule, count)| *rules.entry(*rule).or_default() += count);
        let row = [s.leads, blocked, s.waiting, dialled, s.attempts, s.answered, s.accepted, s.opted_out];
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        table.add_row(std::iter::once(campaign.name.clone()).chain(row.map(|value| value.to_string())));
    }
    table.add_row(std::iter::once("all".to_owned()).chain(sums.map(|value| value.to_string())));
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let today: u64 = stages.values().map(|s| s.today).sum();
    let void: u64 = stages.values().map(|s| s.void_today).sum();
    let mut text = format!("\n{table}\nloaded = blocked + waiting + dialled (leads); {today} attempts in this run.");
    if void > 0 {
        let why = "the disk took longer than a permit lasts, so nobody was dialled";
        let _infallible = write!(text, "\n  {void} more are void: {why}");
    }
    for (rule, count) in rules {
        let _infallible = write!(text, "\n  blocked by {rule}: {count}");
    }
    Ok(text)
}

async fn count_outcomes(
    store: &mut Sqlite,
    before: &Before,
    stages: &mut BTreeMap<CampaignIx, Figures>,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = store.outcomes(after, 1_000).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seal;
        for row in page.iter().filter(|row| row.outcome.revision == 0) {
            let outcome = &row.outcome;
            let Some(s) = stages.get_mut(&outcome.campaign_ix) else { continue };
            let today = row.seal > before.last_seal;
            if outcome.result == CallResult::Void {
                s.void_today += u64::from(today);
                continue;
            }
            s.dialled.insert(outcome.lead);
            s.attempts += 1;
            s.answered += u64::from(outcome.result == CallResult::Answered);
            s.accepted += u64::from(outcome.outcome == OutcomeKind::Success);
            s.opted_out += u64::from(outcome.disposition.as_deref() == Some("opted_out"));
            s.today += u64::from(today);
        }
    }
}

/// Asks a fresh engine where every lead that was never dialled stands: the same code path that would dial it.
async fn count_leads(
    store: &mut Sqlite,
    stage: &Stage,
    places: &[CampaignIx],
    now: Now,
    stages: &mut BTreeMap<CampaignIx, Figures>,
) -> anyhow::Result<()> {
    let config = crate::daemon::engine_config(&stage.config, 0, 1.0);
    let mut engine = Engine::new(now, config);
    let campaigns = places.iter().copied().zip(stage.plan.campaigns.iter().map(Arc::clone)).collect();
    engine.handle(now, Input::Plan(campaigns, stage.plan.zones.clone()));
    let mut cursor = Some(LedgerCursor::default());
    while let Some(at) = cursor {
        let (page, next) = store.ledgers(at, 1_000, now).await?;
        engine.handle(now, Input::Ledgers(page));
        cursor = next;
    }
    engine.handle(now, Input::Command(crate::engine::OperatorCommand::Drain));
    for ix in places {
        let mut after = LeadId(0);
        loop {
            let rows = store.leads(*ix, after, 1_000).await?;
            let Some(last) = rows.last() else { break };
            after = last.lead;
            engine.handle(now, Input::Leads(rows));
        }
        let Some(s) = stages.get_mut(ix) else { continue };
        let counts = store.lead_counts(*ix).await?;
        s.leads = counts.waiting + counts.dialling + counts.closed.iter().map(|(_, count)| count).sum::<u64>();
        for (_, rule) in engine.blocked(*ix).into_iter().filter(|(lead, _)| !s.dialled.contains(lead)) {
            match rule {
                Some(rule) => *s.blocked.entry(rule).or_default() += 1,
                None => s.waiting += 1,
            }
        }
    }
    Ok(())
}
