//! How the sound of an answered call was, as far as packets and the peer's reports tell.

/// Counted by the line and kept with the outcome. `None` beside it, in a leg's end, means that there was no media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaQuality {
    pub codec: Codec,
    /// Packets of the peer, without duplicates.
    pub received: u32,
    /// Packets of the peer that never came.
    pub lost: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1) when the call ended.
    pub jitter_us: u32,
    /// Packets of ours.
    pub sent: u32,
    /// Of these the peer reports as lost; `None` from a peer that sent no reports about them.
    pub lost_there: Option<u32>,
    /// By the last report of the peer that allows to tell.
    pub round_trip_us: Option<u32>,
    pub one_way: Option<OneWay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Pcma,
    Pcmu,
}

/// Audio that went one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneWay {
    WeHearNothing,
    TheyHearNothing,
}

impl MediaQuality {
    /// Lost among those that should have come; `None` if none should have.
    pub fn lost_share(&self) -> Option<f64> {
        share(self.lost, self.lost.saturating_add(self.received))
    }

    /// The same of what we sent, by the peer's word.
    pub fn lost_share_there(&self) -> Option<f64> {
        self.lost_there.and_then(|lost| share(lost.min(self.sent), self.sent))
    }

    pub fn jitter_ms(&self) -> f64 {
        f64::from(self.jitter_us) / 1_000.0
    }

    pub fn round_trip_ms(&self) -> Option<f64> {
        self.round_trip_us.map(|us| f64::from(us) / 1_000.0)
    }
}

fn share(part: u32, of: u32) -> Option<f64> {
    (of > 0).then(|| f64::from(part) / f64::from(of))
}

impl Codec {
    /// As SDP names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pcma, Self::Pcmu].into_iter().find(|codec| codec.as_str() == text)
    }
}

impl OneWay {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeHearNothing => "we_hear_nothing",
            Self::TheyHearNothing => "they_hear_nothing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::WeHearNothing, Self::TheyHearNothing].into_iter().find(|way| way.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_should_have_come_and_unknown_where_nothing_should() {
        let heard = MediaQuality {
            codec: Codec::Pcma,
            received: 75,
            lost: 25,
            jitter_us: 1_500,
            sent: 10,
            lost_there: Some(40),
            round_trip_us: None,
            one_way: None,
        };
        assert_eq!((heard.lost_share(), heard.lost_share_there(), heard.jitter_ms()), (Some(0.25), Some(1.0), 1.5));
        let nothing = MediaQuality { received: 0, lost: 0, sent: 0, ..heard };
        assert_eq!((nothing.lost_share(), nothing.lost_share_there()), (None, None));
    }
}
