"""seed_means.csv: the mean of each model over all T and fresh seeds."""

import pandas as pd

from analysis.reading.studies import Studies
from analysis.statistics import ENOUGH_SEEDS, interquartile_mean
from analysis.tables.comparison import LABEL
from analysis.tables.confirmation import winner_seeds
from studies.columns import TASK, Table, real, whole

SEED_MEANS = Table(
    "seed_means.csv",
    f"One row a label with at least {ENOUGH_SEEDS} fresh seeds at each T.",
    (
        TASK, LABEL,
        whole("seeds", "", "trainings with fresh seeds at all T"),
        whole("lengths", "", "number of T"),
        real("iqm", "share", "interquartile mean of the test accuracies over all T and seeds"),
        real("iqm_low", "share", "lower end of its 95 % stratified bootstrap interval"),
        real("iqm_high", "share", "upper end of the interval"),
    ),
)  # fmt: skip


def seed_means(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a label with enough confirmed seeds: its interquartile mean over all T and seeds.

    Only of labels whose every T has :data:`analysis.statistics.ENOUGH_SEEDS` seeds, so that an
    architecture does not gain by a T at which it has none.

    Columns: those of :data:`SEED_MEANS`.
    """
    seeds = winner_seeds(studies)
    rows = []
    for (task, label), of_label in comparison.groupby(["task", "label"]):
        of_study = seeds[seeds["study"].isin(of_label["study"])]
        strata = [of["accuracy"].tolist() for _, of in of_study.groupby("T")]
        if len(strata) < len(of_label) or min(map(len, strata)) < ENOUGH_SEEDS:
            continue
        mean = interquartile_mean(strata)
        rows.append((task, label, sum(map(len, strata)), len(strata), *mean))
    return pd.DataFrame(rows, columns=list(SEED_MEANS.names))
