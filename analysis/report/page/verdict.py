"""The verdict on each task, in words: pure functions of the comparison.

"Solved" is what the search calls so: validation accuracy of at least 0.99 at two evaluations in
a row. A model that several studies share is named with its study, as in the tables.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from analysis.report.page.findings import (
    Effort,
    Row,
    how_long,
    how_sure,
    is_solved,
    is_tested,
    labels_of,
    largest_solved,
    not_shown,
)
from analysis.report.page.words import listing
from analysis.tables.comparison import ALL_FAILED, BROKEN, records, tasks

FEATS = {
    "delay": ("copies over {} steps", "copy over {} steps"),
    "sequence": ("copies {} symbols", "copy {} symbols"),
}
"""What solving T means in each task: of one model, of several."""
ANY_FEAT = ("solves T = {}", "solve T = {}")


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
    comparison: pd.DataFrame, efforts: Mapping[str, Effort], pairs: pd.DataFrame
) -> list[Verdict]:
    """The verdict on each task, sorted by task; at least one.

    Args:
        comparison: of :func:`analysis.tables.comparison.compare_studies`.
        efforts: study -> what it took; of each that can be read.
        pairs: of :func:`analysis.tables.pairs.compare_pairs`.
    """
    rows = records(comparison)
    found = [
        _verdict(task, [row for row in rows if row["task"] == task], efforts, pairs)
        for task in tasks(comparison)
    ]
    return found or [Verdict("", "No study can be read.", {})]


def _verdict(
    task: str, rows: Sequence[Row], efforts: Mapping[str, Effort], pairs: pd.DataFrame
) -> Verdict:
    readable = [row for row in rows if not row["state"].startswith(BROKEN)]
    if not readable:
        return Verdict(task, "No study of this task can be read.", {})
    tested = list(filter(is_tested, readable))
    answers = {}
    if tested:
        T = _decisive_length(tested)
        decisive = [row for row in tested if row["T"] == T]
        compared = records(pairs[(pairs["task"] == task) & (pairs["T"] == T)])
        answers = {
            "How sure": how_sure(decisive, efforts, compared),
            "How long": how_long(decisive, efforts),
        }
    answers["Not shown"] = not_shown(readable)
    return Verdict(
        task, _headline(task, readable), {name: text for name, text in answers.items() if text}
    )


def _decisive_length(tested: Sequence[Row]) -> int:
    """The T to speak of: the largest that anyone solves, else the smallest that was tested."""
    solved = [row["T"] for row in tested if is_solved(row)]
    return int(max(solved) if solved else min(row["T"] for row in tested))


def _headline(task: str, rows: Sequence[Row]) -> str:
    tested = labels_of(list(filter(is_tested, rows)))
    if not tested:
        return "Nothing has been tested yet."
    labels = labels_of(rows)
    farthest = {label: largest_solved(label, rows) for label in labels}
    if not any(farthest.values()):
        return _nobody(tested, rows)
    groups: dict[tuple[int, str], list[str]] = {}
    for label in sorted(filter(farthest.get, labels), key=lambda label: -farthest[label]):
        T = farthest[label]
        groups.setdefault((T, _and_beyond(label, T, rows)), []).append(label)
    parts: list[str] = []
    for (T, beyond), who in groups.items():
        name = _named(who, labels)
        verb, feat = FEATS.get(task, ANY_FEAT)[len(who) > 1].format(T).split(" ", 1)
        parts.append(f"{name} {verb} {feat}{beyond}" if not parts else f"{name} {feat}{beyond}")
    without = [label for label in tested if not farthest[label]]
    untested = [label for label in labels if label not in tested]
    for who, what in ((without, "solved no T"), (untested, "no result yet")):
        if who:
            parts.append(f"{_named(who, labels)} {'has' if len(who) == 1 else 'have'} {what}")
    return f"{'; '.join(parts)}."


def _named(who: Sequence[str], labels: Sequence[str]) -> str:
    """Some of the labels as the subject of a sentence: by name, or how many if they are many."""
    if len(who) == len(labels) > 1:
        everybody = "both" if len(who) == 2 else "all"
        return f"{listing(who)} {everybody}" if len(who) <= 4 else f"All {len(who)}"
    return listing(who) if len(who) <= 4 else f"{len(who)} of {len(labels)}"


def _and_beyond(label: str, T: int, rows: Sequence[Row]) -> str:
    """What is known of a label beyond the largest T that it solves."""
    lengths = {row["T"] for row in rows}
    longer = [row for row in rows if row["label"] == label and row["T"] > T]
    if len(lengths) == 1:
        return ", the only length searched"
    if max(lengths) == T:
        return ", the longest searched"
    if not longer:
        return " (searched no further)"
    tested = [row["T"] for row in longer if is_tested(row) or row["state"] == ALL_FAILED]
    return f", but not at T = {min(tested)}" if tested else " so far"


def _nobody(tested: Sequence[str], rows: Sequence[Row]) -> str:
    """The headline when no T is solved."""
    who = f"{tested[0]} solves no T" if len(tested) == 1 else f"None of {len(tested)} solves any T"
    lengths = [row["T"] for row in rows if is_tested(row)]
    so_far = "" if all(map(is_tested, rows)) else " so far"
    return f"{who}{so_far}: not even {min(lengths)}, the smallest tested."
