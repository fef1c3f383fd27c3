"""The model directory: boosters, manifest, card and pictures. No clock is written into any of them."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.pipeline import Plan, Trained
from training.table import Feature, Table

SCHEMA = "goldenhour/model/v1"
# Strata by the share of rows above their cut: the best tenth, the next fifth, the next three tenths, the rest.
STRATA = (("A", 0.10), ("B", 0.30), ("C", 0.60))
DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class Described:
    """Everything that the manifest and the card say."""

    name: str
    version: str
    target: str
    features: tuple[Feature, ...]
    trained: Trained
    figures: dict[str, float]
    alone: dict[str, float]
    rows: int
    period: str
    how: str
    judged: tuple[Plan, ...]
    notes: tuple[str, ...]


def version_of(table: Table, options: dict[str, object]) -> str:
    """The same data and options have the same version; twelve hexadecimal digits of a SHA-256."""
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    digest.update(json.dumps([feature.manifest() for feature in table.features]).encode())
    for part in (table.values, table.label, table.weight, table.block):
        digest.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:12]


def manifest(described: Described, table: Table) -> dict[str, object]:
    """What the evaluator reads, and under `info` what people read."""
    trained = described.trained
    rows, p = trained.reference()
    spread = {feature.name: reference(table, at, rows) for at, feature in enumerate(table.features)}
    return {
        "schema": SCHEMA,
        "name": described.name,
        "version": described.version,
        "target": described.target,
        "features": [feature.manifest() for feature in described.features],
        "models": {"a": {"file": "a.ubj"}, "b": {"file": "b.ubj"}},
        "blend": {"w": trained.blend.w, "c": trained.blend.c},
        "calibration": trained.calibration.manifest(),
        "strata": strata(p),
        "reference": _numbers(p) | {"features": spread},
        "info": {
            "figures": {name: round(value, 6) for name, value in described.figures.items()},
            "judged_on": described.how,
            "trained_on": f"{described.rows} rows{described.period}",
            "plan": trained.plan.manifest(),
            "plans_of_the_judged_models": [one.manifest() for one in described.judged],
        },
    }


def strata(p: np.ndarray) -> list[dict[str, object]]:
    """Cuts on calibrated p, descending; cuts that coincide are one. The last stratum is everything else."""
    cuts: dict[float, str] = {}
    for name, share in STRATA:
        cuts.setdefault(float(np.quantile(p, 1 - share)), name)
    return [{"name": name, "from": cut} for cut, name in cuts.items() if cut > 0] + [{"name": "D", "from": 0.0}]


def reference(table: Table, at: int, rows: np.ndarray) -> dict[str, object]:
    """How a feature was spread over the rows that calibration was fitted on: what later lists are compared with."""
    column = table.values[rows, at]
    known = column[~np.isnan(column)]
    categories = table.features[at].categories
    missing = {"missing": int(len(column) - len(known))}
    if categories is None:
        return _numbers(known) | missing
    counts = np.bincount(known.astype(int), minlength=len(categories))
    return {"counts": [int(n) for n in counts]} | missing


def _numbers(known: np.ndarray) -> dict[str, object]:
    """Inner decile edges, of which equal ones are one, and the rows between them: above an edge is the next bin."""
    edges = np.unique(np.quantile(known, DECILES)) if len(known) else np.array([])
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return {"edges": [float(edge) for edge in edges], "counts": [int(n) for n in counts]}


def write(out: Path, described: Described, table: Table) -> None:
    """The manifest comes last and at once: a directory without it is not a model."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.json").unlink(missing_ok=True)
    for name, trees in (("a.ubj", described.trained.a), ("b.ubj", described.trained.b)):
        (out / name).write_bytes(bytes(trees.save_raw("ubj")))
    beside = out / "model.json.part"
    beside.write_text(json.dumps(manifest(described, table), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, out / "model.json")
