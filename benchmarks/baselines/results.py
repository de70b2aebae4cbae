"""The results of a search that is raced, as its own process learns of them: one clock for all.

Every side writes a line into a file for every result of a trial. When a trial has solved T, and
what the search had used by then, follows from that file, in the same way for all.
"""

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

FILE = "COPYTASK_RACE_RESULTS"
"""The environment variable that names the file."""


class Taken(NamedTuple):
    """What a search took.

    Attributes:
        seconds: from the start of its process until it knew that T is solved; the limit if it did
            not come to that.
        tokens: that its trials had reported by then.
        trials: that had reported by then.
        solved: whether T is solved.
    """

    seconds: float
    tokens: int
    trials: int
    solved: bool


def note(trial: object, tokens: int, solved: bool) -> None:
    """A trial has reported an iteration.

    Args:
        trial: its name or number, the same for all its results.
        tokens: that it has trained on so far.
        solved: whether it has solved T.
    """
    result = {"at": time.monotonic(), "trial": str(trial), "tokens": tokens, "solved": solved}
    with open(os.environ[FILE], "a") as file:
        file.write(json.dumps(result) + "\n")


def taken(file: Path, start: float, limit: float, solved_trials: int = 1) -> Taken:
    """What a search has taken until so many of its trials had solved T, or until the limit.

    Args:
        start: when its process began, on ``time.monotonic``, a clock that all processes share.
        limit: seconds.
    """
    *lines, _ = file.read_text().split("\n")  # the last one is empty, or is being written
    tokens: dict[str, int] = {}
    solved: set[str] = set()
    for line in lines:
        result = json.loads(line)
        seconds = result["at"] - start
        if seconds > limit:
            break
        tokens[result["trial"]] = result["tokens"]
        if result["solved"]:
            solved.add(result["trial"])
        if len(solved) == solved_trials:
            return Taken(seconds, sum(tokens.values()), len(tokens), True)
    return Taken(limit, sum(tokens.values()), len(tokens), False)
