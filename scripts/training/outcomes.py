"""Rows from what `goldenhour export --features` wrote: one for each attempt, its latest revision, weighed by propensity."""

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.contract import KNOWN_AT_DIAL, refuse_post_call
from training.refused import Refused
from training.table import Table, build

# 1/propensity of a rarely drawn lead would drown all others; 50 is the cap of docs/OUTCOMES.md.
MOST_WEIGHT = 50.0
# Known when the phone rings and different from slot to slot. A list that is scored the night before has none of them.
SLOT_CONTEXT = ("slot_weekday", "local_hour", "attempt_no", "same_slot_fails", "hours_since_last", "segment")
# How an attempt that reached the callee's phone can have ended. Everything else says something about lines, not about people.
REACHED_NOBODY = {"no_answer", "busy", "rejected", "powered_off", "not_reachable", "machine"}
REACHED_SOMEBODY = {"answered", "abandoned"}
# Signs that no column of a list has.
LABEL, DAY = "(label)", "(day)"
ENOUGH_DAYS = 10


def read(path: Path, target: str, context: list[str], drop: list[str]) -> Table:
    """A table in the order of the dials, `event_timestamp`; where there are days enough, none of them is torn apart."""
    attempts = [row for row in latest(records(path)) if usable(row, target)]
    if not attempts:
        raise Refused(f"{path}: no attempt with an outcome for the target `{target}`")
    attempts.sort(key=lambda row: (row["event_timestamp"], row["attempt_id"]))
    unknown = [name for name in context if name not in KNOWN_AT_DIAL]
    if unknown:
        raise Refused(f"--context {unknown[0]}: not known at the dial; known are {', '.join(sorted(KNOWN_AT_DIAL))}")
    features = [flat(row) for row in attempts]
    names = sorted({name for row in features for name in row} - set(drop))
    refuse_post_call(names)
    doubled = [name for name in context if name in names]
    if doubled:
        raise Refused(f"`{doubled[0]}` is both a column of the list and context of the dial: leave one out (--drop, --context)")
    columns = {name: [row.get(name, "") for row in features] for name in names}
    columns |= {name: [row.get(name) or "" for row in attempts] for name in context}
    columns[LABEL] = [label(row, target) for row in attempts]
    columns[DAY] = [row["event_timestamp"][:10] for row in attempts]
    order = DAY if len(set(columns[DAY])) >= ENOUGH_DAYS else "@row"
    weight = np.array([propensity_weight(row, target) for row in attempts])
    return build(columns, LABEL, names + context, order, weight)


def records(path: Path) -> Iterator[dict[str, str]]:
    """Every row of a file, or of all files below a folder in the order of their names; no value is an empty text."""
    files = sorted(found for found in path.rglob("outcomes-*") if found.is_file()) if path.is_dir() else [path]
    if not files:
        raise Refused(f"{path}: no outcomes-* files below it")
    for file in files:
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(file, "rt", encoding="utf-8", newline="") if packed else file.open(encoding="utf-8", newline="") as text:
            if ".jsonl" in file.name:
                yield from (_texts(json.loads(line)) for line in text)
            else:
                yield from csv.DictReader(text)


def latest(rows: Iterator[dict[str, str]]) -> list[dict[str, str]]:
    """Of each attempt the row with the latest `created_timestamp`; rows that came twice count once."""
    best: dict[str, dict[str, str]] = {}
    for row in rows:
        missing = {"attempt_id", "revision", "created_timestamp", "event_timestamp", "propensity", "features"} - row.keys()
        if missing:
            raise Refused(f"an outcome without `{sorted(missing)[0]}`: was it exported with --features?")
        known = best.get(row["attempt_id"])
        if known is None or _age(row) > _age(known):
            best[row["attempt_id"]] = row
    return list(best.values())


def usable(row: dict[str, str], target: str) -> bool:
    """`answer`: the callee's phone rang or was picked up. `convert`: somebody could say whether it was a success.

    A call without sound in one direction says nothing about the customer.
    """
    if target == "answer":
        return row["call_result"] in REACHED_SOMEBODY | REACHED_NOBODY
    return row["converted"] != "" and row.get("one_way", "") == ""


def label(row: dict[str, str], target: str) -> str:
    if target == "answer":
        return "1" if row["call_result"] in REACHED_SOMEBODY else "0"
    return "1" if row["converted"] == "true" else "0"


def propensity_weight(row: dict[str, str], target: str) -> float:
    """1/propensity; a conversion was seen only because somebody also answered: 1/(propensity * p_answer). Capped."""
    chance = float(row["propensity"] or 1)
    if not 0 < chance <= 1:
        raise Refused(f"attempt {row['attempt_id']}: a propensity of {row['propensity']} is no chance")
    if target == "convert" and row["p_answer"]:
        chance *= float(row["p_answer"])
    return min(1 / chance, MOST_WEIGHT) if chance > 0 else MOST_WEIGHT


def flat(row: dict[str, str]) -> dict[str, str]:
    """The list's columns as of the dial, attributes beside them under their own names."""
    cells: dict[str, str] = {}
    for name, value in json.loads(row["features"] or "{}").items():
        inner = value if isinstance(value, dict) else {name: value}
        for key, cell in inner.items():
            if key in cells:
                raise Refused(f"attribute `{key}` has the name of another column of the list")
            cells[key] = _text(cell)
    return cells


def _texts(record: dict[str, object]) -> dict[str, str]:
    return {name: json.dumps(value) if name == "features" else _text(value) for name, value in record.items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _age(row: dict[str, str]) -> tuple[str, int]:
    return row["created_timestamp"], int(row["revision"])
