//! Calling hours at their edges, by the customer's own clock: in four zones, two of them in the night of a change.

use std::thread;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::daemon::{Daemon, Setup, Site, until};
use crate::trial::{self, Trial};

/// 08:00 to 21:00 on every day, by the policy that we ship.
const POLICY: &str = "cn-bank-collection@2";
const RING_S: u32 = 30;
const LEADS: u32 = 3;

/// A zone, a day, and the eve of that day. Summer time begins or ends in the first two nights.
const PLACES: [(&str, &str, &str); 4] = [
    ("Europe/Lisbon", "2026-03-29", "2026-03-28"),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04"),
    ("Asia/Shanghai", "2026-03-29", "2026-03-28"),
    ("America/Phoenix", "2026-03-29", "2026-03-28"),
];

struct Place {
    zone: &'static str,
    site: Site,
}

/// A fresh site with a list of so many leads in the zone; nobody ever answers there.
fn place(zone: &'static str, leads: u32, max_cps: u32) -> Place {
    let site = Site::new(&Setup { max_cps, ports: 200, ..Setup::default() });
    site.take_shipped();
    Trial { policy: POLICY, ring_s: RING_S, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, zone, leads)));
    site.import("trial", &site.path("list.csv"));
    Place { zone, site }
}

impl Place {
    fn instant(&self, local: &str) -> Zoned {
        let civil: DateTime = local.parse().unwrap();
        civil.to_zoned(TimeZone::get(self.zone).unwrap()).unwrap()
    }

    fn serve_at(&self, local: &str, rate: u32) -> Daemon {
        let start = self.instant(local).timestamp().to_string();
        self.site.serve(&["--clock-start", &start, "--clock-rate", &rate.to_string()])
    }

    fn invites(&self) -> usize {
        self.site.count_witnessed("invite")
    }

    fn local(&self, micros: i64) -> Zoned {
        Timestamp::from_microsecond(micros).unwrap().to_zoned(TimeZone::get(self.zone).unwrap())
    }

    /// When attempts were authorised, by the customer's clock.
    fn dials(&self) -> Vec<Zoned> {
        let rows = self.site.rows("SELECT at FROM attempt ORDER BY at");
        rows.iter().map(|row| self.local(sqlx::Row::get(row, 0))).collect()
    }

    /// When attempts were over, by the customer's clock; all of them are.
    fn ends(&self) -> Vec<Zoned> {
        until("all attempts are over", || self.site.number("SELECT count(*) FROM attempt WHERE state <> 'done'") == 0);
        let rows = self.site.rows("SELECT t_ended FROM outcome ORDER BY t_ended");
        rows.iter().map(|row| self.local(sqlx::Row::get(row, 0))).collect()
    }
}

