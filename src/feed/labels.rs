//! Labels that come later: sales booked, payments, corrections. Each becomes the next revision of its attempt, once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::base::{AttemptId, Code, Now, Pii, Wall};
use crate::campaign::Plan;
use crate::contact::OutcomeKind;
use crate::store::{LabelTarget, NewLabel, Store, StoreError};

use super::csv::Records;
use super::facts::{Facts, counted};
use super::header::{HeaderError, Missing, place, twice};
use super::reject::{RejectFile, shape};
use super::source::Source;
use super::table::Record;
use super::{ImportError, ListError, Reject, cells};

const FIRST_REJECTS: usize = 5;
/// Clocks differ, and a date alone means its last instant anywhere on earth.
const FUTURE: Duration = Duration::from_hours(36);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelOptions {
    /// A WHATWG label; UTF-8 without one.
    pub encoding: Option<String>,
    pub rejects: Option<PathBuf>,
}

/// What the dispositions of each campaign mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispositions(pub BTreeMap<String, BTreeMap<String, OutcomeKind>>);

/// `rows = added + known + rejects`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabelReport {
    pub file: PathBuf,
    pub rows: u64,
    pub added: u64,
    /// There already: from this file or another.
    pub known: u64,
    pub rejects: u64,
    pub rejects_by_code: BTreeMap<String, u64>,
    pub rejects_file: Option<PathBuf>,
    pub first_rejects: Vec<Reject>,
}

/// Reads `attempt_id` or `customer_key` (with `campaign`, if there is such a column), `disposition`, `at`, `amount`, and
/// appends each label. Labels stand as they come; the same file again adds nothing.
pub async fn import_labels<S: Store>(
    store: &mut S,
    dispositions: &Dispositions,
    path: &Path,
    options: &LabelOptions,
    now: Now,
) -> Result<LabelReport, ImportError> {
    let source = Source::open(path, options.encoding.as_deref())?;
    let mut records = Records::new(source.text);
    let Some(header) = records.next()? else {
        return Err(ListError::Empty("there is not even a header").into());
    };
    let columns = Columns::new(header).map_err(ListError::Header)?;
    let mut rejects = RejectFile::new(options.rejects.as_deref());
    let mut report = LabelReport { file: path.to_owned(), ..LabelReport::default() };
    while let Some(record) = records.next()? {
        report.rows += 1;
        let line = Line { record, columns: &columns, now: now.wall };
        match add(store, dispositions, line, now).await? {
            Ok(true) => report.added += 1,
            Ok(false) => report.known += 1,
            Err(reject) => {
                rejects.write(&reject).map_err(ImportError::Rejects)?;
                report.note(reject);
            }
        }
    }
    if report.rows == 0 {
        return Err(ListError::Empty("there is a header and no row").into());
    }
    report.rejects_file = rejects.finish().map_err(ImportError::Rejects)?;
    Ok(report)
}

impl Dispositions {
    pub fn of(plan: &Plan) -> Self {
        let meanings = plan.campaigns.iter().map(|campaign| {
            let kinds = campaign.dispositions.iter().map(|(name, meaning)| (name.clone(), meaning.outcome));
            (campaign.name.clone(), kinds.collect())
        });
        Self(meanings.collect())
    }

    /// By the campaign's own word; where it is not known, by what all that have the disposition agree on.
    fn outcome(&self, campaign: Option<&str>, disposition: &str) -> Result<OutcomeKind, String> {
        if let Some((name, own)) = campaign.and_then(|name| self.0.get_key_value(name)) {
            return own.get(disposition).copied().ok_or_else(|| {
                format!(
                    "campaign `{name}` has no disposition `{}`{}",
                    shape(disposition),
                    near(own.keys(), disposition)
                )
            });
        }
        let mut meanings = self.0.values().filter_map(|own| own.get(disposition));
        match meanings.next() {
            Some(first) if meanings.all(|other| other == first) => Ok(*first),
            Some(_) => Err("campaigns disagree on what this disposition means; add a column `campaign`".into()),
            None => {
                let all = self.0.values().flat_map(BTreeMap::keys);
                Err(format!("no campaign has a disposition `{}`{}", shape(disposition), near(all, disposition)))
            }
        }
    }
}

