"""The command `scripts/train`: what may be asked, and the order in which it is done."""

import argparse
import re
import sys
from pathlib import Path

from training import card, contract, metrics, monthly, outcomes, pipeline, plots
from training.directory import Described, version_of, write
from training.fit import Machine
from training.refused import Refused
from training.table import Table, build, read_columns


# As the evaluator takes them.
PLAIN = re.compile(r"[!-.0-\[\]-~]{1,100}")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def main(words: list[str]) -> int:
    """0: written. 1: the data is refused, and why. 2, by argparse: the command is not one."""
    asked = parser().parse_args(words)
    try:
        if asked.table is not None:
            write_table(asked)
            return 0
        table = read(asked)
        for note in table.notes:
            say(note)
        alone = contract.refuse_too_good(table, asked.allow)
        machine = Machine(asked.seed, asked.threads)
        if asked.monthly:
            run_monthly(asked, table, machine)
        else:
            run(asked, table, alone, machine)
    except (Refused, OSError, UnicodeDecodeError) as refusal:
        print(f"scripts/train: {refusal}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Every option with what it means."""
    out = argparse.ArgumentParser(prog="scripts/train", description="Trains a model directory. docs/RETRAINING.md tells how.")
    source = out.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="CSV", help="a table with a header, plain or gzip")
    source.add_argument("--outcomes", type=Path, metavar="DIR", help="what `goldenhour export --features` wrote to")
    out.add_argument("--label", help="with --data: the column to predict, 0 or 1")
    out.add_argument("--id", help="with --data: the column that names the row; never a feature")
    order = out.add_mutually_exclusive_group()
    order.add_argument("--time-order", metavar="COL|@row", help="with --data: the column of time (no feature), or the order of rows")
    order.add_argument("--random", action="store_true", help="with --data: there is no order of time")
    out.add_argument("--target", choices=("convert", "answer"), default="convert", help="what the model predicts")
    out.add_argument(
        "--campaign", action="append", default=[], metavar="NAME", help="with --outcomes: whose attempts; needed where several are there"
    )
    out.add_argument("--context", action="append", metavar="COL", help="with --outcomes: a column known at the dial, as a feature")
    out.add_argument("--unweighted", action="store_true", help="with --outcomes: every attempt counts once, to see what weights are worth")
    out.add_argument("--since", metavar="DAY", help="with --outcomes: the first day of dials, UTC, as 2026-12-01")
    out.add_argument("--before", metavar="DAY", help="with --outcomes: the first day of dials that is left out, and all after it")
    out.add_argument("--table", type=Path, metavar="CSV", help="no model: write the rows of --outcomes for `goldenhour model check`")
    out.add_argument("--drop", action="append", default=[], metavar="COL", help="not a feature")
    out.add_argument("--allow", action="append", default=[], metavar="FEATURE", help="known before the call, however good it is")
    out.add_argument("--out", type=Path, metavar="DIR", help="the model directory")
    out.add_argument("--name", help="the model's name; else that of the directory")
    out.add_argument("--version", help="else a digest of the data and the options")
    out.add_argument("--seed", type=int, default=1)
    out.add_argument("--threads", type=int, default=1, help="the same number gives the same bytes")
    out.add_argument("--monthly", action="store_true", help="no model: judge every month by a model of the months before it")
    out.add_argument("--from", dest="start", metavar="MONTH", help="with --monthly: the first month to judge")
    out.add_argument("--frozen-at", metavar="MONTH", help="with --monthly: the last month the other model learned from")
    return out


def read(asked: argparse.Namespace) -> Table:
    """The table of a file or of exported outcomes."""
    refuse_others(asked)
    if asked.outcomes is not None:
        return outcomes.read(asked.outcomes, wanted(asked))
    for option in ("label", "id"):
        if getattr(asked, option) is None:
            raise Refused(f"--data needs --{option}")
    if not asked.random and asked.time_order is None:
        raise Refused("say --time-order COL, --time-order @row or --random: a random split of rows with a time flatters")
    columns = read_columns(asked.data)
    known = f"there are {', '.join(columns)}"
    odd = next((name for name in (asked.id, *asked.drop) if name not in columns), None)
    if odd is not None:
        raise Refused(f"no column `{odd}`; {known}")
    ids = columns[asked.id]
    if len(set(ids)) != len(ids):
        raise Refused(f"`{asked.id}` does not name the rows: some values come twice")
    names = [name for name in columns if name not in {asked.id, asked.label, asked.time_order, *asked.drop}]
    contract.refuse_post_call(names)
    return build(columns, asked.label, names, None if asked.random else asked.time_order)


