"""Draws regret over time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.replay.sides import SIDES
from benchmarks.replay.simulator import Outcome
from benchmarks.replay.statistics import RESAMPLES
from benchmarks.replay.tables import REGRETS, grouped, regret

COLOURS = ("#000000", "#777777", "#999933", "#0077bb", "#33bbee", "#ee7733", "#cc3311", "#ee3377")
"""One a side, in their order: Paul Tol's vibrant scheme, which colour-blind readers can tell."""

LABELS = {"validation_accuracy": "regret at T", "ladder_accuracy": "regret on the ladder"}


def draw_regret(results: Sequence[tuple[str, str, int, Outcome]], path: Path) -> None:
    """Median regret and its 95 % bootstrap interval: a column a model, a row an accuracy."""
    groups = grouped(results)
    models = list(dict.fromkeys(model for model, _ in groups))
    ends = [outcome.clock for outcomes in groups.values() for outcome in outcomes]
    times = np.geomspace(5, max(10.0, np.quantile(ends, 0.9)), 200)
    figure = Figure(figsize=(3.2 + 3.2 * len(models), 6), layout="constrained")
    axes = figure.subplots(len(REGRETS), len(models), sharex=True, sharey="row", squeeze=False)
    for column, model in enumerate(models):
        for row, accuracy in enumerate(REGRETS):
            for side, colour in zip(SIDES, COLOURS, strict=True):
                if (model, side) in groups:
                    values = regret(groups[model, side], times, accuracy)
                    _draw(axes[row, column], times, values, side, colour)
        axes[0, column].set_title(model)
        axes[-1, column].set_xlabel("simulated seconds, two workers")
    for row, accuracy in enumerate(REGRETS):
        axes[row, 0].set_ylabel(LABELS[accuracy])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=120)


def _draw(axes: Axes, times: np.ndarray, values: np.ndarray, side: str, colour: str) -> None:
    """One side in one panel; values: shape (searches, times)."""
    generator = np.random.default_rng(0)
    draws = generator.integers(len(values), size=(RESAMPLES // 20, len(values)))
    medians = np.median(values[draws], axis=1)
    low, high = np.quantile(medians, (0.025, 0.975), axis=0)
    axes.plot(times, np.median(values, axis=0), color=colour, label=side, linewidth=1.6)
    axes.fill_between(times, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=3e-3)
    axes.grid(alpha=0.25, which="both", linewidth=0.5)
