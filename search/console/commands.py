"""Commands that a user can give next, ready to be copied."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from search.config.study_config import StudyConfig
from studies.paths import ENDPOINT, StudyPath, is_object_store


def resume_command(path: StudyPath, config: StudyConfig, address: str | None = None) -> str:
    """Resumes the study at ``path``.

    Args:
        address: of the Ray cluster; None for one of this machine's own.
    """
    storage = "" if path.parent == Path("runs") else f" --storage {given(path.parent)}"
    where = f" --address {shlex.quote(address)}" if address else ""
    name = shlex.quote(path.name)
    own_code = any(":" in logger for logger in config.search.loggers)
    loggers = f" --logger {shlex.join(config.search.loggers)}" if own_code else ""
    return f"python -m search.run --name {name}{storage}{where} --resume{own(config)}{loggers}"


def resume_all_command(arguments: Sequence[str]) -> str:
    """Resumes all studies of a search of several models that had these arguments.

    Unlike the command of a single study, it also starts a study that does not exist yet.
    """
    again = [text for text in arguments if text not in ("--resume", "--retry-failed")]
    return shlex.join(["python", "-m", "search.run", *again, "--resume"])


def replay_command(path: StudyPath, trial_id: str, config: StudyConfig) -> str:
    """Trains a trial of the study at ``path`` again."""
    return f"python -m search.run --replay {given(path)} {trial_id}{own(config)}"


def own(config: StudyConfig) -> str:
    """The options without which a user's own model and task are not imported; see read_config."""
    named = {"model": config.model, "task": config.task}
    return "".join(f" --{key} {shlex.quote(name)}" for key, name in named.items() if ":" in name)


def given(path: StudyPath) -> str:
    """A folder as the commands take it, with the server if it is in an object store."""
    endpoint = os.environ.get(ENDPOINT) if is_object_store(path) else None
    return shlex.quote(f"{path}?endpoint_override={endpoint}" if endpoint else str(path))


def compare_command(*paths: StudyPath) -> str:
    """Makes the table and figures of the studies at these paths."""
    return f"python -m analysis.compare {' '.join(map(given, paths))}"
