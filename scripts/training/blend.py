"""Blend of two models in logit space: logit p = w * margin A + (1 - w) * margin B + c."""

from dataclasses import dataclass

import numpy as np

from training.metrics import near_best, row_losses

WEIGHTS = np.linspace(0, 1, 21)


@dataclass(frozen=True)
class Blend:
    """`w` in [0, 1] is the share of model A, `c` shifts the logit."""

    w: float
    c: float

    def margin(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.w * a + (1 - self.w) * b + self.c


def fit(label: np.ndarray, a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> Blend:
    """By log-loss on margins of rows that neither model learned from: the last out-of-time window where there is a time.

    A few hundred successes do not tell .55 from .70. Of all shares within one standard error of the best the one
    nearest to a half is taken: two different models err differently.
    """
    shifted = [Blend(float(w), shift(label, w * a + (1 - w) * b, weight)) for w in WEIGHTS]
    losses = np.array([row_losses(label, one.margin(a, b)) for one in shifted])
    near = [one for one, close in zip(shifted, near_best(losses, weight / weight.sum()), strict=True) if close]
    return min(near, key=lambda one: abs(one.w - 0.5))


def shift(label: np.ndarray, margin: np.ndarray, weight: np.ndarray) -> float:
    """The constant that makes the mean probability the observed share, which is where log-loss is least."""
    return shift_to(float(np.average(label, weights=weight)), margin, weight)


def shift_to(share: float, margin: np.ndarray, weight: np.ndarray) -> float:
    """The constant that makes the mean probability `share`. By bisection."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        predicted = np.average(1 / (1 + np.exp(-np.clip(margin + middle, -500, 500))), weights=weight)
        low, high = (middle, high) if predicted < share else (low, middle)
    return (low + high) / 2


def refinement(label: np.ndarray, margin: np.ndarray, weight: np.ndarray) -> float:
    """Log-loss after the best shift: what a change of the base rate, which calibration mends, cannot blur."""
    return float(np.average(row_losses(label, margin + shift(label, margin, weight)), weights=weight))
