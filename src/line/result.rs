//! SIP status and Q.850 cause to call result: one table, shown in docs/SIP-RESULTS.md.

use crate::call::CallResult::{
    self, Busy, NetworkFailure, NoAnswer, NotReachable, Rejected, TrunkRefused, UnknownCounted, VacantNumber,
};
use crate::sip::{Cause, End};

/// The first row that fits decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub when: When,
    pub result: CallResult,
    /// Why, for the manager who asks.
    pub why: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call came to no final answer of its own.
    Cause(Cause),
    /// A Reason header (RFC 3326) in the final answer, or before it, named this Q.850 cause.
    Q850(u8),
    /// The final answer lies in this range.
    Status(u16, u16),
}

const fn cause(cause: Cause, result: CallResult, why: &'static str) -> Row {
    Row { when: When::Cause(cause), result, why }
}

const fn q850(code: u8, result: CallResult, why: &'static str) -> Row {
    Row { when: When::Q850(code), result, why }
}

const fn status(code: u16, result: CallResult, why: &'static str) -> Row {
    Row { when: When::Status(code, code), result, why }
}

const fn range(first: u16, last: u16, result: CallResult, why: &'static str) -> Row {
    Row { when: When::Status(first, last), result, why }
}

/// A Q.850 cause comes from the telephone network behind the gateway and says more than the status it was folded into
/// (RFC 3398 §8.2.6.1), so it is asked first; while it rang it is what an announcement said (RFC 6432). Causes that stand in no row (16, ...) leave it to the status.
pub const RESULTS: &[Row] = &[
    cause(Cause::Cancelled, CallResult::Cancelled, "we cancelled on command: closing time, late do-not-call, shutdown"),
    cause(Cause::NoReply, UnknownCounted, "no answer at all to the INVITE: it may have rung; counted, never repeated"),
    cause(Cause::NoFinal, NetworkFailure, "it rang, and the gateway then answered neither INVITE nor CANCEL"),
    cause(Cause::Unreachable, TrunkRefused, "the gateway's address cannot be reached (ICMP)"),
    cause(Cause::Gone, NetworkFailure, "the gateway forgot the call"),
    q850(1, VacantNumber, "unallocated number"),
    q850(2, NetworkFailure, "no route to transit network"),
    q850(3, NetworkFailure, "no route to destination"),
    q850(17, Busy, "user busy"),
    q850(18, NoAnswer, "no user responding"),
    q850(19, NoAnswer, "user alerted, no answer"),
    q850(20, NotReachable, "subscriber absent: off or out of coverage, the network does not say which"),
    q850(21, Rejected, "call rejected"),
    q850(22, VacantNumber, "number changed"),
    q850(25, NetworkFailure, "exchange routing error"),
    q850(27, NetworkFailure, "destination out of order"),
    q850(28, VacantNumber, "invalid number format"),
    q850(34, NetworkFailure, "no circuit available"),
    q850(38, NetworkFailure, "network out of order"),
    q850(41, NetworkFailure, "temporary failure"),
    q850(42, NetworkFailure, "switching equipment congestion"),
    q850(44, NetworkFailure, "requested circuit not available"),
    q850(47, NetworkFailure, "resource unavailable"),
    q850(102, NoAnswer, "recovery on timer expiry"),
    cause(Cause::RingTimeout, NoAnswer, "we cancelled after the campaign's ring time, and no cause was heard before"),
    range(300, 399, TrunkRefused, "redirection: never followed"),
    range(400, 403, TrunkRefused, "bad request, credentials, payment, forbidden: our own side of the trunk"),
    status(404, VacantNumber, "not found"),
    range(405, 407, TrunkRefused, "method, body or credentials not acceptable"),
    status(408, NoAnswer, "the far end did not pick up in time (RFC 3398 from Q.850 18)"),
    status(410, VacantNumber, "gone"),
    range(411, 423, TrunkRefused, "malformed or unsupported request"),
    range(428, 438, TrunkRefused, "caller identity not accepted"),
    range(484, 485, VacantNumber, "address incomplete or ambiguous"),
    status(486, Busy, "busy here"),
    status(487, NoAnswer, "ended by the gateway: its own ring time was shorter than ours"),
    status(488, TrunkRefused, "media not acceptable"),
    q850(31, NetworkFailure, "normal, unspecified: only where the status says no more than that"),
    status(480, NotReachable, "temporarily unavailable"),
    range(409, 499, NetworkFailure, "other 4xx: the call was lost or looped between us and the callee"),
    range(500, 502, NetworkFailure, "error behind the trunk"),
    status(503, TrunkRefused, "service unavailable: the trunk is overloaded or shut"),
    range(504, 599, NetworkFailure, "timeout or error behind the trunk"),
    status(600, Busy, "busy everywhere"),
    status(604, VacantNumber, "does not exist anywhere"),
    status(606, TrunkRefused, "media not acceptable"),
    range(
        601,
        699,
        Rejected,
        "603 declined, 607 unwanted (RFC 8197), 608 rejected by analytics (RFC 8688), and other 6xx",
    ),
];

