"""Figure accuracy_vs_T: the test accuracy of the best trial of each model at each T."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, length_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.tables.records import records


def data(scope: Scope) -> pd.DataFrame:
    """One row a (label, T) that has a result.

    Columns: label, T, accuracy, accuracy_low, accuracy_high (95 % interval).
    """
    columns = ["label", "T", "accuracy", "accuracy_low", "accuracy_high"]
    return scope.done[columns].reset_index(drop=True)


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one line a label, with error bars."""
    figure = plotting.new_figure(task)
    axes = figure.subplots()
    plotting.plot_with_intervals(axes, data, task, "accuracy")
    length_axis(axes, task.lengths)
    accuracy_axis(axes, task.chance, data["accuracy_low"].min())
    axes.set_ylabel("test accuracy (95 % interval)")
    plotting.heading(figure, task, FIGURE.title, data)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Give the accuracies at the largest T that has a result."""
    largest = data["T"].max()
    best = data[data["T"] == largest]
    parts = [
        f"{row['label']} {row['accuracy']:.4f} "
        f"({row['accuracy_low']:.4f} to {row['accuracy_high']:.4f})"
        for row in records(best)
    ]
    return (
        "Share of payload symbols that the best trial of each model recalls on test data. At "
        f"T = {largest}: {semicolon_list(parts)}. The 95 % intervals are over test payloads, "
        "not over seeds. The axis is stretched towards 1."
    )


FIGURE = FigureSpec("accuracy_vs_T", "Share of the payload recalled at each T", data, draw, caption)
