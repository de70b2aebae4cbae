"""All tables of a comparison. Each has a module with its columns and its numbers.

To add a table, write such a module and add it here.
"""

import pandas as pd

from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import COMPARISON, LABEL
from analysis.tables.equal_cost import EQUAL_COST, accuracy_at_equal_cost
from analysis.tables.importance import IMPORTANCE, hyperparameter_importance
from analysis.tables.pairs import PAIRS, compare_pairs
from analysis.tables.seed_means import SEED_MEANS, seed_means
from analysis.tables.tuning_curves import CURVES, SAMPLES, random_samples, tuning_curves
from studies.columns import GENERALIZATION, Table

NAME = "comparison"

TESTS = Table(
    GENERALIZATION.file,
    "One row a (study, T, test_T); from `python -m search.generalize`.",
    (STUDY, LABEL, *GENERALIZATION.columns),
)

TABLES = {
    table.file.removesuffix(".csv"): table
    for table in (
        COMPARISON, PAIRS, SEED_MEANS, EQUAL_COST, SAMPLES, CURVES, IMPORTANCE, TESTS,
    )
}  # fmt: skip
"""File name without .csv -> the table, in the order of the report."""


def make_tables(studies: Studies, comparison: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables of a comparison: file name without .csv -> frame, as in :data:`TABLES`.

    Args:
        comparison: of :func:`analysis.tables.comparison.compare_studies`.
    """
    samples = random_samples(studies, comparison)
    labels = comparison[["study", "label"]].dropna().drop_duplicates()
    return {
        NAME: comparison,
        "pairs": compare_pairs(studies, comparison),
        "seed_means": seed_means(studies, comparison),
        "equal_cost": accuracy_at_equal_cost(studies, comparison),
        "tuning_samples": samples.drop(columns="values"),
        "tuning_curves": tuning_curves(samples),
        "importance": hyperparameter_importance(studies, comparison),
        "generalization": labels.merge(studies.generalization, on="study"),
    }
