"""The metrics against scikit-learn and against values from the papers."""

import unittest

import numpy as np
from sklearn.metrics import roc_auc_score

from training import metrics

RNG = np.random.default_rng(11)
LABEL = (RNG.random(500) < 0.3).astype(float)
SCORE = np.round(LABEL + RNG.normal(scale=1.5, size=500), 1)
WEIGHT = RNG.integers(1, 5, 500).astype(float)
EVEN = np.ones(500)


class MetricsTest(unittest.TestCase):
    def test_auc_is_that_of_scikit_learn_with_ties_and_weights(self) -> None:
        self.assertAlmostEqual(metrics.auc(LABEL, SCORE), roc_auc_score(LABEL, SCORE))
        self.assertAlmostEqual(metrics.auc(LABEL, SCORE, WEIGHT), roc_auc_score(LABEL, SCORE, sample_weight=WEIGHT))

    def test_a_weight_of_three_is_three_rows(self) -> None:
        times = WEIGHT.astype(int)
        label, score = np.repeat(LABEL, times), np.repeat(SCORE, times)
        ones = np.ones(len(label))
        for figure in (metrics.alift, metrics.brier):
            self.assertAlmostEqual(figure(LABEL, SCORE, WEIGHT), figure(label, score, ones))
        self.assertAlmostEqual(metrics.capture(LABEL, SCORE, WEIGHT, 0.2), metrics.capture(label, score, ones, 0.2))

    def test_in_the_calibration_error_a_group_counts_by_what_its_rows_stand_for(self) -> None:
        p, label = np.repeat([0.2, 0.8], 100), np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 40)
        heavy = np.repeat([1.0, 3.0], 100)
        self.assertAlmostEqual(metrics.ece(label, p, np.ones(200), 2), 0.3)
        self.assertAlmostEqual(metrics.ece(label, p, heavy, 2), 0.45)

    def test_a_perfect_order_captures_all_and_a_constant_one_captures_its_share(self) -> None:
        share = LABEL.mean()
        self.assertAlmostEqual(metrics.capture(LABEL, LABEL, EVEN, float(share)), 1.0)
        self.assertAlmostEqual(metrics.alift(LABEL, LABEL, EVEN), 1 - float(share) / 2)
        self.assertAlmostEqual(metrics.alift(LABEL, np.zeros(500), EVEN), 0.5)

    def test_the_wilson_interval_is_that_of_the_textbook(self) -> None:
        # Newcombe 1998, table I: 81 of 263 is .2553 to .3662.
        low, high = metrics.wilson(81 / 263, 263)
        self.assertAlmostEqual(low, 0.2553, places=4)
        self.assertAlmostEqual(high, 0.3662, places=4)

    def test_probabilities_that_are_right_err_as_much_as_chance_lets_them_and_wrong_ones_more(self) -> None:
        p = np.linspace(0.1, 0.9, 2000)
        label = (np.random.default_rng(4).random(2000) < p).astype(float)
        ones = np.ones(2000)
        chance = metrics.ece_by_chance(p, ones, 10, seed=1)
        self.assertLess(abs(metrics.ece(label, p, ones, 10) - chance), 0.015)
        self.assertGreater(metrics.ece(label, p**2, ones, 10), 3 * chance)

    def test_a_bin_never_has_fewer_than_a_hundred_rows(self) -> None:
        self.assertEqual([metrics.bins_for(rows) for rows in (50, 199, 923, 1000, 90000)], [1, 1, 9, 10, 10])