/// One thread per place: most of this is waiting for phones to ring.
fn everywhere(trial: impl Fn(&'static str, &'static str, &'static str) + Sync) {
    thread::scope(|scope| {
        for (zone, day, eve) in PLACES {
            let trial = &trial;
            scope.spawn(move || trial(zone, day, eve));
        }
    });
}

#[test]
fn nobody_is_called_before_eight() {
    everywhere(|zone, day, _| {
        let place = place(zone, LEADS, 100);
        let _far = place.site.far_end(&trial::town(0, "{ \"1\": 0% }", ""), &[]);
        let spawned = crate::daemon::now();
        // One minute before, five times as fast: the wall clock cannot show eight sooner than after twelve seconds.
        let daemon = place.serve_at(&format!("{day}T07:59:00"), 5);
        until("somebody is called", || place.invites() > 0);
        let waited = crate::daemon::now().duration_since(spawned);
        assert!(waited.as_secs() >= 12, "{zone}: called after {waited:?}");
        until("all are called", || place.invites() == LEADS as usize);
        let opening = place.instant(&format!("{day}T08:00:00"));
        assert!(place.dials().iter().all(|dial| *dial >= opening), "{zone}: {:?}", place.dials());
        daemon.kill();
    });
}

#[test]
fn at_eight_the_calls_go_out() {
    everywhere(|zone, day, _| {
        let place = place(zone, LEADS, 100);
        let _far = place.site.far_end(&trial::town(0, "{ \"1\": 0% }", ""), &[]);
        let daemon = place.serve_at(&format!("{day}T08:00:00"), 1);
        until("all are called", || place.invites() == LEADS as usize);
        let latest = place.instant(&format!("{day}T08:02:00"));
        assert!(place.dials().iter().all(|dial| *dial < latest), "{zone}: {:?}", place.dials());
        daemon.kill();
    });
}

#[test]
fn what_could_still_ring_at_nine_in_the_evening_is_not_dialled() {
    everywhere(|zone, day, _| {
        // Far more leads than a call per second can take before the last half minute begins.
        let place = place(zone, 200, 1);
        let _far = place.site.far_end(&trial::town(0, "{ \"1\": 0% }", ""), &[]);
        let daemon = place.serve_at(&format!("{day}T20:59:00"), 1);
        let last = place.instant(&format!("{day}T20:59:30"));
        until("the last half minute has begun", || {
            let due = daemon.metric("goldenhour_leads_due", &[]);
            place.invites() > 0 && due < 0.5
        });
        let ends = place.ends();
        let dials = place.dials();
        assert!(dials.iter().all(|dial| *dial <= last), "{zone}: {dials:?}");
        // A permit that ran out while the machine held its breath is void, and nobody was called.
        let sent = place.site.number("SELECT count(*) FROM attempt WHERE result <> 'void'") as usize;
        assert!(sent < 40 && sent == place.invites(), "{zone}: {sent} of {} sent", dials.len());
        let closing = place.instant(&format!("{day}T21:00:00"));
        assert!(ends.iter().all(|end| *end <= closing), "{zone}: {ends:?}");
        until("the far end has seen the ends", || place.site.count_witnessed("ended") == place.invites());
        daemon.stop();
    });
}

#[test]
fn what_still_rings_when_the_clock_runs_ahead_is_taken_back_at_closing() {
    let place = place("Asia/Shanghai", LEADS, 100);
    let _far = place.site.far_end(&trial::nobody_in_town(), &[]);
    // A phone that rings thirty seconds rings ten minutes of this clock.
    let daemon = place.serve_at("2026-03-29T20:55:00", 20);
    until("phones ring", || place.invites() == LEADS as usize);
    until("they stop", || place.site.count_witnessed("ended") == LEADS as usize);
    let ends = place.ends();
    // Half a second of this machine is ten of that clock.
    let (closing, late) = (place.instant("2026-03-29T21:00:00"), place.instant("2026-03-29T21:01:30"));
    assert!(ends.iter().all(|end| *end >= closing && *end < late), "{ends:?}");
    let taken_back = "SELECT count(*) FROM outcome WHERE result = 'cancelled'";
    assert_eq!(place.site.number(taken_back), i64::from(LEADS));
    daemon.stop();
}

#[test]
fn after_nine_nobody_is_called_before_the_next_morning() {
    everywhere(|zone, day, eve| {
        let place = place(zone, LEADS, 100);
        let _far = place.site.far_end(&trial::town(0, "{ \"1\": 0% }", ""), &[]);
        // Eleven hours, in which the clocks may be changed, within a minute.
        let daemon = place.serve_at(&format!("{eve}T21:01:00"), 1_200);
        until("all are called", || place.invites() == LEADS as usize);
        let dials = place.dials();
        let (opening, late) = (place.instant(&format!("{day}T08:00:00")), place.instant(&format!("{day}T10:00:00")));
        assert!(dials.iter().all(|dial| *dial >= opening && *dial < late), "{zone}: {dials:?}");
        let night = place.instant(&format!("{eve}T08:00:00")).duration_until(&opening);
        println!("{zone}: the first call came at {}, {} minutes after eight the day before", dials[0], night.as_mins());
        daemon.kill();
    });
}
