"""CARD.md: what the model is, how good it was on rows it never saw, and what it must not be used for."""

from training.directory import Described
from training.metrics import Bin


def text(described: Described, table: list[Bin]) -> str:
    """The whole page."""
    made = described
    f, plan, blend = made.figures, made.trained.plan, made.trained.blend
    kind = made.trained.calibration.manifest()["kind"]
    lines = [
        f"# {made.name} {made.version}",
        "",
        f"Says how likely {'somebody answers' if made.target == 'answer' else 'a success is'}, for each row with the columns below.",
        f"Learned from {made.rows} rows{made.period}; the procedure was judged on {made.how}, which neither",
        "the judged models nor the choice of their settings saw. This model went through the same procedure with all rows.",
        "",
        "## How good",
        "",
        "| | |",
        "|---|---|",
        f"| AUC | {f['auc']:.3f} (model A alone {f['auc_a']:.3f}, model B alone {f['auc_b']:.3f}) |",
        f"| ALIFT | {f['alift']:.3f} |",
        f"| successes among the best 10 / 20 / 50 % of rows | {f['capture_10']:.1%} / {f['capture_20']:.1%} / {f['capture_50']:.1%} |",
        f"| Brier score | {f['brier']:.4f} |",
        f"| predicted / observed share of successes | {f['mean_p']:.3f} / {f['base_rate']:.3f} |",
        f"| ECE, calibrated before these rows | {f['ece']:.3f} |",
        f"| ECE, calibrated on other rows of the same period | {f['ece_within']:.3f} |",
        f"| ECE that chance alone gives a right model here | {f['ece_by_chance']:.3f} |",
        "",
        f"ECE is over {f['bins']:.0f} bins of equal mass. The first line of the three is what a campaign would have met; if it is far",
        "above the second, the base rate moved between the two periods.",
        "",
        "![gains](gains.png) ![reliability](reliability.png)",
        "",
        "| bin | rows | predicted | observed | 95 % interval (Wilson) |",
        "|---:|---:|---:|---:|---|",
        *(f"| {at} | {b.rows} | {b.predicted:.3f} | {b.observed:.3f} | {b.low:.3f} to {b.high:.3f} |" for at, b in enumerate(table, 1)),
        "",
        "## What it is",
        "",
        f"logit p = {blend.w:.2f} A + {1 - blend.w:.2f} B {'-' if blend.c < 0 else '+'} {abs(blend.c):.3f}, then {kind} calibration on "
        f"{len(made.trained.outside)} rows that A and B had not learned from.",
        "",
        f"- A: {described_settings(made, 'a')}",
        f"- B: {described_settings(made, 'b')}",
    ]
    if plan.clocks:
        lines.append(f"- Features that mostly tell the time, hidden from B: {', '.join(plan.clocks)}.")
    lines += ["", "| feature | type | AUC alone |", "|---|---|---:|"]
    lines += [f"| {one.name} | {'number' if one.categories is None else 'category'} | {made.alone[one.name]:.3f} |" for one in made.features]
    if made.notes:
        lines += ["", "Left out:", "", *(f"- {note}" for note in made.notes)]
    lines += ["", "## What it is not", "", *(f"- {limit}" for limit in LIMITS), ""]
    return "\n".join(lines)


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
