"""The answer to "How sure": what fresh seeds tell at one T, and what they cannot."""

from collections.abc import Mapping, Sequence

from analysis.phrases import (
    between,
    enumeration,
    semicolon_list,
    short_enumeration,
    solve_rate,
    with_interval,
)
from analysis.report.cells import Row
from analysis.report.verdict.results import (
    Effort,
    final_labels,
    is_confirmed,
    is_raced,
    is_solved,
    race_interval,
)
from analysis.statistics import SIGNIFICANT, seeds_to_tell
from analysis.tables.pairs import SOLVE_RATE
from studies.wording import all_counted, counted


def how_sure(
    rows: Sequence[Row], efforts: Mapping[str, Effort], pairs: Sequence[Row], family: int
) -> list[str]:
    """What fresh seeds tell at one T, and what the best trials do.

    Args:
        rows: the tested ones of that T.
        efforts: of their studies.
        pairs: of :func:`analysis.tables.pairs.compare_pairs`, those of the task.
        family: number of all pairs, whose p-values are corrected together.
    """
    confirmed = [row for row in rows if is_confirmed(row)]
    once = [row for row in rows if not is_confirmed(row)]
    sentences = []
    if confirmed:
        rates = [f"{row['label']} {solve_rate(row)}" for row in confirmed]
        medians = [
            f"{row['label']} {row['median_accuracy']:.4f} (lowest {row['lowest_accuracy']:.4f})"
            for row in confirmed
        ]
        sentences += [
            f"Fresh seeds that solve T = {rows[0]['T']}: {short_enumeration(rates)} (exact 95 % "
            "interval of the solve rate).",
            f"Median test accuracy of these seeds: {short_enumeration(medians)}.",
        ]
    if pairs:
        sentences += _told_apart(pairs, rows[0]["T"], family)
    sentences += _raced(rows)
    if once:
        whose = "" if not confirmed else f" of {short_enumeration([row['label'] for row in once])}"
        sentences.append(
            f"Not confirmed with fresh seeds{whose}: how often another training solves "
            f"T = {rows[0]['T']} is not known (--confirm-seeds 5)."
        )
    return [*sentences, *_best_trials(rows, efforts)]


def _raced(rows: Sequence[Row]) -> list[str]:
    """What the seeds of the race tell, where no others are known."""
    raced = list(filter(is_raced, rows))
    if not raced:
        return []
    rates = []
    for row in raced:
        low, high = race_interval(row)
        seeds = f"{row['race_solved']} of {row['race_seeds']}"
        rates.append(f"{row['label']} {seeds} [{low:.2f}, {high:.2f}]")
    return [
        f"Fresh seeds of the race that solve T = {rows[0]['T']}: {short_enumeration(rates)}. The "
        "race chose the configurations by them, so expect somewhat less."
    ]


def _told_apart(pairs: Sequence[Row], T: int, family: int) -> list[str]:
    """Which models fresh seeds tell apart, and what so many seeds can tell at best."""
    sure = [pair for pair in pairs if pair["p_holm"] < SIGNIFICANT]
    at = "" if pairs[0]["T"] == T else f"At T = {pairs[0]['T']}: "
    counts = [pair[name] for pair in pairs for name in ("better_seeds", "worse_seeds")]
    seeds = f"{between(counts)} seeds of each model"
    sentences = []
    for by_rate, words in ((True, "higher solve rate"), (False, "fewer tokens to solve")):
        found = [
            f"{pair['better']} than {pair['worse']} (p = {pair['p_holm']:.2g})"
            for pair in sure
            if (pair["outcome"] == SOLVE_RATE) == by_rate
        ]
        if found:
            sentences.append(f"{at}Beyond chance, {words}: {semicolon_list(found)}.")
    if len(sure) < len(pairs):
        left = len(pairs) - len(sure)
        which = counted(left, f"{'other ' * bool(sure)}comparison")
        models = enumeration(list(dict.fromkeys(pairs[0][name] for name in ("better", "worse"))))
        what = f"{models} apart" if len(pairs) == 2 and not sure else f"models apart in {which}"
        sentences.append(f"{at}{seeds} cannot tell {what}.")
    least = min(1.0, family * min(pair["p_least"] for pair in pairs))
    limit = (
        "Exact tests of solve rates and rank tests of tokens, corrected (Holm) for "
        f"{all_counted(family, 'comparison')} of this report: the smallest p-value that {seeds} "
        f"can reach is {least:.2g}"
    )
    enough = f", which is too large; {seeds_to_tell(family)} seeds are enough for both tests"
    sentences.append(f"{limit}{enough * (least >= SIGNIFICANT)}.")
    longer = list(dict.fromkeys(pair["longer"] for pair in pairs if pair["longer"]))
    if longer:
        sentences.append(f"{at}{_trained_longer(longer)}, which no p-value allows for.")
    return sentences


def _trained_longer(labels: Sequence[str]) -> str:
    were = "was" if len(labels) == 1 else "were"
    return f"Only {short_enumeration(labels)} {were} trained for longer (--final)"


def _best_trials(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """The accuracies of the best trials, and why they are no ranking."""
    shown = [f"{row['label']} {with_interval(row)}" for row in rows]
    trials = "trial" if len(rows) == 1 else "trials"
    text = f"Test accuracy of the best {trials}: {short_enumeration(shown)}"
    if not any(map(is_solved, rows)):
        chance = rows[0]["chance_accuracy"]
        better = [row["label"] for row in rows if row["accuracy_low"] > chance]
        text += f", {'' if better else 'not shown to be '}more than guessing ({chance:.3g})"
        if 0 < len(better) < len(rows):
            text += f" for {short_enumeration(better)} alone"
    networks = "one network each" if len(rows) > 1 else "one network"
    sentences = [f"{text} (95 % interval over test payloads of {networks})."]
    counts = [row["trials"] for row in rows]
    if max(counts) > 1:
        sentences.append(
            f"The best of {between(counts)} trials promises more than another training will reach"
            f"{': this is no ranking' if len(rows) > 1 else ''}."
        )
    finals = final_labels(rows, efforts)
    if 0 < len(finals) < len(rows):
        sentences.append(
            f"{_trained_longer(finals)}: do not compare accuracies, solve rates or tokens with "
            "the others."
        )
    return sentences
