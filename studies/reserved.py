"""The names that a searched hyperparameter cannot have: the tables use them for something else."""

from studies import format as files
from studies.columns import (
    BEST,
    CONFIRM,
    CURRICULUM_LENGTH,
    HIDDEN_SIZE,
    LEARNING_RATE,
    SEED,
    TRIALS,
)

HYPERPARAMETERS = tuple(of.name for of in (LEARNING_RATE, HIDDEN_SIZE, CURRICULUM_LENGTH, SEED))
"""Columns of every table that are hyperparameters themselves."""

OF_ANALYSIS = (
    "study", "label", "state", "path", "chance_accuracy", "exact_match_low", "exact_match_high",
    "seeds", "seeds_solved", "seeds_tested_solved", "solve_rate", "solve_rate_low",
    "solve_rate_high", "median_accuracy", "lowest_accuracy", "highest_accuracy",
    "median_tokens_to_solve", *(f"trials_{status}" for status in files.STATUSES),
    "problem", "warning", "best", "searched", "trial", "solved", "validation",
)  # fmt: skip
"""Columns that ``analysis`` adds: those of comparison.csv, and of its frames and its page."""

RESERVED = {*TRIALS.names, *BEST.names, *CONFIRM.names, *OF_ANALYSIS} - set(HYPERPARAMETERS)
"""Names of columns that are no hyperparameters."""