# As in `goldenhour model check`, which promotes no model that was judged on fewer.
FEW = 50
OF_OUTCOMES = ("campaign", "context", "unweighted", "since", "before")
OF_DATA = ("label", "id", "time_order", "random")


def refuse_others(asked: argparse.Namespace) -> None:
    """An option of the other source would do nothing, and somebody would believe that it did."""
    others, source = (OF_OUTCOMES, "--outcomes") if asked.outcomes is None else (OF_DATA, "--data")
    for option in others:
        if getattr(asked, option):
            raise Refused(f"--{option.replace('_', '-')} goes with {source}")


def wanted(asked: argparse.Namespace) -> outcomes.Wanted:
    """Of the exported outcomes. A model for answers knows the slot unless somebody says otherwise."""
    context = asked.context
    if context is None:
        context = list(outcomes.SLOT_CONTEXT) if asked.target == "answer" else []
    for option in ("since", "before"):
        day = getattr(asked, option)
        if day is not None and not DAY.fullmatch(day):
            raise Refused(f"--{option} {day}: a day looks like 2026-12-01")
    return outcomes.Wanted(
        asked.target, context, asked.drop, asked.campaign, not asked.unweighted, asked.since or "", asked.before or "9999"
    )


def write_table(asked: argparse.Namespace) -> None:
    """What `goldenhour model check` judges models by."""
    refuse_others(asked)
    if asked.outcomes is None:
        raise Refused("--table is a table of --outcomes; one of your own can be given to `goldenhour model check` as it is")
    rows = outcomes.write_table(asked.outcomes, wanted(asked), asked.table)
    say(f"{asked.table}: {rows} rows; goldenhour model check --data {asked.table} --label label --weight weight")


def run(asked: argparse.Namespace, table: Table, alone: dict[str, float], machine: Machine) -> None:
    """Judge the procedure, then train on everything, then write."""
    if asked.out is None:
        raise Refused("--out is missing: where shall the model directory be?")
    name = asked.name or asked.out.resolve().name
    for word in (name, asked.version or "x"):
        if not PLAIN.fullmatch(word):
            raise Refused(f"{word!r} is no name or version: 1 to 100 signs of ASCII without blanks and slashes (--name, --version)")
    say(f"{len(table)} rows, {int(table.label.sum())} successes, {len(table.features)} features")
    rarer = int(min(table.label.sum(), len(table) - table.label.sum()))
    if rarer < FEW:
        say(f"{rarer} rows of one label prove nothing: an AUC of so few is off by up to a tenth by chance")
    judged = pipeline.judge(table, machine)
    figures = pipeline.figures(judged, asked.seed)
    chosen = pipeline.delivered(table, judged, machine)
    trained = pipeline.train(table, chosen, machine)
    options = {"target": asked.target, "seed": asked.seed, "allow": sorted(asked.allow), "plan": chosen.manifest()}
    made = Described(
        name=name,
        version=asked.version or version_of(table, options),
        target=asked.target,
        features=table.features,
        trained=trained,
        figures=figures,
        alone=alone,
        rows=len(table),
        period=f", {table.moments[0]} to {table.moments[-1]}" if table.moments else "",
        how=judged.how,
        judged=judged.plans,
        notes=table.notes,
    )
    bins = metrics.reliability(judged.label, judged.p, judged.weight, metrics.bins_for(len(judged.label)))
    asked.out.mkdir(parents=True, exist_ok=True)
    plots.reliability(bins, asked.out / "reliability.png")
    plots.gains_curve(judged, asked.out / "gains.png")
    (asked.out / "CARD.md").write_text(card.text(made, bins), encoding="utf-8")
    write(asked.out, made, table)
    say(f"judged on {judged.how}: " + ", ".join(f"{name} {figures[name]:.3f}" for name in SHOWN))
    say(f"{asked.out}: {made.name} {made.version}; {asked.out / 'CARD.md'} says more")


SHOWN = ("auc", "alift", "capture_10", "capture_20", "capture_50", "brier", "ece", "ece_renewed", "ece_within", "ece_by_chance")


def run_monthly(asked: argparse.Namespace, table: Table, machine: Machine) -> None:
    """Prints a table in Markdown."""
    if asked.start is None or asked.frozen_at is None:
        raise Refused("--monthly needs --from MONTH and --frozen-at MONTH")
    say(monthly.HEADER)
    say(monthly.mean(monthly.months(table, asked.start, asked.frozen_at, machine, say)))


def say(line: str) -> None:
    print(line, flush=True)
