"""The headline: who solves which T, and with how many fresh seeds, in one sentence."""

from collections.abc import Sequence

from analysis.phrases import enumeration
from analysis.report.cells import Row
from analysis.report.verdict.results import (
    is_confirmed,
    is_tested,
    labels_of,
    largest_solved,
)
from analysis.tables.comparison import ALL_FAILED

FEATS = {
    "delay": ("copies over {} steps", "copy over {} steps"),
    "sequence": ("copies {} symbols", "copy {} symbols"),
}
"""What solving T means in each task: of one model, of several."""
ANY_FEAT = ("solves T = {}", "solve T = {}")


def headline(task: str, rows: Sequence[Row]) -> str:
    """Say of each label how far it gets; labels of which the same is said share a part.

    Args:
        rows: those of the task, of studies that can be read.
    """
    tested = labels_of(list(filter(is_tested, rows)))
    if not tested:
        return "Nothing has been tested yet."
    labels = labels_of(rows)
    farthest = {label: largest_solved(label, rows) for label in labels}
    if not any(farthest.values()):
        return _nobody(tested, rows)
    at = {(row["label"], row["T"]): row for row in rows}
    groups: dict[tuple[int, str, str], list[Row]] = {}
    reached = [at[label, farthest[label]] for label in labels if farthest[label]]
    for row in sorted(reached, key=lambda row: -row["T"]):
        key = row["T"], _fresh_seeds(row), _and_beyond(row["label"], row["T"], rows)
        groups.setdefault(key, []).append(row)
    parts: list[str] = []
    said = ""
    for (T, seeds, beyond), group in groups.items():
        who = [row["label"] for row in group]
        each = " each" * (len(who) > 1 and is_confirmed(group[0]))
        verb, feat = FEATS.get(task, ANY_FEAT)[len(who) > 1].format(T).split(" ", 1)
        what = f"{feat}{seeds}{each}{beyond if beyond != said else ''}"
        parts.append(f"{_named(who, labels)} {what if parts else f'{verb} {what}'}")
        said = beyond
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
        return f"{enumeration(who)} {everybody}" if len(who) <= 4 else f"All {len(who)}"
    return enumeration(who) if len(who) <= 4 else f"{len(who)} of {len(labels)}"


def _fresh_seeds(row: Row) -> str:
    """With how many fresh seeds a row solves its T."""
    if not is_confirmed(row):
        return " (not confirmed)"
    return f" with {row['seeds_solved']} of {row['seeds']} fresh seeds"


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
