"""Commands that a user can give next, ready to be copied."""

import shlex
from pathlib import Path

from study_paths import StudyPath


def resume_command(path: StudyPath) -> str:
    """Goes on with the study at ``path``."""
    storage = "" if path.parent == Path("runs") else f" --storage {shlex.quote(str(path.parent))}"
    return f"python -m search.run --name {shlex.quote(path.name)}{storage} --resume"


def replay_command(path: StudyPath, trial_id: str) -> str:
    """Trains a trial of the study at ``path`` again."""
    return f"python -m search.run --replay {shlex.quote(str(path))} {trial_id}"


def compare_command(path: StudyPath) -> str:
    """Makes the table and figures of the study at ``path``."""
    return f"python -m analysis.compare {shlex.quote(str(path))}"
