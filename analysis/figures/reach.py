"""Figure reach: what the whole search took at each T, up to the T that a model does not solve."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.cost_panels import cost_panels
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.tables.reach import frontiers
from analysis.tables.records import records
from studies.reach import Frontier, was_tried


def data(scope: Scope) -> pd.DataFrame:
    """One row a (label, T) that is solved, or was tried in vain.

    Columns: label, T, solved (bool), million_tokens and seconds of the whole search at T, those of
    the table reach that say how it ended: limit, best_trial, error; and solve_rate of fresh seeds.
    """
    rows = scope.tables["reach"]
    kept = [bool(row["solved"]) or was_tried(row) for row in records(rows)]
    rows = rows[pd.Series(kept, index=rows.index, dtype=bool)]
    rows = rows.merge(scope.rows[["label", "T", "solve_rate"]], on=["label", "T"], how="left")
    return pd.DataFrame(
        {
            "label": rows["label"],
            "T": rows["T"],
            "solved": rows["solved"] > 0,
            "million_tokens": rows["tokens"].astype("float64") / 1e6,
            "seconds": rows["seconds"],
            **{name: rows[name] for name in ("limit", "best_trial", "error", "solve_rate")},
        }
    ).reset_index(drop=True)


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw tokens on the left and seconds on the right; a cross is a T that was not solved."""
    panels = {
        "million_tokens": "million tokens of the search at T",
        "seconds": "seconds of the search at T",
    }
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, further = cost_panels(data, task, panels, lengths, "not solved")
    plotting.heading(figure, task, FIGURE.title, data, further)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Say of each model where it ends."""
    ends = semicolon_list([_end(label, of) for label, of in frontiers(data).items()])
    crosses = "; a cross is a T that was not solved" * (not data["solved"].all())
    return (
        "Tokens and wall time of the whole search at each T, all trials together. T doubles beyond "
        f"the list as long as a trial solves it{crosses}. {ends}."
    )


def _end(label: str, frontier: Frontier) -> str:
    if frontier.solved is None:
        return f"{label} solves no T"
    end = f"{label} solves T = {frontier.solved['T']}"
    if frontier.solved["solve_rate"] == 0:
        end += " (with no fresh seed)"
    if frontier.failed:
        return f"{end}, but not {frontier.failed['T']}"
    return f"{end}, and has failed at no larger one"


FIGURE = FigureSpec(
    "reach", "How far each model comes, and at what cost", data, draw, caption,
    lambda scope: "no study was searched with --reach",
)  # fmt: skip
