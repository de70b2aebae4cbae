"""Drawings of how the searches went: each draws what a function of numbers returns."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.figures import plotting
from analysis.figures.plotting import Page
from studies import format as files

MOST_ROWS = 6
"""Labels that a figure with a row for each of them shows; the captions say so."""

MANY_MARKS = 1000
"""From so many marks on they are pixels in an SVG file too, which would grow to megabytes."""

END_MARKERS = {files.COMPLETED: "o", files.STOPPED_EARLY: "x", files.FAILED: "v"}


def draw_tuning_curves(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.tables.tuning_curves.tuning_curves` returns, one panel a T."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, edge = plotting.length_panels(
        page, "random trials", "expected best accuracy", lengths
    )
    for T, axes in panels.items():
        for label, curve in plotting.by_label(data[data["T"] == T], page):
            color = page.styles[label].color
            axes.fill_between(
                curve["n"], curve["best_low"], curve["best_high"], color=color, alpha=0.15, lw=0
            )
            banded = curve["best_low"].notna().all()
            axes.plot(curve["n"], curve["best"], color=color, ls="-" if banded else ":")
            last = curve.iloc[[-1]]
            axes.plot(last["n"], last["best"], **plotting.line(page.styles[label]))
        plotting.accuracy_axis(axes, T in edge)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    title = "What more trials bring, with 95 % bands over searches"
    plotting.heading(figure, page, title, data)
    return figure


def draw_importance(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.tables.importance.hyperparameter_importance` returns."""
    names = data.groupby("hyperparameter")["importance"].mean().sort_values(ascending=False).index
    labels = [label for label, _ in plotting.by_label(data, page)]
    height = 0.8 / len(labels)
    size = 0.22 * len(labels) * len(names) + 1.6
    figure = plotting.new_figure(page._replace(note=""), max(2.4, size))
    axes = figure.subplots()
    for offset, label in enumerate(labels):
        rows = data[data["label"] == label].set_index("hyperparameter").reindex(names)
        style = page.styles[label]
        positions = np.arange(len(names)) + (offset - (len(labels) - 1) / 2) * height
        axes.barh(
            positions,
            rows["importance"],
            height=height * 0.85,
            facecolor="white" if style.hollow else style.color,
            edgecolor=style.color,
            hatch="////" if style.hollow else "",
        )
        axes.plot(rows["noise"], positions, **_tick())
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("importance for being among the best quarter (PED-ANOVA)")
    noise = Line2D([], [], label="reached by chance", **_tick())
    plotting.heading(figure, page, "What decided whether a trial was good", data, [noise])
    return figure


def _tick() -> dict[str, Any]:
    color = plotting.REFERENCE_COLOR
    return {"color": color, "linestyle": "", "marker": "|", "markersize": 9, "markeredgewidth": 2}


def draw_slices(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.figures.search_data.trials_data` returns."""
    labels = [label for label, _ in plotting.by_label(data, page)][:MOST_ROWS]
    lengths = sorted(int(T) for T in data["T"].unique())
    figure = plotting.new_figure(page._replace(note=""), 1.45 * len(labels) + 1.6)
    panels = figure.subplots(len(labels), len(lengths), sharex=True, sharey=True, squeeze=False)
    curricula = data["curriculum_length"].astype("float64").clip(lower=1)
    norm = LogNorm(curricula.min(), max(curricula.max(), curricula.min() * 1.01))
    sizes = sorted(int(size) for size in data["hidden_size"].dropna().unique())
    areas = dict(zip(sizes, np.linspace(14, 60, len(sizes)), strict=True))
    for row, label in zip(panels, labels, strict=True):
        for axes, T in zip(row, lengths, strict=True):
            of = data[(data["label"] == label) & (data["T"] == T)]
            axes.scatter(
                of["learning_rate"],
                of["validation_accuracy"],
                s=of["hidden_size"].map(areas).astype("float64"),
                c=of["curriculum_length"].astype("float64").clip(lower=1),
                norm=norm,
                cmap="viridis",
                alpha=0.8,
                linewidths=0,
                rasterized=len(data) > MANY_MARKS,
            )
            if of.empty:
                axes.text(0.5, 0.5, "no trial", transform=axes.transAxes, ha="center", fontsize=9)
            _rate_axis(axes, data["learning_rate"])
            axes.set_ylim(0, 1.05)
            if axes.get_subplotspec().is_first_row():
                axes.set_title(f"T = {T}")
        row[0].set_ylabel(plotting.shortened(label))
    colors = ScalarMappable(norm, "viridis")
    bar = figure.colorbar(colors, ax=panels, label="curriculum length (steps)", shrink=0.8)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps:,g}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    figure.supxlabel("learning rate", fontsize=plotting.TEXT_SIZE)
    figure.supylabel("best validation accuracy", fontsize=plotting.TEXT_SIZE)
    handles = [
        Line2D(
            [], [], label=f"{size} units", marker="o", linestyle="", color=plotting.REFERENCE_COLOR,
            markersize=area**0.5, markeredgewidth=0,
        )
        for size, area in list(areas.items())[:6]
    ]  # fmt: skip
    plotting.heading(figure, page, "Learning rate against accuracy", None, handles)
    return figure


def _rate_axis(axes: Axes, rates: pd.Series) -> None:
    axes.set_xscale("log")
    axes.set_xlim(rates.min() / 1.3, rates.max() * 1.3)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=8, labelrotation=45)


def draw_stops(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.figures.search_data.trials_data` returns."""
    lengths = sorted(int(T) for T in data["T"].unique())
    figure, panels, _ = plotting.length_panels(
        page._replace(note=""), "million tokens at its end", "ladder accuracy", lengths
    )
    labels = [label for label, _ in plotting.by_label(data, page)]
    step = data["million_tokens"].max() / 80 / len(labels)  # side by side where they end at once
    for T, axes in panels.items():
        for label, rows in plotting.by_label(data[data["T"] == T], page):
            color = page.styles[label].color
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
    found = [status for status in END_MARKERS if (data["status"] == status).any()]
    handles = [
        Line2D(
            [], [], color=plotting.REFERENCE_COLOR, marker=END_MARKERS[status], linestyle="",
            markerfacecolor="none", label=status.replace("_", " "),
        )
        for status in found
    ]  # fmt: skip
    handles = [
        *(Line2D([], [], color=page.styles[label].color, label=label) for label in labels),
        *handles,
    ]
    plotting.heading(figure, page, "Where each trial of the searches ended", None, handles)
    return figure


def draw_slots(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.figures.search_data.slots_data` returns."""
    labels = [label for label, _ in plotting.by_label(data, page)][:MOST_ROWS]
    figure = plotting.new_figure(page._replace(note=""), 0.8 * len(labels) + 1.4)
    panels = figure.subplots(len(labels), 1, sharex=True, squeeze=False).flat
    for axes, label in zip(panels, labels, strict=True):
        rows = data[data["label"] == label]
        color = page.styles[label].color
        axes.fill_between(rows["minutes"], rows["running"], step="post", color=color, lw=0)
        axes.set_ylim(0, rows["running"].max() * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        axes.set_ylabel(plotting.shortened(label), rotation=0, ha="right", va="center")
        axes.set_xlim(0, data["minutes"].max())
    axes.set_xlabel("minutes of the study")
    plotting.heading(figure, page, "Trials that ran at once")
    return figure
