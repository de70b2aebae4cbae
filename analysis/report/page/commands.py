"""Commands that train a trial, or search, again."""

import shlex
from collections.abc import Mapping
from typing import Any


def replay(path: str, trial_id: str, config: Mapping[str, Any]) -> str:
    """The command that trains a trial again and compares each number with its record."""
    before, after = replay_parts(path, config)
    return f"{before}{shlex.quote(trial_id)}{after}"


def replay_parts(path: str, config: Mapping[str, Any]) -> tuple[str, str]:
    """What comes before and after the name of a trial of the study at ``path``.

    A model or task of the user's own has to be named, as it is imported.
    """
    own = "".join(
        f" --{key} {shlex.quote(str(config[key]))}"
        for key in ("model", "task")
        if ":" in str(config[key])
    )
    return f"python -m search.run --replay {shlex.quote(path)} ", own


def search_again(name: str) -> str:
    """The command that searches again, beside the configuration in ``name``.yaml."""
    config, again = shlex.quote(f"{name}.yaml"), shlex.quote(f"{name}-again")
    return f"python -m search.run --config {config} --name {again}"
