//! The daemon is killed at random moments, again and again; the far end, which lives on, swears to who was called.
//!
//! Twelve kills in the suite. For more, write their number into `target/chaos-kills`, and for another order of moments a
//! seed into `target/chaos-seed`:
//! `echo 100 > target/chaos-kills && cargo test --test it kill_nine -- --nocapture`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::{Setup, Site, until, within};
use crate::trial::{self, Trial};

const KILLS: u32 = 12;
/// Dials between two kills come to about this; the last, whole run takes what is left.
const LEADS_PER_KILL: u32 = 50;

#[test]
fn nobody_is_called_twice_by_a_daemon_that_is_killed() {
    let kills = chosen("chaos-kills").unwrap_or(KILLS);
    let mut random = Random(u64::from(chosen("chaos-seed").unwrap_or(20_261_201)));
    let site = Site::new(&Setup { max_calls: 100, max_cps: 30, ..Setup::default() });
    Trial { ring_s: 8, ..Trial::default() }.write(&site);
    let leads = 100 + kills * LEADS_PER_KILL;
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", leads)));
    let mut far = site.far_end(&trial::town(60, r#"{ "1": 50% }"#, "max_calls: 2000\n"), &[]);
    site.import("trial", &site.path("list.csv"));
    let mut in_flight = 0;
    for _ in 0..kills {
        let seen = invites(&site);
        let daemon = if random.below(4) == 0 { site.spawn() } else { site.serve(&[]) };
        if random.below(2) == 0 {
            within(Duration::from_secs(5), || invites(&site) > seen);
        }
        // The point of the test is that this moment is any moment.
        within(Duration::from_millis(random.below(2_000)), || false);
        daemon.kill();
        in_flight += usize::from(site.number("SELECT count(*) FROM attempt WHERE state <> 'done'") > 0);
    }
    let daemon = site.serve(&[]);
    until("everybody was dialled or left alone", || {
        site.number("SELECT count(*) FROM lead WHERE state = 'waiting'") == 0
    });
    until("every call that came has ended", || site.count_witnessed("ended") >= invites(&site));
    daemon.stop();
    far.must_run();
    let figures = judge(&site, leads);
    println!("{kills} kills, {in_flight} with attempts under way; {figures}");
    assert!(in_flight > 0, "no kill hit a call: this run has shown nothing");
}

/// What the far end saw against what the database says.
fn judge(site: &Site, leads: u32) -> String {
    let attempts: BTreeMap<String, (String, String)> = site
        .texts("SELECT lower(hex(id)), cast(contact AS text), coalesce(result, '') FROM attempt")
        .into_iter()
        .map(|[id, contact, result]| (id, (contact, result)))
        .collect();
    let mut contacts = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let seen = site.witnessed("invite");
    for invite in &seen {
        let id = text(invite, "call_id").replace('-', "");
        let (contact, result) = attempts.get(&id).unwrap_or_else(|| panic!("an INVITE without an intent: {invite}"));
        assert!(contacts.insert(contact), "one customer under two Call-IDs: {invite}");
        assert!(numbers.insert(text(invite, "number")), "a phone rang twice: {invite}");
        assert_ne!(result, "void", "rang, but is said to have never left: {invite}");
    }
    let ended: BTreeSet<_> = site.witnessed("ended").iter().map(|line| text(line, "call_id").to_owned()).collect();
    let open = seen.iter().filter(|invite| !ended.contains(text(invite, "call_id"))).count();
    assert_eq!(open, 0, "calls that nobody ended");
    let wrong = "SELECT count(*) FROM attempt a WHERE a.state <> 'done'
        OR (SELECT count(*) FROM outcome o WHERE o.attempt = a.id AND o.revision = 0) <> 1";
    assert_eq!(site.number(wrong), 0, "attempts without exactly one first outcome");
    assert_eq!(site.number("SELECT count(*) FROM lead"), i64::from(leads));
    let of = |name| attempts.values().filter(|(_, result)| result == name).count();
    format!(
        "{leads} leads, {} attempts, {} INVITEs, {} unknown, {} void",
        attempts.len(),
        seen.len(),
        of("unknown_counted"),
        of("void")
    )
}

fn invites(site: &Site) -> usize {
    site.count_witnessed("invite")
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap()
}

/// A number that somebody left for a longer run.
fn chosen(name: &str) -> Option<u32> {
    let target = Path::new(env!("CARGO_BIN_EXE_goldenhour")).ancestors().nth(2)?;
    fs::read_to_string(target.join(name)).ok()?.trim().parse().ok()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}
