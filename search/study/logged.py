"""What loggers show of a trial: its values, and each point of its learning curve."""

import hashlib
from typing import Any

from search.config.conditions import SearchSpace
from search.study.records import TrialRecord
from search.study.study_file import read_study_file
from studies import format as files
from studies.paths import StudyPath

METRICS = (
    "validation_accuracy", "ladder_accuracy", "exact_match", "training_loss", "validation_loss",
    "recalled_bits", "max_length",
)  # fmt: skip
"""Columns of progress.csv that are metrics. The step is in tokens."""


def digest_of(study: StudyPath) -> str:
    """Tells a study from others of its name: a digest of when it was made."""
    created = str(files.recorded_provenance(read_study_file(study)).get("created", ""))
    return hashlib.sha256(created.encode()).hexdigest()[:8]


def logged_values(trial: TrialRecord, space: SearchSpace) -> dict[str, Any]:
    """What a trial trains, and the hyperparameters that were searched."""
    values = trial.hyperparameters
    fixed = {name: values[name] for name in ("model", "task", "T", "seed")}
    return fixed | space.searched(values)
