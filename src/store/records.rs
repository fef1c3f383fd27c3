//! A finished attempt as exporters get it, and the labels that come back later.

use std::sync::Arc;

use crate::base::{AttemptId, CampaignIx, Pii, Wall};
use crate::campaign::Campaign;
use crate::contact::{Columns, OutcomeKind};
use crate::engine::{Context, Outcome};

/// One revision of one attempt with everything that retraining needs. At-least-once: the key is attempt and revision.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeRow {
    /// Gap-free, from 1; 0 while it has no seal.
    pub seal: u64,
    /// Its link of the chain; zeros without a seal.
    pub hash: [u8; 32],
    pub outcome: Outcome,
    pub source: OutcomeSource,
    pub recorded_at: Wall,
    pub label: Option<Label>,
    // -- the decision --
    pub context: Context,
    pub campaign: String,
    pub plan: Arc<PlanVersion>,
    /// By the store's clock, which never goes back.
    pub authorised_at: Wall,
    pub decided_at: Wall,
    pub trunk: String,
    pub caller_id: String,
    // -- the person, as of the dial --
    /// The bank's key, verbatim; `None` once erased.
    pub customer_key: Option<Pii<String>>,
    pub list_name: String,
    pub list_sha256: [u8; 32],
    pub consent: Option<bool>,
    pub language: Option<String>,
    pub tags: Vec<String>,
    pub zones: Vec<String>,
    pub columns: Columns,
}

/// What an attempt was decided under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanVersion {
    pub campaign_ix: CampaignIx,
    /// SHA-256 of the campaign's file, hex.
    pub campaign_hash: String,
    /// `cn-bank-marketing@3`
    pub policy: String,
    pub policy_hash: String,
    pub scenario: String,
    pub purpose: String,
    pub rank_by: String,
    pub pacing: String,
    pub ring_ms: u64,
    pub model_id: Option<String>,
    pub model_version: Option<String>,
    /// `champion`, `challenger`, `plain_order`
    pub model_alias: String,
}

/// Who wrote a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeSource {
    Engine,
    Recovery,
    Label,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    pub at: Wall,
    /// In the bank's own unit.
    pub amount: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewLabel {
    pub target: LabelTarget,
    /// `None` leaves the disposition as it was.
    pub disposition: Option<String>,
    /// What the disposition means; `None` leaves the meaning as it was.
    pub outcome: Option<OutcomeKind>,
    pub at: Wall,
    pub amount: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelTarget {
    Attempt(AttemptId),
    /// The newest finished attempt that was authorised before the label's time, in this campaign if one is named.
    Customer {
        key: Pii<String>,
        campaign: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labelled {
    pub attempt: AttemptId,
    pub revision: u16,
    /// `false`: the same label was there already.
    pub fresh: bool,
}

impl PlanVersion {
    pub fn of(ix: CampaignIx, campaign: &Campaign) -> Self {
        Self {
            campaign_ix: ix,
            campaign_hash: campaign.hash.clone(),
            policy: campaign.policy.reference(),
            policy_hash: campaign.policy.hash.clone(),
            scenario: campaign.scenario.as_str().to_owned(),
            purpose: campaign.purpose.as_str().to_owned(),
            rank_by: campaign.rank.by.as_str().to_owned(),
            pacing: campaign.pacing.mode.as_str().to_owned(),
            ring_ms: u64::try_from(campaign.pacing.ring.as_millis()).unwrap_or(u64::MAX),
            model_id: campaign.list.model_id.clone(),
            model_version: campaign.list.model_version.clone(),
            model_alias: super::ModelAlias::default().as_str().to_owned(),
        }
    }
}

impl OutcomeSource {
    pub const ALL: &'static [Self] = &[Self::Engine, Self::Recovery, Self::Label];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Recovery => "recovery",
            Self::Label => "label",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|source| source.as_str() == text)
    }
}
