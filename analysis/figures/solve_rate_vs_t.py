"""Figure solve_rate_vs_T: how many fresh seeds of each model solve each T."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis.figures import plotting
from analysis.figures.axes import length_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope, unconfirmed
from analysis.phrases import semicolon_list, solve_rate
from analysis.tables.records import records


def data(scope: Scope) -> pd.DataFrame:
    """One row a (label, T) whose winner was trained again with fresh seeds.

    Columns: label, T, seeds, seeds_solved, solve_rate, solve_rate_low, solve_rate_high.
    """
    columns = [
        "label", "T", "seeds", "seeds_solved", "solve_rate", "solve_rate_low", "solve_rate_high",
    ]  # fmt: skip
    return scope.done.dropna(subset=["seeds"])[columns].reset_index(drop=True)


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one line a label, with error bars."""
    figure = plotting.new_figure(task)
    axes = figure.subplots()
    plotting.plot_with_intervals(axes, data, task, "solve_rate")
    length_axis(axes, task.lengths)
    axes.set_ylim(-0.04, 1.04)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("solve rate (exact 95 % interval)")
    plotting.heading(figure, task, FIGURE.title, data)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Give the solve rates at the largest T that has any."""
    largest = data["T"].max()
    best = data[data["T"] == largest]
    parts = [f"{row['label']} {solve_rate(row)}" for row in records(best)]
    return (
        "The best configuration of each model at each T, trained again with fresh seeds: how many "
        f"solve T. At T = {largest}: {semicolon_list(parts)}. The exact 95 % intervals "
        "(Clopper-Pearson) are over seeds of this configuration, not over searches."
    )


FIGURE = FigureSpec(
    "solve_rate_vs_T", "Share of fresh seeds that solve T", data, draw, caption, unconfirmed
)
