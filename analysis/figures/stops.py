"""Figure stops: where each trial ended, and which of them were stopped early."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.plotting import TaskContext
from analysis.figures.search_trials import MANY_MARKS, search_trials
from analysis.figures.spec import FigureSpec
from studies import format as files

END_MARKERS = {files.COMPLETED: "o", files.STOPPED_EARLY: "x", files.FAILED: "v"}


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a T: one mark a trial, whose shape says how it ended."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, _ = plotting.length_panels(
        task._replace(note=""), "million tokens at its end", "ladder accuracy", lengths
    )
    labels = [label for label, _ in plotting.by_label(data, task)]
    step = data["million_tokens"].max() / 80 / len(labels)  # side by side where they end at once
    for T, axes in panels.items():
        for label, rows in plotting.by_label(data[data["T"] == T], task):
            color = task.styles[label].color
            aside = step * (labels.index(label) - (len(labels) - 1) / 2)
            for status, marker in END_MARKERS.items():
                ended = rows[rows["status"] == status]
                axes.scatter(
                    ended["million_tokens"] + aside,
                    ended["ladder_accuracy"],
                    s=26,
                    marker=marker,
                    facecolors=color if marker == "x" else "none",
                    edgecolors=None if marker == "x" else color,
                    linewidths=1.3,
                    rasterized=len(data) > MANY_MARKS,
                )
        axes.set_ylim(0, 1.05)
        ends = data.loc[data["T"] == T, "million_tokens"]
        axes.set_xlim(0, ends.max() * 1.06)
    colors = [Line2D([], [], color=task.styles[label].color, label=label) for label in labels]
    shapes = [
        Line2D(
            [], [], color=plotting.REFERENCE_COLOR, marker=marker, linestyle="",
            markerfacecolor="none", label=status.replace("_", " "),
        )
        for status, marker in END_MARKERS.items()
        if (data["status"] == status).any()
    ]  # fmt: skip
    title = "Where each trial of the searches ended"
    plotting.heading(figure, task, title, None, [*colors, *shapes])
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Count the trials that were stopped early, and the tokens that they took."""
    stopped = data[data["status"] == files.STOPPED_EARLY]
    text = "Each mark is a trial of a search at its last evaluation."
    if stopped.empty:
        return f"{text} None of {len(data)} trials was stopped early."
    share = stopped["million_tokens"].sum() / data["million_tokens"].sum()
    return (
        f"{text} {len(stopped)} of {len(data)} trials were stopped early, half of them by "
        f"iteration {stopped['iterations'].median():.0f}; they took {share:.0%} of all tokens."
    )


FIGURE = FigureSpec("stops", "Which trials were stopped, and when", search_trials, draw, caption)
