"""Two panels of what each T took: lines where it is solved, crosses where it is not."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import length_axis, log_y_axis
from analysis.figures.plotting import TaskContext


def cost_panels(
    data: pd.DataFrame,
    task: TaskContext,
    panels: Mapping[str, str],
    lengths: Sequence[int],
    not_solved: str,
) -> tuple[Figure, list[Line2D]]:
    """Draw one panel a column of costs.

    Args:
        data: columns label, T, solved (bool) and those of ``panels``.
        panels: column -> what its axis is called.
        lengths: T with a tick.
        not_solved: what a cross means.

    Returns:
        The figure, without its heading, and what its legend has beside the labels.
    """
    figure = plotting.new_figure(task)
    for axes, (column, name) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for label, rows in plotting.by_label(plotting.side_by_side(data, task), task):
            style = task.styles[label]
            solved, failed = rows[rows["solved"]], rows[~rows["solved"]]
            axes.plot(solved["x"], solved[column], **plotting.line(style))
            axes.plot(failed["x"], failed[column], **plotting.cross(style.color))
        length_axis(axes, lengths, plotting.WIDTH / 2)
        log_y_axis(axes, name)
    if data["solved"].all():
        return figure, []
    cross = plotting.cross(plotting.REFERENCE_COLOR)
    return figure, [Line2D([], [], label=not_solved, **cross)]
