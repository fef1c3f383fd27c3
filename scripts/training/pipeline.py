"""Two models, their blend and their calibration from one table, and an honest judgement of the whole procedure."""

from dataclasses import dataclass

import numpy as np
import xgboost

from training import blend as blending
from training import calibrate, metrics
from training.blend import Blend
from training.calibrate import Calibration
from training.clocks import clock_features
from training.fit import PRECISION, RANKING, Machine, Settings, booster, choose, margins, precision_loss, ranking_loss
from training.recency import Split, holdout_start, rolling, stratified
from training.refused import Refused
from training.table import Table

# Below it a hold-out is too small to judge by: every row is judged once, by models that never saw it.
SINGLE_HOLDOUT_FROM = 5000
# The share that so many successes make is known within a ninth of itself, nineteen times in twenty.
ENOUGH_SUCCESSES = 300


@dataclass(frozen=True)
class Plan:
    """What was chosen: the settings of both models, and which features tell the time (hidden from model B)."""

    a: Settings
    b: Settings
    clocks: tuple[str, ...]

    def manifest(self) -> dict[str, object]:
        return {"a": self.a.manifest(), "b": self.b.manifest(), "clocks": list(self.clocks)}


@dataclass(frozen=True)
class Trained:
    """Everything that a score needs; `outside` are the rows that blend and calibration were fitted on, `outside_p` their p."""

    plan: Plan
    a: xgboost.Booster
    b: xgboost.Booster
    blend: Blend
    calibration: Calibration
    outside: np.ndarray
    outside_p: np.ndarray

    def margin(self, table: Table, rows: np.ndarray) -> np.ndarray:
        a = margins(self.a, table, rows, self.plan.a.blind_to)
        return self.blend.margin(a, margins(self.b, table, rows, self.plan.b.blind_to))

    def p(self, table: Table, rows: np.ndarray) -> np.ndarray:
        return self.calibration.apply(self.margin(table, rows))


@dataclass(frozen=True)
class Judged:
    """Rows that the models did not learn from, with raw and calibrated predictions.

    `p` was calibrated before these rows, as a campaign would have. `p_within` was calibrated on four fifths of these very rows
    and predicts the fifth: it shows whether the shape of the calibration is right while the base rate stays. `plans` are those
    of the judged models, chosen without these rows.
    """

    label: np.ndarray
    weight: np.ndarray
    margin_a: np.ndarray
    margin_b: np.ndarray
    margin: np.ndarray
    p: np.ndarray
    p_within: np.ndarray
    plans: tuple[Plan, ...]
    how: str


def plan(table: Table, machine: Machine) -> Plan:
    """Chooses on rolling origins, or on folds where there is no order of time."""
    splits = inner(table, machine.seed)
    if not splits:
        raise Refused("too few rows or successes before the hold-out to choose anything by")
    clocks = tuple(clock_features(table))
    seen = [name for name in table.names if name not in clocks]
    blind_to = clocks if seen else ()
    a = choose(table, splits, PRECISION, precision_loss, (), machine)
    b = choose(table, splits, RANKING, ranking_loss, blind_to, machine)
    return Plan(a, b, clocks)


def train(table: Table, chosen: Plan, machine: Machine) -> Trained:
    """Blends and calibrates on margins of rows that were not learned from, then learns from all rows.

    In time these rows are the newest windows alone: the base rate that holds tomorrow is more like the last month's than
    last year's.
    """
    splits = inner(table, machine.seed)
    if table.block is not None:
        splits = newest(table, splits)
    rows = np.concatenate([split.judge for split in splits])
    a = np.concatenate([_outside(table, split, chosen.a, machine) for split in splits])
    b = np.concatenate([_outside(table, split, chosen.b, machine) for split in splits])
    label, weight = table.label[rows], table.weight[rows]
    blend = blending.fit(label, a, b, weight)
    calibration = calibrate.fit(label, blend.margin(a, b), weight)
    everything = np.arange(len(table))
    full = [booster(table, everything, settings, machine) for settings in (chosen.a, chosen.b)]
    return Trained(chosen, full[0], full[1], blend, calibration, rows, calibration.apply(blend.margin(a, b)))


