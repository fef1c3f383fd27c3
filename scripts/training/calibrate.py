"""From the blended logit to a probability: a Platt line below a thousand successes, isotonic levels above."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from training.blend import shift, shift_to
from training.metrics import first_near_best

ISOTONIC_FROM = 1000
# Rows of the shortest memory for calibrating where there is a time; each further one is twice as long.
SHORTEST_MEMORY = 125
# The share that so many successes make is known within a fifth of itself, nineteen times in twenty.
ENOUGH_SUCCESSES = 100
# A line that falls would turn the order round, a steep one promise what nobody has seen.
LEAST_SLOPE, MOST_SLOPE = 1e-3, 3.0
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
    """On rows that the models did not learn from."""
    return isotonic(label, z, weight) if label.sum() >= ISOTONIC_FROM else platt(label, z, weight)


def newest(label: np.ndarray, z: np.ndarray, weight: np.ndarray, rows: int, slope: float) -> Calibration:
    """On the newest `rows` alone, for base rates move; below `ISOTONIC_FROM` successes a line of a given slope."""
    label, z, weight = label[-rows:], z[-rows:], weight[-rows:]
    if label.sum() >= ISOTONIC_FROM:
        return isotonic(label, z, weight)
    # Half a success on either side keeps p off 0 and 1.
    p = (weight @ label + 0.5) / (weight.sum() + 1)
    return Platt(slope, shift_to(p, slope * z, weight))


def slope_within(label: np.ndarray, z: np.ndarray, weight: np.ndarray, period: np.ndarray) -> float:
    """The slope of a logistic line with an intercept for each period: how far apart rows of one period are. By Newton's method.

    A slope of all rows together would mistake the level of a period for the merit of its rows.
    """
    groups = [np.flatnonzero(period == at) for at in range(int(period[-1]) + 1)]
    slope = 1.0
    for _ in range(20):
        up, curve = 0.0, 1e-6
        for rows in groups:
            line = slope * z[rows]
            p = 1 / (1 + np.exp(-np.clip(line + shift(label[rows], line, weight[rows]), -500, 500)))
            mass = weight[rows] * p * (1 - p)
            if mass.sum() > 0:
                away = z[rows] - np.average(z[rows], weights=mass)
                up += float(weight[rows] @ ((label[rows] - p) * away))
                curve += float(mass @ away**2)
        step = float(np.clip(up / curve, -0.5, 0.5))
        slope = min(max(slope + step, LEAST_SLOPE), MOST_SLOPE)
        if abs(step) < 1e-9:
            break
    return slope


def renewed(
    label: np.ndarray, z: np.ndarray, weight: np.ndarray, period: np.ndarray, first: int, rows: int, slope: float
) -> np.ndarray:
    """p of each row of the periods from `first` on, calibrated anew before each of them: nothing looks ahead (Dawid 1984)."""
    out = []
    for number in range(first, int(period[-1]) + 1):
        start, end = np.searchsorted(period, [number, number + 1])
        out.append(newest(label[:start], z[:start], weight[:start], rows, slope).apply(z[start:end]))
    return np.concatenate(out)


def memory(label: np.ndarray, z: np.ndarray, weight: np.ndarray, period: np.ndarray, slope: float) -> int:
    """How many of the newest rows to calibrate on: the fewest within one standard error of what predicts period after period best.

    Here the short memory is the careful one: it errs by chance and a little, the long one by a whole regime. How little, the
    successes say: one that weighs much speaks for others, and is still one (Kish 1965).
    """
    wins = (weight * label)[::-1]
    enough = np.cumsum(wins) ** 2 >= ENOUGH_SUCCESSES * np.maximum(np.cumsum(wins**2), 1e-300)
    shortest = max(SHORTEST_MEMORY, int(np.argmax(enough)) + 1 if enough.any() else len(label))
    first = int(np.searchsorted(np.bincount(period).cumsum(), shortest)) + 1
    if first > period[-1]:
        return len(label)
    judged = period >= first
    mass = weight[judged] / weight[judged].sum()
    memories = [shortest * 2**at for at in range(24) if shortest * 2**at < len(label)] + [len(label)]
    losses = []
    for rows in memories:
        p = np.clip(renewed(label, z, weight, period, first, rows, slope), 1e-9, 1 - 1e-9)
        losses.append(-(label[judged] * np.log(p) + (1 - label[judged]) * np.log(1 - p)))
    return memories[first_near_best(np.array(losses), mass)]


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
