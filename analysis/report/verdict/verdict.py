"""The verdict on each task: the headline, and the answers to the questions that follow from it.

"Solved" is what the search calls solved: validation accuracy of at least 0.99 at two evaluations
in a row. A model that several studies share is named with its study, as in the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from analysis.report.cells import Row
from analysis.report.verdict.headline import headline
from analysis.report.verdict.how_far import how_far
from analysis.report.verdict.how_long import how_long
from analysis.report.verdict.how_sure import how_sure
from analysis.report.verdict.not_shown import not_shown
from analysis.report.verdict.results import Effort, is_solved, is_tested
from analysis.tables.comparison import BROKEN, tasks
from analysis.tables.edges import edge_warnings
from analysis.tables.records import records


class Verdict(NamedTuple):
    """What the studies of one task show.

    Attributes:
        task: its name; empty if no study tells one.
        headline: who solves which T, in one sentence.
        answers: question -> sentences, most important first.
    """

    task: str
    headline: str
    answers: dict[str, list[str]]


def verdicts(
    comparison: pd.DataFrame,
    efforts: Mapping[str, Effort],
    tables: Mapping[str, pd.DataFrame],
    configs: Mapping[str, Mapping[str, Any]],
) -> list[Verdict]:
    """The verdict on each task, sorted by task; at least one.

    Args:
        comparison: of :func:`analysis.tables.comparison.compare_studies`.
        efforts: study -> what it took; of each that can be read.
        tables: of :func:`analysis.tables.registry.make_tables`: pairs, reach and edges.
        configs: study -> the section ``config`` of its study.yaml; of each that can be read.
    """
    rows = records(comparison)
    found = [
        _verdict(task, [row for row in rows if row["task"] == task], efforts, tables, configs)
        for task in tasks(comparison)
    ]
    return found or [Verdict("", "No study can be read.", {})]


def _verdict(
    task: str,
    rows: Sequence[Row],
    efforts: Mapping[str, Effort],
    tables: Mapping[str, pd.DataFrame],
    configs: Mapping[str, Mapping[str, Any]],
) -> Verdict:
    readable = [row for row in rows if not row["state"].startswith(BROKEN)]
    if not readable:
        return Verdict(task, "No study of this task can be read.", {})
    tested = list(filter(is_tested, readable))
    pairs, reach, edges = (
        tables[name][tables[name]["task"] == task] for name in ("pairs", "reach", "edges")
    )
    answers = {"How far": how_far(reach, readable)}
    if tested:
        T = _decisive_length(tested)
        decisive = [row for row in tested if row["T"] == T]
        answers |= {
            "How sure": how_sure(decisive, efforts, records(pairs), len(tables["pairs"])),
            "How long": how_long(decisive, efforts),
        }
    answers["At the edge"] = edge_warnings(edges)
    answers["Not shown"] = not_shown(readable, configs)
    return Verdict(
        task, headline(task, readable), {name: text for name, text in answers.items() if text}
    )


def _decisive_length(tested: Sequence[Row]) -> int:
    """The T to speak of: the largest that anyone solves, else the smallest that was tested."""
    solved = [row["T"] for row in tested if is_solved(row)]
    return int(max(solved) if solved else min(row["T"] for row in tested))
