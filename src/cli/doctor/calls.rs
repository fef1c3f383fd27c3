//! What the daemon that runs says of its calls. A question from here shows whether a gateway is there; only calls show
//! whether it takes them, and whether both sides hear each other.

use crate::call::TrunkDown;
use crate::daemon::config::Config;
use crate::daemon::trunk_words;

use super::Finding;
use super::listeners::fetch;

const CHECK: &str = "calls";
/// Of fewer there is nothing to say.
const CALLS_MIN: f64 = 3.0;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let Some((200, text)) = fetch(config.metrics, "/metrics") else {
        let what = format!("the daemon runs, and its metrics at {} do not answer", config.metrics);
        return vec![Finding::warn(CHECK, what, "is `metrics.listen` of this file that of the daemon?")];
    };
    let metrics = Metrics(&text);
    let of_trunks = config.trunks.iter().flat_map(|trunk| of_trunk(metrics, &trunk.name));
    of_trunks.chain(one_way(metrics)).collect()
}

fn of_trunk(metrics: Metrics<'_>, trunk: &str) -> Vec<Finding> {
    let of = [("trunk", trunk)];
    let results = |result: &str| metrics.sum("goldenhour_trunk_results_total", &[of[0], ("call_result", result)]);
    let all = metrics.sum("goldenhour_trunk_results_total", &of);
    let (answered, refused) = (results("answered"), results("trunk_refused") + results("network_failure"));
    let mut found = Vec::new();
    found.extend(down(metrics, trunk));
    if metrics.sum("goldenhour_trunk_stopped", &of) > 0.0 {
        let what = format!("{trunk} was stopped by an operator, and nothing is dialled on it");
        found.push(Finding::warn(CHECK, what, format!("`goldenhour resume --trunk {trunk}`, once that is over")));
    }
    for reason in crate::sip::Unanswered::REASONS {
        let times = metrics.sum("goldenhour_trunk_auth_failures_total", &[of[0], ("reason", reason)]);
        if times > 0.0 {
            let what =
                format!("{trunk} has not taken our credentials {times} times since the daemon started: {reason}");
            found.push(grave(answered == 0.0, what, credentials(reason)));
        }
    }
    if refused >= CALLS_MIN && refused * 2.0 > all {
        let what = format!("{refused} of {all} calls over {trunk} were refused by the gateway or lost behind it");
        let remedy = "the log of the daemon says with which status: \"the gateway refuses calls\"";
        found.push(grave(answered == 0.0, what, remedy));
    }
    if found.is_empty() {
        let what = format!("{trunk} is up; {answered} of {all} calls since the start of the daemon were answered");
        found.push(Finding::ok(CHECK, what));
    }
    found
}

/// The gateway's fault where nothing got through, and worth a look where something did.
fn grave(nothing_got_through: bool, what: String, remedy: &str) -> Finding {
    if nothing_got_through { Finding::unreachable(CHECK, what, remedy) } else { Finding::warn(CHECK, what, remedy) }
}

fn down(metrics: Metrics<'_>, trunk: &str) -> Option<Finding> {
    let is =
        |why: &TrunkDown| metrics.sum("goldenhour_trunk_state", &[("trunk", trunk), ("state", why.as_str())]) > 0.0;
    let why = TrunkDown::ALL.into_iter().find(is)?;
    let what = format!("the daemon dials nothing on {trunk}, which is {}: {}", why.as_str(), trunk_words(why));
    let remedy = "the findings on this trunk, and the log of the daemon, with what the gateway answered; docs/runbooks/GoldenhourTrunkDown.md";
    Some(match why {
        TrunkDown::Overloaded => Finding::warn(CHECK, what, remedy),
        TrunkDown::Disconnected | TrunkDown::Unregistered | TrunkDown::Silent | TrunkDown::Failing => {
            Finding::unreachable(CHECK, what, remedy)
        }
    })
}

fn credentials(reason: &str) -> &'static str {
    match reason {
        "no_credentials" => "give the trunk an `auth`",
        "other_realm" => {
            "the log names the realm that it asks for: write it into `auth.realm`, if it is really your gateway's"
        }
        "unsupported" => "MD5, SHA-256 and SHA-512-256 with qop auth are supported: set one of them at the gateway",
        _ => {
            "compare `auth.user` and the `password_file` of the trunk with the account at the gateway, and restart the daemon"
        }
    }
}

