"""Figure slots: how many trials of a study ran at once."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures import plotting
from analysis.figures.labels import shortened
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list
from analysis.reading.events import trial_spans
from analysis.tables.records import records
from studies.wording import counted

MOST_ROWS = 6
"""Labels that have a row."""


def data(scope: Scope) -> pd.DataFrame:
    """How many trials of a study had a slot, one row a change of that number.

    Columns: label, minutes (wall time of the study, summed over its runs), running. The last row
    of a label is the end of what is known, with the number that ran then.
    """
    labels = scope.rows[["study", "label"]].dropna().drop_duplicates()
    spans = trial_spans(scope.studies.events).merge(labels, on="study")
    ends = (("began", 1), ("ended", -1))
    changes = pd.concat(
        [
            pd.DataFrame({"label": spans["label"], "seconds": spans[end], "change": change})
            for end, change in ends
        ]
    )
    changes = changes.groupby(["label", "seconds"])["change"].sum().reset_index()
    changes["running"] = changes.groupby("label")["change"].cumsum()
    # A trial that ends with the record has not ended: it ran until then.
    last = ~changes.duplicated("label", keep="last")
    before = changes.groupby("label")["running"].shift(fill_value=0)
    changes.loc[last, "running"] = before[last]
    changes["minutes"] = changes["seconds"] / 60
    return changes[["label", "minutes", "running"]]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel a label."""
    labels = [label for label, _ in plotting.by_label(data, task)][:MOST_ROWS]
    figure = plotting.new_figure(task._replace(note=""), 0.8 * len(labels) + 1.4)
    panels = figure.subplots(len(labels), 1, sharex=True, squeeze=False).flat
    for axes, label in zip(panels, labels, strict=True):
        rows = data[data["label"] == label]
        color = task.styles[label].color
        axes.fill_between(
            rows["minutes"], rows["running"], step="post", color=color, lw=0,
            rasterized=len(rows) > plotting.MANY_MARKS,
        )  # fmt: skip
        axes.set_ylim(0, max(rows["running"].max(), 1) * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        axes.set_ylabel(shortened(label), rotation=0, ha="right", va="center")
        axes.set_xlim(0, data["minutes"].max() or 1)
    axes.set_xlabel("minutes of the study")
    plotting.heading(figure, task, FIGURE.title)
    return figure


def use(data: pd.DataFrame) -> pd.DataFrame:
    """How well the slots of each label were used, one row a label.

    Columns: label, slots (the most that ran at once), minutes, busy (share of slots x minutes in
    which a trial had the slot).
    """
    rows = []
    for label, of in data.groupby("label"):
        width = of["minutes"].diff().shift(-1).fillna(0)
        most, minutes = int(of["running"].max()), float(width.sum())
        busy = float((of["running"] * width).sum()) / (most * minutes) if most and minutes else 0.0
        rows.append((label, most, minutes, busy))
    return pd.DataFrame(rows, columns=["label", "slots", "minutes", "busy"])


def caption(data: pd.DataFrame) -> str:
    """Give the use of each study's slots."""
    parts = [
        f"{row['label']} {row['busy']:.0%} of {counted(row['slots'], 'slot')}"
        for row in records(use(data))
    ]
    count = data["label"].nunique()
    shown = f" Only the first {MOST_ROWS} of {count} are shown." * (count > MOST_ROWS)
    return (
        "Number of trials that had a slot, over the wall time of each study; final trainings and "
        f"confirmations count too. In use: {semicolon_list(parts)}.{shown}"
    )


FIGURE = FigureSpec(
    "slots", "Trials that ran at once", data, draw, caption,
    why_missing=lambda scope: "events.jsonl is missing or damaged",
)  # fmt: skip
