"""Periods of time, and how the share of successes in each is kept away from the trees.

That March sold more than May says nothing about who will buy in June. Each row starts from the logit of its period's share,
the offset of a Poisson or logistic model (McCullagh, Nelder 1989, section 6.2), so that trees learn what tells the rows of one
period apart. No period's offset is in the model: the level is left to the calibration.
"""

import numpy as np

from training.table import Table

# A share of fewer rows says more about chance: rows without named moments are cut into parts of so many, or into `MOST_PARTS`.
PART_ROWS = 150
MOST_PARTS = 40
# A named moment, a month or a day, is a period of its own from so many rows on.
MOMENT_ROWS = 50


def periods(table: Table, rows: np.ndarray) -> np.ndarray:
    """Numbers from 0 for rows in the order of time: no moment is torn apart, small ones are joined."""
    assert table.block is not None, "only a table with an order of time has periods"
    least = MOMENT_ROWS if table.moments else max(PART_ROWS, len(rows) // MOST_PARTS)
    return joined(table.block[rows], least)


def joined(block: np.ndarray, least_rows: int) -> np.ndarray:
    """Moments joined from the oldest on until they are `least_rows`; what is left at the end goes to the last."""
    firsts = np.flatnonzero(np.diff(block, prepend=block[0] - 1))
    starts = [0]
    for first in firsts:
        if first - starts[-1] >= least_rows:
            starts.append(int(first))
    if len(starts) > 1 and len(block) - starts[-1] < least_rows:
        starts.pop()
    return np.searchsorted(starts, np.arange(len(block)), side="right") - 1


def offsets(table: Table, rows: np.ndarray) -> np.ndarray | None:
    """The logit of the period's share of successes for each row, the oldest first; None without an order of time."""
    if table.block is None:
        return None
    period = periods(table, rows)
    label, weight = table.label[rows], table.weight[rows]
    mass = np.bincount(period, weight)
    whole = np.average(label, weights=weight)
    # One row of the whole table in each keeps a period of failures alone off minus infinity.
    share = (np.bincount(period, weight * label) + whole) / (mass + 1)
    return np.log(share / (1 - share))[period]
