"""The two pictures of the model card."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from training.metrics import Bin, gains  # noqa: E402
from training.pipeline import Judged  # noqa: E402

INK, MODEL, FAINT = "#222222", "#1f5fa8", "#b0b0b0"


def reliability(table: list[Bin], path: Path) -> None:
    """Predicted against observed share of successes, with 95 % intervals."""
    figure, axes = _square()
    top = min(1.0, 1.1 * max(max(b.high, b.predicted) for b in table))
    axes.plot([0, top], [0, top], color=FAINT, linewidth=1, label="as predicted")
    x, y = [b.predicted for b in table], [b.observed for b in table]
    below = [b.observed - b.low for b in table]
    above = [b.high - b.observed for b in table]
    axes.errorbar(x, y, yerr=[below, above], color=MODEL, fmt="o", markersize=4, capsize=2, label="observed, 95 % interval")
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="predicted share of successes", ylabel="observed share of successes")
    _save(figure, axes, path)


def gains_curve(judged: Judged, path: Path) -> None:
    """Share of the successes among the best-ranked share of the rows."""
    figure, axes = _square()
    called, captured = gains(judged.label, judged.p, judged.weight)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, label="in any order")
    axes.plot(called, captured, color=MODEL, linewidth=1.6, label="by the model")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of rows, best first", ylabel="share of all successes")
    _save(figure, axes, path)


def _square() -> tuple[plt.Figure, plt.Axes]:
    figure, axes = plt.subplots(figsize=(4.6, 4.6), dpi=120)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def _save(figure: plt.Figure, axes: plt.Axes, path: Path) -> None:
    axes.legend(frameon=False, loc="upper left" if path.name.startswith("reliability") else "lower right")
    figure.tight_layout()
    # Without the version of matplotlib in the file two runs are alike byte for byte.
    figure.savefig(path, metadata={"Software": None})
    plt.close(figure)
