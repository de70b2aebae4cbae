"""Draws figures of small studies, and reads from matplotlib what is drawn."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import compare_studies, load_studies, make_tables
from analysis.figures.plotting import SETTINGS, TaskContext
from analysis.figures.rendering import task_scopes
from analysis.figures.spec import FigureSpec, Scope
from analysis.figures.styles import KNOWN_MODELS


@dataclass(frozen=True)
class Drawn:
    """A figure with what it shows."""

    data: pd.DataFrame
    figure: Figure
    caption: str

    @property
    def axes(self) -> list[Axes]:
        return self.figure.axes

    @property
    def heading(self) -> str:
        return str(self.figure.legends[0].get_title().get_text())

    @property
    def legend(self) -> list[str]:
        return [text.get_text() for text in self.figure.legends[0].get_texts()]


def scope_of(runs: Path) -> tuple[TaskContext, Scope]:
    """What the figures of the one task in ``runs`` may draw upon."""
    studies = load_studies([runs])
    [found] = task_scopes(studies, make_tables(studies, compare_studies(studies)))
    return found


def drawn(spec: FigureSpec, runs: Path) -> Drawn:
    """A figure of the studies in ``runs``."""
    task, scope = scope_of(runs)
    data = spec.data(scope)
    with rc_context(SETTINGS):
        figure = spec.draw(data, task)
    return Drawn(data, figure, spec.caption(data))


def marked(axes: Axes, model: str) -> list[Line2D]:
    """The lines and marks that are drawn in the style of a known model."""
    style = KNOWN_MODELS[model]
    return [
        line
        for line in axes.lines
        if (line.get_color(), line.get_marker()) == (style.color, style.marker)
    ]


def heights(axes: Axes, model: str) -> list[float]:
    """The y values of the one line in the style of a known model."""
    [line] = marked(axes, model)
    return [float(y) for y in line.get_ydata()]


def error_bar_ends(axes: Axes) -> list[list[tuple[float, float]]]:
    """Of each series with error bars: (lower, upper) end of every bar."""
    ends = []
    for container in axes.containers:
        [bars] = container[2]
        ends.append([(float(bar[0][1]), float(bar[1][1])) for bar in bars.get_segments()])
    return ends


def text_of(axes: Axes) -> list[str]:
    """The texts in the axes, but for the ticks."""
    return [text.get_text() for text in axes.texts]
