//! `goldenhour bench rank`: the due queue of one campaign with millions of leads, in the tables that the engine uses.

use std::hint::black_box;

use crate::base::{CampaignIx, ContactId, LeadId, ListId, PhoneId, Rng, Wall};
use crate::campaign::{Campaign, Rank};
use crate::contact::Zones;
use crate::gate::{self, Eligibility, Facts, LeadFacts, Ledger};
use crate::rank::{self, Reachability};
use crate::schedule::{
    Best, CellIx, CellKey, Frontier, LeadFlags, LeadIx, LeadRow, LeadTable, Ranking, SlotFails, Viewer, ZoneSetIx,
    ZoneSets,
};

use super::figures::{Figures, median, quantile, rounded};
use super::site;
use super::stopwatch::Stopwatch;
use super::usage::Process;
use crate::cli::exit::{Exit, Stop};
use crate::cli::output;

/// The due queue: re-rank after new scores and at a slot boundary, the next decision, memory per lead
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    leads: u32,
    /// Groups of leads with the same chance of an answer: zone, segment, attempts, past failures
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    cells: u32,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Of each measurement; the median is printed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
}

/// Zones with and without a change of clocks; all open at some hour of the window measured.
const ZONES: [&str; 12] = [
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Asia/Kathmandu",
];

/// Decisions timed one by one.
const DECISIONS: usize = 200_000;

/// What a campaign's run holds in the engine.
struct Crowd {
    campaign: std::sync::Arc<Campaign>,
    zones: Zones,
    sets: ZoneSets,
    ranking: Ranking,
    leads: LeadTable,
    frontier: Frontier,
    now: Wall,
}

pub(super) fn run(args: &Args) -> Result<Exit, Stop> {
    let this = Process::this();
    let before = this.rss_bytes()?;
    let mut crowd = Crowd::new(args)?;
    crowd.fill(args);
    crowd.refresh();
    let own = crowd.leads.bytes() + crowd.frontier.bytes();
    let rss = this.rss_bytes()?.saturating_sub(before);
    let per_lead = |bytes: f64| rounded(bytes / f64::from(args.leads), 2);
    let (mut rerank, mut refresh) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        let from = this.cpu_s()?;
        crowd.rescore(args.seed + u64::from(round));
        rerank.push(this.cpu_s()? - from);
        let from = this.cpu_s()?;
        (0..REFRESHES).for_each(|_| crowd.next_slot());
        refresh.push((this.cpu_s()? - from) / f64::from(REFRESHES));
    }
    let mut figures = Figures::default();
    figures.set("leads", args.leads).set("cells", crowd.frontier.cells().count()).set("rounds", args.rounds);
    figures.set("rerank_cpu_s", rounded(median(rerank), 3)).set("refresh_cpu_s", rounded(median(refresh), 5));
    figures.set("bytes_per_lead", per_lead(own as f64)).set("rss_bytes_per_lead", per_lead(rss as f64));
    figures.set("open_leads", crowd.frontier.open_len());
    let mut pops = crowd.decisions(Crowd::keep);
    let mut asked = crowd.decisions(|crowd, best| {
        black_box(crowd.ask(best.lead));
        crowd.keep(best);
    });
    for (p50, p99, times) in
        [("next_p50_us", "next_p99_us", &mut pops), ("next_with_gate_p50_us", "next_with_gate_p99_us", &mut asked)]
    {
        figures.set(p50, quantile(times, 0.5) as f64 / 1_000.0).set(p99, quantile(times, 0.99) as f64 / 1_000.0);
    }
    output::answer(args.json, &figures, None)
}

/// What the slots ahead have room for: two hundred lines, half a minute each.
const DIALS_PER_S: f32 = 7.0;

/// Slot boundaries measured together: one costs less than the clock of the process can tell.
const REFRESHES: u32 = 20;

impl Crowd {
    fn new(args: &Args) -> Result<Self, Stop> {
        let campaign = site::campaign()?;
        // As campaigns are unless they say otherwise: slots ahead have prices.
        let campaign = std::sync::Arc::new(Campaign { rank: Rank::default(), ..Campaign::clone(&campaign) });
        let mut zones = Zones::default();
        let mut sets = ZoneSets::default();
        for name in ZONES {
            let zone = zones.intern(name).ok_or_else(|| anyhow::anyhow!("the zone {name} is not known"))?;
            sets.intern(&[zone]);
        }
        let ranking = Ranking::new(&campaign);
        // A Tuesday, 10:00 in Shanghai: open there, in Tokyo, Kolkata and Sydney, closed in the Americas.
        let now = Wall::parse("2026-12-01T02:00:00Z")?;
        let (mut leads, mut frontier) = (LeadTable::default(), Frontier::new(now));
        leads.reserve(args.leads as usize);
        frontier.reserve(args.leads as usize);
        Ok(Self { campaign, zones, sets, ranking, leads, frontier, now })
    }

