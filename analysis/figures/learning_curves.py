"""Figure learning_curves: the validation accuracy of the best trials during their training."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import log_x_axis, reference_line
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from studies.format import SOLVED_ACCURACY

CURRICULUM: dict[str, Any] = {"linewidth": 1, "linestyle": (0, (1, 1.5))}
"""The dotted line of the longest training length."""


def data(scope: Scope) -> pd.DataFrame:
    """Every evaluation of the best trials, in the order of training.

    Columns: label, T, million_tokens, validation_accuracy, curriculum (the longest training
    length by then, as a share of T).
    """
    keys = ["study", "T", "trial_id"]
    progress = scope.studies.progress
    curves = scope.done[["label", *keys]].merge(
        progress[[*keys, "tokens", "validation_accuracy", "max_length"]], on=keys
    )
    curves["million_tokens"] = curves["tokens"].astype("float64") / 1e6
    curves["curriculum"] = curves["max_length"].astype("float64") / curves["T"].astype("float64")
    columns = ["label", "T", "million_tokens", "validation_accuracy", "curriculum"]
    return curves.sort_values(["T", "million_tokens"], kind="stable", ignore_index=True)[columns]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a T that has a curve."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, edge = plotting.length_panels(
        task, "million tokens", "validation accuracy", lengths
    )
    for T, axes in panels.items():
        at_T = data[data["T"] == T]
        for label, curve in plotting.by_label(at_T, task):
            style = task.styles[label]
            axes.plot(curve["million_tokens"], curve["curriculum"], color=style.color, **CURRICULUM)
            axes.plot(
                curve["million_tokens"],
                curve["validation_accuracy"],
                # Enough markers to tell the lines apart without colour, and one at the end.
                markevery=[*range(0, len(curve), max(1, len(curve) // 4)), len(curve) - 1],
                **plotting.line(style) | {"linewidth": 1.3, "markersize": 5},
            )
        reference_line(axes, SOLVED_ACCURACY, f"solved\n{SOLVED_ACCURACY}" if T in edge else "")
        reference_line(axes, task.chance, f"chance\n{task.chance:.3g}" if T in edge else "")
        axes.set_ylim(0, 1.05)  # not stretched: the curriculum is a share of T
        log_x_axis(axes)  # a final training is ten times as long as the others
    further = []
    if data["curriculum"].notna().any():
        color = plotting.REFERENCE_COLOR
        further = [Line2D([], [], label="longest training length / T", color=color, **CURRICULUM)]
    plotting.heading(figure, task, FIGURE.title, data, further)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Explain the lines, and name the model that solved T at the shortest training length."""
    text = "Validation accuracy at T of the best trial of each model during its training."
    if data["curriculum"].notna().any():
        text += " Dotted: the longest training length that the curriculum allowed, as a share of T."
    late = data[(data["validation_accuracy"] >= SOLVED_ACCURACY) & (data["curriculum"] < 1)]
    if not late.empty:
        early = late.sort_values("curriculum").iloc[0]
        text += (
            f" Models generalize to longer inputs: {early['label']} reached {SOLVED_ACCURACY} at "
            f"T = {early['T']} while its longest training length was "
            f"{early['curriculum'] * early['T']:.0f}."
        )
    return text


FIGURE = FigureSpec(
    "learning_curves", "Validation accuracy of the best trials in training", data, draw, caption,
    why_missing=lambda scope: "progress.csv has no evaluation of a best trial",
)  # fmt: skip
