"""Splits by time and the memory of a model."""

import unittest
from dataclasses import replace

import numpy as np

from training.clocks import clock_features
from training.recency import Recency, candidates, holdout_start, rolling, stratified
from training.table import Feature
from training.tests.synthetic import drifting, without_time


class RecencyTest(unittest.TestCase):
    def test_every_judged_row_is_later_than_every_learned_one(self) -> None:
        splits = rolling(drifting())
        self.assertEqual(len(splits), 3)
        for split in splits:
            self.assertLess(split.learn.max(), split.judge.min())
        self.assertEqual(splits[-1].judge[-1], 2399)
        self.assertTrue(all(a.judge[-1] + 1 == b.judge[0] for a, b in zip(splits, splits[1:])))

    def test_a_month_is_never_torn_apart(self) -> None:
        table = replace(drifting(), block=np.arange(2400) // 170, moments=tuple(f"m{at:02}" for at in range(15)))
        self.assertEqual(holdout_start(table) % 170, 0)
        for split in rolling(table):
            self.assertEqual(split.judge[0] % 170, 0)

    def test_the_holdout_is_at_most_about_a_quarter(self) -> None:
        self.assertEqual(holdout_start(drifting(2400)), 1800)
        self.assertGreaterEqual(holdout_start(drifting(20000)), 15000)

    def test_folds_share_the_successes_and_judge_every_row_once(self) -> None:
        table = without_time()
        splits = stratified(table, seed=1)
        np.testing.assert_array_equal(np.sort(np.concatenate([split.judge for split in splits])), np.arange(600))
        shares = [table.label[split.judge].mean() for split in splits]
        self.assertLess(max(shares) - min(shares), 0.01)

    def test_a_half_life_halves_and_a_window_ends(self) -> None:
        np.testing.assert_allclose(Recency(half_life_rows=2).weight(5), [0.25, 2**-1.5, 0.5, 2**-0.5, 1])
        np.testing.assert_array_equal(Recency(window_rows=2).weight(4), [0, 0, 1, 1])
        self.assertEqual(candidates(600), [Recency()])

    def test_what_rises_with_time_is_a_clock_and_what_does_not_is_none(self) -> None:
        table = drifting()
        self.assertEqual(clock_features(table), ["clock"])
        month = (np.arange(2400) // 200).astype(float)
        names = tuple(f"m{at:02}" for at in range(12))
        with_month = replace(table, features=(*table.features, Feature("month", names)), values=np.column_stack([table.values, month]))
        self.assertEqual(clock_features(with_month), ["clock", "month"])
        self.assertEqual(clock_features(without_time()), [])
