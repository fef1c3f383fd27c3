"""From the blended logit to a probability: a Platt line below a thousand successes, isotonic levels above."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

ISOTONIC_FROM = 1000
# Isotonic levels of fewer rows are merged: a level of three rows would promise 0 or 1.
ROWS_PER_KNOT = 50
MOST_KNOTS = 100
# How far beyond the calibration rows the outermost lines reach, in logits.
REACH = 2.0


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(a z + b))), z the blended logit."""

    a: float
    b: float

    def apply(self, z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.clip(self.a * z + self.b, -500, 500)))

    def manifest(self) -> dict[str, object]:
        return {"kind": "platt", "a": self.a, "b": self.b}


@dataclass(frozen=True)
class Isotonic:
    """Straight lines between knots, level outside them. `z` rises strictly, `p` never falls."""

    z: tuple[float, ...]
    p: tuple[float, ...]

    def apply(self, z: np.ndarray) -> np.ndarray:
        return np.interp(z, self.z, self.p)

    def manifest(self) -> dict[str, object]:
        return {"kind": "isotonic", "z": list(self.z), "p": list(self.p)}


Calibration = Platt | Isotonic


def fit(label: np.ndarray, z: np.ndarray, weight: np.ndarray) -> Calibration:
    """On rows that the models did not learn from; for time, the most recent window, because base rates move."""
    return isotonic(label, z, weight) if label.sum() >= ISOTONIC_FROM else platt(label, z, weight)


def platt(label: np.ndarray, z: np.ndarray, weight: np.ndarray) -> Platt:
    """Newton's method on Platt's targets (Platt 1999; Lin, Lin, Weng 2007), which keep p off 0 and 1. The slope stays above 0."""
    wins, losses = float((weight * label).sum()), float((weight * (1 - label)).sum())
    target = np.where(label > 0, (wins + 1) / (wins + 2), 1 / (losses + 2))
    design = np.column_stack([z, np.ones(len(z))])
    line = np.array([1.0, 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ line, -500, 500)))
        slope = design.T @ (weight * (target - p))
        # A hair of ridge: on rows that are all alike the curve is flat.
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        line = line + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return Platt(max(float(line[0]), 1e-3), float(line[1]))


def isotonic(label: np.ndarray, z: np.ndarray, weight: np.ndarray) -> Isotonic:
    """Pool adjacent violators (Zadrozny, Elkan 2002) on cells of at least `ROWS_PER_KNOT` rows; one knot for each level.

    Levels are joined by straight lines and the ends follow the Platt line, so that no two logits tie: steps would throw away
    the order inside them.
    """
    order = np.argsort(z, kind="stable")
    cells = np.array_split(order, max(2, min(MOST_KNOTS, len(z) // ROWS_PER_KNOT)))
    mass = np.array([weight[cell].sum() for cell in cells])
    middle = np.array([np.average(z[cell], weights=weight[cell]) for cell in cells])
    # Laplace's half success keeps the ends off 0 and 1.
    share = np.array([(weight[cell] @ label[cell] + 0.5) / (weight[cell].sum() + 1) for cell in cells])
    pooled = isotonic_regression(share, sample_weight=mass)
    levels, at = np.unique(pooled, return_inverse=True)
    knots = np.bincount(at, mass * middle) / np.bincount(at, mass)
    slope = platt(label, z, weight).a
    low, high = min(float(z.min()), knots[0]) - REACH, max(float(z.max()), knots[-1]) + REACH
    first = _moved(levels[0], slope * (low - knots[0]))
    last = _moved(levels[-1], slope * (high - knots[-1]))
    return Isotonic((low, *map(float, knots), high), (first, *map(float, levels), last))


def _moved(p: float, logits: float) -> float:
    return float(1 / (1 + np.exp(-(np.log(p / (1 - p)) + logits))))
