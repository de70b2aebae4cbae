"""The errors that end a search with one line instead of a traceback."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """The user asked for something that cannot be done; exit code 2."""


class SearchFailedError(Exception):
    """The search ran and has nothing to show; exit code 1."""


class StorageError(SearchFailedError):
    """The study cannot be written, or read, any more."""

    def __init__(self, study: object, error: OSError):
        action = "read" if isinstance(error, ReadError) else "write to"
        super().__init__(
            f"cannot {action} {study}: {error.strerror or error}. What was written is whole: mend "
            "that, then go on with --resume"
        )


class ReadError(OSError):
    """The storage cannot be read; any other OSError says that it cannot be written."""


class LockLostError(SearchFailedError):
    """Another search writes to the study."""

    def __init__(self, study: object):
        super().__init__(
            f"another process has taken over {study}, so this search has stopped; what it had "
            "written before is kept"
        )


class UnsharedStorageError(SearchFailedError):
    """A host does not see the study, or cannot write there; raised there.

    Attributes:
        host: Ray's id of it.
    """

    def __init__(self, message: str, host: str = ""):
        super().__init__(message)
        self.host = host


class ClusterLostError(SearchFailedError):
    """Ray has no machine left that could run a trial."""


def unknown(kind: str, name: object, choices: Iterable[str]) -> str:
    """One line for a name that does not exist, with the nearest one that does."""
    choices = sorted(choices)
    near = difflib.get_close_matches(str(name), choices, n=1)
    if near:
        return f"unknown {kind} {name!r}; did you mean {near[0]!r}?"
    return f"unknown {kind} {name!r}; choose from {', '.join(choices)}"
