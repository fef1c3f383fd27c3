//! How the scores of the list in force are spread: what the next list is compared with.

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;

use super::sql::{self, Binds, Cells};

/// By the campaign's leads: `listed` is ordered by lead, and has the lines of all lists.
const BINS: &str = "SELECT min(?, CAST(r.score * ? AS INTEGER)), count(*)
    FROM lead l JOIN listed r ON r.lead = l.id AND r.list = (SELECT max(i.id) FROM list i
        JOIN campaign c ON c.ix = i.campaign WHERE c.name = ? AND i.state = 1)
    WHERE l.campaign = (SELECT ix FROM campaign WHERE name = ?) GROUP BY 1";

pub(super) async fn bins(conn: &mut SqliteConnection, campaign: &str, bins: u32) -> Result<Vec<u64>, StoreError> {
    let mut binds = Binds::default();
    binds.int(i64::from(bins) - 1).real(f64::from(bins)).text(campaign).text(campaign);
    let rows = sql::rows(conn, BINS, binds).await?;
    let mut out = if rows.is_empty() { Vec::new() } else { vec![0; bins as usize] };
    for row in &rows {
        let mut cells = Cells::of(row);
        let at: u32 = cells.small()?;
        let count = cells.int()?;
        if let Some(bin) = out.get_mut(at as usize) {
            *bin = u64::try_from(count).unwrap_or(0);
        }
    }
    Ok(out)
}
