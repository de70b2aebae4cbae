"""What loggers show of a trial: its values, and each point of its learning curve."""

from typing import Any

from search.config.conditions import SearchSpace
from search.study.records import TrialRecord

METRICS = (
    "validation_accuracy", "ladder_accuracy", "exact_match", "training_loss", "validation_loss",
    "recalled_bits", "max_length",
)  # fmt: skip
"""Columns of progress.csv that are metrics. The step is in tokens."""


def logged_values(trial: TrialRecord, space: SearchSpace) -> dict[str, Any]:
    """What a trial trains, and the hyperparameters that were searched."""
    values = trial.hyperparameters
    fixed = {name: values[name] for name in ("model", "task", "T", "seed")}
    return fixed | space.searched(values)
