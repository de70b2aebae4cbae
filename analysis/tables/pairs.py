"""pairs.csv: what fresh seeds tell of every two models: the comparisons that a report claims."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.reading.csv_tables import frame_type
from analysis.reading.studies import Studies
from analysis.statistics import (
    Successes,
    holm,
    least_p_of_ranks,
    least_p_of_rates,
    rank_test,
    rate_difference,
    sooner,
)
from analysis.tables.comparison import DONE
from analysis.tables.confirmation import winner_seeds
from analysis.tables.records import records
from studies import format as files
from studies.columns import TASK, WHOLE, T, Table, real, text, whole

SOLVE_RATE = "solve rate"
TOKENS_TO_SOLVE = "tokens to solve"

MOST_SHOWN = 20
"""Pairs that a figure and the Markdown page show; pairs.csv has all."""

PAIRS = Table(
    "pairs.csv",
    "Two rows for every two labels with fresh seeds, at one T of each task: the largest that a "
    "search solved and at which two labels have fresh seeds.",
    (
        TASK, T,
        text("outcome", f"what is compared: `{SOLVE_RATE}` or `{TOKENS_TO_SOLVE}`"),
        text("better", "label with the higher solve rate, or that is more often the sooner one"),
        text("worse", "the other label"),
        real("difference", "share", "difference of their solve rates"),
        real(
            "difference_low", "share",
            "lower end of its 95 % interval (of the exact ones of both, after Zou & Donner)",
        ),
        real("difference_high", "share", "upper end of the interval"),
        real(
            "sooner", "",
            "probability that a seed of the better one solves T after fewer tokens; 0.5: equal",
        ),
        real(
            "p_value", "",
            "of no difference (solve rate: Boschloo's exact test; tokens: exact rank test, seeds "
            "without a solution last)",
        ),
        real("p_holm", "", "the same, corrected (Holm) for all rows of this table"),
        real("p_least", "", "the smallest p-value that so many seeds can reach, not corrected"),
        whole("better_seeds", "", "fresh seeds of the better one"),
        whole("worse_seeds", "", "fresh seeds of the other"),
        text(
            "longer",
            "which of the two was trained for longer (`--final`), its seeds included, so that they "
            "do not compare; empty if both were, or neither",
        ),
    ),
)  # fmt: skip


def compare_pairs(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """Every two labels with fresh seeds, at one T of each task, once by each outcome.

    This is all that a report claims of differences, so its p-values are one family for Holm's
    correction. The T is chosen by the searches, not by the seeds that are compared.

    Columns: those of :data:`PAIRS`.
    """
    seeds = dict(iter(winner_seeds(studies).groupby(["study", "T"])))
    finals = studies.best.loc[studies.best["stage"] == files.FINAL, ["study", "T"]]
    final = set(finals.itertuples(index=False, name=None))
    rows: list[dict[str, Any]] = []
    for task, of_task in comparison[comparison["state"] == DONE].groupby("task"):
        found = [row for row in records(of_task) if (row["study"], row["T"]) in seeds]
        length = _compared_length(found)
        samples = {
            row["label"]: seeds[row["study"], row["T"]] for row in found if row["T"] == length
        }
        longer = {row["label"] for row in found if (row["study"], length) in final}
        for pair in itertools.combinations(samples, 2):
            alone = [label for label in pair if label in longer]
            shared = {"task": task, "T": length, "longer": alone[0] if len(alone) == 1 else None}
            rows += [shared | of for of in _compared(*pair, samples)]
    frame = pd.DataFrame(rows, columns=list(PAIRS.names))
    frame["p_holm"] = holm(frame["p_value"].tolist())
    return frame.astype({of.name: frame_type(of) for of in PAIRS.columns if of.type == WHOLE})


def _compared_length(rows: list[dict[str, Any]]) -> int | None:
    """The largest T that a search solved, else the smallest, of those with two labels."""
    lengths = Counter(row["T"] for row in rows)
    several = [row for row in rows if lengths[row["T"]] > 1]
    solved = [row["T"] for row in several if row["tokens_to_solve"] is not None]
    return max(solved) if solved else min((row["T"] for row in several), default=None)


def _compared(
    first: str, second: str, samples: dict[str, pd.DataFrame]
) -> Iterator[dict[str, Any]]:
    """The two rows of two labels."""
    rates = {of: Successes(int(samples[of]["solved"].sum()), len(samples[of])) for of in samples}
    tokens = {of: samples[of]["tokens"].where(samples[of]["solved"], math.inf) for of in samples}
    n, m = rates[first].n, rates[second].n
    by_rate = rates[first].solved / n < rates[second].solved / m
    better, worse = (second, first) if by_rate else (first, second)
    effect = rate_difference(rates[better], rates[worse])
    yield {
        "outcome": SOLVE_RATE, **_names(better, worse, rates), "difference": effect.value,
        "difference_low": effect.low, "difference_high": effect.high,
        "p_value": effect.p_value, "p_least": least_p_of_rates(n, m),
    }  # fmt: skip
    by_tokens = sooner(tokens[first].tolist(), tokens[second].tolist()) < 0.5
    better, worse = (second, first) if by_tokens else (first, second)
    a, b = tokens[better].tolist(), tokens[worse].tolist()
    yield {
        "outcome": TOKENS_TO_SOLVE, **_names(better, worse, rates), "sooner": sooner(a, b),
        "p_value": rank_test(a, b), "p_least": least_p_of_ranks(n, m),
    }  # fmt: skip


def _names(better: str, worse: str, rates: dict[str, Successes]) -> dict[str, Any]:
    return {
        "better": better, "worse": worse,
        "better_seeds": rates[better].n, "worse_seeds": rates[worse].n,
    }  # fmt: skip
