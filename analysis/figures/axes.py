"""The axes of the figures: accuracies, lengths, tokens and seconds."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from analysis.figures.plotting import REFERENCE_COLOR, WIDTH
from studies.format import SOLVED_ACCURACY

NEAREST = 1e-4
"""Accuracies closer to 1 than this look the same in a figure."""

STRETCH = (
    lambda accuracy: -np.log10(1 + NEAREST - np.minimum(accuracy, 1 + NEAREST / 2)),
    lambda nines: 1 + NEAREST - 10.0**-nines,
)
"""A scale of accuracies and its inverse: the steps from 0.9 to 0.99 and to 0.999 are equally wide,
because good models differ in how many symbols they get wrong."""

ACCURACY_TICKS = (0, 0.5, 0.9, 0.99, 0.999, 1)

MOST_TICKS = 6
"""Of a logarithmic axis: more run into each other in a narrow panel."""

LABEL_WIDTH = 0.42, 0.2
"""Inches between the labels of two T on an axis: beside each other, and turned."""

DOTTED: dict[str, Any] = {"color": REFERENCE_COLOR, "linewidth": 1, "linestyle": (0, (1, 2))}
"""Arguments of the reference lines."""


def accuracy_axis(axes: Axes, chance: float, lowest: float, named: bool = True) -> None:
    """Make a y axis of accuracies, stretched towards 1, with the lines solved and chance.

    It begins at a tick below the lowest accuracy of the figure; chance may lie below it.
    """
    axes.set_yscale("function", functions=STRETCH)
    bottom = max((tick for tick in ACCURACY_TICKS[:3] if tick < lowest), default=0)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in ACCURACY_TICKS if tick >= bottom]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{accuracy:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom, 1 + NEAREST / 4)  # with room for a marker at 1
    reference_line(axes, SOLVED_ACCURACY, "solved" if named else "")
    if chance >= bottom:
        reference_line(axes, chance, "chance" if named else "")


def reference_line(axes: Axes, accuracy: float, name: str = "") -> None:
    """Draw a horizontal line, named to the right of the axes."""
    axes.axhline(accuracy, **DOTTED)
    axes.text(
        1.01,
        accuracy,
        name,
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=10,
        color=REFERENCE_COLOR,
    )


def length_axis(axes: Axes, lengths: Sequence[int], width: float = WIDTH) -> None:
    """Make a logarithmic x axis with the real T as ticks; ``width`` of the axes in inches."""
    axes.set_xscale("log")
    axes.set_xlim(lengths[0] / 1.25, lengths[-1] * 1.25)
    turned = len(lengths) > 2 * width
    axes.xaxis.set_major_locator(FixedLocator(_apart(lengths, LABEL_WIDTH[turned] / width)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda T, _: f"{T:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if turned:
        axes.tick_params(axis="x", labelrotation=90)
    axes.set_xlabel("T (steps)")


def _apart(lengths: Sequence[int], share: float) -> list[int]:
    """The lengths but those whose label would run into another: nearer than a share of the axis.

    The largest stays, as what was searched for.
    """
    gap = share * math.log(1.25**2 * lengths[-1] / lengths[0])
    kept = [lengths[-1]]
    for T in reversed(lengths[:-1]):
        if math.log(kept[-1] / T) >= gap:
            kept.append(T)
    return kept[::-1]


def log_x_axis(axes: Axes) -> None:
    """Make a logarithmic x axis with plain numbers as ticks."""
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)


def log_y_axis(axes: Axes, label: str) -> None:
    """Make a logarithmic y axis with plain numbers as ticks."""
    axes.set(yscale="log", ylabel=label)
    low, high = axes.get_ylim()
    # Ticks are at most a factor of 2.5 apart: this much room always holds one.
    axes.set_ylim(low / 1.6, high * 1.6)
    plain_ticks(axes.yaxis)


def plain_ticks(axis: Axis) -> None:
    """Label a logarithmic axis, whose data are drawn, with a few plain numbers."""
    axis.set_major_locator(FixedLocator(few_ticks(*axis.get_view_interval())))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_locator(NullLocator())


def few_ticks(low: float, high: float) -> list[float]:
    """Two to six numbers of a logarithmic axis between its ends: 1, 2, 5, 10, ... if it can be."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= MOST_TICKS:
            break
    if len(inside) > MOST_TICKS:
        return inside[:: -(-len(inside) // MOST_TICKS)]
    if len(inside) >= 2:
        return inside
    nearby = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(tick) for tick in nearby if low <= tick <= high]
