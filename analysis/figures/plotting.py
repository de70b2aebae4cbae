"""Parts that the figures share: page, axes, lines and legend."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from analysis.figures.labels import wrapped
from analysis.figures.styles import Style
from studies.seed_statistics import CHANCE

WIDTH = 7.0  # inches
TEXT_SIZE = 10.5  # points
LINE = 88  # characters of that size in the width of a figure
REFERENCE_COLOR = "#606060"
SOLVED = 0.99
NEAREST = 1e-4
"""Distance to 1 below which accuracies are not told apart in a figure."""
LEGEND_ROW = 0.23  # inches
USUAL_ROWS = 3  # of a legend, for which figures have room
SPREAD = 1.06
"""Marks at one T stand at most 6 % beside it: farther off they read as another T."""

STRETCH = (
    lambda accuracy: -np.log10(1 + NEAREST - np.minimum(accuracy, 1 + NEAREST / 2)),
    lambda nines: 1 + NEAREST - 10.0**-nines,
)
"""A scale of accuracies and its inverse: each step from 0.9 to 0.99 to 0.999 is as wide. What
tells good models apart is how many of the symbols are wrong."""

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
    "svg.hashsalt": "copytask",  # equal data make an equal file
}
"""Settings of matplotlib in which every figure is drawn and saved."""


class Page(NamedTuple):
    """What the figures of one task share.

    Attributes:
        task: its name.
        lengths: every T of the task, ascending, with and without results.
        styles: label -> style, in the order of legends.
        note: says what has no result; may be empty.
    """

    task: str
    lengths: list[int]
    styles: dict[str, Style]
    note: str


def new_figure(page: Page, height: float = 4.2) -> Figure:
    """An empty figure with the page's note below; ``height`` in inches."""
    note = textwrap.fill(page.note, LINE)
    figure = Figure(figsize=(WIDTH, height + 0.19 * len(note.splitlines())))
    if note:
        figure.supxlabel(note, x=0.01, ha="left", fontsize=10, color=REFERENCE_COLOR)
    return figure


def length_panels(
    page: Page, x_label: str, y_label: str, lengths: Sequence[int] | None = None
) -> tuple[Figure, dict[int, Axes], set[int]]:
    """A figure with one panel a T, which share the y axis.

    Returns:
        The figure, its panels by T, and the T of those at the right edge, which have room for
        the names of reference lines.
    """
    lengths = page.lengths if lengths is None else lengths
    columns = min(len(lengths), 2 if len(lengths) <= 4 else 3)
    rows = -(-len(lengths) // columns)
    figure = new_figure(page, 2.1 * rows + 1.2)
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


def token_axis(axes: Axes) -> None:
    """A logarithmic x axis of million tokens: a final training is ten times as long as others."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def accuracy_axis(axes: Axes, named: bool = True) -> None:
    """A y axis of accuracies, stretched towards 1, with the lines of chance and of a solution."""
    axes.set_yscale("function", functions=STRETCH)
    axes.set_ylim(_ticks(axes.yaxis))
    reference(axes, SOLVED, "solved" if named else "")
    reference(axes, CHANCE, "chance" if named else "")


def horizontal_accuracy_axis(axes: Axes) -> None:
    """An x axis like the y axis of :func:`accuracy_axis`."""
    axes.set_xscale("function", functions=STRETCH)
    axes.set_xlim(_ticks(axes.xaxis))
    for accuracy, name in ((SOLVED, "solved"), (CHANCE, "chance")):
        axes.axvline(accuracy, color=REFERENCE_COLOR, linewidth=1, linestyle=(0, (1, 2)))
        axes.text(
            accuracy,
            1.0,
            name,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=10,
            color=REFERENCE_COLOR,
        )


def _ticks(axis: Axis) -> tuple[float, float]:
    """Set the ticks of a stretched axis; returns its ends, with room for a marker at 1."""
    axis.set_major_locator(FixedLocator([0, 0.5, 0.9, 0.99, 0.999, 1]))
    axis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{accuracy:g}"))
    axis.set_minor_locator(NullLocator())
    return 0, 1 + NEAREST / 4


def by_label(data: pd.DataFrame, page: Page) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each label that has any, in the order of legends."""
    for label in page.styles:
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


def shortened(label: str) -> str:
    """A label of at most 16 characters a line, and three lines."""
    return wrapped(label, 16, 3)


def cross(color: str) -> dict[str, Any]:
    """Arguments of ``plot`` for crosses without a line."""
    return {"color": color, "linestyle": "", "marker": "x", "markeredgewidth": 2}


def side_by_side(data: pd.DataFrame, page: Page, lengths: str = "T") -> pd.DataFrame:
    """Adds the column x: lengths moved by at most :data:`SPREAD`, so that marks are told apart.

    Where two lengths are close, the marks take half of the way between them.
    """
    labels = [label for label, _ in by_label(data, page)]
    steps = data["label"].map(labels.index) - (len(labels) - 1) / 2
    values = np.unique(data[lengths].astype("float64"))
    nearest = np.min(values[1:] / values[:-1], initial=np.inf)
    spread = min(SPREAD, nearest**0.25)
    step = min(1.04, spread ** (2 / max(1, len(labels) - 1)))
    return data.assign(x=data[lengths].astype("float64") * step**steps)


def length_axis(axes: Axes, lengths: Sequence[int], width: float = WIDTH) -> None:
    """A logarithmic x axis with the real T as ticks; ``width`` of the axes in inches."""
    axes.set_xscale("log")
    axes.set_xlim(lengths[0] / 1.25, lengths[-1] * 1.25)
    axes.xaxis.set_major_locator(FixedLocator(lengths))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda T, _: f"{T:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if len(lengths) > 2 * width:
        axes.tick_params(axis="x", labelrotation=90)
    axes.set_xlabel("T (steps)")


def positive_axis(axes: Axes, label: str) -> None:
    """A logarithmic y axis of plain numbers."""
    axes.set(yscale="log", ylabel=label)
    low, high = axes.get_ylim()
    # Ticks are at most a factor of 2.5 apart: this much room always holds one.
    axes.set_ylim(low / 1.6, high * 1.6)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def reference(axes: Axes, accuracy: float, name: str = "") -> None:
    """A horizontal line, named to the right of the axes."""
    axes.axhline(accuracy, color=REFERENCE_COLOR, linewidth=1, linestyle=(0, (1, 2)))
    axes.text(
        1.01,
        accuracy,
        name,
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=10,
        color=REFERENCE_COLOR,
    )


def heading(
    figure: Figure,
    page: Page,
    title: str,
    data: pd.DataFrame | None = None,
    further: Sequence[Line2D] = (),
) -> None:
    """The title above a legend of the labels in ``data`` and of further lines."""
    handles = [*further]
    if data is not None:
        labels = [label for label, _ in by_label(data, page)]
        handles = [Line2D([], [], label=label, **line(page.styles[label])) for label in labels]
        handles += further
    columns = _legend_columns([len(str(handle.get_label())) + 10 for handle in handles])
    further_rows = max(0, -(-len(handles) // columns) - USUAL_ROWS)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW * further_rows)
    # As the legend's title: the layout makes room for a legend, but not for a title above it.
    figure.legend(
        handles=handles,
        title=f"{title} ({page.task} task)",
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
