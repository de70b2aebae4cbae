"""Figure pairs_at_largest_T: the difference of every two models at the largest T."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.labels import wrapped
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.statistics import SIGNIFICANT
from analysis.tables.pairs import MOST_SHOWN, SEEDS
from analysis.tables.records import records

UNEQUAL_TRAINING = 1.5
"""The caption warns if one training had this many times the tokens of the other."""

BASES = {
    "payloads": "Single trained networks are compared over test payloads: another seed may order "
    "them differently.",
    "seeds": "Means over fresh seeds are compared.",
}


def data(scope: Scope) -> pd.DataFrame:
    """Every two labels at the largest T, the largest difference first.

    Compares seeds if this T has any, and payloads otherwise. Columns: those of pairs.csv.
    """
    pairs = scope.tables["pairs"]
    pairs = pairs[pairs["T"] == scope.rows["T"].max()]
    seeds = pairs[pairs["basis"] == SEEDS]
    chosen: pd.DataFrame = pairs if seeds.empty else seeds
    chosen = chosen.sort_values("difference", ascending=False, ignore_index=True)
    return chosen.head(MOST_SHOWN)


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
    label = "difference of test accuracies (95 % interval)\nfilled: p < 0.05 after Holm"
    axes.set_xlabel(label, loc="right")  # long names leave less room than the label is wide
    axes.grid(visible=False, axis="y")
    title = f"Every two models at T = {task.lengths[-1]}, over {data['basis'].iloc[0]}"
    plotting.heading(figure, task, title)
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Name the differences that are beyond chance, and say what was compared."""
    sure = data[data["p_holm"] < SIGNIFICANT]
    parts = [
        f"{row['better']} over {row['worse']} by {row['difference']:.4f}" for row in records(sure)
    ]
    found = f"beyond chance are {semicolon_list(parts)}"
    return (
        f"Differences of test accuracy at T = {task.lengths[-1]} with 95 % intervals. After Holm's "
        f"correction for {len(data)} comparison{'s' * (len(data) > 1)}, "
        f"{found if parts else 'no difference is beyond chance'}. "
        f"{BASES[data['basis'].iloc[0]]}{_unequal_training(data.iloc[0])}"
    )


def _unequal_training(pair: pd.Series) -> str:
    """A warning if the trainings of the first pair differ too much to compare."""
    better, worse = pair["better_tokens"], pair["worse_tokens"]
    if pd.isna(better) or pd.isna(worse):
        return ""
    if max(better, worse) <= UNEQUAL_TRAINING * min(better, worse):
        return ""
    return (
        f" Their trainings differ: {pair['better']} had {better / 1e6:.3g} million tokens, "
        f"{pair['worse']} {worse / 1e6:.3g}."
    )


FIGURE = FigureSpec(
    "pairs_at_largest_T", "Differences of the models at the largest T", data, draw, caption,
    why_missing=lambda scope: "fewer than two models have a result at the largest T",
)  # fmt: skip
