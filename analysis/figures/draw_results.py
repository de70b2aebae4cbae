"""Drawings of what the best trials reached: each draws what a function of numbers returns."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures import plotting
from analysis.figures.labels import wrapped
from analysis.figures.plotting import SOLVED, Page
from studies.seed_statistics import CHANCE


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
    plotting.accuracy_axis(axes)
    axes.set_ylabel("test accuracy (95 % interval)")
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
    figure, panels, edge = plotting.length_panels(page, "million tokens", "validation accuracy")
    for T, axes in panels.items():
        at_T = data[data["T"] == T]
        for label, curve in plotting.by_label(at_T, page):
            style = page.styles[label]
            axes.plot(
                curve["million_tokens"],
                curve["curriculum"],
                color=style.color,
                linewidth=1,
                linestyle=(0, (1, 1.5)),
            )
            axes.plot(
                curve["million_tokens"],
                curve["validation_accuracy"],
                # Enough markers to tell the lines apart without colour, and one at the end.
                markevery=[*range(0, len(curve), max(1, len(curve) // 4)), len(curve) - 1],
                **plotting.line(style) | {"linewidth": 1.3, "markersize": 5},
            )
        if at_T.empty:
            axes.text(0.5, 0.55, "no curve", transform=axes.transAxes, ha="center")
        plotting.reference(axes, SOLVED, "solved\n0.99" if T in edge else "")
        plotting.reference(axes, CHANCE, "chance\n0.1" if T in edge else "")
        axes.set_ylim(0, 1.05)  # not stretched: the curriculum is a share of T
        plotting.token_axis(axes)
    further = []
    if data["curriculum"].notna().any():
        further = [
            Line2D(
                [],
                [],
                label="longest training length / T",
                color=plotting.REFERENCE_COLOR,
                linewidth=1,
                linestyle=(0, (1, 1.5)),
            )
        ]
    title = "Validation accuracy of the best trials in training"
    plotting.heading(figure, page, title, data, further)
    return figure


def draw_largest_length(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`largest_length_data` returns."""
    # Needs no note: what has no result here stands beside its label.
    figure = plotting.new_figure(page._replace(note=""), 0.45 * len(data) + 1.5)
    axes = figure.subplots()
    for position, (_, row) in enumerate(data.iterrows()):
        style = page.styles[row["label"]]
        if pd.isna(row["accuracy"]):
            axes.text(0.5, position, row["state"], va="center", color=plotting.REFERENCE_COLOR)
            continue
        axes.errorbar(
            row["accuracy"],
            position,
            xerr=_distances(data.iloc[[position]]),
            capsize=4,
            **plotting.line(style),
        )
        right_of = axes.get_yaxis_transform()
        axes.text(1.01, position, f"{row['accuracy']:.4f}", transform=right_of, va="center")
    plotting.horizontal_accuracy_axis(axes)
    axes.set_yticks(range(len(data)), [wrapped(label, 26) for label in data["label"]])
    axes.set(ylim=(len(data) - 0.4, -0.6), xlabel="test accuracy (95 % interval)")
    title = f"Share of the message recalled at T = {page.lengths[-1]}"
    plotting.heading(figure, page, title)
    return figure