    /// One in fifty waits for an hour of its own, as retries do.
    fn fill(&mut self, args: &Args) {
        let mut rng = Rng::seeded(args.seed);
        let cells: Vec<CellIx> = (0..args.cells).filter_map(|n| self.cell(n)).collect();
        for n in 0..args.leads {
            let Some(cell) = cells.get(rng.below(cells.len() as u32) as usize).copied() else { return };
            let (score, value) = (rng.f64() as f32, 1_000.0 * (1.0 + rng.f64() as f32));
            let row = LeadRow {
                lead: LeadId(n + 1),
                contact: ContactId(n + 1),
                phone: PhoneId(n + 1),
                factor: value,
                list: ListId(1),
                attempts_used: 0,
                flags: LeadFlags::default().with_consent(Some(true)).with(LeadFlags::TEST_PHONE, true),
                arm: None,
            };
            let lead = self.leads.push(row);
            let key = rank::key(self.campaign.rank.by, score, value);
            if rng.below(50) == 0 {
                let minutes = i64::from(rng.below(7 * 24 * 60));
                self.frontier.park(lead, cell, key, Wall(self.now.0 + minutes * 60_000_000));
            } else {
                self.frontier.insert(lead, cell, key);
            }
        }
    }

    fn cell(&mut self, n: u32) -> Option<CellIx> {
        let zones = n % ZONES.len() as u32;
        let rest = n / ZONES.len() as u32;
        let hour = |n: u32| (n > 0).then_some(8 + n as u8);
        let fails = SlotFails::of(hour(rest / 8 % 12), hour(rest / 96 % 12));
        let key = CellKey {
            zones: ZoneSetIx(zones as u16 + 1),
            segment: 0,
            attempts: (rest % 8) as u8,
            fails,
            reachability: Reachability::default(),
            promised: false,
        };
        let mut viewer = Viewer::new(&self.campaign, &self.zones, &self.sets, &self.ranking, self.now);
        self.frontier.cell(key, |key| viewer.view(key))
    }

    /// New scores for everybody.
    fn rescore(&mut self, seed: u64) {
        let by = self.campaign.rank.by;
        let (leads, salt) = (&self.leads, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.frontier.rekey(|lead| {
            let mixed = (u64::from(lead.0) ^ salt).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            rank::key(by, (mixed >> 40) as f32 / 16_777_216.0, leads.factor(lead))
        });
    }

    fn refresh(&mut self) {
        let mut viewer = Viewer::new(&self.campaign, &self.zones, &self.sets, &self.ranking, self.now);
        self.frontier.refresh(|key| viewer.view(key));
    }

    /// Half an hour on: whoever is due comes, the slots ahead get their prices, every cell is looked at anew.
    fn next_slot(&mut self) {
        self.now = Wall(self.now.0 + 30 * 60_000_000);
        self.frontier.due(self.now);
        let room = |from: Wall, to: Wall| DIALS_PER_S * to.since(from).as_secs_f32();
        self.ranking.replan((&self.campaign, &self.zones, &self.sets), &mut self.frontier, self.now, room);
        self.refresh();
    }

    /// Nanoseconds of each decision: the best lead taken, something done with it, and the lead put back.
    fn decisions(&mut self, mut with: impl FnMut(&mut Self, &Best)) -> Vec<u64> {
        let mut times = Vec::with_capacity(DECISIONS);
        for _ in 0..DECISIONS {
            let since = Stopwatch::start();
            let Some(best) = self.frontier.pop() else { break };
            with(self, &best);
            times.push(since.elapsed().as_nanos() as u64);
        }
        times
    }

    /// As a lead that waits for its next try.
    fn keep(&mut self, best: &Best) {
        let key = self.frontier.key(best.lead).unwrap_or(0.0);
        self.frontier.park(best.lead, best.cell, key, Wall(self.now.0 + 4 * 3_600 * 1_000_000));
    }

    fn ask(&self, lead: LeadIx) -> Option<bool> {
        let row = self.leads.get(lead)?;
        let cell = self.frontier.cell_of(lead).and_then(|cell| self.frontier.cell_key(cell))?;
        let blank = Ledger::default();
        let facts = Facts {
            now: self.now,
            campaign: &self.campaign,
            campaign_ix: CampaignIx(0),
            paused: false,
            lead: LeadFacts {
                eligible: Eligibility::Yes,
                arm: None,
                segment: cell.segment,
                consent: row.flags.consent(),
                list_expires: None,
                attempts_used: u16::from(row.attempts_used),
                phone_is_test: true,
                free_of_daily_budget: false,
            },
            phone_id: row.phone,
            phone_zones: self.sets.get(cell.zones),
            zones: &self.zones,
            contact: &blank,
            phone: &blank,
            test_numbers_only: true,
            destination: None,
            trunk_stopped: false,
        };
        Some(gate::ask(&facts, self.campaign.pacing.ring).allows())
    }
}
