//! The value of a dial: what leads are ordered by, and what is logged as `index_value`.

use crate::campaign::RankBy;

/// The part that stays the same while the clock moves: the score, or score × value. Never negative, never NaN: a lead
/// with such a score or value is worth nothing.
pub fn key(by: RankBy, score: f32, value: f32) -> f32 {
    match by {
        RankBy::Score => sane(score),
        RankBy::ExpectedValue => sane(sane(score) * sane(value)),
    }
}

/// The part that all leads of a cell share in one slot.
pub fn multiplier(by: RankBy, p_answer: f32) -> f32 {
    match by {
        RankBy::Score => 1.0,
        RankBy::ExpectedValue => p_answer,
    }
}

fn sane(x: f32) -> f32 {
    if x > 0.0 { x.min(f32::MAX) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_value_prefers_the_product_over_the_score() {
        let worth = |by, p_answer, score, value| key(by, score, value) * multiplier(by, p_answer);
        let by = RankBy::ExpectedValue;
        assert!(worth(by, 0.3, 0.2, 1_000.0) > worth(by, 0.15, 0.9, 100.0));
        assert!(worth(by, 0.3, 0.2, 1.0) > worth(by, 0.15, 0.3, 1.0));
        assert!(worth(RankBy::Score, 0.3, 0.2, 1_000.0) < worth(RankBy::Score, 0.15, 0.9, 100.0));
    }

    #[test]
    fn a_score_that_is_no_number_is_worth_nothing() {
        for bad in [f32::NAN, -1.0, f32::NEG_INFINITY, -0.0] {
            assert_eq!(key(RankBy::ExpectedValue, bad, 5.0).to_bits(), 0, "{bad}");
        }
        assert_eq!(key(RankBy::Score, f32::INFINITY, 1.0).to_bits(), f32::MAX.to_bits());
    }
}