def draw_seeds(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`seeds_data` returns: each seed, and the mean with its interval."""
    figure = plotting.new_figure(page)
    axes = figure.subplots()
    for label, rows in plotting.by_label(plotting.side_by_side(data, page), page):
        style = page.styles[label]
        axes.plot(rows["x"], rows["accuracy"], **_dots(style.color))
        means = rows.drop_duplicates("T")
        axes.errorbar(
            means["x"],
            means["mean"],
            yerr=_distances(means, "mean", "mean_low", "mean_high"),
            capsize=3,
            **plotting.line(style),
        )
    plotting.length_axis(axes, page.lengths)
    plotting.accuracy_axis(axes)
    axes.set_ylabel("test accuracy (95 % interval of the mean)")
    dots = Line2D([], [], label="one seed", **_dots(plotting.REFERENCE_COLOR))
    plotting.heading(figure, page, "The winners again with fresh seeds", data, [dots])
    return figure


def draw_equal_cost(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`analysis.tables.equal_cost.equal_cost` returns: accuracies at equal cost."""
    figure = plotting.new_figure(page)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, unit in zip(panels, ("tokens", "seconds", "parameters"), strict=True):
        for label, rows in plotting.by_label(plotting.side_by_side(data, page), page):
            accuracy = rows[f"accuracy_at_equal_{unit}"]
            axes.plot(rows["x"], accuracy, **plotting.line(page.styles[label]))
        plotting.length_axis(axes, page.lengths, plotting.WIDTH / 3)
        axes.set_title(f"equal {unit}")
        plotting.accuracy_axis(axes, unit == "parameters")
    panels[0].set_ylabel("validation accuracy")
    plotting.heading(figure, page, "Best validation accuracy at equal cost", data)
    return figure


def draw_pairs(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`largest_pairs_data` returns: each difference with its interval."""
    names = [wrapped(f"{row['better']} - {row['worse']}", 40) for _, row in data.iterrows()]
    lines = max(len(name.splitlines()) for name in names)
    figure = plotting.new_figure(page._replace(note=""), (0.12 + 0.17 * lines) * len(data) + 1.7)
    axes = figure.subplots()
    for position, (_, row) in enumerate(data.iterrows()):
        style = page.styles[row["better"]]
        low, high = row["difference_low"], row["difference_high"]
        axes.plot([low, high], [position] * 2, color=style.color, linewidth=1.6)
        sure = row["p_holm"] < 0.05
        marker = plotting.line(style) | {"markerfacecolor": style.color if sure else "white"}
        axes.plot(row["difference"], position, **marker)
    axes.set_yticks(range(len(data)), names)
    axes.set_ylim(len(data) - 0.4, -0.6)
    axes.axvline(0, color=plotting.REFERENCE_COLOR, linewidth=1, linestyle=(0, (1, 2)))
    label = "difference of test accuracies (95 % interval)\nfilled: p < 0.05 after Holm"
    axes.set_xlabel(label, loc="right")  # long names leave less room than the label is wide
    axes.grid(visible=False, axis="y")
    title = f"Every two models at T = {page.lengths[-1]}, over {data['basis'].iloc[0]}"
    plotting.heading(figure, page, title)
    return figure


def draw_generalization(data: pd.DataFrame, page: Page) -> Figure:
    """Draw what :func:`generalization_data` returns, one panel for each T of training."""
    trained = sorted(int(T) for T in data["T"].unique())
    tested = sorted(int(T) for T in data["test_T"].unique())
    figure, panels, edge = plotting.length_panels(
        page, "T of the test (steps)", "test accuracy", trained
    )
    for T, axes in panels.items():
        at_T = plotting.side_by_side(data[data["T"] == T], page, "test_T")
        for name, rows in plotting.by_label(at_T, page):
            axes.errorbar(
                rows["x"],
                rows["accuracy"],
                yerr=_distances(rows),
                **plotting.line(page.styles[name]) | {"markersize": 5},
            )
        axes.axvline(T, color=plotting.REFERENCE_COLOR, linewidth=1)
        x_label = axes.get_xlabel()
        plotting.length_axis(axes, tested, plotting.WIDTH / 4)
        axes.set(title=f"trained for T = {T}", xlabel=x_label)
        plotting.accuracy_axis(axes, T in edge)
    plotting.heading(figure, page, "The best models at lengths they were not trained for", data)
    return figure


def _dots(color: str) -> dict[str, Any]:
    """Arguments of ``plot`` for small pale dots."""
    return {"color": color, "linestyle": "", "marker": ".", "alpha": 0.55, "markeredgewidth": 0}


def _distances(
    rows: pd.DataFrame,
    value: str = "accuracy",
    low: str = "accuracy_low",
    high: str = "accuracy_high",
) -> list[list[float]]:
    """From a value down and up to the ends of its interval."""
    down, up = rows[value] - rows[low], rows[high] - rows[value]
    return [down.clip(lower=0).tolist(), up.clip(lower=0).tolist()]
