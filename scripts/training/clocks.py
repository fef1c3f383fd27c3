"""Finds features that mostly tell the time: the month, a central bank's rate. They split the past well and the future badly."""

import numpy as np

from training.table import Table

# Share of a feature that the moment explains, above which it counts as a clock.
CLOCK_SHARE = 0.75
# Rows of an order without moments, `@row`, are looked at in so many equal parts.
PARTS = 40


def clock_features(table: Table) -> list[str]:
    """Names of the features that the order of time explains, in the order of the columns; none without such an order."""
    if table.block is None:
        return []
    moments = table.block
    if len(table.moments) == 0:
        moments = np.arange(len(table)) * PARTS // len(table)
    return [f.name for at, f in enumerate(table.features) if _explained(table.values[:, at], f.categories, moments) > CLOCK_SHARE]


def _explained(column: np.ndarray, categories: tuple[str, ...] | None, moments: np.ndarray) -> float:
    """Numbers: share of variance between moments (the correlation ratio, Pearson 1911). Categories: share of entropy."""
    known = ~np.isnan(column)
    column, moments = column[known], moments[known]
    if len(column) == 0:
        return 0.0
    if categories is None:
        rows = np.bincount(moments)
        mean = np.bincount(moments, column) / np.maximum(rows, 1)
        spread = float(((column - column.mean()) ** 2).sum())
        return float((rows * (mean - column.mean()) ** 2).sum()) / spread if spread > 0 else 0.0
    joint = np.zeros((int(moments.max()) + 1, len(categories)))
    np.add.at(joint, (moments, column.astype(int)), 1)
    whole = _entropy(joint.sum(axis=0))
    within = sum(row.sum() * _entropy(row) for row in joint if row.sum()) / joint.sum()
    return 1 - within / whole if whole > 0 else 0.0


def _entropy(counts: np.ndarray) -> float:
    """In nats."""
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())
