"""Splits by time and the memory of a model."""

import unittest
from dataclasses import replace

import numpy as np

from training.periods import joined, offsets, periods
from training.recency import Recency, candidates, counts, holdout_start, rolling, stratified
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

    def test_the_holdout_leaves_two_thirds_of_the_successes_to_learn_from(self) -> None:
        table = drifting(20000)
        late = replace(table, label=(np.arange(20000) >= 19400) | (np.arange(20000) % 100 == 0))
        start = holdout_start(replace(late, label=late.label.astype(float)))
        self.assertAlmostEqual(late.label[:start].sum() / late.label.sum(), 2 / 3, delta=0.01)

    def test_folds_share_the_successes_and_judge_every_row_once(self) -> None:
        table = without_time()
        splits = stratified(table, seed=1)
        np.testing.assert_array_equal(np.sort(np.concatenate([split.judge for split in splits])), np.arange(600))
        shares = [table.label[split.judge].mean() for split in splits]
        self.assertLess(max(shares) - min(shares), 0.01)

    def test_in_time_each_window_counts_twice_the_one_before_it_and_folds_all_alike(self) -> None:
        np.testing.assert_array_equal(counts(drifting(), rolling(drifting())), [1, 2, 4])
        np.testing.assert_array_equal(counts(without_time(), stratified(without_time(), seed=1)), [1, 1, 1, 1])

    def test_a_half_life_halves(self) -> None:
        np.testing.assert_allclose(Recency(2).weight(5), [0.25, 2**-1.5, 0.5, 2**-0.5, 1])
        self.assertEqual(candidates(600), [Recency()])


class PeriodsTest(unittest.TestCase):
    def test_small_moments_are_joined_and_none_is_torn_apart(self) -> None:
        block = np.repeat([0, 1, 2, 3, 4], [200, 60, 30, 90, 20])
        np.testing.assert_array_equal(np.bincount(joined(block, 50)), [200, 60, 140])
        np.testing.assert_array_equal(np.bincount(joined(np.arange(400), 150)), [150, 250])

    def test_a_named_month_is_a_period_and_rows_without_names_are_cut_into_parts(self) -> None:
        rows = np.arange(2400)
        months = replace(drifting(), block=rows // 80, moments=tuple(f"m{at:02}" for at in range(30)))
        self.assertEqual(periods(months, rows)[-1], 29)
        self.assertEqual(periods(drifting(), rows)[-1], 15)
        self.assertLessEqual(periods(drifting(100_000), np.arange(100_000))[-1], 40)

    def test_a_row_starts_from_the_logit_of_its_periods_share(self) -> None:
        table = drifting(600)
        label = np.where(np.arange(600) < 300, np.arange(600) % 10 == 0, np.arange(600) % 2).astype(float)
        found = offsets(replace(table, label=label, block=np.arange(600) // 300, moments=("a", "b")), np.arange(600))
        np.testing.assert_allclose(found[[0, -1]], [np.log(1 / 9), 0], atol=0.05)

    def test_without_an_order_of_time_there_are_no_offsets(self) -> None:
        self.assertIsNone(offsets(without_time(), np.arange(600)))
