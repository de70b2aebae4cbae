"""The winners trained again with fresh seeds."""

import pandas as pd

from analysis.reading.studies import Studies
from studies import format as files
from studies.seed_statistics import summarize_seeds

CONFIRMED = (
    "seeds",
    "seeds_solved",
    "solved_low",
    "solved_high",
    "mean_accuracy",
    "mean_accuracy_low",
    "mean_accuracy_high",
)
"""Columns of :func:`confirmed_winners` beside study and T."""


def winner_seeds(studies: Studies) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: study, T, seed, accuracy (on test payloads; chance if the seed failed before it had a
    model), solved. Seeds of an earlier winner do not count.
    """
    winners = studies.best[["study", "T", "trial_id"]].rename(columns={"trial_id": "confirms"})
    seeds = studies.confirmations.merge(winners, on=["study", "T", "confirms"])
    solved = seeds["tokens_to_solve"].notna() & (seeds["status"] != files.FAILED)
    return seeds[["study", "T", "seed"]].assign(
        accuracy=seeds["accuracy"].fillna(files.CHANCE_ACCURACY), solved=solved
    )


def confirmed_winners(studies: Studies) -> pd.DataFrame:
    """One row a (study, T) whose winner was trained again with fresh seeds.

    Columns: study, T, those of ``CONFIRMED``: number of seeds, how many of them solved T, 95 %
    interval of the share that does, mean test accuracy over the seeds with its 95 % interval. A
    seed that failed has not solved T, and is in the mean like any other.
    """
    rows = [
        (study, T, *summarize_seeds(of["accuracy"].tolist(), of["solved"].tolist()))
        for (study, T), of in winner_seeds(studies).groupby(["study", "T"])
    ]
    frame = pd.DataFrame(rows, columns=["study", "T", *CONFIRMED])
    whole = dict.fromkeys(("T", "seeds", "seeds_solved"), "Int64")
    numbers = dict.fromkeys(CONFIRMED, "float64")
    return frame.astype({"study": object, **numbers, **whole})
