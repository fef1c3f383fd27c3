//! What a leg's packets came to, in the words of `call`.

use crate::call::{Codec, MediaQuality, OneWay};
use crate::media::{self, Stats};

pub(super) fn quality(stats: &Stats) -> MediaQuality {
    let Stats { codec, reception, sent, reports, .. } = stats;
    MediaQuality {
        codec: match codec {
            media::Codec::Pcma => Codec::Pcma,
            media::Codec::Pcmu => Codec::Pcmu,
        },
        received: count(reception.received().saturating_sub(reception.duplicated())),
        lost: count(reception.lost()),
        jitter_us: u32::try_from(reception.jitter().as_micros()).unwrap_or(u32::MAX),
        sent: count(*sent),
        lost_there: reports.lost_there,
        round_trip_us: reports.round_trip_us,
        one_way: stats.one_way().map(|way| match way {
            media::OneWay::WeHearNothing => OneWay::WeHearNothing,
            media::OneWay::TheyHearNothing => OneWay::TheyHearNothing,
        }),
    }
}

fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