/// Of the label file; places from 0.
#[derive(Debug)]
struct Columns {
    names: Vec<String>,
    attempt: Option<usize>,
    customer: Option<usize>,
    campaign: Option<usize>,
    disposition: Option<usize>,
    at: usize,
    amount: Option<usize>,
}

impl Columns {
    fn new(header: Record<'_>) -> Result<Self, HeaderError> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let find = |column: &str| names.iter().position(|name| name == column);
        let mut error = HeaderError { twice: twice(&names), ..HeaderError::default() };
        let at = place(&names, "when it happened", "at", &mut error.missing);
        let (attempt, customer) = (find("attempt_id"), find("customer_key"));
        let (disposition, amount) = (find("disposition"), find("amount"));
        if attempt.is_none() && customer.is_none() {
            error.missing.push(Missing::of("attempt_id", "or `customer_key`: whose label it is"));
        }
        if disposition.is_none() && amount.is_none() {
            error.missing.push(Missing::of("disposition", "or `amount`: what happened"));
        }
        if !error.missing.is_empty() || !error.twice.is_empty() {
            return Err(error);
        }
        Ok(Self { attempt, customer, campaign: find("campaign"), disposition, at, amount, names })
    }
}

impl Missing {
    fn of(column: &str, role: &str) -> Self {
        Self { column: column.to_owned(), role: role.to_owned(), near: None }
    }
}

#[derive(Clone, Copy)]
struct Line<'a> {
    record: Record<'a>,
    columns: &'a Columns,
    now: Wall,
}

/// `Ok(Ok(false))`: the label was there already.
async fn add<S: Store>(
    store: &mut S,
    dispositions: &Dispositions,
    line: Line<'_>,
    now: Now,
) -> Result<Result<bool, Reject>, StoreError> {
    let parsed = match line.parse() {
        Ok(parsed) => parsed,
        Err(reject) => return Ok(Err(reject)),
    };
    let campaign = match &parsed.target {
        LabelTarget::Customer { campaign, .. } => campaign.clone(),
        LabelTarget::Attempt(attempt) => match store.attempt(*attempt).await?.first() {
            Some(row) => Some(row.campaign.clone()),
            None => return Ok(Err(line.unknown())),
        },
    };
    let outcome = match parsed.disposition {
        Some(disposition) => match dispositions.outcome(campaign.as_deref(), disposition) {
            Ok(outcome) => Some(outcome),
            Err(reason) => {
                return Ok(Err(line.reject(line.columns.disposition, Code::LabelDisposition, reason)));
            }
        },
        None => None,
    };
    let label = NewLabel {
        target: parsed.target,
        disposition: parsed.disposition.map(str::to_owned),
        outcome,
        at: parsed.at,
        amount: parsed.amount,
    };
    Ok(store.add_label(&label, now).await?.map(|labelled| labelled.fresh).ok_or_else(|| line.unknown()))
}

struct ParsedLabel<'a> {
    target: LabelTarget,
    disposition: Option<&'a str>,
    at: Wall,
    amount: Option<f64>,
}

