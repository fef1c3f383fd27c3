//! One campaign at work: its leads, its due queue, its share of the lines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::base::{CampaignIx, ListId, PhoneId, QueueIx, Wall};
use crate::campaign::{Campaign, RankBy};
use crate::contact::CallResult;
use crate::gate::{Eligibility, LeadFacts, Rule};
use crate::pace::Pacer;
use crate::schedule::{CellKey, Frontier, LeadFlags, LeadIx, LeadTable, Ranking, ZoneSetIx};

use super::explore::Drawn;
use super::room::Holding;
use super::route::Route;
use super::slots::OpenSlot;
use super::standing::Standing;
use super::{EngineConfig, LeadRow};

#[derive(Debug)]
pub struct Run {
    pub ix: CampaignIx,
    pub name: Arc<str>,
    pub campaign: Arc<Campaign>,
    /// By an operator, on top of the YAML's `status`.
    pub paused: bool,
    /// Its file is gone from the plan: attempts under way finish, nobody is dialled any more.
    pub retired: bool,
    /// Empty: the campaign names a trunk that this daemon does not have. Nothing goes out.
    pub route: Route,
    pub queue: Option<QueueIx>,
    pub leads: LeadTable,
    pub frontier: Frontier,
    pub pacer: Pacer,
    pub ranking: Ranking,
    pub holding: Holding,
    pub drawn: Drawn,
    pub slot: OpenSlot,
    /// All phones of leads with several, in dial order. Looked up, never walked.
    pub several: HashMap<LeadIx, Box<[PhoneSlot]>>,
    pub expiries: BTreeMap<ListId, Wall>,
    pub funnel: Funnel,
    /// Cells must be looked at anew: the plan changed, or an operator let the campaign go on.
    pub stale: bool,
    /// The plan changed, and leads are still as the old one judged them. Nobody is dialled until they have come again.
    pub reading: bool,
    /// What came of leads that an attempt held: they take it in when it is over. No more than there are attempts.
    pub renewals: BTreeMap<LeadIx, LeadRow>,
    /// Leads by standing, kept as standings change: ten million leads are not counted a few times a second.
    counts: [u32; 256],
}

/// A phone of a lead, as the engine knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneSlot {
    pub phone: PhoneId,
    pub zones: ZoneSetIx,
    pub is_test: bool,
}

/// Counts of this run of the daemon, for the console and the demo. The store has the whole history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    pub admitted: u64,
    pub by_result: BTreeMap<CallResult, u64>,
    pub by_disposition: BTreeMap<Arc<str>, u64>,
}

impl Run {
    pub fn new(now: Wall, ix: CampaignIx, campaign: Arc<Campaign>, config: &EngineConfig) -> Self {
        let pacer = Pacer::new(campaign.pacing.mode, &campaign.trunk);
        Self {
            ix,
            paused: false,
            retired: false,
            route: Route::of(&campaign, config),
            queue: queue_of(&campaign, config),
            leads: LeadTable::default(),
            frontier: Frontier::new(now),
            pacer,
            ranking: Ranking::new(&campaign),
            holding: Holding::default(),
            drawn: Drawn::default(),
            slot: OpenSlot::default(),
            several: HashMap::new(),
            expiries: BTreeMap::new(),
            funnel: Funnel::default(),
            stale: true,
            reading: false,
            renewals: BTreeMap::new(),
            name: campaign.name.as_str().into(),
            counts: [0; 256],
            campaign,
        }
    }

    /// A new version of the plan: attempts under way finish under the old one.
    pub fn replace(&mut self, campaign: Arc<Campaign>, config: &EngineConfig) {
        self.reading |= !self.campaign.judges_as(&campaign);
        self.route = Route::of(&campaign, config);
        self.queue = queue_of(&campaign, config);
        self.pacer.set(campaign.pacing.mode, &campaign.trunk);
        self.ranking.adopt(&self.campaign, &campaign);
        self.campaign = campaign;
        self.retired = false;
        self.stale = true;
    }

    /// By an operator, or because the plan has no such campaign any more.
    pub fn is_held(&self) -> bool {
        self.paused || self.retired
    }

    pub fn may_dial(&self) -> bool {
        !self.is_held() && !self.reading
    }

    pub fn standing(&self, lead: LeadIx) -> Standing {
        Standing::unpack(self.leads.state(lead))
    }

    pub fn set_standing(&mut self, lead: LeadIx, standing: Standing) {
        self.count(self.leads.state(lead), -1);
        self.leads.set_state(lead, standing.pack());
        self.count(standing.pack(), 1);
    }

    /// A lead that was just added; it stands as waiting.
    pub fn count_new(&mut self) {
        self.count(Standing::Waiting.pack(), 1);
    }

    /// How many leads stand how.
    pub fn standings(&self) -> impl Iterator<Item = (Standing, u64)> {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(byte, count)| (Standing::unpack(byte as u8), u64::from(*count)))
    }

    fn count(&mut self, byte: u8, by: i32) {
        if let Some(count) = self.counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add_signed(by);
        }
    }

    pub fn cell(&self, lead: LeadIx) -> Option<CellKey> {
        self.frontier.cell_of(lead).and_then(|cell| self.frontier.cell_key(cell))
    }

    /// The phone to dial next.
    pub fn phone(&self, lead: LeadIx) -> Option<PhoneSlot> {
        let row = self.leads.get(lead)?;
        let zones = self.cell(lead)?.zones;
        Some(PhoneSlot { phone: row.phone, zones, is_test: row.flags.has(LeadFlags::TEST_PHONE) })
    }

    /// In dial order; one for almost everybody.
    pub fn phones(&self, lead: LeadIx) -> Vec<PhoneSlot> {
        match self.several.get(&lead) {
            Some(slots) => slots.to_vec(),
            None => self.phone(lead).into_iter().collect(),
        }
    }

    /// Score and value. The frontier's key is one of them or their product, so the table needs only the other factor.
    pub fn worth(&self, lead: LeadIx) -> Option<(f32, f32)> {
        let (key, factor) = (self.frontier.key(lead)?, self.leads.factor(lead));
        Some(match self.campaign.rank.by {
            RankBy::Score => (key, factor),
            RankBy::ExpectedValue if factor > 0.0 => (factor, key / factor),
            RankBy::ExpectedValue => (0.0, 0.0),
        })
    }

    pub fn lead_facts(&self, lead: LeadIx) -> Option<LeadFacts> {
        let row = self.leads.get(lead)?;
        let eligible = match self.standing(lead) {
            Standing::Blocked(Rule::Eligible) => Eligibility::NoSegment,
            Standing::Waiting | Standing::Live | Standing::Closed(_) | Standing::Blocked(_) => Eligibility::Yes,
        };
        Some(LeadFacts {
            eligible,
            segment: self.cell(lead)?.segment,
            arm: row.arm,
            consent: row.flags.consent(),
            list_expires: self.expiries.get(&row.list).copied(),
            attempts_used: u16::from(row.attempts_used),
            phone_is_test: row.flags.has(LeadFlags::TEST_PHONE),
            free_of_daily_budget: row.flags.has(LeadFlags::FREE),
        })
    }
}

fn queue_of(campaign: &Campaign, config: &EngineConfig) -> Option<QueueIx> {
    config.queue(&campaign.agents.as_ref()?.queue).map(|(ix, _)| ix)
}
