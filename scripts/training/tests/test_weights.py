"""How much an attempt counts."""

import datetime
import unittest

import numpy as np

from training.refused import Refused
from training.weights import half_hours_with_draws, weights

DAY = datetime.date(2026, 11, 3)  # a Tuesday


def attempt(propensity: float, p_answer: float = 0.5, at: str = "2026-11-03T09:10:00.000000Z") -> dict[str, str]:
    weekday = "1"
    return {
        "attempt_id": "a1",
        "campaign": "c",
        "event_timestamp": at,
        "slot_weekday": weekday,
        "propensity": str(propensity),
        "p_answer": str(p_answer),
    }


def slot(at: str, propensity: float, weekday: int = 1) -> dict[str, str]:
    return {"campaign": "c", "slot_from": at, "slot_weekday": str(weekday), "propensity": str(propensity)}


class WeightsTest(unittest.TestCase):
    def test_who_was_drawn_stands_for_one_in_the_chance_of_all_draws_of_the_day(self) -> None:
        found = weights([attempt(1), attempt(0.01)], "answer", {("c", DAY): 20})
        np.testing.assert_allclose(found, [1, 5])

    def test_no_weight_is_above_the_cap(self) -> None:
        self.assertEqual(list(weights([attempt(0.001)], "answer", {("c", DAY): 2})), [50])

    def test_who_answers_rarely_counts_more_among_conversations(self) -> None:
        found = weights([attempt(1, 0.2), attempt(1, 0.6)], "convert", {})
        np.testing.assert_allclose(found, [2, 2 / 3])

    def test_half_hours_are_counted_once_by_campaign_and_the_contacts_day(self) -> None:
        rows = [slot(f"2026-11-03T{hour:02}:00:00.000000Z", 0.01) for hour in (9, 9, 10, 11)]
        rows += [slot("2026-11-03T12:00:00.000000Z", 0), slot("2026-11-03T22:00:00.000000Z", 0.01, weekday=2)]
        wednesday = DAY + datetime.timedelta(days=1)
        self.assertEqual(half_hours_with_draws(rows), {("c", DAY): 3, ("c", wednesday): 1})

    def test_a_draw_that_no_slot_knows_of_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "was drawn, but no slots-"):
            weights([attempt(0.01)], "answer", {})

    def test_a_propensity_that_is_no_chance_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "a propensity of 1.5 is no chance"):
            weights([attempt(1.5)], "answer", {})

    def test_draws_at_random_and_their_weights_make_up_for_whom_the_order_left(self) -> None:
        rng = np.random.default_rng(1)
        sums = []
        for _ in range(300):
            rest = 800
            drawn = sum(rng.random() < 1 - (1 - 0.005) ** 10 for _ in range(rest))
            sums.append(weights([attempt(0.005)] * drawn, "answer", {("c", DAY): 10}).sum())
        self.assertLess(abs(np.mean(sums) / 800 - 1), 0.05)


if __name__ == "__main__":
    unittest.main()
