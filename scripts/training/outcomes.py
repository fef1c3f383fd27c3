"""Rows from what `goldenhour export --features` wrote: one for each attempt, its latest revision, weighed by propensity."""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.contract import KNOWN_AT_DIAL, refuse_post_call
from training.refused import Refused
from training.table import Table, build
from training.weights import half_hours_with_draws, weights

# Known when the phone rings and different from slot to slot. A list that is scored the night before has none of them.
SLOT_CONTEXT = ("slot_weekday", "local_hour", "attempt_no", "same_slot_fails", "hours_since_last", "segment")
# How an attempt that reached the callee's phone can have ended. Everything else says something about lines, not about people.
REACHED_NOBODY = {"no_answer", "busy", "rejected", "powered_off", "not_reachable", "machine"}
REACHED_SOMEBODY = {"answered", "abandoned"}
# What campaigns map from columns of any name, for their own conditions: no list has it under these names when it is scored,
# and a model that learned from the last model's score would follow it.
MAPPED = {"score", "value", "tags", "attempts_used"}
# Signs that no column of a list has.
LABEL, DAY = "(label)", "(day)"


@dataclass(frozen=True)
class Wanted:
    """Which attempts, and what of them.

    Without `campaigns` there may be one only. `since` and `before` are days of dials, UTC: the first one, and the first one no more.
    """

    target: str
    context: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    campaigns: list[str] = field(default_factory=list)
    weighed: bool = True
    since: str = ""
    before: str = "9999"


@dataclass(frozen=True)
class Attempts:
    """Cells by column in the order of the dials, names of the features among them, and what each attempt counts."""

    columns: dict[str, list[str]]
    names: list[str]
    weight: np.ndarray


def read(path: Path, wanted: Wanted) -> Table:
    """A table in the order of the days of its dials, UTC.

    Within a day time tells nothing but the order itself: the best go first. So one day alone has no order of time.
    """
    found = attempts(path, wanted)
    order = DAY if len(set(found.columns[DAY])) > 1 else None
    return build(found.columns, LABEL, found.names, order, found.weight)


def write_table(path: Path, wanted: Wanted, out: Path) -> int:
    """A CSV of the features as a list would have them, `label` and `weight`; the number of its rows."""
    found = attempts(path, wanted)
    taken = [name for name in ("label", "weight") if name in found.names]
    if taken:
        raise Refused(f"a column of the list is called `{taken[0]}`, which this table needs: leave it out (--drop {taken[0]})")
    cells = [found.columns[name] for name in found.names] + [found.columns[LABEL], [repr(float(one)) for one in found.weight]]
    with out.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*found.names, "label", "weight"])
        lines.writerows(zip(*cells, strict=True))
    return len(found.weight)


def attempts(path: Path, wanted: Wanted) -> Attempts:
    """Every attempt of those days with an outcome for the target, in its latest revision."""
    days = [row for row in latest(records(path, "outcomes")) if wanted.since <= row["event_timestamp"][:10] < wanted.before]
    rows = [row for row in of_campaigns(days, wanted.campaigns) if usable(row, wanted.target)]
    if not rows:
        raise Refused(f"{path}: no attempt of these days with an outcome for the target `{wanted.target}`")
    rows.sort(key=lambda row: (row["event_timestamp"], row["attempt_id"]))
    unknown = [name for name in wanted.context if name not in KNOWN_AT_DIAL]
    if unknown:
        raise Refused(f"--context {unknown[0]}: not known at the dial; known are {', '.join(sorted(KNOWN_AT_DIAL))}")
    features = [flat(row) for row in rows]
    names = sorted({name for row in features for name in row} - set(wanted.drop))
    refuse_post_call(names)
    doubled = [name for name in wanted.context if name in names]
    if doubled:
        raise Refused(f"`{doubled[0]}` is both a column of the list and context of the dial: leave one out (--drop, --context)")
    columns = {name: [row.get(name, "") for row in features] for name in names}
    columns |= {name: [row.get(name) or "" for row in rows] for name in wanted.context}
    columns[LABEL] = [label(row, wanted.target) for row in rows]
    columns[DAY] = [row["event_timestamp"][:10] for row in rows]
    weight = np.ones(len(rows))
    if wanted.weighed:
        weight = weights(rows, wanted.target, half_hours_with_draws(records(path, "slots")))
    return Attempts(columns, names + wanted.context, weight)


def of_campaigns(rows: list[dict[str, str]], named: list[str]) -> list[dict[str, str]]:
    """Those of the campaigns that were named. Of several nobody mixes successes unawares: a promise to pay is no new card."""
    there = sorted({row["campaign"] for row in rows})
    strange = [name for name in named if name not in there]
    if strange:
        raise Refused(f"--campaign {strange[0]}: no attempt of these days is its; there are {', '.join(there)}")
    if not named and len(there) > 1:
        raise Refused(f"attempts of {len(there)} campaigns: say --campaign NAME, once for each to learn from: {', '.join(there)}")
    return [row for row in rows if not named or row["campaign"] in named]


def records(path: Path, of: str) -> Iterator[dict[str, str]]:
    """Every row of all files of a kind below a folder, in the order of their names; no value is an empty text."""
    if not path.is_dir():
        raise Refused(f"{path} is no folder: name the one that `goldenhour export` wrote to")
    files = sorted(found for found in path.rglob(f"{of}-*") if found.is_file())
    if not files and of == "outcomes":
        raise Refused(f"{path}: no {of}-* files below it")
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
        missing = {"attempt_id", "revision", "campaign", "created_timestamp", "event_timestamp", "propensity", "features"} - row.keys()
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


def flat(row: dict[str, str]) -> dict[str, str]:
    """The list's own columns as of the dial, attributes beside them under their own names."""
    cells: dict[str, str] = {}
    for name, value in json.loads(row["features"] or "{}").items():
        if name in MAPPED:
            continue
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
