//! What a campaign has learned of its golden hours: the seed beside it, and how many calls told so.

use crate::base::Wall;
use crate::campaign::{Campaign, Learn};
use crate::cli::ahead::Seen;
use crate::cli::exit::Stop;
use crate::engine::{Heard, tally_of};
use crate::rank::{AnswerModel, hours_learned, learn};

/// Sentences, one a segment and hour. Reads the database as a new process would.
pub(super) async fn learned(seen: &mut Seen, campaign: &Campaign) -> Result<Vec<String>, Stop> {
    if campaign.golden_hours.learn == Learn::Off {
        return Ok(vec!["nothing: golden_hours.learn is off, and the seed holds".to_owned()]);
    }
    let at = seen.at;
    let heard = seen.heard(&campaign.name).await?;
    Ok(sentences(campaign, &heard, at))
}

fn sentences(campaign: &Campaign, heard: &[Heard], at: Wall) -> Vec<String> {
    let tally = tally_of(heard, campaign, at);
    if tally.is_empty() {
        return vec!["nothing yet: no call has told anything, and the seed holds".to_owned()];
    }
    let weight = campaign.golden_hours.prior_weight_calls;
    let prior = AnswerModel::of(campaign);
    let model = learn(&prior, &tally, weight);
    let of_segment = |(ix, name): (u8, &str)| -> Vec<String> {
        let hours = hours_learned(&prior, &model, &tally, ix, weight);
        let sentence = |of: &crate::rank::HourLearned| {
            let percent = |p: f32| format!("{:.0} %", 100.0 * p);
            format!(
                "{name} at {:02}:00: seed {}, learned {} ± {}, {:.0} calls",
                of.hour,
                percent(of.seed),
                percent(of.learned),
                percent(of.give_or_take),
                of.calls
            )
        };
        hours.iter().map(sentence).collect()
    };
    let names = campaign.segments.iter().map(|segment| segment.name.as_str());
    (0..).zip(names).flat_map(of_segment).collect()
}
