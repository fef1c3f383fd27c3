"""Fits XGBoost trees and chooses their settings and their memory by how they do on rows they did not learn from."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import xgboost

from training.blend import refinement, shift
from training.metrics import auc, first_near_best, row_losses
from training.periods import offsets
from training.recency import Recency, Split, candidates, counts
from training.table import Table

# What every booster is: the evaluator reads gbtree with a binary logistic objective.
FIXED = {"objective": "binary:logistic", "booster": "gbtree", "tree_method": "hist", "subsample": 0.7}
ROUNDS = (100, 200, 400, 600)
ROUNDS_FOR_RECENCY = 200
# A small table is learned by heart in a few hundred rounds; more cost time and are never chosen.
SMALL_TABLE_ROWS = 2000
SMALL_ROUNDS = (50, 100, 200)
# A weight under it moves no leaf, but its row costs as much as any other.
NO_WEIGHT = 1e-2
# Powers of the propensity weights, from none of them to all.
FLATTENED = (0.0, 0.5, 1.0)

# Model A: trees that see what features do together, from nearly unbound to strongly bound.
PRECISION = (
    {"max_depth": 6, "eta": 0.05, "colsample_bytree": 0.4, "min_child_weight": 1, "reg_lambda": 1},
    {"max_depth": 5, "eta": 0.03, "colsample_bytree": 0.5, "min_child_weight": 10, "reg_lambda": 10},
    {"max_depth": 3, "eta": 0.05, "colsample_bytree": 0.5, "min_child_weight": 5, "reg_lambda": 5},
)
# Model B: shallow trees, which order rows nearly additively: their errors are others than model A's.
RANKING = (
    {"max_depth": 1, "eta": 0.1, "colsample_bytree": 0.6, "min_child_weight": 5, "reg_lambda": 5},
    {"max_depth": 2, "eta": 0.05, "colsample_bytree": 0.6, "min_child_weight": 5, "reg_lambda": 5},
    {"max_depth": 4, "eta": 0.05, "colsample_bytree": 0.4, "min_child_weight": 5, "reg_lambda": 5},
)

# Loss of (label, margin, weight): the less the better.
Loss = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def ranking_loss(label: np.ndarray, margin: np.ndarray, weight: np.ndarray) -> float:
    return 1 - auc(label, margin, weight)


@dataclass(frozen=True)
class Settings:
    """One model's parameters, memory and number of rounds.

    Trees learn from rows weighed by the `flattened` power of their propensity weights: 0 is all alike, 1 the weights as they are.
    """

    params: dict[str, float]
    rounds: int = ROUNDS_FOR_RECENCY
    recency: Recency = field(default_factory=Recency)
    flattened: float = 0.0

    def manifest(self) -> dict[str, object]:
        return {"params": self.params, "rounds": self.rounds, "recency": str(self.recency), "flattened": self.flattened}


@dataclass(frozen=True)
class Machine:
    """Threads and seed of a run: with the same of both, the same boosters byte for byte."""

    seed: int
    threads: int = 1


def matrix(table: Table, rows: np.ndarray, weight: np.ndarray | None = None) -> xgboost.DMatrix:
    """Codes of categories are places in the manifest's lists, so that no pandas dictionary travels with the model."""
    kinds = ["q" if feature.categories is None else "c" for feature in table.features]
    # The evaluator holds them against the manifest. XGBoost takes no name with one of these signs; then places alone speak.
    names = None if any(sign in name for name in table.names for sign in "[]<") else list(table.names)
    return xgboost.DMatrix(
        table.values[rows], table.label[rows], weight=weight, feature_names=names, feature_types=kinds, enable_categorical=True
    )


def booster(table: Table, rows: np.ndarray, settings: Settings, machine: Machine) -> xgboost.Booster:
    """Trees from the given rows, the oldest first, weighed by propensity and age; in time, on top of their period's share."""
    weight = table.weight[rows] ** settings.flattened * settings.recency.weight(len(rows))
    kept = weight > NO_WEIGHT * weight.max()
    params = FIXED | settings.params | {"seed": machine.seed, "nthread": machine.threads, "verbosity": 0}
    learned = matrix(table, rows[kept], weight[kept])
    start = offsets(table, rows)
    if start is not None:
        # What XGBoost adds to every margin must not hold a level a second time: of one half the logit is 0.
        params["base_score"] = 0.5
        learned.set_base_margin(start[kept])
    return xgboost.train(params, learned, settings.rounds)