impl<'a> Line<'a> {
    fn parse(self) -> Result<ParsedLabel<'a>, Reject> {
        let columns = self.columns;
        if self.record.len() != columns.names.len() {
            let reason = format!("{} cells, the header has {}", self.record.len(), columns.names.len());
            return Err(Reject::row(self.record.line, Code::ListRowLength, reason));
        }
        if let Some((column, c)) = self.record.forbidden() {
            let reason = format!("holds the character U+{:04X}", u32::from(c));
            return Err(self.reject(Some(column), Code::ListCharacter, reason));
        }
        let target = self.target()?;
        let disposition = self.cell(columns.disposition);
        let amount = match self.cell(columns.amount) {
            Some(text) => {
                Some(cells::number(text).map_err(|reason| self.reject(columns.amount, Code::LabelValue, reason))?)
            }
            None => None,
        };
        if disposition.is_none() && amount.is_none() {
            return Err(Reject::row(self.record.line, Code::LabelValue, "neither a disposition nor an amount"));
        }
        Ok(ParsedLabel { target, disposition, at: self.at()?, amount })
    }

    /// The attempt where there is one, else the customer.
    fn target(self) -> Result<LabelTarget, Reject> {
        let columns = self.columns;
        if let Some(text) = self.cell(columns.attempt) {
            let attempt = AttemptId::parse(text).ok_or_else(|| {
                let reason = format!("not a UUID, but `{}`", shape(text));
                self.reject(columns.attempt, Code::LabelUnknown, reason)
            })?;
            return Ok(LabelTarget::Attempt(attempt));
        }
        let key = columns.customer.and_then(|column| self.record.get(column)).filter(|key| !key.trim().is_empty());
        let Some(key) = key else {
            return Err(Reject::row(self.record.line, Code::LabelUnknown, "neither an attempt_id nor a customer_key"));
        };
        let campaign = self.cell(columns.campaign).map(str::to_owned);
        Ok(LabelTarget::Customer { key: Pii::new(key.to_owned()), campaign })
    }

    /// A date alone means its last microsecond in UTC: a payment of the day comes behind the calls of the day.
    fn at(self) -> Result<Wall, Reject> {
        let column = Some(self.columns.at);
        let text = self.cell(column).unwrap_or("");
        let mut at = cells::time(text).map_err(|reason| self.reject(column, Code::LabelValue, reason))?;
        if text.len() == "2026-12-01".len() {
            at = at + Duration::from_micros(86_399_999_999);
        }
        if at > self.now + FUTURE {
            return Err(self.reject(column, Code::LabelValue, "lies in the future"));
        }
        Ok(at)
    }

    /// Trimmed; an empty cell is none.
    fn cell(self, column: Option<usize>) -> Option<&'a str> {
        self.record.get(column?).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn reject(self, column: Option<usize>, code: Code, reason: impl Into<String>) -> Reject {
        let name = column.and_then(|column| self.columns.names.get(column)).map_or("", String::as_str);
        Reject::cell(self.record.line, name, code, reason)
    }

    fn unknown(self) -> Reject {
        let by_attempt = self.cell(self.columns.attempt).is_some();
        let column = if by_attempt { self.columns.attempt } else { self.columns.customer };
        self.reject(column, Code::LabelUnknown, "no finished attempt of this name before that time")
    }
}

impl LabelReport {
    fn note(&mut self, reject: Reject) {
        self.rejects += 1;
        *self.rejects_by_code.entry(reject.code.to_string()).or_default() += 1;
        if self.first_rejects.len() < FIRST_REJECTS {
            self.first_rejects.push(reject);
        }
    }
}

impl fmt::Display for LabelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = Facts::new(format!("{} → outcomes", self.file.display()));
        facts.add("labels", counted(self.rows));
        facts.add("  added", counted(self.added));
        facts.add("  known before", counted(self.known));
        facts.add("  rejects", counted(self.rejects));
        for (code, count) in &self.rejects_by_code {
            facts.add(&format!("    {code}"), counted(*count));
        }
        for reject in &self.first_rejects {
            facts.add(&format!("line {}", reject.line), reject);
        }
        if let Some(path) = &self.rejects_file {
            facts.add("all rejects", path.display());
        }
        facts.fmt(f)
    }
}

