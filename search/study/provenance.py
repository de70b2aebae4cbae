"""Where and with what a study was made."""

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from copytask import compiled_kernels
from studies.command_line import git_revision

PACKAGES = ("torch", "ray", "optuna", "numpy")


def provenance(seed: int) -> dict[str, Any]:
    """Versions, machine and time, for study.yaml."""
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seed": seed,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "git_revision": git_revision(),
        "host": platform.node(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "kernels": compiled_kernels() or "none",
    }
