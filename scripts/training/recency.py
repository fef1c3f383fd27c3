"""What "later" means for a table: the hold-out, rolling origins before it, and how fast old rows lose their weight."""

from dataclasses import dataclass

import numpy as np

from training.table import Table

# Of a table with an order of time, the last rows are kept for judging: enough for ten bins of a hundred and for this share
# of the successes, but never more than a quarter of the rows or a third of the successes: those are what is learned from.
HOLDOUT_ROWS = 1000
HOLDOUT_SUCCESSES = 0.15
HOLDOUT_MOST = 0.25
HOLDOUT_MOST_SUCCESSES = 1 / 3
# Rolling origins: each window holds this share of the successes, for these are what a campaign learns from.
WINDOW_SUCCESSES = 0.15
WINDOWS = 3
RANDOM_FOLDS = 4


@dataclass(frozen=True)
class Split:
    """Row numbers to learn from and to judge; in an order of time every judged row is later than every learned one."""

    learn: np.ndarray
    judge: np.ndarray


@dataclass(frozen=True)
class Recency:
    """A row `half_life_rows` before the newest counts half; None is all rows alike.

    Rows, not days: a campaign that calls little keeps a longer memory.
    """

    half_life_rows: int | None = None

    def __str__(self) -> str:
        return "all rows alike" if self.half_life_rows is None else f"half-life of {self.half_life_rows} rows"

    def weight(self, rows: int) -> np.ndarray:
        age = np.arange(rows)[::-1]
        return np.ones(rows) if self.half_life_rows is None else 0.5 ** (age / self.half_life_rows)


def candidates(rows: int) -> list[Recency]:
    """From all rows to the shortest memory, a twenty-fourth of them; never under 500 rows."""
    return [Recency()] + [Recency(rows // share) for share in (3, 6, 12, 24) if rows // share >= 500]


def holdout_start(table: Table) -> int:
    """The first row of the final hold-out of a table with an order of time; a block is never cut."""
    rows, wins = len(table), np.cumsum(table.label)
    by_rows = max(rows - HOLDOUT_ROWS, 0)
    by_wins = int(np.searchsorted(wins, wins[-1] * (1 - HOLDOUT_SUCCESSES)))
    most = int(np.searchsorted(wins, wins[-1] * (1 - HOLDOUT_MOST_SUCCESSES)))
    return _snap(table, max(min(by_rows, by_wins), int(rows * (1 - HOLDOUT_MOST)), most))


def rolling(table: Table) -> list[Split]:
    """Up to `WINDOWS` windows of about equal successes before the end, the newest last, each judged from all rows before it."""
    wins = np.cumsum(table.label)
    ends = [len(table)]
    for window in range(1, WINDOWS + 1):
        start = _snap(table, int(np.searchsorted(wins, wins[-1] * (1 - WINDOW_SUCCESSES * window))))
        if 0 < start < ends[-1] and 20 <= wins[start - 1] <= start - 20:
            ends.append(start)
    cuts = list(zip(ends[1:], ends[:-1], strict=True))[::-1]
    return [Split(np.arange(start), np.arange(start, end)) for start, end in cuts]


def counts(table: Table, splits: list[Split]) -> np.ndarray:
    """What each window counts: in time twice the one before it, without an order of time all alike."""
    return np.array([1.0 if table.block is None else 2.0**at for at in range(len(splits))])


def stratified(table: Table, seed: int, folds: int = RANDOM_FOLDS) -> list[Split]:
    """Folds without an order of time, each with its share of successes."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(table), dtype=int)
    for kind in (0.0, 1.0):
        rows = np.flatnonzero(table.label == kind)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return [Split(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(folds)]


def _snap(table: Table, row: int) -> int:
    """The nearest border between two blocks."""
    block = table.block
    assert block is not None, "only a table with an order of time has borders"
    row = min(max(row, 1), len(block) - 1)
    start = int(np.searchsorted(block, block[row], side="left"))
    end = int(np.searchsorted(block, block[row], side="right"))
    return start if row - start <= end - row or end == len(block) else end
