"""Figure stops: where each trial ended, and which of them were stopped early."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.axes import log_x_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import million_tokens
from studies import format as files
from studies.wording import counted

END_MARKERS = {
    files.COMPLETED: "o", files.STOPPED_EARLY: "x", files.FAILED: "v", files.INTERRUPTED: "s",
}  # fmt: skip

ASIDE = 1.02
"""Marks of two labels that end at once stand beside each other, by this factor."""


def data(scope: Scope) -> pd.DataFrame:
    """One row a trial of a search that was evaluated.

    Columns: label, T, status, and of its last evaluation million_tokens and ladder_accuracy.
    """
    keys = ["study", "T", "trial_id"]
    trials = scope.studies.trials
    trials = trials[trials["stage"] == files.SEARCH][[*keys, "status"]]
    progress = scope.studies.progress[[*keys, "tokens", "ladder_accuracy"]].dropna()
    last = progress.sort_values("tokens").drop_duplicates(keys, keep="last")
    labels = scope.rows[["study", "label", "T"]].dropna()
    trials = labels.merge(trials, on=["study", "T"]).merge(last, on=keys)
    trials["million_tokens"] = trials["tokens"].astype("float64") / 1e6
    return trials[["label", "T", "status", "million_tokens", "ladder_accuracy"]]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a T: one mark a trial, whose shape says how it ended."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, _ = plotting.length_panels(
        task._replace(note=""), "million tokens at its end", "last ladder accuracy", lengths
    )
    labels = [label for label, _ in plotting.by_label(data, task)]
    for T, axes in panels.items():
        for label, rows in plotting.by_label(data[data["T"] == T], task):
            color = task.styles[label].color
            aside = ASIDE ** (labels.index(label) - (len(labels) - 1) / 2)
            for status, marker in END_MARKERS.items():
                ended = rows[rows["status"] == status]
                axes.scatter(
                    ended["million_tokens"] * aside,
                    ended["ladder_accuracy"],
                    s=26,
                    marker=marker,
                    facecolors=color if marker == "x" else "none",
                    edgecolors=None if marker == "x" else color,
                    linewidths=1.3,
                    rasterized=len(data) > plotting.MANY_MARKS,
                )
        # The upper half at least: trials that all end alike would have an axis of thousandths.
        axes.set_ylim(max(0.0, min(0.45, data["ladder_accuracy"].min() - 0.05)), 1.05)
        log_x_axis(axes)
    colors = [Line2D([], [], color=task.styles[label].color, label=label) for label in labels]
    shapes = [
        Line2D(
            [], [], color=plotting.REFERENCE_COLOR, marker=marker, linestyle="",
            markerfacecolor="none", label=status.replace("_", " "),
        )
        for status, marker in END_MARKERS.items()
        if (data["status"] == status).any()
    ]  # fmt: skip
    plotting.heading(figure, task, FIGURE.title, None, [*colors, *shapes])
    return figure


def caption(data: pd.DataFrame) -> str:
    """Count the trials that were stopped early, and the tokens that they took."""
    stopped = data[data["status"] == files.STOPPED_EARLY]
    text = "Each mark is a trial of a search at its last evaluation."
    if stopped.empty:
        return f"{text} None of {counted(len(data), 'trial')} was stopped early."
    share = stopped["million_tokens"].sum() / data["million_tokens"].sum()
    half = million_tokens(1e6 * float(stopped["million_tokens"].median()))
    of = f"of {counted(len(data), 'trial')}"
    if len(stopped) == 1:
        return f"{text} 1 {of} was stopped early, within {half}; it took {share:.0%} of all tokens."
    return (
        f"{text} {len(stopped)} {of} were stopped early, half of them within {half}; they took "
        f"{share:.0%} of all tokens."
    )


FIGURE = FigureSpec("stops", "Where each trial of the searches ended", data, draw, caption)
