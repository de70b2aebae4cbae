"""The winners trained again with fresh seeds."""

import pandas as pd

from analysis.reading.csv_tables import frame_type
from analysis.reading.studies import STUDY, Studies
from studies import format as files
from studies.columns import T, real, whole
from studies.seed_statistics import summarize_seeds

CONFIRMED = (
    whole("seeds", "", "trainings of this configuration with fresh seeds"),
    whole("seeds_solved", "", "how many of them solved T"),
    real("solved_low", "share", "lower end of the 95 % interval of that share (Clopper-Pearson)"),
    real("solved_high", "share", "upper end of the interval"),
    real("mean_accuracy", "share", "mean test accuracy over the seeds"),
    real("mean_accuracy_low", "share", "lower end of its 95 % interval over seeds (Student's t)"),
    real("mean_accuracy_high", "share", "upper end of the interval"),
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

    Columns: study, T and those of :data:`CONFIRMED`. A seed that failed has not solved T, and is in
    the mean like any other.
    """
    rows = [
        (study, T, *summarize_seeds(of["accuracy"].tolist(), of["solved"].tolist()))
        for (study, T), of in winner_seeds(studies).groupby(["study", "T"])
    ]
    columns = (STUDY, T, *CONFIRMED)
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    return frame.astype({column.name: frame_type(column) for column in columns})
