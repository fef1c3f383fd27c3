"""How much each exported attempt counts: for all those like it who could have been dialled, and were not.

The unit is a lead on a day of its own clock. A lead that the order reached was certain to be dialled and stands for itself. One
that was drawn had the chance `propensity` in each half hour in which there was a draw, so on that day it stands for
1 / (propensity x half hours with a draw) leads: the mean over the half hours of the estimate of Horvitz and Thompson 1952.
"""

import datetime
from collections.abc import Iterable

import numpy as np

from training.refused import Refused

# A lead that was drawn at a hair's chance would drown all others; 50 is the cap of docs/OUTCOMES.md.
MOST_WEIGHT = 50.0

# A campaign and a day of the contacts' clock.
Day = tuple[str, datetime.date]


def half_hours_with_draws(slots: Iterable[dict[str, str]]) -> dict[Day, int]:
    """From the rows of `slots-*` files. A row that came twice counts once."""
    seen: dict[Day, set[str]] = {}
    for row in slots:
        if float(row["propensity"] or 0) > 0:
            seen.setdefault(_day(row, "slot_from"), set()).add(row["slot_from"])
    return {day: len(half_hours) for day, half_hours in seen.items()}


def weights(rows: list[dict[str, str]], target: str, half_hours: dict[Day, int]) -> np.ndarray:
    """One for each attempt, in (0, 50].

    A conversion was seen only because somebody also answered, so for `convert` who was hard to reach counts more: by the mean
    of p_answer over this row's (stabilised weights: Robins, Hernan, Brumback 2000), so that the cap means the same for both.
    """
    out = np.array([1 / _chance(row, half_hours) for row in rows])
    if target == "convert":
        answers = np.array([_number(row, "p_answer") for row in rows])
        known = answers > 0
        if known.any():
            out[known] *= answers[known].mean() / answers[known]
    return np.minimum(out, MOST_WEIGHT)


def _chance(row: dict[str, str], half_hours: dict[Day, int]) -> float:
    """That it was dialled on that day."""
    chance = float(row["propensity"] or 1)
    if not 0 < chance <= 1:
        raise Refused(f"attempt {row['attempt_id']}: a propensity of {row['propensity']} is no chance")
    if chance == 1:
        return 1.0
    draws = half_hours.get(_day(row, "event_timestamp"))
    if draws is None:
        raise Refused(f"attempt {row['attempt_id']} was drawn, but no slots-* file beside the outcomes knows of a draw on that day")
    return min(chance * draws, 1.0)


def _day(row: dict[str, str], when: str) -> Day:
    """The day near `when` that has the row's weekday: contacts' clocks are less than a day from UTC."""
    utc = datetime.date.fromisoformat(row[when][:10])
    ahead = (int(row["slot_weekday"]) - utc.weekday() + 3) % 7 - 3
    return row["campaign"], utc + datetime.timedelta(days=ahead)


def _number(row: dict[str, str], name: str) -> float:
    """0 where there is none."""
    return float(row[name] or 0)
