"""What was measured: the versions of the libraries, and of this project."""

import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from search.errors import UserError

ROOT = Path(__file__).parents[1]
LIBRARIES = ("torch", "ray", "optuna", "syne-tune")
CODE = (
    "copytask", "search", "studies", "configs", "benchmarks/baselines", "benchmarks/searches.yaml",
)  # fmt: skip
"""What a search runs. A commit that changes nothing of it makes no other version."""


def versions() -> dict[str, str]:
    """Name of each library, and ``project`` -> its version; empty if it is not installed."""
    libraries = {name.replace("-", "_"): _installed(name) for name in LIBRARIES}
    return {**libraries, "project": project_version()}


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


def project_version() -> str:
    """The last commit that changed :data:`CODE`, with a + if a tracked file differs from it.

    Outside of a git checkout, the version of the package.
    """
    commit = _git("log", "-1", "--abbrev=10", "--format=%h", "--", *CODE)
    if not commit:
        return _installed("copytask-search")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", *CODE)
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
