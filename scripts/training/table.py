"""A table of rows with an id, a label and features: numbers or categories, in an order of time or in none."""

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.refused import Refused

# What the evaluator reads as no number; an empty cell is missing in every column.
MISSING_NUMBERS = {"", "NA", "NaN", "null"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# More values than this make a name or an address, not a category: a tree would learn people by heart.
MOST_CATEGORIES = 64
LABELS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}


@dataclass(frozen=True)
class Feature:
    """One column of the trees. `categories` is None for numbers; a category's code is its place in the list."""

    name: str
    categories: tuple[str, ...] | None = None

    def manifest(self) -> dict[str, object]:
        if self.categories is None:
            return {"name": self.name, "type": "number"}
        return {"name": self.name, "type": "category", "categories": list(self.categories)}

    def codes(self, cells: list[str]) -> np.ndarray:
        """Cells as the trees see them; NaN is missing, and so is a category that training never saw."""
        if self.categories is None:
            return np.array([np.nan if cell in MISSING_NUMBERS else float(cell) for cell in cells])
        places = {name: float(at) for at, name in enumerate(self.categories)}
        return np.array([places.get(cell, np.nan) for cell in cells])


@dataclass(frozen=True)
class Table:
    """Rows in the order of time where there is one, oldest first.

    `block` counts the moments of time from 0: rows of one block are never torn apart. It is None without an order of time.
    `moments` names the blocks. `weight` has no unit; 1 where nothing was chosen by a policy.
    """

    features: tuple[Feature, ...]
    values: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    block: np.ndarray | None
    moments: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.label)

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    def first(self, rows: int) -> "Table":
        return self.take(np.arange(rows))

    def take(self, rows: np.ndarray) -> "Table":
        """Some rows, in the order given; the columns stay."""
        block = None if self.block is None else self.block[rows]
        # Of a single moment there is no before and after.
        block = None if block is None or len(block) == 0 or block[0] == block[-1] else block
        return Table(self.features, self.values[rows], self.label[rows], self.weight[rows], block, self.moments, self.notes)


def read_columns(path: Path) -> dict[str, list[str]]:
    """Every column as text, in the order of the file. Plain or gzip, told by its first bytes."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    opened = gzip.open(path, "rt", encoding="utf-8-sig", newline="") if packed else path.open(encoding="utf-8-sig", newline="")
    with opened as file:
        return _columns(csv.reader(file), path)


def _columns(lines: Iterator[list[str]], path: Path) -> dict[str, list[str]]:
    header = next(lines, None)
    if not header:
        raise Refused(f"{path}: no header")
    if len(set(header)) != len(header):
        raise Refused(f"{path}: two columns have the same name")
    columns: dict[str, list[str]] = {name: [] for name in header}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise Refused(f"{path}, row {number}: {len(line)} cells under {len(header)} columns")
        for name, cell in zip(header, line, strict=True):
            columns[name].append(cell)
    return columns


def build(columns: dict[str, list[str]], label: str, names: list[str], order: str | None, weight: np.ndarray | None = None) -> Table:
    """The table of the columns `names`; `order` is a column, `@row` for the order of the file, or None for no order."""
    if label not in columns:
        raise Refused(f"no column `{label}` for the label; there are {', '.join(columns)}")
    target = _label(label, columns[label])
    features, notes, values = [], [], []
    for name in names:
        feature, note = infer(name, columns[name])
        if feature is None:
            notes.append(note)
            continue
        features.append(feature)
        values.append(feature.codes(columns[name]))
    if not features:
        raise Refused("no column is left to learn from: " + "; ".join(notes))
    sequence, block, moments = _order(columns, order, len(target))
    rows = np.column_stack(values)[sequence]
    weights = np.ones(len(target)) if weight is None else weight
    return Table(tuple(features), rows, target[sequence], weights[sequence], block, moments, tuple(notes))


def infer(name: str, cells: list[str]) -> tuple[Feature | None, str]:
    """Number if every cell is one or missing, category if there are few values; else None and why."""
    if all(cell in MISSING_NUMBERS or NUMBER.fullmatch(cell) for cell in cells):
        known = {cell for cell in cells if cell not in MISSING_NUMBERS}
        return (Feature(name), "") if len(known) > 1 else (None, f"`{name}` is left out: it has one value at most")
    kinds = sorted(set(cells) - {""})
    if len(kinds) > MOST_CATEGORIES:
        return None, f"`{name}` is left out: text with {len(kinds)} different values, more than {MOST_CATEGORIES}"
    if len(kinds) < 2:
        return None, f"`{name}` is left out: it has one value at most"
    return Feature(name, tuple(kinds)), ""


def _label(name: str, cells: list[str]) -> np.ndarray:
    odd = next((cell for cell in cells if cell.lower() not in LABELS), None)
    if odd is not None:
        raise Refused(f"label `{name}`: {odd!r} is neither 0 nor 1")
    label = np.array([LABELS[cell.lower()] for cell in cells])
    if min(label.sum(), (1 - label).sum()) < 20:
        raise Refused(f"label `{name}`: {int(label.sum())} of {len(label)} rows are 1; at least 20 of each kind are needed")
    return label


def _order(columns: dict[str, list[str]], order: str | None, rows: int) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Rows by time, the oldest first, with their blocks. Equal moments keep the order of the file."""
    if order is None:
        return np.arange(rows), None, ()
    if order == "@row":
        return np.arange(rows), np.arange(rows), ()
    if order not in columns:
        raise Refused(f"no column `{order}` to order by; there are {', '.join(columns)}")
    cells = columns[order]
    if any(not cell for cell in cells):
        raise Refused(f"`{order}` is empty in row {cells.index('') + 2}: every row needs its time")
    numbers = all(NUMBER.fullmatch(cell) for cell in cells)
    moments = sorted(set(cells), key=float if numbers else str)
    if len(moments) < 2:
        raise Refused(f"`{order}` has one value: no order of time")
    places = {moment: at for at, moment in enumerate(moments)}
    block = np.array([places[cell] for cell in cells])
    sequence = np.argsort(block, kind="stable")
    return sequence, block[sequence], tuple(moments)
