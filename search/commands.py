"""Commands that a user can give next, ready to be copied."""

import os
import shlex
from pathlib import Path

from search.storage import ENDPOINT
from study_paths import StudyPath, is_object_store


def resume_command(path: StudyPath, address: str | None = None) -> str:
    """Resumes the study at ``path``, on the Ray cluster at ``address`` if there is one."""
    storage = "" if path.parent == Path("runs") else f" --storage {given(path.parent)}"
    where = f" --address {shlex.quote(address)}" if address else ""
    return f"python -m search.run --name {shlex.quote(path.name)}{storage}{where} --resume"


def replay_command(path: StudyPath, trial_id: str) -> str:
    """Trains a trial of the study at ``path`` again."""
    return f"python -m search.run --replay {given(path)} {trial_id}"


def given(path: StudyPath) -> str:
    """A folder as ``--storage`` takes it, with the server if it is in an object store."""
    endpoint = os.environ.get(ENDPOINT) if is_object_store(path) else None
    return shlex.quote(f"{path}?endpoint_override={endpoint}" if endpoint else str(path))


def compare_command(path: StudyPath) -> str:
    """Makes the table and figures of the study at ``path``."""
    return f"python -m analysis.compare {shlex.quote(str(path))}"
