"""Figure solve_rate_pairs: the difference of the solve rates of every two models."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.labels import wrapped
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.statistics import SIGNIFICANT
from analysis.tables.pairs import MOST_SHOWN, SOLVE_RATE
from analysis.tables.records import records


def data(scope: Scope) -> pd.DataFrame:
    """The pairs of pairs.csv by their solve rates, the largest difference first.

    Columns: those of pairs.csv.
    """
    pairs = scope.tables["pairs"]
    pairs = pairs[pairs["outcome"] == SOLVE_RATE]
    return pairs.sort_values("difference", ascending=False, ignore_index=True, kind="stable").head(
        MOST_SHOWN
    )


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw each difference with its interval; filled markers are beyond chance."""
    names = [wrapped(f"{row['better']} - {row['worse']}", 40) for _, row in data.iterrows()]
    lines = max(len(name.splitlines()) for name in names)
    height = (0.12 + 0.17 * lines) * len(data) + 1.7
    figure = plotting.new_figure(task._replace(note=""), height)
    axes = figure.subplots()
    for position, (_, row) in enumerate(data.iterrows()):
        style = task.styles[row["better"]]
        low, high = row["difference_low"], row["difference_high"]
        axes.plot([low, high], [position] * 2, color=style.color, linewidth=1.6)
        sure = row["p_holm"] < SIGNIFICANT
        marker = plotting.line(style) | {"markerfacecolor": style.color if sure else "white"}
        axes.plot(row["difference"], position, **marker)
    axes.set_yticks(range(len(data)), names)
    axes.set_ylim(len(data) - 0.4, -0.6)
    axes.axvline(0, color=plotting.REFERENCE_COLOR, linewidth=1, linestyle=(0, (1, 2)))
    label = "difference of solve rates (95 % interval)\nfilled: p < 0.05 after Holm"
    axes.set_xlabel(label, loc="right")  # long names leave less room than the label is wide
    axes.grid(visible=False, axis="y")
    title = f"Solve rates of every two models at T = {data['T'].iloc[0]}"
    plotting.heading(figure, task, title)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Name the differences that are beyond chance, and what so many seeds could show at best."""
    sure = data[data["p_holm"] < SIGNIFICANT]
    parts = [
        f"{row['better']} over {row['worse']} by {row['difference']:.2f}" for row in records(sure)
    ]
    found = f"beyond chance are {semicolon_list(parts)}"
    nothing = "these seeds cannot tell any two apart"
    return (
        f"Differences of solve rates at T = {data['T'].iloc[0]} with 95 % intervals over fresh "
        f"seeds. After Holm's correction for everything that the report compares, "
        f"{found if parts else nothing}. The smallest p-value that so many seeds can reach is "
        f"{data['p_least'].min():.2g} before that correction."
    )


FIGURE = FigureSpec(
    "solve_rate_pairs", "Solve rates of every two models", data, draw, caption,
    why_missing=lambda scope: (
        "fewer than two models have fresh seeds at one T: search with --confirm-seeds 5"
    ),
)  # fmt: skip
