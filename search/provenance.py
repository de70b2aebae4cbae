"""Where and with what a study was made."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from command_line import git_revision
from copytask import compiled_kernels

PACKAGES = ("torch", "ray", "optuna", "numpy")


def provenance(seed: int) -> dict[str, Any]:
    """Versions, machine and time, for study.yaml."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "git_revision": git_revision(),
        "host": platform.node(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "kernels": compiled_kernels() or "none",
    }