/// `; did you mean …?` A name that somebody declared is no personal value.
fn near<'a>(known: impl Iterator<Item = &'a String>, name: &str) -> String {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::feed::fake::Fake;

    const NOW: &str = "2026-12-05T00:00:00Z";

    fn dispositions() -> Dispositions {
        let kinds = |pairs: &[(&str, OutcomeKind)]| pairs.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect();
        let bill = kinds(&[("sale_booked", OutcomeKind::Success), ("other", OutcomeKind::Success)]);
        let other = kinds(&[("paid", OutcomeKind::Success), ("other", OutcomeKind::Failure)]);
        Dispositions([("installment-bill".to_owned(), bill), ("collections".to_owned(), other)].into())
    }

    async fn run(store: &mut Fake, text: &str) -> Result<LabelReport, ImportError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let now = Now { wall: Wall::parse(NOW).unwrap(), ..Now::default() };
        import_labels(store, &dispositions(), file.path(), &LabelOptions::default(), now).await
    }

    #[tokio::test]
    async fn a_label_becomes_a_revision_once() {
        let mut store = Fake::with_outcomes(2);
        let id = AttemptId(1);
        let text = format!("attempt_id,disposition,at,amount\n{id},sale_booked,2026-12-03,120.50\n");
        let report = run(&mut store, &text).await.unwrap();
        assert_eq!((report.rows, report.added, report.known, report.rejects), (1, 1, 0, 0));
        assert_eq!((store.labels[0].outcome, store.labels[0].amount), (Some(OutcomeKind::Success), Some(120.5)));
        assert_eq!(store.labels[0].at, Wall::parse("2026-12-03T23:59:59.999999Z").unwrap());
        let again = run(&mut store, &text).await.unwrap();
        assert_eq!((again.added, again.known, store.labels.len()), (0, 1, 1));
    }

    #[tokio::test]
    async fn a_customer_stands_for_the_newest_attempt_of_theirs() {
        let mut store = Fake::with_outcomes(1);
        let text = "customer_key,campaign,disposition,at,amount\n=cmd|1,installment-bill,,2026-12-03T10:00:00Z,5\n";
        assert_eq!(run(&mut store, text).await.unwrap().added, 1);
        let campaign = Some("installment-bill".to_owned());
        let key = Pii::new("=cmd|1".to_owned());
        assert_eq!(store.labels[0].target, LabelTarget::Customer { key, campaign });
        assert_eq!(store.labels[0].disposition, None);
    }

    #[tokio::test]
    async fn every_bad_label_is_a_reject_with_its_reason() {
        let mut store = Fake::with_outcomes(1);
        let id = AttemptId(1);
        let text = format!(
            "attempt_id,customer_key,disposition,at,amount\n\
             not-a-uuid,,sale_booked,2026-12-03,\n\
             ,,sale_booked,2026-12-03,\n\
             {},,sale_booked,2026-12-03,\n\
             ,nobody,sale_booked,2026-12-03,\n\
             {id},,sale_boked,2026-12-03,\n\
             {id},,sale_booked,03.12.2026,\n\
             {id},,sale_booked,2027-12-03,\n\
             {id},,sale_booked,2026-12-03,\"1,5\"\n\
             {id},,,2026-12-03,\n\
             {id},,sale_booked\n\
             ,=cmd|1,other,2026-12-03,\n",
            AttemptId(99)
        );
        let report = run(&mut store, &text).await.unwrap();
        assert_eq!((report.rows, report.rejects, report.added), (11, 11, 0));
        let by_code: Vec<(&str, u64)> = report.rejects_by_code.iter().map(|(code, n)| (code.as_str(), *n)).collect();
        assert_eq!(by_code, [("GH2006", 1), ("GH2017", 4), ("GH2018", 2), ("GH2019", 4)]);
        assert!(report.first_rejects[4].reason.contains("did you mean `sale_booked`?"));
        assert!(report.to_string().contains("line 2"));
    }

    #[tokio::test]
    async fn a_file_without_the_columns_is_refused_with_all_of_them() {
        let error = run(&mut Fake::with_outcomes(1), "id,when\n1,2\n").await.unwrap_err();
        let ImportError::List(ListError::Header(header)) = error else { panic!("{error}") };
        let missing: Vec<&str> = header.missing.iter().map(|m| m.column.as_str()).collect();
        assert_eq!(missing, ["at", "attempt_id", "disposition"]);
        assert!(run(&mut Fake::with_outcomes(1), "attempt_id,at,amount\n").await.is_err());
    }
}
