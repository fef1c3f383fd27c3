//! What attempts told of answers, counted for the answer model.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;

use crate::base::{CampaignIx, Wall};
use crate::contact::CallResult;
use crate::engine::Heard;
use crate::rank::{Past, Reachability, Slot, answered};
use crate::store::StoreError;

use super::shown::from;
use super::sql::{self, Cells};

static COUNTS: LazyLock<String> = LazyLock::new(|| {
    let telling = |came: bool| {
        let results = CallResult::ALL.iter().filter(|result| answered(**result) == Some(came));
        results.map(|result| format!("'{}'", result.as_str())).collect::<Vec<_>>().join(",")
    };
    let (yes, no) = (telling(true), telling(false));
    format!(
        "SELECT a.at / 86400000000, v.segments, a.segment, a.slot_weekday, a.slot_half_hour,
            min(a.attempt_no - 1, {}), min(a.same_slot_fails, {}), a.reachability, count(*), sum(a.result IN ({yes}))
        FROM attempt a JOIN plan_version v ON v.id = a.plan_version
        WHERE a.id >= ? AND a.at >= ? AND a.campaign = ? AND a.result IN ({yes},{no}) AND v.segments IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8",
        Past::MAX_ATTEMPTS,
        Past::MAX_SAME_HOUR,
    )
});

/// Attempts of the campaign since then, by day and by what the model looks at. What a campaign's version did not name a
/// segment for is left out.
pub(super) async fn heard_since(
    conn: &mut SqliteConnection,
    campaign: CampaignIx,
    since: Wall,
) -> Result<Vec<Heard>, StoreError> {
    let mut binds = from(since);
    binds.int(i64::from(campaign.0));
    let mut counts: BTreeMap<_, (u32, u32)> = BTreeMap::new();
    for row in sql::rows(conn, &COUNTS, binds).await? {
        let mut cells = Cells::of(&row);
        let day = cells.int()?;
        let segments = cells.text()?;
        let segment = segments.split(' ').nth(cells.small::<usize>()?);
        let slot = Slot::new(cells.small()?, cells.small::<u16>()? * Slot::MINUTES);
        let past = Past {
            attempts: cells.small()?,
            same_hour_fails: cells.small()?,
            reachability: Reachability::from_steps(i8::try_from(cells.int()?).unwrap_or(0)),
        };
        let (dials, came): (u32, u32) = (cells.small()?, cells.small()?);
        if let Some(segment) = segment {
            // Two versions of a campaign may both have the segment.
            let count = counts.entry((day, segment.to_owned(), slot, past)).or_default();
            *count = (count.0.saturating_add(dials), count.1.saturating_add(came));
        }
    }
    let heard = |((day, segment, slot, past), (dials, answered)): ((i64, String, Slot, Past), (u32, u32))| Heard {
        day,
        segment: segment.into(),
        slot,
        past,
        dials,
        answered,
    };
    Ok(counts.into_iter().map(heard).collect())
}
