"""Figure slices: the accuracy of every trial against its hyperparameters."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from analysis.figures import plotting
from analysis.figures.axes import plain_ticks
from analysis.figures.labels import shortened
from analysis.figures.plotting import TaskContext
from analysis.figures.search_trials import MANY_MARKS, MOST_ROWS, rows_shown, search_trials
from analysis.figures.spec import FigureSpec
from analysis.phrases import semicolon_list
from analysis.tables.records import records

SIZES_IN_LEGEND = 6


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw a row of panels a label and a column a T: one dot a trial."""
    labels = [label for label, _ in plotting.by_label(data, task)][:MOST_ROWS]
    lengths = sorted(int(T) for T in data["T"].unique())
    figure = plotting.new_figure(task._replace(note=""), 1.45 * len(labels) + 1.6)
    panels = figure.subplots(len(labels), len(lengths), sharex=True, sharey=True, squeeze=False)
    curricula = data["curriculum_length"].astype("float64").clip(lower=1)
    norm = LogNorm(curricula.min(), max(curricula.max(), curricula.min() * 1.01))
    sizes = sorted(int(size) for size in data["hidden_size"].dropna().unique())
    areas = dict(zip(sizes, np.linspace(14, 60, len(sizes)), strict=True))
    for row, label in zip(panels, labels, strict=True):
        for axes, T in zip(row, lengths, strict=True):
            of = data[(data["label"] == label) & (data["T"] == T)]
            axes.scatter(
                of["learning_rate"],
                of["validation_accuracy"],
                s=of["hidden_size"].map(areas).astype("float64"),
                c=of["curriculum_length"].astype("float64").clip(lower=1),
                norm=norm,
                cmap="viridis",
                alpha=0.8,
                linewidths=0,
                rasterized=len(data) > MANY_MARKS,
            )
            if of.empty:
                axes.text(0.5, 0.5, "no trial", transform=axes.transAxes, ha="center", fontsize=9)
            _rate_axis(axes, data["learning_rate"])
            axes.set_ylim(0, 1.05)
            if axes.get_subplotspec().is_first_row():
                axes.set_title(f"T = {T}")
        row[0].set_ylabel(shortened(label))
    colors = ScalarMappable(norm, "viridis")
    bar = figure.colorbar(colors, ax=panels, label="curriculum length (steps)", shrink=0.8)
    plain_ticks(bar.ax.yaxis)
    figure.supxlabel("learning rate", fontsize=plotting.TEXT_SIZE)
    figure.supylabel("best validation accuracy", fontsize=plotting.TEXT_SIZE)
    handles = [
        Line2D(
            [], [], label=f"{size} units", marker="o", linestyle="", color=plotting.REFERENCE_COLOR,
            markersize=area**0.5, markeredgewidth=0,
        )
        for size, area in list(areas.items())[:SIZES_IN_LEGEND]
    ]  # fmt: skip
    plotting.heading(figure, task, "Learning rate against accuracy", None, handles)
    return figure


def _rate_axis(axes: Axes, rates: pd.Series) -> None:
    axes.set_xscale("log")
    axes.set_xlim(rates.min() / 1.3, rates.max() * 1.3)
    plain_ticks(axes.xaxis, LogLocator(subs=(1, 3), numticks=4))
    axes.tick_params(axis="x", labelsize=8, labelrotation=45)


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Give the learning rate of the best trial of each label at the largest T."""
    at_largest = data[data["T"] == data["T"].max()]
    best = at_largest.sort_values("validation_accuracy").groupby("label").tail(1)
    parts = [
        f"{row['label']} {row['learning_rate']:.2g}"
        for row in records(best.sort_values("label"))
        if row["learning_rate"] is not None
    ]
    return (
        "Each dot is a trial of a search: a larger dot has more units, a brighter one a longer "
        f"curriculum. Learning rate of the best trial at T = {data['T'].max()}: "
        f"{semicolon_list(parts)}.{rows_shown(data)}"
    )


FIGURE = FigureSpec(
    "slices", "Accuracy against learning rate, hidden size and curriculum length",
    search_trials, draw, caption,
)  # fmt: skip