def judge(table: Table, machine: Machine) -> Judged:
    """What the whole procedure, choices included, does on rows that it never saw.

    The delivered model goes through the same procedure once more with all rows: what is newest is not left out of it. Small
    tables without time are judged fold by fold.
    """
    if table.block is not None:
        start = holdout_start(table)
        splits = [Split(np.arange(start), np.arange(start, len(table)))]
        how = f"the last {len(table) - start} rows"
        if table.moments:
            how += f", {table.moments[table.block[start]]} to {table.moments[-1]}"
    else:
        splits = stratified(table, machine.seed + 1)
        how = f"all {len(table)} rows, each by models of the other folds"
        if len(table) >= SINGLE_HOLDOUT_FROM:
            splits = splits[:1]
            how = f"a random quarter, {len(splits[0].judge)} rows"
    judged = [_one(table, split, machine) for split in splits]
    return _gather([rows for _, rows in judged], tuple(chosen for chosen, _ in judged), how, machine.seed)


def inner(table: Table, seed: int) -> list[Split]:
    """The splits to choose, blend and calibrate by."""
    return stratified(table, seed) if table.block is None else rolling(table)


def newest(table: Table, splits: list[Split]) -> list[Split]:
    """As few of the last windows as hold enough successes; one that weighs much speaks for others, and is still one (Kish 1965)."""
    for count in range(1, len(splits)):
        rows = np.concatenate([split.judge for split in splits[-count:]])
        wins = table.weight[rows] * table.label[rows]
        if wins.sum() ** 2 >= ENOUGH_SUCCESSES * (wins**2).sum():
            return splits[-count:]
    return splits


def _outside(table: Table, split: Split, settings: Settings, machine: Machine) -> np.ndarray:
    return margins(booster(table, split.learn, settings, machine), table, split.judge, settings.blind_to)


def _one(table: Table, split: Split, machine: Machine) -> tuple[Plan, dict[str, np.ndarray]]:
    learned = table.take(split.learn)
    chosen = plan(learned, machine)
    trained = train(learned, chosen, machine)
    judged = {
        "label": table.label[split.judge],
        "weight": table.weight[split.judge],
        "margin_a": margins(trained.a, table, split.judge, chosen.a.blind_to),
        "margin_b": margins(trained.b, table, split.judge, chosen.b.blind_to),
        "margin": trained.margin(table, split.judge),
        "p": trained.p(table, split.judge),
    }
    return chosen, judged


def _gather(parts: list[dict[str, np.ndarray]], plans: tuple[Plan, ...], how: str, seed: int) -> Judged:
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    within = np.empty(len(whole["label"]))
    fold = np.random.default_rng(seed).permutation(len(within)) % 5
    for at in range(5):
        fit, rest = fold != at, fold == at
        within[rest] = calibrate.fit(whole["label"][fit], whole["margin"][fit], whole["weight"][fit]).apply(whole["margin"][rest])
    return Judged(**whole, p_within=within, plans=plans, how=how)


def figures(judged: Judged, seed: int) -> dict[str, float]:
    """What the card prints; shares in [0, 1]."""
    label, weight, p = judged.label, judged.weight, judged.p
    bins = metrics.bins_for(len(label))
    return {
        "rows": float(len(label)),
        "successes": float(label.sum()),
        "auc": metrics.auc(label, p, weight),
        "auc_a": metrics.auc(label, judged.margin_a, weight),
        "auc_b": metrics.auc(label, judged.margin_b, weight),
        "alift": metrics.alift(label, p, weight),
        **{f"capture_{share}": metrics.capture(label, p, weight, share / 100) for share in (10, 20, 50)},
        "brier": metrics.brier(label, p, weight),
        "base_rate": float(np.average(label, weights=weight)),
        "mean_p": float(np.average(p, weights=weight)),
        "bins": float(bins),
        "ece": metrics.ece(label, p, weight, bins),
        "ece_within": metrics.ece(label, judged.p_within, weight, bins),
        "ece_by_chance": metrics.ece_by_chance(judged.p_within, weight, bins, seed),
    }
