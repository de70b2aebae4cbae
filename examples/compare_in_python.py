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

# %% The best trial of each model and T. reports/columns.md explains all columns.
comparison = compare_studies(studies)
print(comparison[["label", "T", "accuracy", "accuracy_low", "accuracy_high", "seconds_to_solve"]])

# %% Who copies best at each T, and at what cost?
tables = make_tables(studies, comparison)
print(tables["pairs"][["T", "basis", "better", "worse", "difference", "p_holm"]])
print(tables["equal_cost"][["T", "label", "parameters", "search_tokens", "search_seconds"]])

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
