//! Session timers (RFC 4028): a call that nobody refreshes is over, whatever became of its BYE.

use std::time::Duration;

use crate::base::Tick;
use crate::sip::bytes::{number, param, split_once, trim};
use crate::sip::header::Name;
use crate::sip::message::Message;
use crate::sip::transaction::Timer;

/// No session expires faster (§5).
pub const MIN_SE_S: u32 = 90;
/// Nobody makes us wait longer than a day.
pub const MAX_SE_S: u32 = 86_400;

/// Who refreshes, seen from the request that said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

/// A Session-Expires header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires {
    pub seconds: u32,
    pub refresher: Option<Refresher>,
}

impl Expires {
    pub fn read(message: &Message<'_>) -> Option<Self> {
        let value = message.get(Name::SessionExpires)?;
        let (seconds, params) = split_once(value, b';')
            .map_or((value, &[][..]), |(seconds, _)| (seconds, value.get(seconds.len()..).unwrap_or(&[])));
        let refresher = match param(params, b"refresher") {
            Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            Some(_) | None => None,
        };
        Some(Self { seconds: number(trim(seconds), u32::MAX)?, refresher })
    }
}

/// What a request of theirs says about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub expires: Option<Expires>,
    /// They know session timers, so that they can be the ones to refresh.
    pub knows: bool,
    /// They serve UPDATE.
    pub updates: bool,
}

impl Wish {
    pub fn read(request: &Message<'_>) -> Self {
        Self {
            expires: Expires::read(request),
            knows: request.lists(Name::Supported, b"timer") || request.lists(Name::Require, b"timer"),
            updates: request.lists(Name::Allow, b"UPDATE"),
        }
    }
}

/// The Min-SE of a 422 to an interval of `asked_s`, if it is one to be tried again with (§7.3).
pub fn longer(response: &Message<'_>, asked_s: u32) -> Option<u32> {
    let value = response.get(Name::MinSe)?;
    let seconds = split_once(value, b';').map_or(value, |(seconds, _)| seconds);
    number(trim(seconds), MAX_SE_S).filter(|seconds| *seconds > asked_s)
}

/// A request for less than any session may last (§9): 422.
pub fn is_too_short(request: &Message<'_>) -> bool {
    Expires::read(request).is_some_and(|asked| asked.seconds < MIN_SE_S)
}

/// The timer of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    pub interval_s: u32,
    /// We refresh; otherwise they do.
    pub ours: bool,
    refresh_at: Tick,
    over_at: Tick,
}

impl SessionTimer {
    /// Just refreshed: half the interval until the next time, and the end a little before the interval is over (§10).
    pub fn new(now: Tick, interval_s: u32, ours: bool) -> Self {
        let interval_s = interval_s.clamp(MIN_SE_S, MAX_SE_S);
        let seconds = |s: u32| now + Duration::from_secs(u64::from(s));
        let refresh_at = if ours { seconds(interval_s / 2) } else { Tick::MAX };
        Self { interval_s, ours, refresh_at, over_at: seconds(interval_s - (interval_s / 3).min(32)) }
    }

    pub fn poll_timeout(&self) -> (Tick, Timer) {
        (self.refresh_at, Timer::Refresh).min((self.over_at, Timer::Session))
    }

    pub fn is_over(&self, now: Tick) -> bool {
        now >= self.over_at
    }

    /// Time to refresh. After it nothing is due until `try_again`, or the end.
    pub fn take_refresh(&mut self, now: Tick) -> bool {
        let due = now >= self.refresh_at;
        if due {
            self.refresh_at = Tick::MAX;
        }
        due
    }

    /// The refresh did not come about.
    pub fn try_again(&mut self, at: Tick) {
        self.refresh_at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<Expires> {
        Expires::read(&Message::parse(format!("SIP/2.0 200 OK\r\n{header}\r\n\r\n").as_bytes()).unwrap())
    }

    #[test]
    fn the_header_is_read_in_both_forms_and_strange_ones_are_none() {
        let uac = Some(Refresher::Uac);
        assert_eq!(read("Session-Expires: 1800;refresher=uac"), Some(Expires { seconds: 1800, refresher: uac }));
        assert_eq!(read("x: 90 ; Refresher = UAS"), Some(Expires { seconds: 90, refresher: Some(Refresher::Uas) }));
        assert_eq!(read("x: 90;refresher=me"), Some(Expires { seconds: 90, refresher: None }));
        for none in ["x: soon", "x: -1", "x: 99999999999", "y: 1"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_min_se_is_followed_upwards_and_within_a_day() {
        for (value, want) in
            [("3600", Some(3600)), ("3600;x=y", Some(3600)), ("1800", None), ("86401", None), ("x", None)]
        {
            let text = format!("SIP/2.0 422 x\r\nMin-SE: {value}\r\n\r\n");
            assert_eq!(longer(&Message::parse(text.as_bytes()).unwrap(), 1800), want, "{value}");
        }
    }

    #[test]
    fn a_refresh_is_due_at_half_time_and_the_end_comes_a_little_early() {
        let second = |s: u64| Tick(s * 1_000_000);
        let mut timer = SessionTimer::new(Tick(0), 1800, true);
        assert_eq!(timer.poll_timeout(), (second(900), Timer::Refresh));
        assert!(!timer.take_refresh(second(899)) && timer.take_refresh(second(900)));
        assert_eq!(timer.poll_timeout(), (second(1768), Timer::Session));
        assert_eq!(SessionTimer::new(Tick(0), 90, false).poll_timeout(), (second(60), Timer::Session));
        assert_eq!(SessionTimer::new(Tick(0), 1, true).interval_s, 90, "nobody hurries us");
    }
}
