"""Figure best_so_far_vs_tokens: how soon each search found what it found."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, log_x_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec
from analysis.phrases import million_tokens, semicolon_list
from analysis.tables.records import records


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a T: a line a label, with a marker where the first trial has solved T."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, edge = plotting.length_panels(
        task, "million tokens of all trials", "best validation accuracy", lengths
    )
    for T, axes in panels.items():
        for label, found in plotting.by_label(data[data["T"] == T], task):
            line = plotting.line(task.styles[label])
            tokens = found["tokens"].astype("float64") / 1e6
            axes.step(tokens, found["best"], where="post", **line | {"marker": ""})
            solved = found[found["solved"]].head(1)
            axes.plot(solved["tokens"] / 1e6, solved["best"], **line | {"linestyle": ""})
        accuracy_axis(axes, task.chance, data["best"].min(), T in edge)
        log_x_axis(axes)
    mark = Line2D([], [], label="first trial has solved T", color=plotting.REFERENCE_COLOR,
                  linestyle="", marker="o")  # fmt: skip
    plotting.heading(figure, task, FIGURE.title, data, [mark] * bool(data["solved"].any()))
    return figure


def caption(data: pd.DataFrame) -> str:
    """Give the tokens until T was first solved, at the largest T that any search solved."""
    text = (
        "Best validation accuracy of each search so far, against the tokens of all its trials at "
        "that T together, of stopped and failed ones too. One search each: another may find it "
        "sooner or later."
    )
    solved = data[data["solved"]]
    if solved.empty:
        return f"{text} No search has solved its T."
    largest = solved["T"].max()
    first = solved[solved["T"] == largest].drop_duplicates("label")
    parts = [f"{row['label']} {million_tokens(row['tokens'])}" for row in records(first)]
    return f"{text} Until a trial had solved T = {largest}: {semicolon_list(parts)}."


FIGURE = FigureSpec(
    "best_so_far_vs_tokens", "Best validation accuracy so far",
    lambda scope: scope.tables["best_so_far"], draw, caption,
    why_missing=lambda scope: "events.jsonl or progress.csv is missing or damaged",
)  # fmt: skip
