"""All tables of a comparison. Each has a module with its columns and its numbers.

To add a table, write such a module and add it here.
"""

import pandas as pd

from analysis.reading.studies import STUDY, Studies
from analysis.tables.best_so_far import BEST_SO_FAR, best_so_far
from analysis.tables.comparison import COMPARISON, LABEL
from analysis.tables.costs import COSTS, search_costs
from analysis.tables.edges import EDGES, search_edges
from analysis.tables.importance import IMPORTANCE, hyperparameter_importance
from analysis.tables.pairs import PAIRS, compare_pairs
from analysis.tables.reach import REACHED, reached
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
        COMPARISON, REACHED, PAIRS, EDGES, COSTS, BEST_SO_FAR, SAMPLES, CURVES, IMPORTANCE, TESTS,
    )
}  # fmt: skip
"""File name without .csv -> the table, in the order of the report."""


def make_tables(studies: Studies, comparison: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables of a comparison: file name without .csv -> frame, as in :data:`TABLES`.

    Args:
        comparison: of :func:`analysis.tables.comparison.compare_studies`.
    """
    samples = random_samples(studies, comparison)
    found = best_so_far(studies, comparison)
    labels = comparison[["study", "label"]].dropna().drop_duplicates()
    return {
        NAME: comparison,
        "reach": reached(studies, comparison),
        "pairs": compare_pairs(studies, comparison),
        "edges": search_edges(studies, comparison),
        "costs": search_costs(studies, comparison, found),
        "best_so_far": found,
        "tuning_samples": samples.drop(columns="values"),
        "tuning_curves": tuning_curves(samples),
        "importance": hyperparameter_importance(studies, comparison),
        "generalization": labels.merge(studies.generalization, on="study"),
    }
