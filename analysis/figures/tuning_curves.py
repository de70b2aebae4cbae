"""Figure tuning_curves: the best accuracy to expect of a number of random trials."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, log_x_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.tables.records import records


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a T; a curve without a band is dotted."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, edge = plotting.length_panels(
        task, "random trials", "expected best accuracy", lengths
    )
    lowest = data[["best", "best_low"]].min().min()
    for T, axes in panels.items():
        for label, curve in plotting.by_label(data[data["T"] == T], task):
            color = task.styles[label].color
            axes.fill_between(
                curve["n"], curve["best_low"], curve["best_high"], color=color, alpha=0.15, lw=0
            )
            banded = curve["best_low"].notna().all()
            axes.plot(curve["n"], curve["best"], color=color, ls="-" if banded else ":")
            last = curve.iloc[[-1]]
            axes.plot(last["n"], last["best"], **plotting.line(task.styles[label]))
        accuracy_axis(axes, task.chance, lowest, T in edge)
        log_x_axis(axes)
    plotting.heading(figure, task, FIGURE.title, data)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Give the ends of the curves at the largest T."""
    ends = data[data["T"] == data["T"].max()].groupby("label").tail(1)
    parts = [f"{row['label']} {row['best']:.3f} after {row['n']}" for row in records(ends)]
    dotted = " Dotted curves have no band; tuning_samples.csv says why."
    return (
        "Best validation accuracy to expect of n trials sampled at random. Bands hold for all n at "
        f"once in at least 95 % of searches. At T = {data['T'].max()}: "
        f"{semicolon_list(parts)}.{dotted * bool(data['best_low'].isna().any())}"
    )


def why_missing(scope: Scope) -> str:
    """The most frequent reason in tuning_samples.csv."""
    remarks = scope.tables["tuning_samples"]["remark"].value_counts()
    return str(remarks.index[0]) if len(remarks) else "no trial has ended"


FIGURE = FigureSpec(
    "tuning_curves", "What more trials bring, with 95 % bands over searches",
    lambda scope: scope.tables["tuning_curves"], draw, caption, why_missing,
)  # fmt: skip
