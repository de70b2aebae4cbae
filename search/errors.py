"""The errors that end a search with one line instead of a traceback."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """The user asked for something that cannot be done; exit code 2."""


class SearchFailedError(Exception):
    """The search ran and has nothing to show; exit code 1."""


def unknown(kind: str, name: object, choices: Iterable[str]) -> str:
    """One line for a name that does not exist, with the nearest one that does."""
    choices = sorted(choices)
    near = difflib.get_close_matches(str(name), choices, n=1)
    if near:
        return f"unknown {kind} {name!r}; did you mean {near[0]!r}?"
    return f"unknown {kind} {name!r}; choose from {', '.join(choices)}"
