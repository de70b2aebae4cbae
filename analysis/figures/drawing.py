"""All figures of a comparison, drawn without any global state of matplotlib.

For each there is a function of its numbers, one of its drawing and one of its caption.
"""

import io
import re
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from analysis.figures import captions, draw_results, draw_search, plotting
from analysis.figures.figure_data import (
    accuracy_data,
    generalization_data,
    largest_length_data,
    largest_pairs_data,
    learning_curves_data,
    missing_note,
    seeds_data,
    time_to_solve_data,
)
from analysis.figures.plotting import Page
from analysis.figures.search_data import slots_data, trials_data
from analysis.figures.styles import label_styles
from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE, tasks
from analysis.tables.importance import LEAST_TRIALS
from analysis.tables.registry import NAME, make_tables

MOST_LABELS = 12


class RenderedFigure(NamedTuple):
    """A figure as the content of the files ``stem``.png and ``stem``.svg.

    Attributes:
        task: whose results it shows.
        stem: name of its files.
        shows: its title.
        png, svg: the files' content.
        caption: a few sentences that say what is seen; no markup.
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


class Scope(NamedTuple):
    """What a figure of one task may draw upon.

    Attributes:
        rows: of the task in :func:`analysis.tables.comparison.compare_studies`.
        tables: of :func:`analysis.tables.registry.make_tables`, the rows of the task.
        studies: all of them.
    """

    rows: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    studies: Studies


class _Kind(NamedTuple):
    """``missing`` says why there is no such figure when ``data`` is empty."""

    shows: str
    data: Callable[[Scope], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Page], Figure]
    caption: Callable[[pd.DataFrame, Page], str]
    missing: Callable[[Scope], str] = lambda scope: "there are no such data"


def _why_no_tuning_curves(scope: Scope) -> str:
    remarks = scope.tables["tuning_samples"]["remark"].value_counts()
    return str(remarks.index[0]) if len(remarks) else "no trial has ended"


FIGURES = {
    "accuracy_vs_T": _Kind(
        "Test accuracy against T",
        lambda scope: accuracy_data(scope.rows),
        draw_results.draw_accuracy,
        captions.accuracy,
    ),
    "time_to_solve_vs_T": _Kind(
        "Seconds and tokens to solve T",
        lambda scope: time_to_solve_data(scope.rows),
        draw_results.draw_time_to_solve,
        captions.time_to_solve,
    ),
    "learning_curves": _Kind(
        "Validation accuracy against tokens",
        lambda scope: learning_curves_data(scope.rows, scope.studies.progress),
        draw_results.draw_learning_curves,
        captions.learning_curves,
        lambda scope: "progress.csv has no evaluation of a best trial",
    ),
    "accuracy_at_largest_T": _Kind(
        "Test accuracy at the largest T",
        lambda scope: largest_length_data(scope.rows),
        draw_results.draw_largest_length,
        captions.largest_length,
    ),
    "pairs_at_largest_T": _Kind(
        "Differences of the models at the largest T",
        lambda scope: largest_pairs_data(scope.rows, scope.tables["pairs"]),
        draw_results.draw_pairs,
        captions.pairs,
        lambda scope: "fewer than two models have a result at the largest T",
    ),
    "seeds_vs_T": _Kind(
        "Test accuracy of fresh seeds against T",
        lambda scope: seeds_data(scope.rows, scope.studies),
        draw_results.draw_seeds,
        captions.seeds,
        lambda scope: "no winner was trained again: search with --confirm-seeds 5",
    ),
    "equal_cost_vs_T": _Kind(
        "Validation accuracy at equal tokens, seconds and parameters",
        lambda scope: scope.tables["equal_cost"],
        draw_results.draw_equal_cost,
        captions.equal_cost,
    ),
    "generalization": _Kind(
        "Test accuracy at lengths beyond the training",
        lambda scope: generalization_data(scope.rows, scope.studies),
        draw_results.draw_generalization,
        captions.generalization,
        lambda scope: "not tested yet: python -m search.generalize",
    ),
    "tuning_curves": _Kind(
        "Expected best accuracy against the number of random trials",
        lambda scope: scope.tables["tuning_curves"],
        draw_search.draw_tuning_curves,
        captions.tuning_curves,
        _why_no_tuning_curves,
    ),
    "importance": _Kind(
        "Importance of the hyperparameters",
        lambda scope: scope.tables["importance"],
        draw_search.draw_importance,
        captions.importance,
        lambda scope: f"no study has {LEAST_TRIALS} trials that have ended",
    ),
    "slices": _Kind(
        "Accuracy against learning rate, hidden size and curriculum length",
        lambda scope: trials_data(scope.rows, scope.studies),
        draw_search.draw_slices,
        captions.slices,
    ),
    "stops": _Kind(
        "Which trials were stopped, and when",
        lambda scope: trials_data(scope.rows, scope.studies),
        draw_search.draw_stops,
        captions.stops,
    ),
    "slots": _Kind(
        "Trials that ran at once",
        lambda scope: slots_data(scope.rows, scope.studies),
        draw_search.draw_slots,
        captions.slots,
        lambda scope: "events.jsonl is missing or damaged",
    ),
}
"""File name without suffix -> figure."""


def draw_figures(
    studies: Studies, tables: dict[str, pd.DataFrame]
) -> tuple[list[RenderedFigure], list[MissingFigure]]:
    """Draw all figures of each task that has a result, and say which cannot be and why.

    Args:
        tables: of :func:`analysis.tables.registry.make_tables`.

    Returns:
        The figures by task. File names end in the task's name if there are several tasks.
    """
    comparison = tables[NAME]
    rendered: list[RenderedFigure] = []
    missing: list[MissingFigure] = []
    models = comparison["model"].dropna().unique()
    found = tasks(comparison)
    for task in found:
        rows = comparison[comparison["task"] == task]
        if not (rows["state"] == DONE).any():
            continue
        labels, left_out = shown_labels(rows)
        rows = rows[rows["label"].isin(labels)]
        page = Page(
            task=task,
            lengths=sorted(int(T) for T in rows["T"].dropna().unique()),
            styles=label_styles(rows, models),
            note=" ".join(filter(None, (missing_note(rows), left_out))),
        )
        # A study may call its task what it likes, also something with a slash.
        in_file_name = re.sub(r"\W", "_", task)
        shown = {name: _restricted(table, task, labels) for name, table in tables.items()}
        scope = Scope(rows, shown, studies)
        for name, kind in FIGURES.items():
            stem = name if len(found) == 1 else f"{name}_{in_file_name}"
            shows = f"{kind.shows} ({task} task)"
            data = kind.data(scope)
            if data.empty:
                reason = kind.missing(scope)
                missing.append(MissingFigure(task, stem, shows, reason))
                continue
            with rc_context(plotting.SETTINGS):
                png, svg = _save(kind.draw(data, page))
            caption = " ".join(filter(None, (kind.caption(data, page), left_out)))
            rendered.append(RenderedFigure(task, stem, shows, png, svg, caption))
    return rendered, missing


def render_figures(comparison: pd.DataFrame, studies: Studies) -> list[RenderedFigure]:
    """The figures of a comparison, of :func:`analysis.tables.comparison.compare_studies`, alone."""
    return draw_figures(studies, make_tables(studies, comparison))[0]


def shown_labels(rows: pd.DataFrame) -> tuple[list[str], str]:
    """The labels of one task that its figures show, and a sentence if there are others.

    All of them, unless they are more than a reader can tell apart: then those with the highest
    accuracy at the largest T.
    """
    labels = list(dict.fromkeys(rows["label"]))
    if len(labels) <= MOST_LABELS:
        return labels, ""
    at_largest = rows[rows["T"] == rows["T"].max()].sort_values("accuracy", ascending=False)
    best = list(dict.fromkeys([*at_largest["label"], *labels]))[:MOST_LABELS]
    return best, (
        f"Figures show the {MOST_LABELS} of {len(labels)} studies that are best at T = "
        f"{rows['T'].max()}; the tables have all."
    )


def _restricted(table: pd.DataFrame, task: str, labels: list[str]) -> pd.DataFrame:
    """The rows of a table that are of a task and of no other than these labels."""
    kept = table["task"] == task
    for name in {"label", "better", "worse"} & set(table):
        kept &= table[name].isin(labels)
    return table[kept]


def _save(figure: Figure) -> tuple[bytes, bytes]:
    """As PNG and SVG; without a date: equal data make an equal file."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png")
    with rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)  # as it is by now: laid out again, it is drawn twice
    figure.savefig(svg, format="svg", metadata={"Date": None})
    return png.getvalue(), svg.getvalue()