/// Why a leg was not answered; `None` if it was.
pub fn unanswered(end: &End) -> Option<CallResult> {
    let row = RESULTS.iter().find(|row| match row.when {
        When::Cause(cause) => cause == end.cause,
        When::Q850(code) => end.q850 == Some(code),
        When::Status(first, last) => end.status.is_some_and(|status| (first..=last).contains(&status)),
    });
    (!end.answered).then(|| row.map_or(NetworkFailure, |row| row.result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Side;
    use std::fmt::Write as _;

    fn refused(status: u16, q850: Option<u8>) -> Option<CallResult> {
        unanswered(&end(Cause::Refused, Some(status), q850))
    }

    fn end(cause: Cause, status: Option<u16>, q850: Option<u8>) -> End {
        End { cause, status, q850, retry_after_s: None, by: Side::Them, answered: false, unheard: false }
    }

    #[test]
    fn what_the_network_says_becomes_the_result_a_retry_rule_names() {
        let cases = [
            ((486, None), Busy),
            ((600, None), Busy),
            ((480, Some(17)), Busy),
            ((480, None), NotReachable),
            ((480, Some(18)), NoAnswer),
            ((480, Some(19)), NoAnswer),
            ((480, Some(20)), NotReachable),
            ((480, Some(31)), NetworkFailure),
            ((486, Some(31)), Busy),
            ((408, None), NoAnswer),
            ((404, None), VacantNumber),
            ((484, None), VacantNumber),
            ((410, Some(22)), VacantNumber),
            ((500, Some(1)), VacantNumber),
            ((603, None), Rejected),
            ((607, None), Rejected),
            ((608, None), Rejected),
            ((403, Some(21)), Rejected),
            ((403, None), TrunkRefused),
            ((407, None), TrunkRefused),
            ((503, None), TrunkRefused),
            ((503, Some(34)), NetworkFailure),
            ((502, Some(27)), NetworkFailure),
            ((500, None), NetworkFailure),
            ((487, Some(16)), NoAnswer),
            ((302, None), TrunkRefused),
        ];
        for ((status, q850), want) in cases {
            assert_eq!(refused(status, q850), Some(want), "{status} {q850:?}");
        }
    }

    #[test]
    fn our_own_cancel_decides_before_the_487_it_draws() {
        assert_eq!(unanswered(&end(Cause::RingTimeout, Some(487), Some(31))), Some(NoAnswer));
        assert_eq!(unanswered(&end(Cause::RingTimeout, Some(487), None)), Some(NoAnswer));
        assert_eq!(unanswered(&end(Cause::RingTimeout, Some(487), Some(1))), Some(VacantNumber), "said while it rang");
        assert_eq!(unanswered(&end(Cause::Cancelled, Some(487), None)), Some(CallResult::Cancelled));
        assert_eq!(unanswered(&end(Cause::NoReply, None, None)), Some(UnknownCounted));
    }

    #[test]
    fn a_leg_that_was_answered_has_no_such_result() {
        assert_eq!(unanswered(&End { answered: true, ..end(Cause::RingTimeout, Some(200), None) }), None);
    }

    #[test]
    fn every_final_status_has_a_row_and_every_row_can_be_reached() {
        let mut used = vec![false; RESULTS.len()];
        for code in 300..700u16 {
            let at = RESULTS.iter().position(|row| matches!(row.when, When::Status(a, b) if (a..=b).contains(&code)));
            used[at.unwrap_or_else(|| panic!("{code} has no row"))] = true;
        }
        let dead = RESULTS.iter().zip(used).filter(|(row, used)| matches!(row.when, When::Status(..)) && !used);
        let dead: Vec<_> = dead.collect();
        assert!(dead.is_empty(), "{dead:?}");
    }

    #[test]
    fn the_page_shows_the_table() {
        let mut table = String::from("| when | call result | why |\n|---|---|---|\n");
        for Row { when, result, why } in RESULTS {
            let when = match when {
                When::Cause(cause) => format!("cause {cause:?}"),
                When::Q850(code) => format!("Q.850 {code}"),
                When::Status(first, last) if first == last => format!("{first}"),
                When::Status(first, last) => format!("{first}–{last}"),
            };
            writeln!(table, "| {when} | `{result}` | {why} |").unwrap();
        }
        let page = include_str!("../../docs/SIP-RESULTS.md");
        assert!(page.contains(&table), "docs/SIP-RESULTS.md should contain:\n{table}");
    }
}
