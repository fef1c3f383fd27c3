"""The loop in a world that drifts: dial, export, retrain, three rounds, with exploration and without.

The dials are the engine's own in `goldenhour simulate`, the records are its export, the models are those of `scripts/train`, and
`goldenhour score` scores the next list. Only the customers are made up: what makes them say yes changes from round to round, and
the first model has never seen the driver that becomes the strongest.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from training import metrics

ROUNDS = 3
SHARE_DIALLED = 0.2
# On a day of this campaign, as `simulate` plays it.
DIALS_AN_AGENT = 410
# Of all customers of a round, in any world: what drifts is who says yes, not how many.
BASE_RATE = 0.25
# Logits by round, 0 before the first one: `visits` is the driver that nobody knew, `income` fades.
INCOME = (1.2, 1.0, 0.9, 0.8, 0.75)
VISITS = (0.0, 1.5, 1.6, 1.7, 1.8)
REGIONS = {"north": -0.4, "east": 0.0, "south": 0.3, "west": 0.1}
FEATURES = ("income", "tenure", "utilisation", "visits", "region")

POLICY = """schema: goldenhour/policy/v1
policy: loop
version: 1
title: A world of its own
purposes: [marketing]
sources: ["scripts/train-loop"]
consent: not_refused
calling_hours: { mon-sun: ["09:00-20:00"], holidays: open }
attempts: { max: 5, max_per_day: 1 }
"""

CAMPAIGN = """schema: goldenhour/v1
campaign: loop
scenario: activation
purpose: marketing
status: active
use: { policy: loop@1 }
list:
  key: key
  phones: [phone]
  model: { score: score }
  columns:
    income: { type: number }
    tenure: { type: number }
    utilisation: { type: number }
    visits: { type: number }
    region: { type: text }
    yes: { type: number }
segments: [{ name: customers, when: "true" }]
rank: { by: score, explore: @EXPLORE@ }
calling_hours: { fallback_zone: Asia/Shanghai, mon-sun: ["10:00-20:00"] }
golden_hours: { answer_rate: { golden: 50%, other: 50% } }
pacing: { mode: progressive, ring: 20s }
agents: { queue: desk, wrap_up: 150s }
attempts: { max: 1, max_per_day: 1 }
dispositions:
  accepted: { outcome: success, contact: right_party, then: final }
  declined: { outcome: failure, contact: right_party, then: final }
  thinking: { outcome: neutral, contact: right_party, then: final }
