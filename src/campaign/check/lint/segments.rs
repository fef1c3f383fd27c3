//! A segment behind one that takes everybody, or behind its own twin, gets nobody.

use crate::base::Code;
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;

use super::warn;

pub fn check(raw: &RawCampaign, findings: &mut Findings) {
    let plain = |source: &str| source.split_whitespace().collect::<Vec<_>>().join(" ");
    for (at, segment) in raw.segments.iter().enumerate() {
        let Some(when) = &segment.when else { continue };
        let before = raw.segments.iter().take(at);
        let taker = before.into_iter().find(|other| {
            other
                .when
                .as_ref()
                .map(|when| plain(&when.value))
                .is_some_and(|other| other == "true" || other == plain(&when.value))
        });
        if let Some(taker) = taker {
            let message = format!(
                "nobody gets into `{}`: `{}` stands before it and takes them",
                segment.name.value, taker.name.value
            );
            warn(
                segment.name.span,
                Code::NeverReached,
                message,
                "the first segment that fits is taken: put the narrow ones first",
                findings,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    const EVERYBODY: &str = "GH1031: nobody gets into `rest`: `star` stands before it and takes them";

    #[test]
    fn a_segment_behind_one_for_everybody_is_empty() {
        assert_eq!(warned(&[("'score >= 0.4'", "'true'")]), [EVERYBODY]);
    }

    #[test]
    fn so_is_one_behind_its_twin() {
        assert_eq!(warned(&[("'true'", "'score  >= 0.4'")]), [EVERYBODY]);
    }
}