def margins(trees: xgboost.Booster, table: Table, rows: np.ndarray) -> np.ndarray:
    """Raw logits of all rounds."""
    return _logits(trees, matrix(table, rows), 0)


def _logits(trees: xgboost.Booster, rows: xgboost.DMatrix, rounds: int) -> np.ndarray:
    """Of the first `rounds` rounds; 0 is all of them."""
    return trees.predict(rows, output_margin=True, iteration_range=(0, rounds)).astype(float)


def choose(
    table: Table, splits: list[Split], start: tuple[dict[str, float], ...], common: Settings, loss: Loss, machine: Machine
) -> Settings:
    """Parameters and rounds, with the memory and the weights of `common`."""
    return _best(table, splits, [replace(common, params=params) for params in start], rounds_for(len(table)), loss, machine)


def common(table: Table, splits: list[Split], machine: Machine) -> Settings:
    """Weights and memory of both models, chosen with the parameters in the middle of model A's list."""
    settings = Settings(PRECISION[len(PRECISION) // 2])
    settings = replace(settings, flattened=_flattened(table, splits, settings, machine))
    if table.block is not None:
        settings = replace(settings, recency=_memory(table, splits, settings, machine))
    return settings


def _memory(table: Table, splits: list[Split], settings: Settings, machine: Machine) -> Recency:
    """The longest memory within one standard error of the best, by log-loss freed of the base rate (Breiman et al. 1984).

    Forgetting throws rows away for good; a lucky window is no reason to.
    """
    memories = candidates(len(splits[-1].learn))
    return memories[_cheapest(table, splits, [replace(settings, recency=one) for one in memories], machine)]


def _flattened(table: Table, splits: list[Split], settings: Settings, machine: Machine) -> float:
    """How far trees follow the propensity weights (Shimodaira 2000), judged with whole weights (Sugiyama et al. 2007).

    Weights make few rows speak for many: what a tree gains in the right mean it loses in precision. They must earn it.
    """
    if np.ptp(table.weight) == 0:
        return 0.0
    return FLATTENED[_cheapest(table, splits, [replace(settings, flattened=one) for one in FLATTENED], machine)]


def _cheapest(table: Table, splits: list[Split], options: list[Settings], machine: Machine) -> int:
    windows = zip(counts(table, splits), splits, strict=True)
    mass = np.concatenate([n * table.weight[s.judge] / table.weight[s.judge].sum() for n, s in windows])
    losses = np.array([_losses(table, splits, one, machine) for one in options])
    return first_near_best(losses, mass / mass.sum())


def _losses(table: Table, splits: list[Split], settings: Settings, machine: Machine) -> np.ndarray:
    """Of every judged row, window after window."""
    out = []
    for split in splits:
        label, weight = table.label[split.judge], table.weight[split.judge]
        z = margins(booster(table, split.learn, settings, machine), table, split.judge)
        z = z + shift(label, z, weight)
        out.append(row_losses(label, z))
    return np.concatenate(out)


def rounds_for(rows: int) -> tuple[int, ...]:
    """The numbers of rounds worth trying."""
    return ROUNDS if rows >= SMALL_TABLE_ROWS else SMALL_ROUNDS


def _best(
    table: Table, splits: list[Split], options: list[Settings], rounds: tuple[int, ...], loss: Loss, machine: Machine
) -> Settings:
    """The option and number of rounds with the least mean loss."""
    losses: dict[tuple[int, int], float] = {}
    for at, option in enumerate(options):
        parts = []
        for split in splits:
            trees = booster(table, split.learn, replace(option, rounds=rounds[-1]), machine)
            label, weight = table.label[split.judge], table.weight[split.judge]
            judged = matrix(table, split.judge)
            parts.append([loss(label, _logits(trees, judged, n), weight) for n in rounds])
        for n, mean in zip(rounds, np.average(parts, axis=0, weights=counts(table, splits)), strict=True):
            losses[at, n] = float(mean)
    at, n = min(losses, key=lambda key: losses[key])
    return replace(options[at], rounds=n)


# Model A is chosen by log-loss freed of the base rate, model B by AUC.
precision_loss: Loss = refinement
