//! From files and flags to the setting of a rehearsal.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::base::{Code, Diagnostic};
use crate::campaign::{Campaign, Folder, ListSource, PacingMode, Plan, load};
use crate::cli::check::home_of;
use crate::cli::diff::is_campaign;
use crate::cli::exit::{Exit, Stop};
use crate::cli::site::Site;
use crate::contact::{ColumnValue, Row};
use crate::daemon::read_folder;
use crate::feed::{ListError, ListFile, Parsed, ReadOptions, Sources, Tally, list_info, reach};
use crate::sim::{Capacity, Leads, Roster, Setting};
use crate::store::ListInfo;

use super::curves::answers;

/// As the command line has it.
pub(super) struct Wanted<'a> {
    pub path: &'a Path,
    pub agents: Option<u32>,
    pub roster: Option<&'a Path>,
    pub days: Option<u32>,
    pub seed: Option<u64>,
    pub runs: Option<u16>,
    pub from: Option<Date>,
    pub encoding: Option<&'a str>,
    pub config: Option<&'a Path>,
    pub truth: Option<&'a str>,
    /// Its outcomes go on record.
    pub records: bool,
}

/// Ready to be rehearsed.
#[derive(Debug)]
pub(super) struct Staged {
    pub setting: Setting,
    pub seed: u64,
    pub runs: u16,
    pub from: Date,
    pub list: PathBuf,
    pub tally: Tally,
    pub info: ListInfo,
}

const DAYS: u32 = 10;
const DAYS_MAX: i64 = 366;
const ROSTER_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn stage(wanted: &Wanted<'_>, list: &Path) -> Result<Staged, Stop> {
    let site = wanted.config.map(Site::read).transpose()?;
    let (home, plan) = plan_of(wanted.path)?;
    let campaign = only(&plan, wanted.path)?;
    let Read { leads, tally, from, info } = read_list(wanted, site.as_ref(), &campaign, (&home, &plan), list)?;
    let zone = Setting::zone(&campaign, &plan.zones);
    let start = Setting::midnight(&zone, from);
    let setting = Setting {
        capacity: capacity(wanted, &campaign, &home)?,
        leads,
        start,
        days: wanted.days.unwrap_or_else(|| days(&campaign, from)),
        answers: answers(site.as_ref(), &campaign, start)?,
        zones: plan.zones,
        campaign: Arc::clone(&campaign),
    };
    Ok(Staged {
        seed: wanted.seed.or(campaign.simulate.seed).unwrap_or(1),
        runs: wanted.runs.or(campaign.simulate.runs).unwrap_or(1),
        setting,
        from,
        list: list.to_owned(),
        tally,
        info,
    })
}

/// A folder, or one file of it among what campaigns share: the mistakes of its neighbours are not its own.
fn plan_of(path: &Path) -> Result<(PathBuf, Plan), Stop> {
    let invalid = |finding| Stop::one(Exit::Invalid, finding);
    let file = |why: String| invalid(Diagnostic::error(Code::File, format!("{}: {why}", path.display())));
    let (home, files) = if path.is_dir() {
        (path.to_owned(), read_folder(path, None).map_err(invalid)?)
    } else {
        let bytes = fs::read(path).map_err(|why| file(why.to_string()))?;
        let home = home_of(path);
        let inside = path.strip_prefix(home).unwrap_or(path).to_string_lossy().into_owned();
        let mut files = read_folder(home, None).map_err(invalid)?;
        if !Folder::wants(&inside) || !is_campaign(&bytes) {
            return Err(file("this is no campaign".to_owned()));
        }
        files.files.retain(|_, bytes| !is_campaign(bytes));
        files.insert(inside, bytes);
        (home.to_owned(), files)
    };
    let plan = load(&files)
        .map_err(|findings| Stop::found(Exit::Invalid, findings.into_iter().filter(Diagnostic::is_error).collect()))?;
    Ok((home, plan))
}

fn only(plan: &Plan, path: &Path) -> Result<Arc<Campaign>, Stop> {
    match &plan.campaigns[..] {
        [one] => Ok(Arc::clone(one)),
        several => {
            let names: Vec<&str> = several.iter().map(|campaign| campaign.name.as_str()).collect();
            let found =
                if names.is_empty() { "no campaign".to_owned() } else { format!("campaigns {}", names.join(", ")) };
            let message = format!("{} holds {found}, and a list is for one", path.display());
            Err(Stop::one(Exit::Usage, Diagnostic::error(Code::File, message).hint("name the campaign's file")))
        }
    }
}

struct Read {
    leads: Leads,
    tally: Tally,
    from: Date,
    info: ListInfo,
}