"""


@dataclass(frozen=True)
class Way:
    """How dials are chosen and weighed."""

    name: str
    explore: str
    weighed: bool


WAYS = (Way("no exploration", "0%", True), Way("exploration, unweighted", "10%", False), Way("exploration, weighted", "10%", True))


@dataclass(frozen=True)
class World:
    """Customers of one round: their columns, and the chance of each to say yes."""

    columns: dict[str, np.ndarray]
    yes: np.ndarray


@dataclass(frozen=True)
class Round:
    """What a model that was trained after so many rounds does on the whole list of the next one."""

    way: str
    seed: int
    round: int
    predicted: float
    observed: float
    auc: float
    capture_20: float
    # What `goldenhour model check` says of `auc` by the calls of the next round, which the model has chosen itself: the figure and
    # its interval; None after the last round.
    checked: tuple[float, float, float] | None = None


def main(words: list[str]) -> int:
    """0: all rounds were played."""
    asked = parser().parse_args(words)
    ways = [way for way in WAYS if not asked.ways or way.name in asked.ways]
    for seed in asked.seeds:
        for way in ways:
            home = asked.out / f"seed-{seed}" / way.name.replace(", ", "-").replace(" ", "-")
            for judged in play(asked, home, seed, way):
                print(json.dumps(asdict(judged)), flush=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """Every option with what it means."""
    out = argparse.ArgumentParser(prog="scripts/train-loop", description=__doc__.split("\n")[0])
    out.add_argument("--goldenhour", required=True, type=Path, metavar="FILE", help="the program")
    out.add_argument("--out", required=True, type=Path, metavar="DIR", help="lists, outcomes and models go here")
    out.add_argument("--seeds", type=int, nargs="+", default=[1])
    out.add_argument("--customers", type=int, default=60_000, help="of each round's list; a fifth of them is dialled")
    out.add_argument("--ways", nargs="+", choices=[way.name for way in WAYS], help="else all")
    return out


def play(asked: argparse.Namespace, home: Path, seed: int, way: Way) -> list[Round]:
    """All rounds of one way of dialling."""
    shutil.rmtree(home, ignore_errors=True)
    (home / "campaign" / "policies").mkdir(parents=True)
    (home / "campaign" / "policies" / "loop.yaml").write_text(POLICY, encoding="utf-8")
    (home / "campaign" / "loop.yaml").write_text(CAMPAIGN.replace("@EXPLORE@", way.explore), encoding="utf-8")
    model = first_model(home, seed)
    out = []
    for nth in range(1, ROUNDS + 1):
        customers = world(asked.customers, seed, nth)
        write_list(home / f"list-{nth}.csv", customers, scores(asked, home, customers, model))
        dial(asked, home, seed, nth)
        weights = [] if way.weighed else ["--unweighted"]
        if out:
            out[-1] = replace(out[-1], checked=check(asked, home, nth, model, weights))
        model = home / f"model-{nth}"
        train("--outcomes", home / "outcomes", "--target", "convert", "--out", model, "--seed", seed, *weights)
        out.append(judge(asked, home, seed, nth, way, model))
    return out


def world(customers: int, seed: int, nth: int) -> World:
    """The customers of a round; the intercept keeps the share of those who say yes where it is."""
    rng = np.random.default_rng([seed, nth])
    income, tenure, utilisation, visits = rng.normal(size=(4, customers))
    region = rng.choice(list(REGIONS), customers)
    logit = INCOME[nth] * income + VISITS[nth] * visits * (income < 0) + 0.5 * tenure - 0.4 * utilisation**2
    logit = logit + np.array([REGIONS[name] for name in region])
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _logistic(logit + middle).mean() < BASE_RATE else (low, middle)
    columns = {
        "income": np.round(np.exp(9 + 0.5 * income), 2),
        "tenure": np.round(tenure, 3),
        "utilisation": np.round(utilisation, 3),
        "visits": np.round(visits, 3),
        "region": region,
    }
    return World(columns, np.round(_logistic(logit + low), 6))


def first_model(home: Path, seed: int) -> Path:
    """From a sample of the old world, in which everybody was asked."""
    old = world(6_000, seed, 0)
    label = np.random.default_rng([seed, 0, 1]).random(len(old.yes)) < old.yes
    with (home / "old.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *FEATURES, "label"])
        writer.writerows(zip(range(len(label)), *(old.columns[name] for name in FEATURES), label.astype(int), strict=True))
    model = home / "model-0"
    train("--data", home / "old.csv", "--label", "label", "--id", "id", "--random", "--out", model, "--seed", seed)
    return model


def scores(asked: argparse.Namespace, home: Path, customers: World, model: Path) -> np.ndarray:
    """By the program that scores lists."""
    table, scored = home / "unscored.csv", home / "scores.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *FEATURES])
        writer.writerows(zip(range(len(customers.yes)), *(customers.columns[name] for name in FEATURES), strict=True))
    run(asked.goldenhour, "score", "--model", model, "--data", table, "--out", scored)
    with scored.open(encoding="utf-8", newline="") as file:
        return np.array([float(row["score"]) for row in csv.DictReader(file)])


def write_list(path: Path, customers: World, score: np.ndarray) -> None:
    """As a bank would send it, and beside it what no bank knows: `yes`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "phone", "score", *FEATURES, "yes"])
        places = range(len(score))
        cells = (customers.columns[name] for name in FEATURES)
        phones = (f"+999{600_000_000 + place}" for place in places)
        writer.writerows(zip(places, phones, score, *cells, customers.yes, strict=True))


def dial(asked: argparse.Namespace, home: Path, seed: int, nth: int) -> None:
    """One day. The agents suffice for about a fifth of the list."""
    agents = max(1, round(asked.customers * SHARE_DIALLED / DIALS_AN_AGENT))
    people = ["simulate", home / "campaign", "--list", home / f"list-{nth}.csv", "--truth", "yes", "--seed", 100 * seed + nth]
    days = ["--agents", agents, "--days", 1, "--from", f"2026-12-{nth:02}"]
    run(asked.goldenhour, *people, *days, "--outcomes", home / "outcomes" / f"round-{nth}", "--quiet")


def judge(asked: argparse.Namespace, home: Path, seed: int, nth: int, way: Way, model: Path) -> Round:
    """On every customer of the next list, called or not: their chances are known here."""
    customers = world(asked.customers, seed, nth + 1)
    score = scores(asked, home, customers, model)
    # Each customer is so much of a yes and so much of a no.
    both = np.tile([1.0, 0.0], len(score)), np.repeat(score, 2), np.column_stack([customers.yes, 1 - customers.yes]).ravel()
    return Round(
        way=way.name,
        seed=seed,
        round=nth,
        predicted=float(score.mean()),
        observed=float(customers.yes.mean()),
        auc=metrics.auc(*both),
        capture_20=metrics.capture(*both, 0.2),
    )


def check(asked: argparse.Namespace, home: Path, nth: int, model: Path, weights: list[str]) -> tuple[float, float, float]:
    """By the calls of a day that the model has not learned from."""
    table = home / f"calls-{nth}.csv"
    train("--outcomes", home / "outcomes", "--since", f"2026-12-{nth:02}", "--table", table, *weights)
    words = ["--model", model, "--data", table, "--label", "label", "--weight", "weight", "--json"]
    # Whether it may be promoted is not the question.
    said = json.loads(run(asked.goldenhour, "model", "check", *words, fine=(0, 5)))["model"]
    return said["auc"], said["auc_low"], said["auc_high"]


def train(*words: object) -> None:
    run(Path(__file__).parents[1] / "train", *words)


def run(program: Path, *words: object, fine: tuple[int, ...] = (0,)) -> str:
    """Its output. Fails loudly, with what the program said."""
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    if done.returncode not in fine:
        raise SystemExit(f"{program.name} {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _logistic(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
