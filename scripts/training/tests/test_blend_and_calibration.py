"""The blend in logit space and the two calibrations."""

import unittest

import numpy as np

from training import blend, calibrate
from training.tests.synthetic import sigmoid

RNG = np.random.default_rng(21)
TRUTH = RNG.normal(size=6000)
LABEL = (RNG.random(6000) < sigmoid(TRUTH - 1)).astype(float)
EVEN = np.ones(6000)


class BlendTest(unittest.TestCase):
    def test_noise_gets_no_share(self) -> None:
        noise = RNG.normal(size=6000)
        self.assertGreaterEqual(blend.fit(LABEL, TRUTH, noise, EVEN).w, 0.9)
        self.assertLessEqual(blend.fit(LABEL, noise, TRUTH, EVEN).w, 0.1)

    def test_two_models_alike_share_evenly(self) -> None:
        a, b = TRUTH + RNG.normal(scale=0.5, size=6000), TRUTH + RNG.normal(scale=0.5, size=6000)
        self.assertAlmostEqual(blend.fit(LABEL, a, b, EVEN).w, 0.5)

    def test_the_shift_makes_the_mean_probability_the_observed_share(self) -> None:
        found = blend.fit(LABEL, TRUTH, TRUTH, EVEN)
        self.assertAlmostEqual(float(sigmoid(found.margin(TRUTH, TRUTH)).mean()), float(LABEL.mean()), places=9)


class CalibrationTest(unittest.TestCase):
    def test_a_platt_line_finds_the_line_that_was_drawn(self) -> None:
        line = calibrate.platt(LABEL, (TRUTH - 1) / 2 + 3, EVEN)
        self.assertAlmostEqual(line.a, 2, delta=0.15)
        self.assertAlmostEqual(line.b, -6, delta=0.5)

    def test_a_model_that_ranks_backwards_is_not_turned_round(self) -> None:
        self.assertGreater(calibrate.platt(LABEL, -TRUTH, EVEN).a, 0)

    def test_many_successes_make_it_isotonic_and_few_a_line(self) -> None:
        self.assertIsInstance(calibrate.fit(LABEL, TRUTH, EVEN), calibrate.Isotonic)
        self.assertIsInstance(calibrate.fit(LABEL[:1500], TRUTH[:1500], EVEN[:1500]), calibrate.Platt)

    def test_isotonic_rises_strictly_so_that_no_order_is_lost(self) -> None:
        found = calibrate.isotonic(LABEL, TRUTH, EVEN)
        self.assertTrue(np.all(np.diff(found.z) > 0))
        self.assertTrue(np.all(np.diff(found.p) > 0))
        self.assertTrue(0 < found.p[0] and found.p[-1] < 1)
        self.assertEqual(len(np.unique(found.apply(np.sort(TRUTH)))), 6000)

    def test_isotonic_mends_what_no_line_can(self) -> None:
        bent = np.where(TRUTH > 0, TRUTH * 5, TRUTH)
        p = calibrate.isotonic(LABEL, bent, EVEN).apply(bent)
        self.assertLess(np.abs(p - sigmoid(TRUTH - 1)).mean(), 0.02)


class MemoryTest(unittest.TestCase):
    """Calibration in time: the newest rows know the level, all rows know the slope."""

    period = np.arange(6000) // 100

    def test_the_slope_within_periods_does_not_see_their_levels(self) -> None:
        """Each period has its own level, which the margin tells too strongly."""
        level = np.where(self.period % 2, 2.0, -2.0)
        label = (RNG.random(6000) < sigmoid(0.5 * TRUTH + 0.2 * level)).astype(float)
        self.assertAlmostEqual(calibrate.slope_within(label, TRUTH + level, EVEN, self.period), 0.5, delta=0.08)
        self.assertLess(calibrate.platt(label, TRUTH + level, EVEN).a, 0.35)

    def test_a_level_that_leapt_is_calibrated_on_the_rows_since(self) -> None:
        leapt = (RNG.random(6000) < sigmoid(TRUTH + np.where(np.arange(6000) < 5400, -3, 1))).astype(float)
        rows = calibrate.memory(leapt, TRUTH, EVEN, self.period, 1.0)
        self.assertLessEqual(rows, 600)
        p = calibrate.newest(leapt, TRUTH, EVEN, rows, 1.0).apply(TRUTH[-rows:])
        self.assertAlmostEqual(float(p.mean()), float(leapt[-rows:].mean()), delta=0.01)

    def test_no_memory_is_so_short_that_its_successes_are_few(self) -> None:
        """One in fifty buys, and the level leaps at the end: a hundred successes take five thousand rows and more."""
        rare = (RNG.random(6000) < np.where(np.arange(6000) < 5800, 0.02, 0.06)).astype(float)
        rows = calibrate.memory(rare, TRUTH, EVEN, self.period, 1.0)
        self.assertGreaterEqual(rare[-rows:].sum(), 100)

    def test_a_level_that_stays_is_remembered(self) -> None:
        found = [calibrate.memory(LABEL, TRUTH, EVEN, self.period, 1.0), calibrate.memory(LABEL[::-1], TRUTH[::-1], EVEN, self.period, 1.0)]
        self.assertGreaterEqual(min(found), 1000)

    def test_a_renewed_probability_knows_nothing_of_its_own_period_or_later(self) -> None:
        later = np.where(self.period >= 40, 1 - LABEL, LABEL)
        one, other = (calibrate.renewed(label, TRUTH, EVEN, self.period, 30, 500, 1.0) for label in (LABEL, later))
        np.testing.assert_array_equal(one[:1100], other[:1100])
        self.assertFalse(np.array_equal(one[1100:], other[1100:]))

    def test_many_successes_in_the_memory_make_it_isotonic(self) -> None:
        self.assertIsInstance(calibrate.newest(LABEL, TRUTH, EVEN, 6000, 1.0), calibrate.Isotonic)
        self.assertEqual(calibrate.newest(LABEL, TRUTH, EVEN, 500, 0.7).manifest()["a"], 0.7)