fn read_list(
    wanted: &Wanted<'_>,
    site: Option<&Site>,
    campaign: &Campaign,
    (home, plan): (&Path, &Plan),
    list: &Path,
) -> Result<Read, Stop> {
    let stop = |error: ListError| Stop::import(list, &error.into());
    let from = wanted.from.unwrap_or_else(|| Setting::first_day(campaign));
    let start = Setting::midnight(&Setting::zone(campaign, &plan.zones), from);
    let country = site.and_then(|site| site.config().country);
    let options = ReadOptions::new(&campaign.list, wanted.encoding, country, home);
    options.check().map_err(stop)?;
    let mut file = fetch(site, list).map_err(stop)?;
    let mut rows = file.rows(&campaign.list, &options).map_err(stop)?;
    let mut leads = Leads::of_list(campaign, start);
    for parsed in rows.by_ref() {
        match parsed.map_err(stop)? {
            Parsed::Row(row) => add(&mut leads, row, wanted)?,
            Parsed::Reject(_) => {}
        }
    }
    let info = list_info(&campaign.name, &campaign.list, &file, &options, &rows);
    let tally = rows.tally();
    if leads.is_empty() {
        let message = format!("{}: none of the {} rows can be called", list.display(), tally.rows);
        let hint = "`goldenhour import --dry-run` shows what is wrong with each";
        return Err(Stop::one(Exit::Failure, Diagnostic::error(Code::ListEmpty, message).hint(hint)));
    }
    Ok(Read { leads, tally, from, info })
}

/// The truth goes no further than to the people who are called: neither conditions nor records see it.
fn add(leads: &mut Leads, mut row: Row, wanted: &Wanted<'_>) -> Result<(), Stop> {
    let truth = wanted.truth.map(|name| truth(&mut row, name)).transpose()?;
    if wanted.records {
        leads.add_with_card(row);
    } else {
        leads.add(row);
    }
    if let Some(chance) = truth {
        leads.tell_truth(chance);
    }
    Ok(())
}

fn truth(row: &mut Row, name: &str) -> Result<f64, Stop> {
    let chance = match row.columns.0.remove(name) {
        Some(ColumnValue::Number(chance)) if (0.0..=1.0).contains(&chance) => return Ok(chance),
        Some(ColumnValue::Number(other)) => format!("is {other}"),
        None => "is empty or not declared".to_owned(),
        Some(_) => "is no number".to_owned(),
    };
    let message = format!("line {}: column `{name}` of --truth {chance}, not a chance from 0 to 1", row.line);
    let hint = "declare it in the campaign: `list: { columns: { NAME: { type: number } } }`";
    Err(Stop::one(Exit::Invalid, Diagnostic::error(Code::ListValue, message).hint(hint)))
}

fn fetch(site: Option<&Site>, list: &Path) -> Result<ListFile, ListError> {
    let text = list.to_str().ok_or_else(|| ListError::Source("the name of the list is not UTF-8".to_owned()))?;
    let source = ListSource::parse(text).map_err(|why| ListError::Source(why.to_owned()))?;
    let none = Sources::default();
    let spool = site.map_or_else(std::env::temp_dir, Site::spool);
    reach(&source, site.map_or(&none, Site::sources), Path::new(""), &spool)
}

