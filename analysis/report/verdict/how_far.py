"""The answer to "How far": the largest T that each model solves, and what that took."""

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.phrases import duration, million_tokens
from analysis.tables.reach import frontiers
from studies.reach import Frontier, Row

ENDINGS = {
    "trials": "with all trials that it may have",
    "patience": "after many trials without a gain",
    "budget_minutes": "in the time that it had",
    "budget_tokens": "with the tokens that it had",
    "next_T": "until it was told to go on",
    "reach": "since trials failed before their first evaluation",
}
"""Limit of a search at a T that is not solved -> how that came."""


def how_far(reach: pd.DataFrame, rows: Sequence[Row]) -> list[str]:
    """A sentence for each label.

    Args:
        reach: rows of one task of the table reach.
        rows: those of the comparison of that task.
    """
    seeds = {(row["label"], row["T"]): row["seeds"] for row in rows if row["solve_rate"] == 0}
    return [_sentence(label, frontier, seeds) for label, frontier in frontiers(reach).items()]


def _sentence(label: str, frontier: Frontier, lucky: Mapping[tuple[str, int], int]) -> str:
    """``lucky``: (label, T) that a trial solved but no fresh seed does -> how many seeds."""
    solved, failed, smallest = frontier
    if solved is None:
        return f"{label} solves no T."
    training = _cost(solved["tokens_to_solve"], solved["seconds_to_solve"])
    seeds = lucky.get((label, solved["T"]))
    solves = f"{label} solves T = {solved['T']}"
    if seeds:
        solves = f"A trial of {solves}, but none of {seeds} fresh seeds does"
    text = (
        f"{solves}: one training took {training}, the whole search "
        f"{_cost(solved['tokens'], solved['seconds'])}."
    )
    if failed:
        cost = _cost(failed["tokens"], failed["seconds"])
        ending = ENDINGS.get(failed["limit"], "")
        text += f" It does not solve {failed['T']} {ending}: {cost}."
    else:
        text += " It has failed at no larger T: its time, or the limit of --reach, came first."
    return text + _how_much(solved, smallest)


def _how_much(solved: Row, smallest: Row | None) -> str:
    """What it recalls, in a task whose payload grows with T."""
    bits = solved["recalled_bits"]
    if bits is None or smallest is None or bits < 1.5 * (smallest["recalled_bits"] or bits):
        return ""
    text = f" It recalls {bits:,.0f} bits"
    if solved["bits_per_float"] is not None:
        text += (
            f" with a state of {solved['state_floats']:,} floats, "
            f"{solved['bits_per_float']:.3g} bits a float"
        )
    return f"{text}."


def _cost(tokens: float, seconds: float) -> str:
    return f"{million_tokens(tokens)} in {duration(seconds)}"
