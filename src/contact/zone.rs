//! Time zones by a small index: the engine holds one byte or two per lead, never a name.

use std::fmt;

use jiff::tz::TimeZone;

use crate::base::Wall;

static UTC: TimeZone = TimeZone::UTC;

/// Position in [`Zones`]. Stable within one process only; stores and journals keep the IANA name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneIx(pub u16);

/// The zones seen so far, from the bundled IANA database: the same everywhere, whatever the machine has installed.
#[derive(Clone, Default)]
pub struct Zones {
    known: Vec<TimeZone>,
}

impl Zones {
    /// More than IANA has; a hostile list cannot grow it further, since only known names enter.
    const MAX: usize = 1_024;

    /// The index of an IANA name, in any letter case. `None` if the database does not have it.
    pub fn intern(&mut self, name: &str) -> Option<ZoneIx> {
        let zone = TimeZone::get(name).ok()?;
        if let Some(at) = self.known.iter().position(|known| known.iana_name() == zone.iana_name()) {
            return Some(ZoneIx(at as u16));
        }
        if self.known.len() >= Self::MAX {
            return None;
        }
        self.known.push(zone);
        Some(ZoneIx((self.known.len() - 1) as u16))
    }

    /// A name as the database spells it, if it was interned before.
    pub fn find(&self, name: &str) -> Option<ZoneIx> {
        let at = self.known.iter().position(|known| known.iana_name() == Some(name))?;
        Some(ZoneIx(at as u16))
    }

    /// UTC for an index that was never interned here, which only a bug can make.
    pub fn get(&self, ix: ZoneIx) -> &TimeZone {
        self.known.get(usize::from(ix.0)).unwrap_or(&UTC)
    }

    pub fn name(&self, ix: ZoneIx) -> &str {
        self.get(ix).iana_name().unwrap_or("UTC")
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The wall clock that hangs in that zone.
    pub fn local(&self, ix: ZoneIx, at: Wall) -> jiff::civil::DateTime {
        self.get(ix).to_datetime(at.timestamp())
    }
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.iter().map(|z| z.iana_name().unwrap_or("UTC"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_interned_once_and_unknown_ones_refused() {
        let mut zones = Zones::default();
        let first = zones.intern("Asia/Shanghai").unwrap();
        assert_eq!(zones.intern("asia/shanghai"), Some(first));
        assert_eq!(zones.intern("Asia/Nowhere"), None);
        assert_eq!(zones.local(first, Wall::parse("2026-12-01T01:00:00Z").unwrap()).hour(), 9);
    }
}
