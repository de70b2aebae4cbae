"""The errors that end a command with one line in place of a traceback."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """The user asked for something impossible; exit code 2."""


class SearchFailedError(Exception):
    """The search failed; exit code 1."""


class StorageError(SearchFailedError):
    """The study can no longer be written, or read."""

    def __init__(self, study: object, error: OSError):
        action = "read" if isinstance(error, ReadError) else "write to"
        super().__init__(
            f"cannot {action} {study}: {error.strerror or error}. Everything written so far is "
            "intact: fix the storage, then continue with --resume"
        )


class ReadError(OSError):
    """The storage cannot be read; any other OSError means that it cannot be written."""


class LockLostError(SearchFailedError):
    """Another search has taken the lock of the study."""

    def __init__(self, study: object):
        super().__init__(
            f"another process has taken over {study}, so this search has stopped; everything that "
            "it had written before is intact"
        )


class UnsharedStorageError(SearchFailedError):
    """A host does not see the study, or cannot write to it; raised on that host.

    Attributes:
        host: the host's node id in Ray.
    """

    def __init__(self, message: str, host: str = ""):
        super().__init__(message)
        self.host = host


class ClusterLostError(SearchFailedError):
    """Ray has no host left that could run a trial."""


def unknown(kind: str, name: object, choices: Iterable[str]) -> str:
    """Say that a name is unknown, and suggest the nearest known one or list all."""
    choices = sorted(choices)
    near = difflib.get_close_matches(str(name), choices, n=1)
    if near:
        return f"unknown {kind} {name!r}; did you mean {near[0]!r}?"
    return f"unknown {kind} {name!r}; choose from {', '.join(choices)}"
