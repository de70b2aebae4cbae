"""The comparison at the end of a search of several models."""

import subprocess
import sys
from collections.abc import Sequence

from search.console.commands import compare_command
from studies.paths import StudyPath


def compare(paths: Sequence[StudyPath]) -> str:
    """Compare studies, in a process of its own: a search does not need what a report needs.

    The report is written to reports/, and its table is printed.

    Returns:
        Why there is no comparison, in one line; empty if there is one.
    """
    command = [sys.executable, "-m", "analysis.compare", *map(str, paths)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if result.returncode == 0:
        return ""
    reason = (result.stderr.strip().splitlines() or ["it was killed"])[-1]
    reason = reason.removeprefix("error: ")
    return f"the studies are complete, but not compared: {reason}; run {compare_command(*paths)}"