/// Of all trunks together: the metric has no trunk, the log has it with each call.
fn one_way(metrics: Metrics<'_>) -> Vec<Finding> {
    let answered = metrics.sum("goldenhour_attempts_total", &[("call_result", "answered")]);
    let ways = [
        (
            "in",
            "no sound came from the gateway",
            "does RTP reach `sip.media.address` and `sip.media.ports` through firewalls and NAT? Where the log says that it \
             comes from another address than the SDP names, `learn_media_address: true` of the trunk is for that",
        ),
        (
            "out",
            "the gateway reported that it hears nothing of us",
            "is `sip.media.address` the address that the gateway sees, and is the way open from there to its RTP ports?",
        ),
    ];
    let found = ways.into_iter().filter_map(|(direction, what, remedy)| {
        let calls = metrics.sum("goldenhour_one_way_calls_total", &[("direction", direction)]);
        let what = format!("one-way audio: in {calls} of {answered} answered calls {what}");
        (calls > 0.0).then(|| Finding::warn(CHECK, what, remedy))
    });
    found.collect()
}

/// In the text format of Prometheus.
#[derive(Clone, Copy)]
struct Metrics<'a>(&'a str);

impl Metrics<'_> {
    /// Of all series of this name that have these labels. Ours hold neither quotes nor commas.
    fn sum(self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let value = |line: &str| {
            let (has, value) = line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} ")?;
            let has: Vec<&str> = has.split(',').collect();
            let fits = labels.iter().all(|(label, value)| has.contains(&format!("{label}=\"{value}\"").as_str()));
            if fits { value.parse::<f64>().ok() } else { None }
        };
        self.0.lines().filter_map(value).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Verdict;
    use crate::daemon::show_trunk;

    /// What the daemon itself would show.
    fn shown(tell: impl Fn(&crate::obs::Metrics)) -> String {
        let metrics = crate::obs::Metrics::new().unwrap();
        metrics.open_trunk("gw", 10, 2, &["answered", "trunk_refused"]);
        tell(&metrics);
        metrics.text().unwrap()
    }

    fn found(tell: impl Fn(&crate::obs::Metrics)) -> Vec<(Verdict, String)> {
        let text = shown(tell);
        let metrics = Metrics(&text);
        let findings = of_trunk(metrics, "gw").into_iter().chain(one_way(metrics));
        findings.map(|finding| (finding.result, finding.what)).collect()
    }

    #[test]
    fn a_daemon_whose_calls_get_through_is_well() {
        let said = found(|m| m.trunk_results.add(["gw", "answered"], 7));
        assert_eq!(
            said,
            [(Verdict::Ok, "gw is up; 7 of 7 calls since the start of the daemon were answered".to_owned())]
        );
    }

    #[test]
    fn a_trunk_that_is_down_is_told_with_its_reason() {
        let state = crate::call::TrunkState::Down(TrunkDown::Failing);
        let said = found(|m| show_trunk(m, "gw", state));
        assert_eq!(said.len(), 1);
        assert!(said[0].0 == Verdict::Fail && said[0].1.contains("failing: five calls in a row"), "{said:?}");
    }

    #[test]
    fn credentials_that_are_not_taken_are_told_with_their_reason_and_refused_calls_with_their_share() {
        let refused = |m: &crate::obs::Metrics| {
            m.trunk_auth_failures.add(["gw", "rejected"], 4);
            m.trunk_results.add(["gw", "trunk_refused"], 4);
        };
        let said = found(refused);
        assert!(said[0].1.contains("4 times") && said[0].1.ends_with("rejected"), "{said:?}");
        assert!(said[1].1.starts_with("4 of 4 calls over gw were refused"), "{said:?}");
        assert!(said.iter().all(|(verdict, _)| *verdict == Verdict::Fail), "{said:?}");
        let some = found(|m| {
            refused(m);
            m.trunk_results.add(["gw", "answered"], 3);
        });
        assert!(some.iter().all(|(verdict, _)| *verdict == Verdict::Warn), "something got through: {some:?}");
    }

    #[test]
    fn one_way_audio_is_told_by_its_direction() {
        let said = found(|m| {
            m.attempts.add(["first", "answered"], 9);
            m.one_way_calls.add(["in"], 8);
        });
        assert!(said[1].1.contains("in 8 of 9 answered calls no sound came from the gateway"), "{said:?}");
    }
}
