"""The answer to "How sure": how well the accuracies at one T are known."""

from collections.abc import Mapping, Sequence

from analysis.phrases import between, short_enumeration, with_interval
from analysis.report.cells import Row
from analysis.report.verdict.results import Effort, final_labels, is_solved
from analysis.statistics import SIGNIFICANT
from analysis.tables.pairs import PAYLOADS, SEEDS
from studies.format import CHANCE_ACCURACY


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
    finals = final_labels(rows, efforts)
    if 0 < len(finals) < len(rows):
        were = "was" if len(finals) == 1 else "were"
        sentences.append(
            f"Only {short_enumeration(finals)} {were} trained for longer (--final): do not "
            "compare accuracies with the others."
        )
    caveats = [
        f"one search with one seed{'' if alone else ' each'}",
        f"{'not every' if confirmed else 'no'} winner was trained again with fresh seeds "
        "(--confirm-seeds 5)",
    ]
    if best_of:
        caveats.append(f"{best_of} promises more than another training will reach")
    verdict = "This shows only that it can be done" if alone else "This is no ranking"
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
        better = best[f"{name}_low"] > CHANCE_ACCURACY
        text += f", {'more' if better else 'no better'} than guessing ({CHANCE_ACCURACY})"
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
        text += f" Not significantly different: {short_enumeration(near)}."
    if below:
        over = "seeds" if over_seeds else "test payloads"
        text += f" Significantly lower over {over}: {short_enumeration(below)}"
        text += " (corrected for all comparisons)." if len(others) > 1 else "."
        text += "" if over_seeds else " Another seed may change a network by more."
    return text


def _seeds_that_solve(rows: Sequence[Row]) -> str:
    counts = [
        f"{row['label']} {row['seeds_solved']} of {row['seeds']} "
        f"[{row['solved_low']:.2f}, {row['solved_high']:.2f}]"
        for row in rows
    ]
    return f"Fresh seeds that solve it: {short_enumeration(counts)} (95 % interval of the share)."


def _confirmation(row: Row) -> str:
    return (
        f"{row['label']}, trained again with {row['seeds']} fresh seeds, solves it with "
        f"{row['seeds_solved']} of them; mean test accuracy "
        f"{with_interval(row, 'mean_accuracy')} (95 % interval over seeds)."
    )
