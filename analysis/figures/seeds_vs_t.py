"""Figure seeds_vs_T: every fresh seed of the best configurations, and their medians."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, length_axis, log_y_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope, unconfirmed
from analysis.phrases import million_tokens, semicolon_list
from analysis.tables.confirmation import winner_seeds
from analysis.tables.records import records

DOT: dict[str, Any] = {"linestyle": "", "marker": ".", "alpha": 0.55, "markeredgewidth": 0}
UNSOLVED: dict[str, Any] = {"linestyle": "", "marker": "x", "alpha": 0.7, "markersize": 5}


def data(scope: Scope) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: label, T, accuracy, solved, million_tokens (until T was solved, or spent), and the same
    in each row of a (label, T) median (of the accuracies), median_million_tokens (to solve T; empty
    if fewer than half do).
    """
    medians = ["median_accuracy", "median_tokens_to_solve"]
    rows = scope.done[["label", "study", "T", *medians]]
    data = rows.merge(winner_seeds(scope.studies), on=["study", "T"])
    data["million_tokens"] = data["tokens"] / 1e6
    data["median_million_tokens"] = data["median_tokens_to_solve"] / 1e6
    data = data.rename(columns={"median_accuracy": "median"})
    columns = [
        "label", "T", "accuracy", "solved", "million_tokens", "median", "median_million_tokens",
    ]  # fmt: skip
    return data.sort_values("T", kind="stable", ignore_index=True)[columns]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw accuracies on the left and tokens on the right: a mark a seed, a line of medians."""
    figure = plotting.new_figure(task)
    left, right = figure.subplots(1, 2)
    for label, rows in plotting.by_label(plotting.side_by_side(data, task), task):
        style = task.styles[label]
        medians = rows.drop_duplicates("T")
        for axes, column, median in (
            (left, "accuracy", "median"),
            (right, "million_tokens", "median_million_tokens"),
        ):
            _draw_seeds(axes, rows, column, style.color)
            axes.plot(medians["x"], medians[median], **plotting.line(style))
    for axes in (left, right):
        length_axis(axes, task.lengths, plotting.WIDTH / 2)
    accuracy_axis(left, task.chance, data["accuracy"].min())
    left.set_ylabel("test accuracy")
    log_y_axis(right, "million tokens to solve T")
    color = plotting.REFERENCE_COLOR
    further = [Line2D([], [], label="one seed", color=color, **DOT)]
    if not data["solved"].all():
        further.append(Line2D([], [], label="one seed, not solved", color=color, **UNSOLVED))
    plotting.heading(figure, task, FIGURE.title, data, further)
    return figure


def _draw_seeds(axes: Axes, rows: pd.DataFrame, column: str, color: str) -> None:
    for solved, mark in ((True, DOT), (False, UNSOLVED)):
        seeds = rows[rows["solved"] == solved]
        axes.plot(seeds["x"], seeds[column], color=color, **mark)


def caption(data: pd.DataFrame) -> str:
    """Give the medians at the largest T, and the lowest accuracy of all."""
    largest = data["T"].max()
    medians = data[data["T"] == largest].drop_duplicates("label")
    parts = [
        f"{row['label']} {row['median']:.4f}"
        + (
            f" and {million_tokens(1e6 * row['median_million_tokens'])}"
            if row["median_million_tokens"] is not None
            else " and not solved by half"
        )
        for row in records(medians)
    ]
    lowest = records(data.sort_values("accuracy", kind="stable"))[0]
    return (
        "Every training of the best configurations with fresh seeds (small marks; a cross did not "
        "solve its T, and shows what it spent), and their medians. The median of the tokens counts "
        f"these as censored (Kaplan-Meier). Medians at T = {largest}: {semicolon_list(parts)}. The "
        f"lowest accuracy is {lowest['accuracy']:.4f}, of {lowest['label']} at T = {lowest['T']}."
    )


FIGURE = FigureSpec(
    "seeds_vs_T", "The winners again with fresh seeds", data, draw, caption,
    unconfirmed,
)  # fmt: skip
