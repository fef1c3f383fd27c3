//! What the carrier of a trunk would bill, counted anew, slowly and plainly, and held against the cap of a day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::base::{AttemptId, Wall};
use crate::call::LegEvent;
use crate::engine::Spend;

/// Of one trunk; nothing of one without a cap.
#[derive(Debug, Default)]
pub struct Bill {
    spend: Option<Spend>,
    zone: Option<TimeZone>,
    calls: BTreeMap<AttemptId, Call>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    day: Date,
    answered: Option<Wall>,
    ended: Option<Wall>,
    /// A crash took what is known of it: the shortest call stands for it.
    lost: bool,
}

impl Bill {
    pub fn new(spend: Option<Spend>, zone: TimeZone) -> Self {
        Self { spend, zone: Some(zone), calls: BTreeMap::new() }
    }

    /// One more, decided and authorised then. What is wrong with it, in words: beside all others of its day, each with what
    /// it cost until it was decided, it had to fit.
    pub fn dialled(&mut self, attempt: AttemptId, authorised: Wall, decided: Wall) -> Option<String> {
        let (spend, zone) = self.spend.zip(self.zone.as_ref())?;
        let day = zone.to_datetime(authorised.timestamp()).date();
        self.calls.insert(attempt, Call { day, answered: None, ended: None, lost: false });
        let of_the_day = self.calls.values().filter(|call| call.day == day);
        let millionths: u128 = of_the_day.map(|call| call.cost(&spend, decided)).sum();
        let max = u128::from(spend.max_per_day.millionths);
        (millionths > max).then(|| format!("{attempt} was dialled, and its day costs {millionths} of {max}"))
    }

    pub fn heard(&mut self, attempt: AttemptId, event: &LegEvent, at: Wall) {
        let Some(call) = self.calls.get_mut(&attempt) else { return };
        if matches!(event, LegEvent::Answered) {
            call.answered = Some(at);
        } else if matches!(event, LegEvent::Ended(_)) {
            call.ended = Some(at);
        }
    }

    pub fn lost(&mut self, attempt: AttemptId) {
        if let Some(call) = self.calls.get_mut(&attempt) {
            call.lost = true;
        }
    }
}

impl Call {
    /// In millionths. While it rings it may still be answered.
    fn cost(&self, spend: &Spend, decided: Wall) -> u128 {
        let tariff = spend.tariff;
        let step_us = i64::from(tariff.billed_by_s) * 1_000_000;
        let talk_us = match (self.answered, self.ended) {
            (None, Some(_)) if !self.lost => return 0,
            (Some(answered), ended) if !self.lost => ended.unwrap_or(decided).0 - answered.0,
            _ => 0,
        };
        let mut steps = 1;
        while steps * step_us < talk_us {
            steps += 1;
        }
        let seconds = u128::from(tariff.billed_by_s) * steps.unsigned_abs() as u128;
        (u128::from(tariff.per_minute.millionths) * seconds).div_ceil(60) + u128::from(tariff.per_call.millionths)
    }
}
