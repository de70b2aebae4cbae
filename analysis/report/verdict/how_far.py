"""The answer to "How far": the largest T that each model solves, and what that took."""

import pandas as pd

from analysis.phrases import duration, million_tokens
from analysis.report.cells import Row
from analysis.tables.reach import Frontier, frontiers

ENDINGS = {
    "trials": "with all trials that it may have",
    "patience": "after many trials without a gain",
    "budget_minutes": "in the time that it had",
    "budget_tokens": "with the tokens that it had",
    "next_T": "until it was told to go on",
    "reach": "since trials failed before their first evaluation",
}
"""Limit of a search at a T that is not solved -> how that came."""


def how_far(reach: pd.DataFrame) -> list[str]:
    """A sentence for each label; ``reach``: rows of one task of the table reach."""
    return [_sentence(frontier) for frontier in frontiers(reach)]


def _sentence(frontier: Frontier) -> str:
    solved, failed = frontier.solved, frontier.failed
    if solved is None:
        return f"{frontier.label} solves no T."
    training = _cost(solved["tokens_to_solve"], solved["seconds_to_solve"])
    text = (
        f"{frontier.label} solves T = {solved['T']}: one training took {training}, the whole "
        f"search {_cost(solved['tokens'], solved['seconds'])}."
    )
    if failed:
        cost = _cost(failed["tokens"], failed["seconds"])
        ending = ENDINGS.get(failed["limit"], "")
        text += f" It does not solve {failed['T']} {ending}: {cost}."
    else:
        text += " It has failed at no larger T: its time, or the limit of --reach, came first."
    return text + _how_much(frontier, solved)


def _how_much(frontier: Frontier, solved: Row) -> str:
    """What it recalls, in a task whose payload grows with T."""
    bits, smallest = solved["recalled_bits"], frontier.smallest
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
