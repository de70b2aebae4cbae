"""Figure seeds_vs_T: the best configurations trained again with fresh seeds."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, length_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.tables.confirmation import winner_seeds
from analysis.tables.records import records

DOT: dict[str, Any] = {"linestyle": "", "marker": ".", "alpha": 0.55, "markeredgewidth": 0}


def data(scope: Scope) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: label, T, accuracy, solved, and the same in each row of a (label, T) mean, mean_low,
    mean_high (95 % interval of the mean).
    """
    means = ["mean_accuracy", "mean_accuracy_low", "mean_accuracy_high"]
    rows = scope.done[["label", "study", "T", *means]]
    data = rows.merge(winner_seeds(scope.studies), on=["study", "T"])
    data = data.rename(columns=dict(zip(means, ("mean", "mean_low", "mean_high"), strict=True)))
    columns = ["label", "T", "accuracy", "solved", "mean", "mean_low", "mean_high"]
    return data.sort_values(["T", "label"], ignore_index=True)[columns]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw each seed as a dot, and each mean with its interval."""
    figure = plotting.new_figure(task)
    axes = figure.subplots()
    for label, rows in plotting.by_label(plotting.side_by_side(data, task), task):
        style = task.styles[label]
        axes.plot(rows["x"], rows["accuracy"], color=style.color, **DOT)
        means = rows.drop_duplicates("T")
        axes.errorbar(
            means["x"],
            means["mean"],
            yerr=plotting.error_bars(means, "mean"),
            capsize=3,
            **plotting.line(style),
        )
    length_axis(axes, task.lengths)
    accuracy_axis(axes)
    axes.set_ylabel("test accuracy (95 % interval of the mean)")
    dots = Line2D([], [], label="one seed", color=plotting.REFERENCE_COLOR, **DOT)
    plotting.heading(figure, task, "The winners again with fresh seeds", data, [dots])
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Count the seeds of each label that solved their T."""
    counts = data.groupby("label")["solved"].agg(["sum", "size"]).reset_index()
    parts = [f"{row['label']} {row['sum']} of {row['size']}" for row in records(counts)]
    return (
        "The best configuration of each model at each T, trained again with fresh seeds. Each dot "
        "is one seed. Markers show the mean over seeds with its 95 % interval, which is what to "
        f"expect of another training. Seeds that solved their T: {semicolon_list(parts)}."
    )


FIGURE = FigureSpec(
    "seeds_vs_T", "Test accuracy of fresh seeds against T", data, draw, caption,
    why_missing=lambda scope: "no winner was trained again: search with --confirm-seeds 5",
)  # fmt: skip
