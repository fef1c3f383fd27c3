//! The seven real lists, dialled through one day by the daemon, with SIPp as the gateway.
//!
//! The lists lie beside the repository, in `../shared/data/lists`; where they do not, the test says so and does nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Row as _;

use crate::daemon::{Daemon, Setup, Site, now, until, within};
use crate::sipp::Sipp;

/// Campaign, list, rows.
pub(crate) const LISTS: [(&str, &str, u64); 7] = [
    ("activation", "activation", 416),
    ("collections", "collections", 6_000),
    ("installments", "installments", 2_950),
    ("issuance", "issuance_termdep", 1_179),
    ("issuance-approval", "issuance_approval_nanp", 396),
    ("retention", "retention", 2_026),
    ("revisit", "revisit", 2_065),
];

/// Ranked by score: within a slot the best leave first.
const BY_SCORE: [&str; 3] = ["activation", "collections", "issuance-approval"];

/// Seven in the morning in Taipei, six in the evening in New York.
const START: &str = "2026-11-30T23:00:00Z";
/// Half past eight in the evening in Honolulu on the day after, when the last zone closes.
const RATE: &str = "1500";
const HOURS: u64 = 32;

pub(crate) fn lists() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1).map(|up| up.join("shared/data/lists"));
    folder.into_iter().find(|folder| folder.join("collections.csv.gz").exists())
}

/// The campaigns that we ship, with one change: a first attempt each is what this is about, except where numbers are
/// shared, and there the caps are.
fn write_campaigns(site: &Site) {
    site.take_shipped();
    for (campaign, ..) in LISTS {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("campaigns/{campaign}.yaml"));
        let text = fs::read_to_string(shipped).unwrap();
        let one_each = |line: &str| match line.split_once("attempts: { max") {
            Some(_) if campaign == "issuance-approval" => format!("{line}\n"),
            Some(("", _)) => "attempts: { max: 1, max_per_day: 1 }\n".to_owned(),
            Some((segment, _)) if segment.ends_with(", ") => format!("{} }}\n", segment.trim_end_matches(", ")),
            Some(_) | None => format!("{line}\n"),
        };
        site.write(&format!("campaigns/{campaign}.yaml"), &text.lines().map(one_each).collect::<String>());
    }
}

#[test]
fn the_real_lists_are_dialled_through_a_day() {
    let Some(folder) = lists() else {
        println!("not run: ../shared/data/lists is not here");
        return;
    };
    let site = Site::new(&Setup {
        max_calls: 1_500,
        max_cps: 600,
        seats: 1_000,
        drain_s: 60,
        ports: 4_000,
        ..Setup::default()
    });
    write_campaigns(&site);
    let leads = import_all(&site, &folder);
    let sipp = Sipp::start(&site, "mixed.xml", None);
    // Everything is loaded before anybody is dialled, so that the first slot is in order too.
    site.run("pause", &["--all"]);
    let mut daemon = site.serve(&["--clock-start", START, "--clock-rate", RATE]);
    until("all leads are in memory", || daemon.metric("goldenhour_leads", &[]) as u64 == leads);
    site.run("resume", &["--all"]);
    let began = now();
    let day = Duration::from_secs(HOURS * 3_600 / RATE.parse::<u64>().unwrap());
    within(day, || {
        daemon.process().must_run();
        nobody_is_left(&site)
    });
    println!("dialled for {:?}", now().duration_since(began));
    report(&site, &daemon);
    each_lead_is_in_one_state(&site, &daemon, leads);
    daemon.stop();
    sipp_saw_what_we_say(&site, &sipp);
    nobody_was_called_too_often(&site);
    the_best_left_first(&site);
}

