"""The answer to "Not shown": what is unfinished, missing, or does not follow."""

from collections.abc import Sequence

from analysis.phrases import at_lengths, first_few, short_enumeration
from analysis.report.cells import Row
from analysis.report.verdict.results import is_solved, is_tested, labels_of, largest_solved
from analysis.tables.comparison import ALL_FAILED, NOT_STARTED


def not_shown(rows: Sequence[Row]) -> list[str]:
    """What is unfinished, missing, or does not follow; ``rows`` of all readable studies."""
    labels, lengths = labels_of(rows), sorted({row["T"] for row in rows})
    sentences = []
    if open_parts := _without_result(rows):
        sentences.append(f"No result yet: {'; '.join(first_few(open_parts))}.")
    missed = [
        f"{row['label']} at T = {row['T']}"
        for row in rows
        if is_tested(row) and not is_solved(row) and row["T"] < largest_solved(row["label"], rows)
    ]
    if missed:
        sentences.append(f"Not solved, although a larger T is: {short_enumeration(missed)}.")
    absent = []
    for label in labels:
        missing = set(lengths) - {row["T"] for row in rows if row["label"] == label}
        if missing:
            absent.append(f"{label} at {at_lengths(sorted(missing))}")
    if absent:
        sentences.append(f"Not searched: {'; '.join(first_few(absent))}.")
    if len(lengths) == 1:
        sentences.append(f"How results change with T: only T = {lengths[0]} was searched.")
    models = dict.fromkeys(row["model"] for row in rows)
    if len(models) == 1:
        sentences.append(f"How other models compare: only {next(iter(models))} was searched.")
    studies = {
        model: list(dict.fromkeys(row["study"] for row in rows if row["model"] == model))
        for model in models
    }
    several = [
        f"{model} in {len(found)} ({short_enumeration(found)})"
        for model, found in studies.items()
        if len(found) > 1
    ]
    if several:
        sentences.append(
            f"Searched in several studies: {short_enumeration(several)}. These differ in the "
            "search or in luck, not in the model."
        )
    return sentences


def _without_result(rows: Sequence[Row]) -> list[str]:
    """(label, lengths, why) of what has no result, in words."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if not is_tested(row):
            groups.setdefault((row["label"], row["state"]), []).append(row["T"])
    words = {NOT_STARTED: "is not started", ALL_FAILED: "has only failed trials"}
    return [
        f"{label} at {at_lengths(lengths)} {words.get(state, f'is {state}')}"
        for (label, state), lengths in groups.items()
    ]