/// Flags first, then the campaign's own roster, which only agents have.
fn capacity(wanted: &Wanted<'_>, campaign: &Campaign, home: &Path) -> Result<Capacity, Stop> {
    if let Some(agents) = wanted.agents {
        return Ok(Capacity::Fixed(agents));
    }
    let own = campaign.simulate.roster.as_ref().map(|path| home.join(path));
    let Some(path) = wanted.roster.map(Path::to_owned).or(own) else {
        return Err(Stop::usage("how many work? --agents N, --roster FILE, or `simulate: { roster }` in the campaign"));
    };
    if campaign.pacing.mode == PacingMode::Agentless {
        return Err(Stop::usage("a roster is of agents, and this campaign has none: --agents N says how many lines"));
    }
    let unread =
        |why: String| Stop::one(Exit::Invalid, Diagnostic::error(Code::Roster, format!("{}: {why}", path.display())));
    let about = fs::metadata(&path).map_err(|why| unread(why.to_string()))?;
    if about.len() > ROSTER_BYTES_MAX {
        return Err(unread(format!("longer than {ROSTER_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(&path).map_err(|why| unread(why.to_string()))?;
    Roster::parse(&text).map(Capacity::Roster).map_err(|mistake| unread(mistake.to_string()))
}

/// To the last day of the campaign's run, where it has one.
fn days(campaign: &Campaign, from: Date) -> u32 {
    let ahead = |until: Date| i64::from(until.since(from).map_or(0, |span| span.get_days())) + 1;
    campaign.run.until.map_or(DAYS, |until| ahead(until).clamp(1, DAYS_MAX) as u32)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::base::Pii;
    use crate::campaign::RunDates;
    use crate::campaign::testing::campaign;
    use crate::contact::Columns;

    fn wanted() -> Wanted<'static> {
        Wanted {
            path: Path::new("c.yaml"),
            agents: None,
            roster: None,
            days: None,
            seed: None,
            runs: None,
            from: None,
            encoding: None,
            config: None,
            truth: None,
            records: false,
        }
    }

    fn row(truth: Option<ColumnValue>) -> Row {
        let columns = truth.map(|value| ("truth".to_owned(), value)).into_iter().collect();
        Row {
            line: 7,
            key: Pii::new("k".to_owned()),
            phones: Vec::new(),
            zones: Vec::new(),
            language: None,
            consent: None,
            tags: Vec::new(),
            attempts_used: 0,
            score: 0.5,
            value: 1.0,
            columns: Columns(columns),
        }
    }

    #[test]
    fn a_truth_is_a_chance_and_leaves_the_row() {
        for chance in [0.0, 0.25, 1.0] {
            let mut row = row(Some(ColumnValue::Number(chance)));
            assert!((truth(&mut row, "truth").unwrap() - chance).abs() < 1e-9);
            assert!(row.columns.0.is_empty(), "neither conditions nor records see it");
        }
    }

    #[test]
    fn a_truth_that_is_no_chance_is_refused_with_its_line() {
        let cases = [
            (Some(ColumnValue::Number(1.01)), "line 7: column `truth` of --truth is 1.01"),
            (Some(ColumnValue::Number(-0.01)), "is -0.01"),
            (Some(ColumnValue::Number(f64::NAN)), "is NaN"),
            (Some(ColumnValue::Integer(1)), "is no number"),
            (None, "is empty or not declared"),
        ];
        for (value, said) in cases {
            let stop = truth(&mut row(value), "truth").unwrap_err();
            assert_eq!(stop.exit, Exit::Invalid);
            assert!(stop.why.to_string().contains(said), "{}", stop.why);
        }
    }

    #[test]
    fn the_run_of_a_campaign_says_how_many_days_and_never_none_or_too_many() {
        let until = |day| Campaign { run: RunDates { from: None, until: Some(day) }, ..campaign() };
        let from = date(2026, 12, 1);
        assert_eq!(days(&campaign(), from), 10);
        assert_eq!(days(&until(date(2026, 12, 1)), from), 1, "both ends belong to it");
        assert_eq!(days(&until(date(2026, 12, 31)), from), 31);
        assert_eq!(days(&until(date(2026, 11, 1)), from), 1);
        assert_eq!(days(&until(date(2036, 1, 1)), from), 366);
    }

    fn roster_of(text: &str, mode: PacingMode) -> Result<Capacity, Stop> {
        let home = tempfile::tempdir()?;
        fs::write(home.path().join("roster.csv"), text)?;
        let mut campaign = campaign();
        campaign.pacing.mode = mode;
        campaign.simulate.roster = Some("roster.csv".into());
        capacity(&wanted(), &campaign, home.path())
    }

    #[test]
    fn a_roster_is_of_agents_and_no_longer_than_rosters_are() {
        let text = "day,from,to,agents\nmon,09:00,18:00,3\n";
        assert!(matches!(roster_of(text, PacingMode::Progressive), Ok(Capacity::Roster(_))));
        let of_lines = roster_of(text, PacingMode::Agentless).unwrap_err();
        assert!(of_lines.exit == Exit::Usage && of_lines.why.to_string().contains("has none"), "{}", of_lines.why);
        let comment = format!("{text}#{}\n", "-".repeat(ROSTER_BYTES_MAX as usize));
        let long = roster_of(&comment, PacingMode::Progressive).unwrap_err();
        assert!(long.exit == Exit::Invalid && long.why.to_string().contains("longer than"), "{}", long.why);
    }

    #[test]
    fn without_agents_and_roster_nothing_is_rehearsed() {
        let stop = capacity(&wanted(), &campaign(), Path::new("")).unwrap_err();
        assert!(stop.exit == Exit::Usage && stop.why.to_string().contains("how many work?"), "{}", stop.why);
        let agents = Wanted { agents: Some(3), ..wanted() };
        assert_eq!(capacity(&agents, &campaign(), Path::new("")).unwrap(), Capacity::Fixed(3));
    }

    #[test]
    fn a_list_is_for_one_campaign() {
        let of = |campaigns| only(&Plan { campaigns, ..Plan::default() }, Path::new("folder"));
        let one = Arc::new(campaign());
        assert!(of(vec![Arc::clone(&one)]).is_ok());
        for campaigns in [vec![], vec![Arc::clone(&one), one]] {
            assert_eq!(of(campaigns).unwrap_err().exit, Exit::Usage);
        }
    }

    #[test]
    fn a_file_that_is_no_campaign_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("words.yaml");
        fs::write(&path, "schema: goldenhour/dispositions/v1\n").unwrap();
        let stop = plan_of(&path).unwrap_err();
        assert!(stop.exit == Exit::Invalid && stop.why.to_string().contains("this is no campaign"), "{}", stop.why);
    }
}