/// Rows are leads and rejects, and nothing else.
fn import_all(site: &Site, folder: &Path) -> u64 {
    let mut leads = 0;
    let mut all = 0;
    for (campaign, list, rows) in LISTS {
        let report = site.import(campaign, &folder.join(format!("{list}.csv.gz")));
        let of = |key: &str| report[key].as_u64().unwrap();
        assert_eq!(of("rows"), rows, "{report}");
        assert_eq!(of("leads") + of("rejects"), rows, "{report}");
        leads += of("leads");
        all += rows;
    }
    assert_eq!(all, 15_032);
    assert_eq!(site.number("SELECT count(*) FROM lead") as u64, leads);
    leads
}

/// Everybody had a first attempt, or the gate has put them aside for good.
fn nobody_is_left(site: &Site) -> bool {
    let untouched = "SELECT count(*) FROM lead l WHERE l.state = 'waiting'
        AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.contact = l.contact AND a.lead = l.id)";
    site.number(untouched) == 0
}

fn report(site: &Site, daemon: &Daemon) {
    let figures = site.texts::<2>("SELECT result, cast(count(*) AS text) FROM attempt GROUP BY result ORDER BY result");
    println!("attempts: {figures:?}");
    let untouched = site.texts::<2>(
        "SELECT c.name, cast(count(*) AS text) FROM lead l JOIN campaign c ON c.ix = l.campaign
            WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.contact = l.contact AND a.lead = l.id)
            GROUP BY c.name ORDER BY c.name",
    );
    println!("never dialled: {untouched:?}");
    for (campaign, ..) in LISTS {
        let of = |state: &str| daemon.metric("goldenhour_leads", &[&named(campaign), &format!("state=\"{state}\"")]);
        println!("{campaign}: blocked {}, waiting {}, exhausted {}", of("blocked"), of("waiting"), of("exhausted"));
    }
}

fn named(campaign: &str) -> String {
    format!("campaign=\"{campaign}\"")
}

/// The states that the daemon shows add up to the leads. Those that nobody dialled are blocked for a reason, or their
/// number was called for somebody else and has its caps to wait for.
fn each_lead_is_in_one_state(site: &Site, daemon: &Daemon, leads: u64) {
    assert_eq!(daemon.metric("goldenhour_leads", &[]) as u64, leads);
    let untouched = site.texts::<3>(
        "SELECT c.name, cast(count(*) AS text), cast(sum(EXISTS
                (SELECT 1 FROM contact_phone p WHERE p.contact = l.contact AND p.phone IN (SELECT phone FROM attempt))) AS text)
            FROM lead l JOIN campaign c ON c.ix = l.campaign
            WHERE l.state = 'waiting' AND NOT EXISTS
                (SELECT 1 FROM attempt a WHERE a.contact = l.contact AND a.lead = l.id)
            GROUP BY c.name",
    );
    for [campaign, untouched, of_shared_numbers] in untouched {
        let blocked = daemon.metric("goldenhour_leads", &[&named(&campaign), "state=\"blocked\""]) as u64;
        let untouched: u64 = untouched.parse().unwrap();
        let may_wait: u64 = of_shared_numbers.parse().unwrap();
        assert!(
            blocked <= untouched && untouched - blocked <= may_wait,
            "{campaign}: {untouched} never dialled, {blocked} blocked, {may_wait} whose number was called for another"
        );
    }
}

fn sipp_saw_what_we_say(site: &Site, sipp: &Sipp) {
    let ours = "SELECT lower(hex(id)) FROM attempt WHERE result <> 'void'";
    let ours: BTreeSet<String> = site.texts::<1>(ours).into_iter().map(|[id]| id).collect();
    let (theirs, invites) = sipp.calls();
    println!("SIPp saw {invites} calls, we say {}", ours.len());
    assert_eq!(invites, theirs.len(), "a Call-ID came twice");
    let (lost, orphans) = (ours.difference(&theirs).count(), theirs.difference(&ours).count());
    assert_eq!((lost, orphans), (0, 0), "attempts that nobody saw, calls that nobody authorised");
    let open = "SELECT count(*) FROM attempt a WHERE state <> 'done'
        OR (SELECT count(*) FROM outcome o WHERE o.attempt = a.id AND o.revision = 0) <> 1";
    assert_eq!(site.number(open), 0);
}

