"""Periods of time, and how the share of successes in each is kept away from the trees.

That March sold more than May says nothing about who will buy in June. Each row starts from the logit of its period's share,
the offset of a Poisson or logistic model (McCullagh, Nelder 1989, section 6.2), so that trees learn what tells the rows of one
period apart. No period's offset is in the model: the level is left to the calibration.
"""

import numpy as np

from training.table import Table

# A share of fewer rows says more about chance.
PERIOD_ROWS = 150
# Of a long table more and shorter periods would not say more.
MOST_PERIODS = 40


def periods(block: np.ndarray, least_rows: int = PERIOD_ROWS) -> np.ndarray:
    """Numbers from 0 for rows in the order of time: moments joined until they are enough rows, none torn apart."""
    least = max(least_rows, len(block) // MOST_PERIODS)
    firsts = np.flatnonzero(np.diff(block, prepend=block[0] - 1))
    starts = [0]
    for first in firsts:
        if first - starts[-1] >= least:
            starts.append(int(first))
    if len(starts) > 1 and len(block) - starts[-1] < least:
        starts.pop()
    return np.searchsorted(starts, np.arange(len(block)), side="right") - 1


def offsets(table: Table, rows: np.ndarray) -> np.ndarray | None:
    """The logit of the period's share of successes for each row, the oldest first; None without an order of time."""
    if table.block is None:
        return None
    period = periods(table.block[rows])
    label, weight = table.label[rows], table.weight[rows]
    mass = np.bincount(period, weight)
    whole = np.average(label, weights=weight)
    # One row of the whole table in each keeps a period of failures alone off minus infinity.
    share = (np.bincount(period, weight * label) + whole) / (mass + 1)
    return np.log(share / (1 - share))[period]
