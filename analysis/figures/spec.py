"""What every figure is made of: its numbers, its drawing and its caption."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.plotting import TaskContext
from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE


@dataclass(frozen=True)
class Scope:
    """What the figures of one task may draw upon.

    Attributes:
        rows: the task's rows of :func:`analysis.tables.comparison.compare_studies`.
        tables: the task's rows of :func:`analysis.tables.registry.make_tables`.
        studies: all studies, also those of other tasks.
    """

    rows: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    studies: Studies

    @property
    def done(self) -> pd.DataFrame:
        """The rows that have a result."""
        return self.rows[self.rows["state"] == DONE]


def unconfirmed(scope: Scope) -> str:
    """Why a figure of fresh seeds is missing."""
    return "no winner was trained again: search with --confirm-seeds 5"


@dataclass(frozen=True)
class FigureSpec:
    """One figure of a comparison; each has a module of its own.

    Attributes:
        name: of its files, without suffix.
        title: on the page, and for a screen reader.
        data: the numbers that it shows; empty if there is nothing to draw.
        draw: draws these numbers.
        caption: says what the figure shows, in a few sentences without markup.
        why_missing: the reason why ``data`` is empty.
    """

    name: str
    title: str
    data: Callable[[Scope], pd.DataFrame]
    draw: Callable[[pd.DataFrame, TaskContext], Figure]
    caption: Callable[[pd.DataFrame], str]
    why_missing: Callable[[Scope], str] = lambda scope: "no study has such data"
