"""Studies as data frames. Read it from top to bottom, like a notebook.

    python examples/compare_in_python.py runs/

Jupyter and many editors run the cells (# %%) one by one.
"""

# %% Read the studies once. Every table is a tidy pandas frame: one row for each observation.
import sys

import pandas as pd

from analysis import compare_studies, load_studies, make_tables, render_figures

pd.set_option("display.width", 100, "display.max_columns", 12)
studies = load_studies(sys.argv[1:] or ["runs"])
print(studies.studies[["study", "model", "task", "problem"]])

# %% With how many fresh seeds does each model solve T? reports/columns.md explains all columns.
comparison = compare_studies(studies)
print(comparison[["label", "T", "seeds_solved", "seeds", "solve_rate_low", "median_accuracy"]])

# %% Which models do these seeds tell apart, and what has each search cost?
tables = make_tables(studies, comparison)
print(tables["pairs"][["T", "outcome", "better", "worse", "p_holm", "p_least"]])
print(tables["costs"][["T", "label", "search_tokens", "wall_seconds", "tokens_to_first_solve"]])

# %% Trials: how many tokens do the trials that solve T need, in the median?
solved = studies.trials.dropna(subset=["tokens_to_solve"])
print(solved.groupby(["model", "T"])["tokens_to_solve"].agg(["size", "median"]))

# %% Learning curves: how long was the longest training sequence when T was first recalled?
curves = studies.progress[studies.progress["validation_accuracy"] >= 0.99]
first = curves.sort_values("step").drop_duplicates(["study", "trial_id"])
print(first[["model", "T", "trial_id", "step", "max_length"]])

# %% Figures: images in memory with a caption. A notebook shows the PNG.
for figure in render_figures(comparison, studies)[:2]:
    print(f"{figure.stem}: {len(figure.png)} bytes. {figure.caption}")
