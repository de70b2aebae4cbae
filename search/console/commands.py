"""Commands that a user can give next, ready to be copied."""

import os
import shlex
from pathlib import Path

from search.storage.store import ENDPOINT
from studies.paths import StudyPath, is_object_store


def resume_command(path: StudyPath, model: str, address: str | None = None) -> str:
    """Resumes the study at ``path``, which searches ``model``.

    Args:
        address: of the Ray cluster; None for one of this machine's own.
    """
    storage = "" if path.parent == Path("runs") else f" --storage {given(path.parent)}"
    where = f" --address {shlex.quote(address)}" if address else ""
    name = shlex.quote(path.name)
    return f"python -m search.run --name {name}{storage}{where} --resume{own(model)}"


def replay_command(path: StudyPath, trial_id: str, model: str) -> str:
    """Trains a trial of the study at ``path``, which searches ``model``, again."""
    return f"python -m search.run --replay {given(path)} {trial_id}{own(model)}"


def own(model: str) -> str:
    """The option without which a study of a user's own cell is not imported; see read_config."""
    return f" --model {shlex.quote(model)}" if ":" in model else ""


def given(path: StudyPath) -> str:
    """A folder as ``--storage`` takes it, with the server if it is in an object store."""
    endpoint = os.environ.get(ENDPOINT) if is_object_store(path) else None
    return shlex.quote(f"{path}?endpoint_override={endpoint}" if endpoint else str(path))


def compare_command(path: StudyPath) -> str:
    """Makes the table and figures of the study at ``path``."""
    return f"python -m analysis.compare {shlex.quote(str(path))}"
