"""Commands that a user can give next, ready to be copied."""

import shlex
from pathlib import Path

from study_paths import StudyPath


def resume_command(path: StudyPath, model: str) -> str:
    """Goes on with the study at ``path``, which searches ``model``."""
    storage = "" if path.parent == Path("runs") else f" --storage {shlex.quote(str(path.parent))}"
    return f"python -m search.run --name {shlex.quote(path.name)}{storage} --resume{own(model)}"


def replay_command(path: StudyPath, trial_id: str, model: str) -> str:
    """Trains a trial of the study at ``path``, which searches ``model``, again."""
    return f"python -m search.run --replay {shlex.quote(str(path))} {trial_id}{own(model)}"


def own(model: str) -> str:
    """The option without which a study of a user's own cell is not imported; see read_config."""
    return f" --model {shlex.quote(model)}" if ":" in model else ""


def compare_command(path: StudyPath) -> str:
    """Makes the table and figures of the study at ``path``."""
    return f"python -m analysis.compare {shlex.quote(str(path))}"
