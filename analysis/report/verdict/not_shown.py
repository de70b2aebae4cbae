"""The answer to "Not shown": what is unfinished, missing, or does not follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.phrases import at_lengths, first_few, short_enumeration
from analysis.report.cells import Row
from analysis.report.verdict.results import is_solved, is_tested, labels_of, largest_solved
from analysis.tables.comparison import ALL_FAILED, NOT_STARTED, WITHOUT_RESULT
from studies.reserved import HYPERPARAMETERS


def not_shown(rows: Sequence[Row], configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is unfinished, missing, or does not follow.

    Args:
        rows: of all readable studies.
        configs: study -> the section ``config`` of its study.yaml.
    """
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
    return [*sentences, *_several_studies(rows, configs)]


def _several_studies(rows: Sequence[Row], configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Which models several studies have searched, and what these can differ in."""
    studies: dict[str, dict[str, None]] = {}
    for row in rows:
        studies.setdefault(row["model"], {})[row["study"]] = None
    equal: list[str] = []
    unequal: list[str] = []
    for model, found in studies.items():
        if len(found) > 1:
            group = equal if _is_one_model([configs[study] for study in found]) else unequal
            group.append(f"{model} in {len(found)} ({short_enumeration(list(found))})")
    sentences = []
    if equal:
        sentences.append(
            f"Searched in several studies: {short_enumeration(equal)}. These differ in the search "
            "or in luck, not in the model."
        )
    if unequal:
        sentences.append(
            f"Searched in several studies: {short_enumeration(unequal)}. The models may differ "
            "too: compare architecture and space in study.yaml."
        )
    return sentences


def _is_one_model(configs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether studies have the same model, with the same keywords, fixed or searched.

    Early studies did not record all keywords, so they count as different.
    """
    of_training = set(HYPERPARAMETERS)
    for config in configs:
        training = config.get("training")
        of_training |= set(training) if isinstance(training, Mapping) else set()
    models = [
        (
            config["model"],
            config.get("architecture"),
            {k: v for k, v in config["space"].items() if k not in of_training},
        )
        for config in configs
    ]
    return models[0][1] is not None and all(model == models[0] for model in models)


def _without_result(rows: Sequence[Row]) -> list[str]:
    """(label, lengths, why) of what has no result, in words."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if not is_tested(row):
            groups.setdefault((row["label"], row["state"]), []).append(row["T"])
    words = {
        NOT_STARTED: "is not started", ALL_FAILED: "has only failed trials",
        WITHOUT_RESULT: WITHOUT_RESULT,
    }  # fmt: skip
    return [
        f"{label} at {at_lengths(lengths)} {words.get(state, f'is {state}')}"
        for (label, state), lengths in groups.items()
    ]