/// Two dials of one number in 24 hours at most, by the policy for the United States and by ours, and never two at once.
fn nobody_was_called_too_often(site: &Site) {
    let rows = site.rows(
        "SELECT a.phone, a.at, coalesce(o.t_ended, o.recorded), p.shared, c.name FROM attempt a
            JOIN outcome o ON o.attempt = a.id AND o.revision = 0
            JOIN phone p ON p.id = a.phone JOIN campaign c ON c.ix = a.campaign
            WHERE a.result <> 'void' ORDER BY a.phone, a.at",
    );
    let mut phones: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for row in &rows {
        phones.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
        if row.get::<i64, _>(3) == 1 {
            shared.insert(row.get::<i64, _>(0));
        }
    }
    let listed = site.number("SELECT count(*) FROM phone WHERE shared = 1");
    println!("{listed} shared numbers, {} of them dialled, {} dials", shared.len(), rows.len());
    assert_eq!(listed, 73);
    for (phone, dials) in &phones {
        for (first, second) in dials.iter().zip(dials.iter().skip(1)) {
            assert!(first.1 <= second.0, "two calls at once to phone {phone}: {dials:?}");
        }
        for dial in dials {
            let within_a_day = dials.iter().filter(|other| (0..86_400_000_000).contains(&(other.0 - dial.0))).count();
            assert!(within_a_day <= cap(site), "phone {phone} was dialled {within_a_day} times within a day");
        }
    }
}

/// `per: phone, within: 24h` of the policies in use; the highest of them holds for every number.
fn cap(site: &Site) -> usize {
    let of = |line: &str| {
        let rest = line.trim().strip_prefix("- { per: phone, within: 24h, max_dials: ")?;
        rest.split(' ').next()?.trim_end_matches(',').parse::<usize>().ok()
    };
    let policies = ["us-tsr-tcpa", "cn-bank-marketing", "cn-bank-service", "cn-bank-collection"];
    let texts = policies.map(|name| fs::read_to_string(site.path(&format!("campaigns/policies/{name}.yaml"))).unwrap());
    texts.iter().flat_map(|text| text.lines()).filter_map(of).max().unwrap()
}

/// First attempts of a campaign within a half hour of one zone's day, in the order in which they were decided.
fn the_best_left_first(site: &Site) {
    let rows = site.rows(
        "SELECT c.name, r.zones, a.slot_weekday, a.slot_half_hour, a.at, a.decided, a.index_value, lower(hex(a.id))
            FROM attempt a JOIN campaign c ON c.ix = a.campaign JOIN listed r ON r.lead = a.lead AND r.list = a.list
            WHERE a.attempt_no = 1 AND a.result <> 'void'
                AND NOT EXISTS (SELECT 1 FROM attempt v WHERE v.contact = a.contact AND v.result = 'void')
            ORDER BY a.decided, a.id",
    );
    type Slot = (String, String, i64, i64, i64);
    let mut slots: BTreeMap<Slot, Vec<(i64, f64)>> = BTreeMap::new();
    for row in &rows {
        let campaign: String = row.get(0);
        if BY_SCORE.contains(&campaign.as_str()) {
            let at: i64 = row.get(4);
            // Half a day is enough to tell one date from the next.
            let slot = (campaign, row.get(1), row.get(2), row.get(3), at / 43_200_000_000);
            slots.entry(slot).or_default().push((row.get(5), row.get(6)));
        }
    }
    let mut compared = 0;
    for (slot, dials) in &slots {
        let mut least = f64::INFINITY;
        for group in dials.chunk_by(|a, b| a.0 == b.0) {
            for (_, value) in group {
                assert!(*value <= least + 1e-9, "{slot:?}: {value} left after {least}");
                compared += 1;
            }
            least = group.iter().map(|(_, value)| *value).fold(least, f64::min);
        }
    }
    println!("{compared} first attempts in {} slots left best first", slots.len());
    assert!(compared > 1_000);
}
