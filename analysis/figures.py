"""Figures of a comparison, drawn without any global state of matplotlib."""

import io
import re
import textwrap
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import plotting
from analysis.figure_data import (
    accuracy_data,
    largest_length_data,
    learning_curves_data,
    missing_note,
    time_to_solve_data,
)
from analysis.plotting import Page
from analysis.styles import label_styles
from analysis.tables import DONE, tasks

CHANCE = 0.1  # 1 / number of payload symbols
SOLVED = 0.99


class RenderedFigure(NamedTuple):
    """A figure as the content of the files ``stem``.png and ``stem``.svg."""

    task: str
    stem: str
    shows: str
    png: bytes
    svg: bytes


def draw_accuracy(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`accuracy_data` returns."""
    figure = plotting.new_figure(page)
    axes = figure.subplots()
    for label, rows in plotting.by_label(plotting.side_by_side(data, page), page):
        axes.errorbar(
            rows["x"],
            rows["accuracy"],
            yerr=_distances(rows),
            capsize=3,
            **plotting.line(page.styles[label]),
        )
    plotting.length_axis(axes, page.lengths)
    axes.set(ylim=(0, 1.05), ylabel="test accuracy (95 % interval)")
    plotting.reference(axes, CHANCE, "chance\n0.1")
    plotting.heading(figure, page, "Share of the message recalled at each T", data)
    return figure


def draw_time_to_solve(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`time_to_solve_data` returns: seconds left, tokens right."""
    figure = plotting.new_figure(page)
    panels = figure.subplots(1, 2)
    quantities = {"seconds": "seconds", "million_tokens": "million tokens"}
    for axes, (column, name) in zip(panels, quantities.items(), strict=True):
        for label, rows in plotting.by_label(plotting.side_by_side(data, page), page):
            style = page.styles[label]
            solved, spent = rows[rows["solved"]], rows[~rows["solved"]]
            axes.plot(solved["x"], solved[column], **plotting.line(style))
            axes.plot(spent["x"], spent[column], **plotting.cross(style.color))
        plotting.length_axis(axes, page.lengths, plotting.WIDTH / 2)
        plotting.positive_axis(axes, f"{name} to solve T")
    further = []
    if not data["solved"].all():
        cross = plotting.cross(plotting.REFERENCE_COLOR)
        further = [Line2D([], [], label="not solved (spent)", **cross)]
    title = "What the best trial of each model needed to solve T"
    plotting.heading(figure, page, title, data, further)
    return figure


def draw_learning_curves(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`learning_curves_data` returns, one panel a T."""
    columns = min(len(page.lengths), 2 if len(page.lengths) <= 4 else 3)
    rows = -(-len(page.lengths) // columns)
    figure = plotting.new_figure(page, 2.1 * rows + 1.2)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for index, axes in enumerate(panels):
        if index >= len(page.lengths):
            axes.set_axis_off()
            continue
        at_T = data[data["T"] == page.lengths[index]]
        for label, curve in plotting.by_label(at_T, page):
            axes.plot(
                curve["million_tokens"],
                curve["validation_accuracy"],
                # Enough markers to tell the lines apart without colour, and one at the end.
                markevery=[*range(0, len(curve), max(1, len(curve) // 4)), len(curve) - 1],
                **plotting.line(page.styles[label]) | {"linewidth": 1.3, "markersize": 5},
            )
        if at_T.empty:
            axes.text(0.5, 0.55, "no curve", transform=axes.transAxes, ha="center")
        last = index % columns == columns - 1
        plotting.reference(axes, SOLVED, "solved\n0.99" if last else "")
        plotting.reference(axes, CHANCE, "chance\n0.1" if last else "")
        axes.set(title=f"T = {page.lengths[index]}", ylim=(0, 1.05))
        axes.set_xlim(left=0)
        if index + columns >= len(page.lengths):
            axes.set_xlabel("million tokens")
    figure.supylabel("validation accuracy", fontsize=plotting.TEXT_SIZE)
    plotting.heading(figure, page, "Validation accuracy of the best trials in training", data)
    return figure


def draw_largest_length(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`largest_length_data` returns."""
    # Needs no note: what has no result here stands beside its label.
    figure = plotting.new_figure(page._replace(note=""), 0.45 * len(data) + 1.5)
    axes = figure.subplots()
    for position, (_, row) in enumerate(data.iterrows()):
        style = page.styles[row["label"]]
        if pd.isna(row["accuracy"]):
            gap = CHANCE + 0.02
            axes.text(gap, position, row["state"], va="center", color=plotting.REFERENCE_COLOR)
            continue
        axes.barh(
            position,
            row["accuracy"],
            height=0.6,
            facecolor="white" if style.hollow else style.color,
            edgecolor=style.color,
            linewidth=1.5,
            hatch="////" if style.hollow else "",
            xerr=_distances(data.iloc[[position]]),
            error_kw={"capsize": 4, "elinewidth": 1.5},
        )
        axes.text(1.03, position, f"{row['accuracy']:.4f}", va="center")
    axes.set_yticks(range(len(data)), [textwrap.fill(label, 26) for label in data["label"]])
    axes.set(xlim=(0, 1.02), ylim=(len(data) - 0.4, -0.6), xlabel="test accuracy (95 % interval)")
    axes.grid(visible=False, axis="y")
    axes.axvline(CHANCE, color=plotting.REFERENCE_COLOR, linewidth=1, linestyle=(0, (1, 2)))
    axes.text(
        CHANCE,
        1.0,
        "chance 0.1",
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="bottom",
        fontsize=10,
        color=plotting.REFERENCE_COLOR,
    )
    title = f"Share of the message recalled at T = {page.lengths[-1]}"
    plotting.heading(figure, page, title)
    return figure


def _distances(rows: pd.DataFrame) -> list[list[float]]:
    """From the accuracy down and up to the ends of its interval."""
    down = rows["accuracy"] - rows["accuracy_low"]
    up = rows["accuracy_high"] - rows["accuracy"]
    return [down.clip(lower=0).tolist(), up.clip(lower=0).tolist()]


class _Kind(NamedTuple):
    shows: str
    draw: Callable[[pd.DataFrame, pd.DataFrame, Page], Figure]


FIGURES = {
    "accuracy_vs_T": _Kind(
        "Test accuracy against T",
        lambda rows, _, page: draw_accuracy(accuracy_data(rows), page),
    ),
    "time_to_solve_vs_T": _Kind(
        "Seconds and tokens to solve T",
        lambda rows, _, page: draw_time_to_solve(time_to_solve_data(rows), page),
    ),
    "learning_curves": _Kind(
        "Validation accuracy against tokens",
        lambda rows, progress, page: draw_learning_curves(
            learning_curves_data(rows, progress), page
        ),
    ),
    "accuracy_at_largest_T": _Kind(
        "Test accuracy at the largest T",
        lambda rows, _, page: draw_largest_length(largest_length_data(rows), page),
    ),
}
"""File name without suffix -> figure."""


def render_figures(comparison: pd.DataFrame, progress: pd.DataFrame) -> list[RenderedFigure]:
    """Draw all figures of each task that has a result.

    Args:
        comparison: of :func:`analysis.tables.compare_studies`.
        progress: of :class:`analysis.study_data.Studies`.

    Returns:
        The figures by task. File names end in the task's name if there are several tasks.
    """
    rendered = []
    models = comparison["model"].dropna().unique()
    found = tasks(comparison)
    for task in found:
        rows = comparison[comparison["task"] == task]
        if not (rows["state"] == DONE).any():
            continue
        page = Page(
            task=task,
            lengths=sorted(int(T) for T in rows["T"].dropna().unique()),
            styles=label_styles(rows, models),
            note=missing_note(rows),
        )
        # A study may call its task what it likes, also something with a slash.
        in_file_name = re.sub(r"\W", "_", task)
        for name, kind in FIGURES.items():
            with rc_context(plotting.SETTINGS):
                figure = kind.draw(rows, progress, page)
                rendered.append(
                    RenderedFigure(
                        task=task,
                        stem=name if len(found) == 1 else f"{name}_{in_file_name}",
                        shows=f"{kind.shows} ({task} task)",
                        png=_save(figure, "png"),
                        svg=_save(figure, "svg"),
                    )
                )
    return rendered


def _save(figure: Figure, suffix: str) -> bytes:
    content = io.BytesIO()
    # Without a date: equal data make an equal file.
    metadata = {"Date": None} if suffix == "svg" else {}
    figure.savefig(content, format=suffix, metadata=metadata)
    return content.getvalue()
