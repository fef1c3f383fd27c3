//! Whose figures the people of a rehearsal answer by: read from the database, and said.

use std::fmt;

use serde::Serialize;

use crate::base::Wall;
use crate::campaign::Campaign;
use crate::cli::ahead::{Seen, thousands};
use crate::cli::exit::Stop;
use crate::cli::site::{Site, block_on};
use crate::sim::{Answers, Curves};

/// `answer curves: learned from 4,120 attempts up to 2026-11-28`
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct CurvesSaid {
    /// `learned` or `seed`.
    from: &'static str,
    attempts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip)]
    asked: bool,
}

impl From<Curves> for CurvesSaid {
    fn from(curves: Curves) -> Self {
        let seeded = |asked| Self { from: "seed", attempts: 0, until: None, asked };
        match curves {
            Curves::Seeded => seeded(false),
            Curves::NothingLearned => seeded(true),
            Curves::Learned { attempts, until } => {
                Self { from: "learned", attempts, until: Some(until.to_string()), asked: true }
            }
        }
    }
}

impl fmt::Display for CurvesSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.until, self.asked) {
            (Some(until), _) => {
                write!(f, "answer curves: learned from {} attempts up to {until}", thousands(self.attempts))
            }
            (None, true) => f.write_str("answer curves: seeded by the campaign, nothing learned yet"),
            (None, false) => f.write_str("answer curves: seeded by the campaign (--config asks a database for better)"),
        }
    }
}

/// What an installation's database has heard by the start of the rehearsal. A campaign can be rehearsed before there is a
/// database; one that is there and cannot be read is no reason to go on without it.
pub(super) fn answers(site: Option<&Site>, campaign: &Campaign, start: Wall) -> Result<Answers, Stop> {
    let Some(site) = site else { return Ok(Answers::seeded(campaign)) };
    if !site.database().exists() {
        return Ok(Answers::learned(campaign, Vec::new(), start));
    }
    block_on(async {
        let mut seen = Seen::open(site, Some(start)).await?;
        learned(&mut seen, campaign).await
    })
}

/// As a daemon that starts at the moment that is looked at would believe.
pub(super) async fn learned(seen: &mut Seen, campaign: &Campaign) -> Result<Answers, Stop> {
    let heard = seen.heard(&campaign.name).await?;
    Ok(Answers::learned(campaign, heard, seen.at))
}
