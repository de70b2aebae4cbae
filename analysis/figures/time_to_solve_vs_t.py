"""Figure time_to_solve_vs_T: the seconds and tokens that the best trials needed to solve T."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.cost_panels import cost_panels
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import million_tokens, semicolon_list
from analysis.tables.records import records
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
    panels = {"seconds": "seconds to solve T", "million_tokens": "million tokens to solve T"}
    figure, further = cost_panels(data, task, panels, task.lengths, "not solved (spent)")
    plotting.heading(figure, task, FIGURE.title, data, further)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Give the costs at the largest solved T, and count the trials that did not solve theirs."""
    solved = data[data["solved"]]
    if solved.empty:
        return "No best trial has solved its T; crosses show what each has spent."
    largest = solved["T"].max()
    parts = [
        f"{row['label']} {million_tokens(1e6 * row['million_tokens'])} in {row['seconds']:.0f} s"
        for row in records(solved[solved["T"] == largest])
    ]
    unsolved = len(data) - len(solved)
    have, their, they = ("has", "its", "it") if unsolved == 1 else ("have", "their", "they")
    crosses = (
        f" {unsolved} of {len(data)} best trials {have} not solved {their} T: crosses show what "
        f"{they} spent."
    )
    return (
        f"Seconds and tokens of training until T was solved: a validation accuracy of at least "
        f"{SOLVED_ACCURACY} at two evaluations in a row. The best trials at T = {largest}: "
        f"{semicolon_list(parts)}.{crosses * bool(unsolved)}"
    )


FIGURE = FigureSpec(
    "time_to_solve_vs_T", "What the best trial of each model needed to solve T", data, draw, caption
)
