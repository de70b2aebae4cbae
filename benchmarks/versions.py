"""What was measured: the versions of the libraries, and of this project."""

import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from search.errors import UserError

ROOT = Path(__file__).parents[1]
LIBRARIES = ("torch", "ray", "optuna", "syne-tune")
TRAINING = (
    "copytask", "configs", "benchmarks/searches.yaml",
    *(f":(exclude)copytask/{path}"
      for path in ("engine/clock.c", "engine/clock.h", "engine/memory.c", "engine/memory.py",
                   "models/linear_attention.py")),
)  # fmt: skip
"""What decides how a training of a gated cell goes: folders and files of this project, as git names
them. What only linear attention or a clock runs is left out."""

SEARCH = ("copytask", "search", "studies", "configs", "benchmarks/baselines",
          "benchmarks/searches.yaml")  # fmt: skip
"""What decides how a search goes."""


def versions(code: Sequence[str] = SEARCH, libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Name of each library, and ``project`` -> its version; empty if it is not installed.

    Args:
        code: folders of this project. A commit that changes nothing of them makes no other version.
    """
    known = {name.replace("-", "_"): _installed(name) for name in libraries}
    return {**known, "project": project_version(code)}


def check_installed(sides: Iterable[str]) -> None:
    """Check that there is Syne Tune, which is no dependency of this project, if a side needs it.

    Raises:
        UserError: there is not.
    """
    if any(side.startswith("Syne Tune") for side in sides) and not _installed("syne-tune"):
        raise UserError(
            "Syne Tune is not installed: pip install 'copytask-search[benchmarks]', or leave it "
            "out of --sides"
        )


def project_version(code: Sequence[str] = SEARCH) -> str:
    """The last commit that changed ``code``, with a + if a tracked file differs from it.

    Outside of a git checkout, the version of the package.
    """
    commit = _git("log", "-1", "--abbrev=10", "--format=%h", "--", *code)
    if not commit:
        return _installed("copytask-search")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", *code)
    return f"{commit}+" if changed else commit


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(*arguments: str) -> str:
    """What git prints; empty if there is no git, or no repository."""
    try:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
