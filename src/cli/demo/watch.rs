//! The day as it passes: a bar of its hours and a live funnel.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::base::{Clock as _, Wall};
use crate::contact::CallResult;
use crate::daemon::{Daemon, View};

use super::hours;
use super::stage::Stage;

/// A minute for the day, and some seconds for what is still ringing.
const AT_MOST: Duration = Duration::from_secs(75);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Nothing to do for so long means that the day is over.
const NIGHT: Duration = Duration::from_hours(5);

/// Returns when nobody can be called for hours, when enough calls were made, or when the minute is over.
pub(super) async fn until_evening(daemon: &Daemon, stage: &Stage, calls: Option<u64>) {
    let began = daemon.clock().now();
    let bar = bar();
    loop {
        wait(LOOK_EVERY).await;
        daemon.count_wire();
        let (now, view) = (daemon.clock().now(), daemon.view());
        let passed = now.wall.since(began.wall);
        bar.set_position(passed.as_secs() / 60);
        bar.set_message(funnel(&view, now.wall));
        let real = now.tick.since(began.tick);
        let enough = calls.is_some_and(|calls| attempts(&view) >= calls);
        if enough || real >= AT_MOST || (real > Duration::from_secs(3) && is_over(stage, &view, now.wall)) {
            break;
        }
    }
    bar.finish();
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(12 * 60);
    let style = ProgressStyle::with_template("{bar:32} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar
}

fn is_over(stage: &Stage, view: &View, now: Wall) -> bool {
    let soon = hours::next_opening(stage, now).ok().flatten().is_some_and(|opening| opening > now + NIGHT);
    soon && view.live_attempts == 0
}

fn attempts(view: &View) -> u64 {
    view.campaigns.values().flat_map(|campaign| campaign.by_result.values()).sum()
}

fn funnel(view: &View, now: Wall) -> String {
    let results = |result: CallResult| -> u64 {
        view.campaigns.values().filter_map(|campaign| campaign.by_result.get(&result)).sum()
    };
    let noted =
        |name: &str| -> u64 { view.campaigns.values().filter_map(|campaign| campaign.by_disposition.get(name)).sum() };
    format!(
        "{} · on the line {:>3} · dialled {:>4} · answered {:>4} · transferred {:>3} · opted out {:>3}",
        hours::shown(now),
        view.live_attempts,
        attempts(view),
        results(CallResult::Answered),
        noted("transferred"),
        noted("opted_out"),
    )
}

#[expect(clippy::disallowed_methods, reason = "looks at the view a few times a second, for people")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
