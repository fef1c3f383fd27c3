"""Month by month: what retraining is worth. Each month is judged by a model of all months before it, and by one frozen long ago."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.metrics import auc
from training.pipeline import Plan, plan, train
from training.fit import Machine
from training.refused import Refused
from training.table import Table

# A month with fewer successes or failures than this has no AUC worth a mean.
LEAST_OF_A_KIND = 20
# Trees, blend and calibration are made anew for each month; parameters and memory, which cost the most, for every third.
CHOOSE_EVERY_MONTHS = 3


@dataclass(frozen=True)
class Month:
    """AUC of one month's rows by the model retrained the month before and by the frozen one."""

    moment: str
    rows: int
    base_rate: float
    retrained: float
    frozen: float


def months(table: Table, start: str, frozen_at: str, machine: Machine, say: Callable[[str], None]) -> list[Month]:
    """Everything comes from the months before the judged one alone, the choice of settings as well."""
    if table.block is None or not table.moments:
        raise Refused("--monthly needs --time-order with a column of months")
    judged = [at for at, moment in enumerate(table.moments) if moment >= start]
    if not judged or judged[0] == 0:
        raise Refused(f"--from {start}: no months from there on, or none before")
    frozen_end = sum(moment <= frozen_at for moment in table.moments)
    if not 0 < frozen_end <= judged[0]:
        raise Refused(f"--frozen-at {frozen_at}: it must lie after the first month and before --from")
    past = _until(table, frozen_end)
    frozen = train(past, plan(past, machine), machine)
    out: list[Month] = []
    chosen: Plan | None = None
    for at in judged:
        rows = np.flatnonzero(table.block == at)
        wins = int(table.label[rows].sum())
        if min(wins, len(rows) - wins) < LEAST_OF_A_KIND:
            say(f"{table.moments[at]}: {len(rows)} rows with {wins} successes, too few to judge")
            continue
        past = _until(table, at)
        if chosen is None or len(out) % CHOOSE_EVERY_MONTHS == 0:
            chosen = plan(past, machine)
        retrained = train(past, chosen, machine)
        by = [auc(table.label[rows], model.p(table, rows)) for model in (retrained, frozen)]
        out.append(Month(table.moments[at], len(rows), wins / len(rows), *by))
        say(line(out[-1]))
    if not out:
        raise Refused("no month has enough rows to be judged")
    return out


def _until(table: Table, block: int) -> Table:
    """All rows before a block."""
    assert table.block is not None, "checked by the caller"
    return table.first(int(np.searchsorted(table.block, block)))


HEADER = "| month | rows | successes | retrained AUC | frozen AUC |\n|---|---:|---:|---:|---:|"


def line(month: Month) -> str:
    return f"| {month.moment} | {month.rows} | {month.base_rate:.1%} | {month.retrained:.3f} | {month.frozen:.3f} |"


def mean(judged: list[Month]) -> str:
    """The mean over months, each alike."""
    retrained, frozen = (float(np.mean(values)) for values in zip(*((m.retrained, m.frozen) for m in judged), strict=True))
    return f"| mean | {sum(m.rows for m in judged)} | | {retrained:.3f} | {frozen:.3f} |"
