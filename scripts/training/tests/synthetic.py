"""Small tables whose truth is known, drawn with fixed seeds."""

import csv
from pathlib import Path

import numpy as np

from training.table import Feature, Table


def drifting(rows: int = 2400, seed: int = 3) -> Table:
    """The sign of `x0` turns at two thirds of the rows; `x1` always helps; `clock` rises with time."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    sign = np.where(np.arange(rows) < rows * 2 / 3, 1.0, -1.0)
    clock = np.arange(rows) / rows + rng.normal(scale=0.01, size=rows)
    label = (rng.random(rows) < sigmoid(2 * sign * x[:, 0] + x[:, 1])).astype(float)
    features = (Feature("x0"), Feature("x1"), Feature("clock"))
    return Table(features, np.column_stack([x, clock]), label, np.ones(rows), np.arange(rows), ())


def without_time(rows: int = 600, seed: int = 5) -> Table:
    """Two numbers and a category of three, none above an AUC of .80 alone."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    kind = rng.integers(0, 3, rows)
    label = (rng.random(rows) < sigmoid(x[:, 0] + 0.7 * x[:, 1] + 0.8 * (kind - 1))).astype(float)
    features = (Feature("x0"), Feature("x1"), Feature("kind", ("high", "low", "none")))
    return Table(features, np.column_stack([x, kind]), label, np.ones(rows), None, ())


def write_csv(table: Table, path: Path) -> None:
    """With an id, categories by name, every ninth cell of the first column empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", *table.names, "label"])
        for row in range(len(table)):
            cells = [cell(feature, value) for feature, value in zip(table.features, table.values[row], strict=True)]
            cells[0] = "" if row % 9 == 0 else cells[0]
            out.writerow([f"r{row}", *cells, int(table.label[row])])


def cell(feature: Feature, value: float) -> str:
    return repr(float(value)) if feature.categories is None else feature.categories[int(value)]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
