"""The winners trained again with fresh seeds."""

import math

import pandas as pd

from analysis.reading.csv_tables import frame_type
from analysis.reading.studies import STUDY, Studies
from analysis.statistics import median_to_solve
from studies import format as files
from studies.columns import T, real, whole
from studies.seed_statistics import summarize_seeds

CONFIRMED = (
    whole("seeds", "", "trainings of this configuration with fresh seeds"),
    whole("seeds_solved", "", "how many of them solved T"),
    real("solve_rate", "share", "the share of them that solved T"),
    real("solve_rate_low", "share", "lower end of its exact 95 % interval (Clopper-Pearson)"),
    real("solve_rate_high", "share", "upper end of the interval"),
    real("median_accuracy", "share", "median of their test accuracies"),
    real("lowest_accuracy", "share", "the lowest of them"),
    real("highest_accuracy", "share", "the highest of them"),
    whole(
        "seeds_tested_solved", "",
        f"how many of them have a test accuracy of at least {files.SOLVED_ACCURACY}",
    ),
    real(
        "median_tokens_to_solve", "tokens",
        "tokens within which half of them solve T (Kaplan-Meier); empty if fewer than half do",
    ),
)  # fmt: skip
"""Columns of :func:`confirmed_winners` beside study and T."""


def winner_seeds(studies: Studies) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: study, T, seed, accuracy (on test payloads; chance if the seed failed before it had a
    model), solved, tokens (until T was solved, or spent without that). Seeds of an earlier winner
    do not count. A seed that failed would not have solved T later: its tokens are at least those
    of every other seed of its T.
    """
    winners = studies.best[["study", "T", "trial_id"]].rename(columns={"trial_id": "confirms"})
    seeds = studies.confirmations.merge(winners, on=["study", "T", "confirms"])
    failed = seeds["status"] == files.FAILED
    solved = seeds["tokens_to_solve"].notna() & ~failed
    tokens = seeds["tokens"].fillna(0).astype("float64")
    longest = tokens.groupby([seeds["study"], seeds["T"]]).transform("max")
    tokens = tokens.where(~failed, longest)
    return seeds[["study", "T", "seed"]].assign(
        accuracy=seeds["accuracy"].fillna(seeds["study"].map(studies.chances)),
        solved=solved,
        tokens=seeds["tokens_to_solve"].astype("float64").where(solved, tokens),
    )


def confirmed_winners(studies: Studies) -> pd.DataFrame:
    """One row a (study, T) whose winner was trained again with fresh seeds.

    Columns: study, T and those of :data:`CONFIRMED`. A seed that failed has not solved T, and its
    accuracy counts like any other.
    """
    rows = []
    for (study, T_), of in winner_seeds(studies).groupby(["study", "T"]):
        accuracies, solved = of["accuracy"].tolist(), of["solved"].tolist()
        tested = int((of["accuracy"] >= files.SOLVED_ACCURACY).sum())
        half = median_to_solve(of["tokens"].tolist(), solved)
        summary = summarize_seeds(accuracies, solved)
        rows.append((study, T_, *summary, tested, math.nan if math.isinf(half) else half))
    columns = (STUDY, T, *CONFIRMED)
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    return frame.astype({column.name: frame_type(column) for column in columns})
