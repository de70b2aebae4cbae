"""Renders all figures of a comparison, without any global state of matplotlib."""

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from analysis.figures.plotting import SETTINGS, TaskContext
from analysis.figures.registry import FIGURES
from analysis.figures.spec import Scope
from analysis.figures.styles import label_styles
from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE, short_state, task_chance, tasks
from analysis.tables.registry import NAME, make_tables

MOST_LABELS = 12


class RenderedFigure(NamedTuple):
    """A figure as the content of the files ``stem``.png and ``stem``.svg.

    Attributes:
        task: whose results it shows.
        stem: name of its files.
        shows: its title.
        png, svg: the files' content.
        caption: says what the figure shows, in a few sentences without markup.
    """

    task: str
    stem: str
    shows: str
    png: bytes
    svg: bytes
    caption: str


class MissingFigure(NamedTuple):
    """A figure that has nothing to show, and why."""

    task: str
    stem: str
    shows: str
    reason: str


def render_all(
    studies: Studies, tables: dict[str, pd.DataFrame]
) -> tuple[list[RenderedFigure], list[MissingFigure]]:
    """Render all figures of each task that has a result, and say which cannot be drawn and why.

    Args:
        tables: of :func:`analysis.tables.registry.make_tables`.

    Returns:
        The figures by task. File names end in the task's name if there are several tasks.
    """
    rendered: list[RenderedFigure] = []
    missing: list[MissingFigure] = []
    several = len(tasks(tables[NAME])) > 1
    for task, scope in task_scopes(studies, tables):
        # A study may call its task what it likes, also something with a slash.
        suffix = "_" + re.sub(r"\W", "_", task.name) if several else ""
        for spec in FIGURES:
            stem, title = f"{spec.name}{suffix}", f"{spec.title} ({task.name} task)"
            data = spec.data(scope)
            if data.empty:
                missing.append(MissingFigure(task.name, stem, title, spec.why_missing(scope)))
                continue
            with rc_context(SETTINGS):
                png, svg = _save(spec.draw(data, task))
            caption = " ".join(filter(None, (spec.caption(data), task.left_out)))
            rendered.append(RenderedFigure(task.name, stem, title, png, svg, caption))
    return rendered, missing


def task_scopes(
    studies: Studies, tables: dict[str, pd.DataFrame]
) -> Iterator[tuple[TaskContext, Scope]]:
    """What the figures of each task share, and what they may draw upon; tasks with a result only.

    Args:
        tables: of :func:`analysis.tables.registry.make_tables`.
    """
    comparison = tables[NAME]
    models = comparison["model"].dropna().unique()
    for name in tasks(comparison):
        rows = comparison[comparison["task"] == name]
        if not (rows["state"] == DONE).any():
            continue
        labels, left_out = shown_labels(rows)
        rows = rows[rows["label"].isin(labels)]
        task = TaskContext(
            name=name,
            lengths=sorted(int(T) for T in rows["T"].dropna().unique()),
            styles=label_styles(rows, models),
            note=" ".join(filter(None, (missing_note(rows), left_out))),
            left_out=left_out,
            chance=task_chance(rows),
        )
        shown = {table: _restricted(frame, name, labels) for table, frame in tables.items()}
        yield task, Scope(rows, shown, studies)


def render_figures(comparison: pd.DataFrame, studies: Studies) -> list[RenderedFigure]:
    """The figures of a comparison, of :func:`analysis.tables.comparison.compare_studies`, alone."""
    return render_all(studies, make_tables(studies, comparison))[0]


def shown_labels(rows: pd.DataFrame) -> tuple[list[str], str]:
    """The labels of one task that its figures show, and a sentence if there are others.

    All labels, unless they are more than a reader can tell apart: then those with the highest
    accuracy at the largest T.
    """
    labels = list(dict.fromkeys(rows["label"]))
    if len(labels) <= MOST_LABELS:
        return labels, ""
    at_largest = rows[rows["T"] == rows["T"].max()].sort_values("accuracy", ascending=False)
    best = list(dict.fromkeys([*at_largest["label"], *labels]))[:MOST_LABELS]
    return [label for label in labels if label in best], (
        f"Figures show the {MOST_LABELS} of {len(labels)} studies that are best at T = "
        f"{rows['T'].max()}; the tables have all."
    )


def missing_note(comparison: pd.DataFrame) -> str:
    """One sentence that names every (label, T) without a result; empty if there is none."""
    missing = comparison[comparison["state"] != DONE]
    states = missing.assign(state=missing["state"].map(short_state))
    parts = [
        f"{label} at T = {', '.join(str(T) for T in rows['T'])} ({state})"
        for (label, state), rows in states.groupby(["label", "state"])
    ]
    return f"No result: {'; '.join(parts)}" if parts else ""


def _restricted(table: pd.DataFrame, task: str, labels: list[str]) -> pd.DataFrame:
    """The rows of a table that are of a task and of no other than these labels."""
    kept = table["task"] == task
    for name in {"label", "better", "worse"} & set(table):
        kept &= table[name].isin(labels)
    return table[kept]


def _save(figure: Figure) -> tuple[bytes, bytes]:
    """The figure as PNG and SVG, without a date: equal data make an equal file."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png")
    with rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)  # keep the layout: another pass would draw all twice
    figure.savefig(svg, format="svg", metadata={"Date": None})
    return png.getvalue(), svg.getvalue()
