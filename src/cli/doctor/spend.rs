//! What trunks with a cap have cost today: one that is used up dials nobody until the next day.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Money, Wall};
use crate::cli::exit::Stop;
use crate::cli::site::block_on;
use crate::daemon::config::{Config, Database};
use crate::engine::{Spend, Talked, day_of};
use crate::store::{Keys, Sqlite, Store as _, StoreError};

use super::Finding;

const CHECK: &str = "spend";

/// `high_water` of the database; without one nothing was dialled yet, or the finding on it has said why it cannot be read.
pub(super) fn check(config: &Config, now: Wall, high_water: Option<Wall>) -> Result<Vec<Finding>, Stop> {
    let capped: Vec<_> = config.trunks.iter().filter_map(|trunk| Some((trunk.name.as_str(), trunk.spend?))).collect();
    let (Some(high_water), false) = (high_water, capped.is_empty()) else { return Ok(Vec::new()) };
    let (since, _) = day_of(&config.zone, now.max(high_water));
    let looked = block_on(async { Ok(look(config, since).await) })?;
    Ok(match looked {
        Ok(talked) => capped.iter().map(|(name, spend)| judge(name, spend, &talked)).collect(),
        Err(error) => {
            let remedy = format!("docs/errors/{}.md says what to do", error.code());
            vec![Finding::unreachable(CHECK, format!("{}: {error}", error.code()), remedy)]
        }
    })
}

async fn look(config: &Config, since: Wall) -> Result<Vec<Talked>, StoreError> {
    let Database::Sqlite(path) = &config.database;
    let keys = Arc::new(Keys::load(&config.keys_file)?);
    let mut store = Sqlite::look(&format!("sqlite://{}", path.display()), keys).await?;
    let talked = store.talked_since(since).await?;
    store.close().await?;
    Ok(talked)
}

fn judge(name: &str, spend: &Spend, talked: &[Talked]) -> Finding {
    let mut today = Money::ZERO;
    for of in talked.iter().filter(|of| *of.trunk == *name) {
        today += spend.tariff.cost(Duration::from_secs(of.seconds.into())).times(of.calls);
    }
    let what = format!("{name} has cost {today} today and may cost {}", spend.max_per_day);
    if spend.max_per_day.less(today) < spend.tariff.least() {
        let remedy = "nothing more is dialled over it until the next day; `spend.max_per_day` of the trunk says so";
        return Finding::warn(CHECK, what, remedy);
    }
    Finding::ok(CHECK, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Tariff;
    use crate::cli::doctor::report::Verdict;

    #[test]
    fn a_trunk_that_has_cost_what_it_may_is_told_from_one_that_has_not() {
        let money = |text| Money::parse(text).unwrap();
        let tariff = Tariff { per_minute: money("0.5"), per_call: Money::ZERO, billed_by_s: 60 };
        let spend = Spend { max_per_day: money("2"), tariff };
        let of = |trunk: &str, calls| Talked { trunk: trunk.into(), seconds: 61, calls };
        let fine = judge("gw", &spend, &[of("gw", 1), of("other", 9)]);
        assert_eq!((fine.result, fine.what.as_str()), (Verdict::Ok, "gw has cost 1.00 today and may cost 2.00"));
        assert_eq!(judge("gw", &spend, &[of("gw", 2)]).result, Verdict::Warn);
    }
}
