"""What the figures share: size and settings, lines and markers, legend."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.styles import Style
from studies.format import CHANCE_ACCURACY

WIDTH = 7.0  # inches
TEXT_SIZE = 10.5  # points
LINE = 88  # characters of that size in the width of a figure
REFERENCE_COLOR = "#606060"
LEGEND_ROW = 0.23  # inches
MANY_MARKS = 1000
"""With more marks than this an SVG file holds them as pixels: as paths they take megabytes."""
USUAL_ROWS = 3  # of a legend: figures have room for so many
SPREAD = 1.06
"""Marks of one T are at most 6 % beside it: farther away they look like another T."""

SETTINGS = {
    "figure.constrained_layout.use": True,
    "font.size": TEXT_SIZE,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 6.5,
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, which can be found, copied and read aloud
    "svg.hashsalt": "copytask",  # equal data make an equal file
}
"""Settings of matplotlib in which every figure is drawn and saved."""


class TaskContext(NamedTuple):
    """What the figures of one task share.

    Attributes:
        name: of the task.
        lengths: every T of the task, ascending, with and without results.
        styles: label -> style, in the order of legends.
        note: says below a figure what it does not show; may be empty.
        left_out: says in its caption which labels it does not show; may be empty.
        chance: accuracy of guessing in the task.
    """

    name: str
    lengths: list[int]
    styles: dict[str, Style]
    note: str
    left_out: str = ""
    chance: float = CHANCE_ACCURACY


def new_figure(task: TaskContext, height: float = 4.2) -> Figure:
    """An empty figure with the note of the task below; ``height`` in inches."""
    note = textwrap.fill(task.note, LINE)
    figure = Figure(figsize=(WIDTH, height + 0.19 * len(note.splitlines())))
    if note:
        figure.supxlabel(note, x=0.01, ha="left", fontsize=10, color=REFERENCE_COLOR)
    return figure


def length_panels(
    task: TaskContext, x_label: str, y_label: str, lengths: Sequence[int]
) -> tuple[Figure, dict[int, Axes], set[int]]:
    """A figure with one panel a T, which share the y axis.

    Returns:
        The figure, its panels by T, and the T of those at the right edge, which have room for
        the names of reference lines.
    """
    columns = min(len(lengths), 2 if len(lengths) <= 4 else 3)
    rows = -(-len(lengths) // columns)
    figure = new_figure(task, 2.1 * rows + 1.2)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    panels, edge = {}, set()
    for index, axes in enumerate(grid):
        if index >= len(lengths):
            axes.set_axis_off()
            continue
        axes.set_title(f"T = {lengths[index]}")
        if index + columns >= len(lengths):
            axes.set_xlabel(x_label)
        if index % columns == 0:
            axes.set_ylabel(y_label)
        panels[lengths[index]] = axes
        if index % columns == columns - 1 or index == len(lengths) - 1:
            edge.add(lengths[index])
    return figure, panels, edge


def by_label(data: pd.DataFrame, task: TaskContext) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each label that has any, in the order of legends."""
    for label in task.styles:
        rows = data[data["label"] == label]
        if not rows.empty:
            yield label, rows


def line(style: Style) -> dict[str, Any]:
    """Arguments of ``plot`` for a line with markers."""
    return {
        "color": style.color,
        "linestyle": style.line,
        "marker": style.marker,
        "markerfacecolor": "white" if style.hollow else style.color,
        "markeredgewidth": 1.5,
    }


def cross(color: str) -> dict[str, Any]:
    """Arguments of ``plot`` for crosses without a line."""
    return {"color": color, "linestyle": "", "marker": "x", "markeredgewidth": 2}


def error_bars(rows: pd.DataFrame, name: str = "accuracy") -> list[list[float]]:
    """Distances from the column ``name`` down and up to the ends of its interval."""
    down, up = rows[name] - rows[f"{name}_low"], rows[f"{name}_high"] - rows[name]
    return [down.clip(lower=0).tolist(), up.clip(lower=0).tolist()]


def plot_with_intervals(axes: Axes, data: pd.DataFrame, task: TaskContext, name: str) -> None:
    """Draw the column ``name`` against T: one line a label, with error bars."""
    for label, rows in by_label(side_by_side(data, task), task):
        bars = error_bars(rows, name)
        axes.errorbar(rows["x"], rows[name], yerr=bars, capsize=3, **line(task.styles[label]))


def side_by_side(data: pd.DataFrame, task: TaskContext, lengths: str = "T") -> pd.DataFrame:
    """Add the column x: lengths moved by at most :data:`SPREAD`, so that marks do not overlap.

    Where two lengths are close, their marks spread over half of the distance.
    """
    labels = [label for label, _ in by_label(data, task)]
    steps = data["label"].map(labels.index) - (len(labels) - 1) / 2
    values = np.unique(data[lengths].astype("float64"))
    nearest = np.min(values[1:] / values[:-1], initial=np.inf)
    spread = min(SPREAD, nearest**0.25)
    step = min(1.04, spread ** (2 / max(1, len(labels) - 1)))
    return data.assign(x=data[lengths].astype("float64") * step**steps)


def heading(
    figure: Figure,
    task: TaskContext,
    title: str,
    data: pd.DataFrame | None = None,
    further: Sequence[Line2D] = (),
) -> None:
    """Draw the title, and below it a legend of the labels in ``data`` and of further lines."""
    handles = [*further]
    if data is not None:
        labels = [label for label, _ in by_label(data, task)]
        handles = [Line2D([], [], label=label, **line(task.styles[label])) for label in labels]
        handles += further
    columns = _legend_columns([len(str(handle.get_label())) + 10 for handle in handles])
    further_rows = max(0, -(-len(handles) // columns) - USUAL_ROWS)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW * further_rows)
    # The title is that of the legend: the layout makes room for a legend, not for a title above.
    figure.legend(
        handles=handles,
        title=f"{title} ({task.name} task)",
        title_fontsize=12,
        alignment="left",
        loc="outside upper left",
        ncols=columns,
        handlelength=2.6,
        borderpad=0.1,
    )


def _legend_columns(widths: Sequence[int]) -> int:
    """The most columns in which entries of these widths, in characters, fit beside each other.

    A legend fills one column after the other, and each is as wide as its widest entry.
    """
    for columns in range(len(widths), 1, -1):
        if sum(max(column) for column in np.array_split(widths, columns)) <= LINE:
            return columns
    return 1
