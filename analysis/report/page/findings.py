"""How sure, how long, and what is not shown: the sentences below a verdict's headline.

Rows are those of :func:`analysis.tables.comparison.compare_studies`, of one task, as dictionaries.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analysis.report.page.words import (
    at_lengths,
    between,
    duration,
    listing,
    million_tokens,
    some,
    with_interval,
)
from analysis.tables.comparison import ALL_FAILED, NOT_STARTED
from analysis.tables.pairs import PAYLOADS, SEEDS
from studies.seed_statistics import CHANCE

Row = dict[str, Any]

SIGNIFICANT = 0.05
"""p-values, corrected by Holm's method, below this are a difference."""


class Effort(NamedTuple):
    """What a study took.

    Attributes:
        machine: on which its times were measured, in words.
        seconds: of training, of all trials of the search together.
        finals: T at which the best trial is a final training, for longer than the search.
    """

    machine: str
    seconds: float
    finals: frozenset[int] = frozenset()


def is_tested(row: Row) -> bool:
    """Whether the best trial of a row has an accuracy on test data."""
    return all(row[name] is not None for name in ("accuracy", "accuracy_low", "accuracy_high"))


def is_solved(row: Row) -> bool:
    """Whether the best trial of a row solved its T."""
    return is_tested(row) and row["tokens_to_solve"] is not None


def labels_of(rows: Sequence[Row]) -> list[str]:
    """The labels, each once."""
    return list(dict.fromkeys(row["label"] for row in rows))


def largest_solved(label: str, rows: Sequence[Row]) -> int:
    """The largest T that a label solved; 0 if there is none."""
    return max((row["T"] for row in rows if row["label"] == label and is_solved(row)), default=0)


def how_sure(rows: Sequence[Row], efforts: Mapping[str, Effort], pairs: Sequence[Row]) -> list[str]:
    """How well the accuracies at one T are known.

    Args:
        rows: the tested ones of that T.
        efforts: of their studies.
        pairs: of :func:`analysis.tables.pairs.compare_pairs`, those of that T.
    """
    confirmed = [row for row in rows if (row["seeds"] or 0) >= 2]
    trials = [row["trials"] for row in rows]
    alone = len(rows) == 1
    best_of = f"the best of {between(trials)} trials" if max(trials) > 1 else ""
    if len(confirmed) == len(rows):
        sentences = [_compared(rows, "mean_accuracy", pairs), _seeds_that_solve(confirmed)]
        if best_of:
            sentences.append(f"The accuracy of {best_of} is biased upwards; this mean is not.")
        return sentences
    sentences = [_compared(rows, "accuracy", pairs), *map(_confirmation, confirmed)]
    finals = _finals(rows, efforts)
    if 0 < len(finals) < len(rows):
        sentences.append(
            f"Only {listing(some(finals))} {'was' if len(finals) == 1 else 'were'} trained for "
            "longer, to convergence (--final): accuracies of the others do not compare with that."
        )
    caveats = [
        f"one search with one seed{'' if alone else ' each'}",
        f"{'not every' if confirmed else 'no'} winner trained again with fresh seeds "
        "(--confirm-seeds 5)",
    ]
    if best_of:
        caveats.append(f"{best_of}, which as a forecast is biased upwards")
    verdict = "It can be done; more is not shown" if alone else "This is no ranking"
    return [*sentences, f"{verdict}: {'; '.join(caveats)}."]


def _compared(rows: Sequence[Row], name: str, pairs: Sequence[Row]) -> str:
    """The accuracies in the column ``name``, and whether they can be told apart."""
    over_seeds = name == "mean_accuracy"
    what = "a mean test accuracy over fresh seeds" if over_seeds else "a test accuracy"
    kind = f"95 % interval over {'seeds' if over_seeds else 'test payloads'}"
    best, *others = sorted(rows, key=lambda row: (-row[name], not is_solved(row), row["label"]))
    text = f"At T = {best['T']}, {best['label']} has {what} of {with_interval(best, name)}"
    text += f" ({kind})" if not others else f", the highest ({kind})"
    if not is_solved(best):
        better = best[f"{name}_low"] > CHANCE
        text += f", {'more' if better else 'no better'} than guessing ({CHANCE})"
    text += "."
    basis = SEEDS if over_seeds else PAYLOADS
    told_apart = {
        frozenset((pair["better"], pair["worse"]))
        for pair in pairs
        # Intervals without a width have no p-value.
        if pair["basis"] == basis and pair["p_holm"] is not None and pair["p_holm"] < SIGNIFICANT
    }
    below: list[str] = []
    near: list[str] = []
    for row in others:
        apart = frozenset((best["label"], row["label"])) in told_apart
        (below if apart else near).append(f"{row['label']} {with_interval(row, name)}")
    if near:
        text += f" Not told apart from it: {listing(some(near))}; no difference shown."
    if below:
        text += f" {listing(some(below))} {'lies' if len(below) == 1 else 'lie'} below it by more "
        text += f"than {'seeds' if over_seeds else 'test payloads'} explain"
        if len(others) > 1:
            text += ", corrected for all comparisons"
        text += "." if over_seeds else "; another seed may move a network by more."
    return text


