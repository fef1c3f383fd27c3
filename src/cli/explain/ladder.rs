//! The messages of one call, one below the other, as a telephony engineer reads them.

use std::collections::BTreeSet;
use std::fmt;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::base::Wall;
use crate::daemon::traces::Found;
use crate::wire::Direction;

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct Rung {
    /// Since the first message that is shown, by the clock that does not jump.
    after_ms: f64,
    at: String,
    /// `out` is ours.
    direction: &'static str,
    transport: &'static str,
    far: String,
    /// The same message once more.
    again: bool,
    start: String,
    cseq: String,
    notes: Vec<Note>,
}

#[derive(Debug, Serialize)]
struct Note {
    name: String,
    value: String,
}

pub(super) fn ladder(found: &Found) -> Vec<Rung> {
    let mut seen = BTreeSet::new();
    let Some((first_run, first)) = found.steps.first() else { return Vec::new() };
    let rung = |(run, step): &(i64, crate::daemon::traces::Step)| {
        // Ticks begin anew with every start of the daemon.
        let after = if run == first_run { step.tick.since(first.tick) } else { step.at.since(first.at) };
        let direction = match step.direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        Rung {
            after_ms: after.as_micros() as f64 / 1_000.0,
            at: step.at.to_string(),
            direction,
            transport: step.far.transport.word(),
            far: step.far.addr.to_string(),
            again: !seen.insert((direction, step.fingerprint.clone())),
            start: step.start.clone(),
            cseq: step.cseq.clone(),
            notes: step.notes.iter().map(|(name, value)| Note { name: name.clone(), value: value.clone() }).collect(),
        }
    };
    found.steps.iter().map(rung).collect()
}

impl Rung {
    pub(super) fn show(&self, f: &mut fmt::Formatter<'_>, clock: &TimeZone) -> fmt::Result {
        let at = Wall::parse(&self.at).map_or_else(
            |_| self.at.clone(),
            |at| at.timestamp().to_zoned(clock.clone()).strftime("%H:%M:%S%.3f").to_string(),
        );
        let arrow = if self.direction == "out" { "->" } else { "<-" };
        let again = if self.again { " (again)" } else { "" };
        write!(f, "\n{:>10.1} ms  {at}  {arrow}  {}{again}", self.after_ms, self.start)?;
        if self.again {
            return Ok(());
        }
        write!(f, "\n{:>32}CSeq {}, {} {}", "", self.cseq, self.transport, self.far)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n{:>32}{}: {}", "", note.name, note.value))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::base::Tick;
    use crate::daemon::traces::Step;
    use crate::sip::Target;

    fn step(at_ms: u64, direction: Direction, fingerprint: &str, start: &str, notes: &[(&str, &str)]) -> Step {
        Step {
            at: Wall(1_790_000_000_000_000 + at_ms as i64 * 1_000),
            tick: Tick(5_000_000 + at_ms * 1_000),
            direction,
            far: Target::udp("192.0.2.10:5060".parse().unwrap()),
            fingerprint: fingerprint.to_owned(),
            start: start.to_owned(),
            cseq: "1 INVITE".to_owned(),
            notes: notes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn text(rungs: &[Rung]) -> String {
        struct Ladder<'a>(&'a [Rung]);
        impl fmt::Display for Ladder<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|rung| rung.show(f, &TimeZone::UTC))
            }
        }
        format!("ladder{}", Ladder(rungs))
    }

    #[test]
    fn a_call_reads_from_top_to_bottom() {
        let (out, into) = (Direction::Out, Direction::In);
        let invite = step(0, out, "1", "INVITE sip:+9991****0001@192.0.2.10", &[("SDP", "audio 192.0.2.1:20000 PCMA")]);
        let steps = vec![
            (7, invite.clone()),
            (7, Step { tick: Tick(5_500_000), at: invite.at + std::time::Duration::from_millis(500), ..invite }),
            (7, step(520, into, "2", "100 Trying", &[])),
            (7, step(2_000, into, "3", "486 Busy Here", &[("To-tag", "as7f3e21"), ("Reason", "Q.850;cause=17")])),
            // Our own fingerprints and theirs are told apart.
            (7, step(2_000, out, "3", "ACK sip:+9991****0001@192.0.2.10", &[("To-tag", "as7f3e21")])),
        ];
        let rungs = ladder(&Found { steps, ..Found::default() });
        expect![[r"
            ladder
                   0.0 ms  14:13:20.000  ->  INVITE sip:+9991****0001@192.0.2.10
                                            CSeq 1 INVITE, udp 192.0.2.10:5060
                                            SDP: audio 192.0.2.1:20000 PCMA
                 500.0 ms  14:13:20.500  ->  INVITE sip:+9991****0001@192.0.2.10 (again)
                 520.0 ms  14:13:20.520  <-  100 Trying
                                            CSeq 1 INVITE, udp 192.0.2.10:5060
                2000.0 ms  14:13:22.000  <-  486 Busy Here
                                            CSeq 1 INVITE, udp 192.0.2.10:5060
                                            To-tag: as7f3e21
                                            Reason: Q.850;cause=17
                2000.0 ms  14:13:22.000  ->  ACK sip:+9991****0001@192.0.2.10
                                            CSeq 1 INVITE, udp 192.0.2.10:5060
                                            To-tag: as7f3e21"]]
        .assert_eq(&text(&rungs));
    }

    #[test]
    fn what_the_next_process_sent_is_placed_by_the_wall_clock() {
        let invite = step(0, Direction::Out, "1", "INVITE sip:****@h", &[]);
        let cancel = Step { tick: Tick(0), ..step(9_000, Direction::Out, "2", "CANCEL sip:****@h", &[]) };
        let rungs = ladder(&Found { steps: vec![(1, invite), (2, cancel)], ..Found::default() });
        assert_eq!(rungs.iter().map(|rung| rung.after_ms).collect::<Vec<_>>(), [0.0, 9_000.0]);
    }
}
