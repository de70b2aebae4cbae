"""Figure accuracy_at_largest_T: all models at the largest T, the best one first."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.axes import horizontal_accuracy_axis
from analysis.figures.labels import wrapped
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.tables.comparison import short_state


def data(scope: Scope) -> pd.DataFrame:
    """Test accuracy of every label at the largest T of the task, best first.

    Columns: label, T, accuracy, accuracy_low, accuracy_high, state. A label without a result
    there comes last, with its state; "not searched" if T is not in its configuration.
    """
    rows, largest = scope.rows, scope.rows["T"].max()
    at_largest = rows[rows["T"] == largest]
    rows = rows[["label"]].drop_duplicates().merge(at_largest, on="label", how="left")
    rows["T"] = rows["T"].fillna(largest)
    rows["state"] = rows["state"].fillna("not searched").map(short_state)
    columns = ["label", "T", "accuracy", "accuracy_low", "accuracy_high", "state"]
    by = ["accuracy", "label"]
    return rows.sort_values(by, ascending=[False, True], ignore_index=True)[columns]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one line of the figure a label, with its accuracy at the right."""
    # Needs no note: the reason stands where a result is missing.
    figure = plotting.new_figure(task._replace(note=""), 0.45 * len(data) + 1.5)
    axes = figure.subplots()
    for position, (_, row) in enumerate(data.iterrows()):
        style = task.styles[row["label"]]
        if pd.isna(row["accuracy"]):
            axes.text(0.5, position, row["state"], va="center", color=plotting.REFERENCE_COLOR)
            continue
        axes.errorbar(
            row["accuracy"],
            position,
            xerr=plotting.error_bars(data.iloc[[position]]),
            capsize=4,
            **plotting.line(style),
        )
        right_of = axes.get_yaxis_transform()
        axes.text(1.01, position, f"{row['accuracy']:.4f}", transform=right_of, va="center")
    horizontal_accuracy_axis(axes)
    axes.set_yticks(range(len(data)), [wrapped(label, 26) for label in data["label"]])
    axes.set(ylim=(len(data) - 0.4, -0.6), xlabel="test accuracy (95 % interval)")
    title = f"Share of the payload recalled at T = {task.lengths[-1]}"
    plotting.heading(figure, task, title)
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Say whether the intervals of the best two overlap."""
    found = data.dropna(subset=["accuracy"])
    text = f"Test accuracy at T = {task.lengths[-1]}, best first"
    if found.empty:
        return f"{text}; no model has a result there."
    if len(found) == 1:
        return f"{text}; only {found['label'].iloc[0]} has a result there."
    best, second = found.iloc[0], found.iloc[1]
    overlap = second["accuracy_high"] >= best["accuracy_low"]
    said = "overlap: test payloads do not tell the two apart" if overlap else "do not overlap"
    return (
        f"{text}, with 95 % intervals over test payloads. The intervals of {best['label']} and "
        f"{second['label']} {said}."
    )


FIGURE = FigureSpec("accuracy_at_largest_T", "Test accuracy at the largest T", data, draw, caption)
