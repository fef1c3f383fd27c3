"""Two models, their blend and their calibration from one table, and an honest judgement of the whole procedure."""

from dataclasses import dataclass

import numpy as np
import xgboost

from training import blend as blending
from training import calibrate, metrics
from training.blend import Blend
from training.calibrate import Calibration
from training.fit import PRECISION, RANKING, Machine, Settings, booster, choose, common, margins, precision_loss, ranking_loss
from training.periods import joined, periods
from training.recency import Split, holdout_start, rolling, stratified
from training.refused import Refused
from training.table import Table

# Below it a hold-out is too small to judge by: every row is judged once, by models that never saw it.
SINGLE_HOLDOUT_FROM = 5000
# Ten deciles of fewer rows move by chance.
REFERENCE_ROWS = 1000
# Who trains every night has about so many new rows; a named moment is never torn apart.
RENEWAL_ROWS = 50
MOST_RENEWALS = 200


@dataclass(frozen=True)
class Plan:
    """What was chosen: the settings of both models."""

    a: Settings
    b: Settings

    def manifest(self) -> dict[str, object]:
        return {"a": self.a.manifest(), "b": self.b.manifest()}


@dataclass(frozen=True)
class Outside:
    """Rows, the oldest first, that the models behind their margins had not learned from."""

    rows: np.ndarray
    margin: np.ndarray


@dataclass(frozen=True)
class Trained:
    """Everything that a score needs; the calibration was fitted on the newest `memory_rows` of `outside`, in time with `slope`."""

    plan: Plan
    a: xgboost.Booster
    b: xgboost.Booster
    blend: Blend
    calibration: Calibration
    outside: Outside
    memory_rows: int
    slope: float

    def margin(self, table: Table, rows: np.ndarray) -> np.ndarray:
        return self.blend.margin(margins(self.a, table, rows), margins(self.b, table, rows))

    def p(self, table: Table, rows: np.ndarray) -> np.ndarray:
        return self.calibration.apply(self.margin(table, rows))

    def reference(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows that later lists are compared with, and their p: those of the calibration, or more where they are few."""
        newest = slice(-max(self.memory_rows, REFERENCE_ROWS), None)
        return self.outside.rows[newest], self.calibration.apply(self.outside.margin[newest])


@dataclass(frozen=True)
class Judged:
    """Rows that the models did not learn from, with raw and calibrated predictions.

    `p` was calibrated once, before these rows. `p_renewed` was calibrated anew before each period of them with what had
    happened until then, as who trains every night would have; without an order of time it is `p`. `p_within` was calibrated on
    four fifths of these very rows and predicts the fifth: it shows whether the shape of the calibration is right while the base
    rate stays. `plans` are those of the judged models, chosen without these rows.
    """

    label: np.ndarray
    weight: np.ndarray
    margin_a: np.ndarray
    margin_b: np.ndarray
    margin: np.ndarray
    p: np.ndarray
    p_renewed: np.ndarray
    p_within: np.ndarray
    plans: tuple[Plan, ...]
    how: str


def plan(table: Table, machine: Machine) -> Plan:
    """Chooses on rolling origins, or on folds where there is no order of time."""
    splits = inner(table, machine.seed)
    if not splits:
        raise Refused("too few rows or successes before the hold-out to choose anything by")
    kept = common(table, splits, machine)
    a = choose(table, splits, PRECISION, kept, precision_loss, machine)
    b = choose(table, splits, RANKING, kept, ranking_loss, machine)
    return Plan(a, b)


def train(table: Table, chosen: Plan, machine: Machine) -> Trained:
    """Blends and calibrates on margins of rows that were not learned from, then learns from all rows.

    In time the blend comes from the newest window, and the calibration from as many of the newest rows as predict best.
    """
    splits = inner(table, machine.seed)
    a = [_outside(table, split, chosen.a, machine) for split in splits]
    b = [_outside(table, split, chosen.b, machine) for split in splits]
    rows = np.concatenate([split.judge for split in splits])
    label, weight = table.label[rows], table.weight[rows]
    newest = rows >= splits[-1].judge[0] if table.block is not None else np.ones(len(rows), dtype=bool)
    all_a, all_b = np.concatenate(a), np.concatenate(b)
    blend = blending.fit(label[newest], all_a[newest], all_b[newest], weight[newest])
    margin = blend.margin(all_a, all_b)
    slope, memory_rows = 1.0, len(rows)
    if table.block is None:
        calibration = calibrate.fit(label, margin, weight)
    else:
        slope = calibrate.slope_within(label, margin, weight, periods(table, rows))
        memory_rows = calibrate.memory(label, margin, weight, joined(table.block[rows], _night(len(rows))), slope)
        calibration = calibrate.newest(label, margin, weight, memory_rows, slope)
    everything = np.arange(len(table))
    full = [booster(table, everything, settings, machine) for settings in (chosen.a, chosen.b)]
    return Trained(chosen, full[0], full[1], blend, calibration, Outside(rows, margin), memory_rows, slope)


def judge(table: Table, machine: Machine) -> Judged:
    """What the whole procedure, choices included, does on rows that it never saw.

    Small tables without time are judged fold by fold.
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


def delivered(table: Table, judged: Judged, machine: Machine) -> Plan:
    """The settings that were judged are the ones delivered; folds that chose each for themselves leave a choice to all rows."""
    return judged.plans[0] if len(judged.plans) == 1 else plan(table, machine)


def inner(table: Table, seed: int) -> list[Split]:
    """The splits to choose, blend and calibrate by."""
    return stratified(table, seed) if table.block is None else rolling(table)


def _outside(table: Table, split: Split, settings: Settings, machine: Machine) -> np.ndarray:
    return margins(booster(table, split.learn, settings, machine), table, split.judge)


def _one(table: Table, split: Split, machine: Machine) -> tuple[Plan, dict[str, np.ndarray]]:
    learned = table.take(split.learn)
    chosen = plan(learned, machine)
    trained = train(learned, chosen, machine)
    margin = trained.margin(table, split.judge)
    p = trained.calibration.apply(margin)
    judged = {
        "label": table.label[split.judge],
        "weight": table.weight[split.judge],
        "margin_a": margins(trained.a, table, split.judge),
        "margin_b": margins(trained.b, table, split.judge),
        "margin": margin,
        "p": p,
        "p_renewed": p if table.block is None else _renewed(table, split, trained, margin),
    }
    return chosen, judged


def _renewed(table: Table, split: Split, trained: Trained, margin: np.ndarray) -> np.ndarray:
    """The models stay as they are, only their calibration goes on: the rows before the hold-out, then its own as they pass."""
    assert table.block is not None, "checked by the caller"
    outside = trained.outside
    rows = np.concatenate([outside.rows, split.judge])
    before = np.zeros(len(outside.rows), dtype=int)
    period = np.concatenate([before, 1 + joined(table.block[split.judge], _night(len(split.judge)))])
    z = np.concatenate([outside.margin, margin])
    return calibrate.renewed(table.label[rows], z, table.weight[rows], period, 1, trained.memory_rows, trained.slope)


def _night(rows: int) -> int:
    """Rows between two calibrations; of a long table more, for time is short."""
    return max(RENEWAL_ROWS, rows // MOST_RENEWALS)


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
        "ece_renewed": metrics.ece(label, judged.p_renewed, weight, bins),
        "ece_within": metrics.ece(label, judged.p_within, weight, bins),
        "ece_by_chance": metrics.ece_by_chance(judged.p_within, weight, bins, seed),
    }
