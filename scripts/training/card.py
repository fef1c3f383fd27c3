"""CARD.md: what the model is, how good it was on rows it never saw, and what it must not be used for."""

from training.directory import Described
from training.metrics import Bin


def text(described: Described, table: list[Bin]) -> str:
    """The whole page."""
    made = described
    f, blend = made.figures, made.trained.blend
    kind = made.trained.calibration.manifest()["kind"]
    what = "an answer" if made.target == "answer" else "a success"
    best = " / ".join(f"{f[f'capture_{share}']:.1%}" for share in (10, 20, 50))
    lines = [
        f"# {made.name} {made.version}",
        "",
        f"Says how likely {what} is, for each row with the columns below.",
        f"Learned from {made.rows} rows{made.period}; the procedure was judged on {made.how}, which neither",
        "the judged models nor the choice of their settings saw. This model went through the same procedure with all rows.",
        "",
        "## How good",
        "",
        "| | |",
        "|---|---|",
        f"| AUC | {f['auc']:.3f} (model A alone {f['auc_a']:.3f}, model B alone {f['auc_b']:.3f}) |",
        f"| ALIFT | {f['alift']:.3f} |",
        f"| share of all successes among the best 10 / 20 / 50 % of rows | {best} |",
        f"| Brier score | {f['brier']:.4f} |",
        f"| predicted / observed share of successes | {f['mean_p']:.3f} / {f['base_rate']:.3f} |",
        f"| ECE, calibrated once, before these rows | {f['ece']:.3f} |",
        f"| ECE, calibrated anew as the rows pass | {f['ece_renewed']:.3f} |",
        f"| ECE, calibrated on other rows of the same period | {f['ece_within']:.3f} |",
        f"| ECE that chance alone gives a right model here | {f['ece_by_chance']:.3f} |",
        "",
        f"Bins for the ECE: {f['bins']:.0f}, of as many rows. The first of its lines is what a campaign meets that never trains again, the",
        "second what one meets that trains often; if they lie far apart, the base rate moved.",
        "",
        "![gains](gains.png) ![reliability](reliability.png)",
        "",
        "| bin | rows | predicted | observed | 95 % interval (Wilson) |",
        "|---:|---:|---:|---:|---|",
        *(reliability_row(at, one) for at, one in enumerate(table, 1)),
        "",
        "## What it is",
        "",
        f"logit p = {blend.w:.2f} A + {1 - blend.w:.2f} B {'-' if blend.c < 0 else '+'} {abs(blend.c):.3f}, then {kind} calibration on "
        f"{made.trained.memory_rows} rows that A and B had not learned from.",
        "",
        f"- A: {described_settings(made, 'a')}",
        f"- B: {described_settings(made, 'b')}",
    ]
    lines += ["", "| feature | type | AUC alone |", "|---|---|---:|"]
    lines += [f"| {one.name} | {one.manifest()['type']} | {made.alone[one.name]:.3f} |" for one in made.features]
    if made.notes:
        lines += ["", "Left out:", "", *(f"- {note}" for note in made.notes)]
    lines += ["", "## What it is not", "", *(f"- {limit}" for limit in LIMITS), ""]
    return "\n".join(lines)


def reliability_row(at: int, one: Bin) -> str:
    return f"| {at} | {one.rows} | {one.predicted:.3f} | {one.observed:.3f} | {one.low:.3f} to {one.high:.3f} |"


LIMITS = (
    "It ranks customers like those it learned from. Who was never called left no row; without exploration and weights it keeps "
    "believing what the last model believed.",
    "Its probabilities hold while the base rate does. Watch predicted against observed, and retrain.",
    "It must not decide about credit, price or access, and it has not been examined for fairness between groups.",
)


def described_settings(made: Described, which: str) -> str:
    settings = made.trained.plan.a if which == "a" else made.trained.plan.b
    words = ", ".join(f"{name} {value}" for name, value in settings.params.items())
    return f"{settings.rounds} rounds, {words}; {settings.recency}."
