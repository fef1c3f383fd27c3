"""How good a ranking and its probabilities are. All take labels in {0, 1}, predictions and weights without a unit."""

from dataclasses import dataclass

import numpy as np

# Bins of the calibration error and of the reliability table; a bin of fewer rows tells more about chance.
BINS = 10
ROWS_PER_BIN = 100
Z95 = 1.959964


def auc(label: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the ROC curve: the chance that a success ranks above a failure, ties half (Hanley, McNeil 1982)."""
    weight = np.ones(len(label)) if weight is None else weight
    _, group = np.unique(score, return_inverse=True)
    wins = np.bincount(group, weight * label)
    losses = np.bincount(group, weight * (1 - label))
    below = np.cumsum(losses) - losses
    total = wins.sum() * losses.sum()
    return float((wins * (below + losses / 2)).sum() / total) if total > 0 else 0.5


def gains(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative gains: share of rows called, best first, and share of successes among them. Ties share their successes."""
    order = np.argsort(-score, kind="stable")
    sorted_score, wins, rows = score[order], (weight * label)[order], weight[order]
    last = np.append(sorted_score[1:] != sorted_score[:-1], True)
    called = np.append(0.0, np.cumsum(rows)[last]) / rows.sum()
    captured = np.append(0.0, np.cumsum(wins)[last]) / wins.sum()
    return called, captured


def capture(label: np.ndarray, score: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Share of all successes among the best `share` of the rows."""
    return float(np.interp(share, *gains(label, score, weight)))


def alift(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """Area under the cumulative gains curve (Moro, Cortez, Rita 2014): .5 by chance."""
    called, captured = gains(label, score, weight)
    return float(np.trapezoid(captured, called))


def brier(label: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float:
    """Mean squared error of the probabilities (Brier 1950)."""
    return float(np.average((p - label) ** 2, weights=weight))


def row_losses(label: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of each row in nats, from the logit, so that nothing overflows."""
    return np.logaddexp(0, margin) - label * margin


def near_best(losses: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Which options lie within one standard error of the best (Breiman et al. 1984, chapter 3).

    `losses` has a row for each option and a column for each judged row of the table; `mass` is what these weigh, 1 in all.
    """
    means = losses @ mass
    worse = losses - losses[int(np.argmin(means))]
    error = np.sqrt(((mass * (worse - (worse @ mass)[:, None])) ** 2).sum(axis=1))
    return means - means.min() <= error


def first_near_best(losses: np.ndarray, mass: np.ndarray) -> int:
    """The first option within one standard error of the best: put the one that risks least first."""
    return int(np.argmax(near_best(losses, mass)))


def bins_for(rows: int) -> int:
    """Ten, fewer where a bin would hold less than a hundred rows."""
    return max(1, min(BINS, rows // ROWS_PER_BIN))


@dataclass(frozen=True)
class Bin:
    """One row of the reliability table: the calls whose p lay between two quantiles, and their share of all by weight."""

    rows: int
    share: float
    predicted: float
    observed: float
    low: float
    high: float


def reliability(label: np.ndarray, p: np.ndarray, weight: np.ndarray, bins: int) -> list[Bin]:
    """Bins of as many rows by p, lowest first, each with the Wilson interval of what was observed (Wilson 1927).

    With weights the interval is that of Kish's effective number of rows.
    """
    parts = np.array_split(np.argsort(p, kind="stable"), bins)
    table = []
    for part in parts:
        mass = weight[part]
        observed = float(np.average(label[part], weights=mass))
        effective = float(mass.sum() ** 2 / (mass**2).sum())
        share = float(mass.sum() / weight.sum())
        table.append(Bin(len(part), share, float(np.average(p[part], weights=mass)), observed, *wilson(observed, effective)))
    return table


def wilson(share: float, rows: float) -> tuple[float, float]:
    """95 % interval of a share of `rows` trials."""
    center = (share + Z95**2 / (2 * rows)) / (1 + Z95**2 / rows)
    half = Z95 / (1 + Z95**2 / rows) * np.sqrt(share * (1 - share) / rows + Z95**2 / (4 * rows**2))
    return max(0.0, float(center - half)), min(1.0, float(center + half))


def ece(label: np.ndarray, p: np.ndarray, weight: np.ndarray, bins: int) -> float:
    """Expected calibration error: mean distance of predicted and observed over bins of as many rows."""
    return sum(b.share * abs(b.predicted - b.observed) for b in reliability(label, p, weight, bins))


def ece_by_chance(p: np.ndarray, weight: np.ndarray, bins: int, seed: int) -> float:
    """What `ece` would be on average if every p were right: the noise below which a figure says nothing. 200 draws."""
    rng = np.random.default_rng(seed)
    return float(np.mean([ece((rng.random(len(p)) < p).astype(float), p, weight, bins) for _ in range(200)]))
