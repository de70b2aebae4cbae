"""Figure importance: which hyperparameters go with good trials: exploratory."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec
from analysis.phrases import semicolon_list
from analysis.tables.importance import LEAST_TRIALS, SHUFFLES
from analysis.tables.records import records

TICK: dict[str, Any] = {
    "color": plotting.REFERENCE_COLOR, "linestyle": "", "marker": "|", "markersize": 9,
    "markeredgewidth": 2,
}  # fmt: skip


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw a group of bars a hyperparameter, and ticks for what chance reaches."""
    names = data.groupby("hyperparameter")["importance"].mean().sort_values(ascending=False).index
    labels = [label for label, _ in plotting.by_label(data, task)]
    height = 0.8 / len(labels)
    size = 0.22 * len(labels) * len(names) + 1.6
    figure = plotting.new_figure(task._replace(note=""), max(2.4, size))
    axes = figure.subplots()
    for offset, label in enumerate(labels):
        rows = data[data["label"] == label].set_index("hyperparameter").reindex(names)
        style = task.styles[label]
        positions = np.arange(len(names)) + (offset - (len(labels) - 1) / 2) * height
        axes.barh(
            positions,
            rows["importance"],
            height=height * 0.85,
            facecolor="white" if style.hollow else style.color,
            edgecolor=style.color,
            hatch="////" if style.hollow else "",
        )
        axes.plot(rows["noise"], positions, **TICK)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("importance for being among the best quarter (PED-ANOVA)")
    noise = Line2D([], [], label="reached by chance", **TICK)
    plotting.heading(figure, task, FIGURE.title, data, [noise])
    return figure


def caption(data: pd.DataFrame) -> str:
    """Name the most important hyperparameter of each label, if it is beyond chance."""
    target = " or ".join(sorted(set(data["target"]))).replace("_", " ")
    clear = data[data["importance"] > data["noise"]].sort_values("importance", ascending=False)
    first = clear.drop_duplicates("label")
    parts = [f"{row['label']}: {row['hyperparameter'].replace('_', ' ')}" for row in records(first)]
    found = f"The most important are {semicolon_list(parts)}" if parts else "None is beyond chance"
    return (
        "Exploratory: how much each hyperparameter goes with being in the best quarter by "
        f"{target} at a T. Only sampled trials count, those of all T together; where the sampler "
        f"learned from earlier trials, it biases them. {found}. Ticks: what the largest of all "
        f"importances of a search stays below in 95 % of {SHUFFLES} shuffles."
    )


FIGURE = FigureSpec(
    "importance", "What good trials share (exploratory)",
    lambda scope: scope.tables["importance"], draw, caption,
    why_missing=lambda scope: f"no study has {LEAST_TRIALS} sampled trials that have ended",
)  # fmt: skip