def _seeds_that_solve(rows: Sequence[Row]) -> str:
    counts = [
        f"{row['label']} {row['seeds_solved']} of {row['seeds']} "
        f"[{row['solved_low']:.2f}, {row['solved_high']:.2f}]"
        for row in rows
    ]
    return f"Fresh seeds that solve it: {listing(some(counts))} (95 % interval of the share)."


def _confirmation(row: Row) -> str:
    return (
        f"{row['label']}, trained again with {row['seeds']} fresh seeds, solves it with "
        f"{row['seeds_solved']} of them; mean test accuracy "
        f"{with_interval(row, 'mean_accuracy')} (95 % interval over seeds)."
    )


def how_long(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """What it took to solve one T; ``rows`` are the tested ones of that T."""
    solved = sorted(filter(is_solved, rows), key=lambda row: row["tokens_to_solve"])
    unsolved = [row for row in rows if not is_solved(row)]
    sentences = []
    if solved:
        costs = [_cost(row, row["tokens_to_solve"], row["seconds_to_solve"]) for row in solved]
        sentences.append(
            f"Training until T = {rows[0]['T']} was solved: {'; '.join(some(costs))}. "
            + (
                "One training, no interval."
                if len(costs) == 1
                else "One training each, no interval."
            )
        )
    if unsolved:
        costs = [_cost(row, row["tokens"], row["seconds"]) for row in unsolved]
        sentences.append(
            f"Spent at T = {rows[0]['T']} without solving it: {'; '.join(some(costs))}."
        )
    finals = _finals(solved, efforts)
    if finals:
        whose = "" if len(finals) == len(solved) else f" of {listing(some(finals))}"
        sentences.append(
            f"The training{whose} is the final one, which goes on past the solution: "
            "these numbers, not its accuracy, are up to there."
        )
    known = [efforts[study] for study in dict.fromkeys(row["study"] for row in rows)]
    machines = list(dict.fromkeys(effort.machine for effort in known))
    searches = "the search" if len(known) == 1 else f"the {len(known)} searches together"
    sentences.append(
        f"Wall time on {listing(some(machines))}; all trials of {searches} trained for "
        f"{duration(sum(effort.seconds for effort in known))}."
    )
    if len(machines) > 1:
        sentences.append("The machines differ: compare tokens, not seconds.")
    return sentences


def _finals(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """The labels whose row is of a final training."""
    return [row["label"] for row in rows if row["T"] in efforts[row["study"]].finals]


def _cost(row: Row, tokens: float, seconds: float) -> str:
    return f"{row['label']} {million_tokens(tokens)} in {duration(seconds)}"


def not_shown(rows: Sequence[Row]) -> list[str]:
    """What is unfinished, missing, or does not follow; ``rows`` of all readable studies."""
    labels, lengths = labels_of(rows), sorted({row["T"] for row in rows})
    sentences = []
    if open_parts := _without_result(rows):
        sentences.append(f"Not the last word: {'; '.join(some(open_parts))}.")
    missed = [
        f"{row['label']} at T = {row['T']}"
        for row in rows
        if is_tested(row) and not is_solved(row) and row["T"] < largest_solved(row["label"], rows)
    ]
    if missed:
        sentences.append(f"Not solved, though a larger T is: {listing(some(missed))}.")
    absent = []
    for label in labels:
        missing = set(lengths) - {row["T"] for row in rows if row["label"] == label}
        if missing:
            absent.append(f"{label} at {at_lengths(sorted(missing))}")
    if absent:
        sentences.append(f"Not searched: {'; '.join(some(absent))}.")
    if len(lengths) == 1:
        sentences.append(f"How it changes with T: {lengths[0]} is the only one searched.")
    models = dict.fromkeys(row["model"] for row in rows)
    if len(models) == 1:
        sentences.append(f"How other architectures do: {next(iter(models))} is the only one here.")
    studies = {
        model: list(dict.fromkeys(row["study"] for row in rows if row["model"] == model))
        for model in models
    }
    several = [
        f"{model} in {len(found)} ({listing(some(found))})"
        for model, found in studies.items()
        if len(found) > 1
    ]
    if several:
        sentences.append(
            f"Searched in several studies: {listing(some(several))}; between those the search "
            "differs, or luck, not the architecture."
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
