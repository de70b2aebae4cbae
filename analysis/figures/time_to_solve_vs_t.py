"""Figure time_to_solve_vs_T: the seconds and tokens that the best trials needed to solve T."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import length_axis, log_y_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from studies.format import SOLVED_ACCURACY


def data(scope: Scope) -> pd.DataFrame:
    """One row a (label, T) that has a result.

    Columns: label, T, solved (bool), seconds, million_tokens. For a trial that has not solved T,
    seconds and tokens are what it has spent.
    """
    rows = scope.done
    solved = rows["tokens_to_solve"].notna()
    tokens = rows["tokens_to_solve"].where(solved, rows["tokens"])
    return pd.DataFrame(
        {
            "label": rows["label"],
            "T": rows["T"],
            "solved": solved,
            "seconds": rows["seconds_to_solve"].where(solved, rows["seconds"]),
            "million_tokens": tokens.astype("float64") / 1e6,
        }
    ).reset_index(drop=True)


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw seconds on the left and tokens on the right; crosses are trials without a solution."""
    figure = plotting.new_figure(task)
    panels = figure.subplots(1, 2)
    quantities = {"seconds": "seconds", "million_tokens": "million tokens"}
    for axes, (column, name) in zip(panels, quantities.items(), strict=True):
        for label, rows in plotting.by_label(plotting.side_by_side(data, task), task):
            style = task.styles[label]
            solved, spent = rows[rows["solved"]], rows[~rows["solved"]]
            axes.plot(solved["x"], solved[column], **plotting.line(style))
            axes.plot(spent["x"], spent[column], **plotting.cross(style.color))
        length_axis(axes, task.lengths, plotting.WIDTH / 2)
        log_y_axis(axes, f"{name} to solve T")
    further = []
    if not data["solved"].all():
        cross = plotting.cross(plotting.REFERENCE_COLOR)
        further = [Line2D([], [], label="not solved (spent)", **cross)]
    title = "What the best trial of each model needed to solve T"
    plotting.heading(figure, task, title, data, further)
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Name the fastest at the largest solved T, and count the trials that did not solve theirs."""
    solved = data[data["solved"]]
    if solved.empty:
        return "No best trial has solved its T; crosses show what each has spent."
    largest = solved["T"].max()
    first = solved[solved["T"] == largest].sort_values("seconds").iloc[0]
    unsolved = len(data) - len(solved)
    crosses = (
        f" {unsolved} of {len(data)} best trials have not solved their T: crosses show what they "
        "spent."
    )
    return (
        f"Seconds and tokens of training until T was solved: a validation accuracy of at least "
        f"{SOLVED_ACCURACY} at two evaluations in a row. The fastest at T = {largest} is "
        f"{first['label']}, in {first['seconds']:.0f} s and {first['million_tokens']:.3g} million "
        f"tokens.{crosses * bool(unsolved)}"
    )


FIGURE = FigureSpec("time_to_solve_vs_T", "Seconds and tokens to solve T", data, draw, caption)
