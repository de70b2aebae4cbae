"""All tables of a comparison."""

import pandas as pd

from analysis.reading.studies import Studies
from analysis.tables.equal_cost import equal_cost
from analysis.tables.importance import hyperparameter_importance
from analysis.tables.pairs import compare_pairs, seed_means
from analysis.tables.tuning_curves import random_samples, tuning_curves

NAME = "comparison"


def make_tables(studies: Studies, comparison: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables of a comparison: file name without .csv -> frame.

    Their columns are those of :data:`analysis.tables.columns.TABLE_COLUMNS`.
    """
    samples = random_samples(studies, comparison)
    labels = comparison[["study", "label"]].dropna().drop_duplicates()
    return {
        NAME: comparison,
        "pairs": compare_pairs(studies, comparison),
        "seed_means": seed_means(studies, comparison),
        "equal_cost": equal_cost(studies, comparison),
        "tuning_samples": samples.drop(columns="values"),
        "tuning_curves": tuning_curves(samples),
        "importance": hyperparameter_importance(studies, comparison),
        "generalization": labels.merge(studies.generalization, on="study"),
    }
