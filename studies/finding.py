"""The studies that a command line names: each path is a study, or a folder of studies."""

import shlex
from collections import Counter
from collections.abc import Iterable

from studies import format as files
from studies.errors import InputError
from studies.paths import StudyPath, is_object_store, open_path

FILES = (
    files.STUDY_FILE, files.EVENTS_FILE, files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE,
    files.CONFIRM_FILE,
)  # fmt: skip
"""A folder with one of these is a study."""


def make_a_study(storage: object) -> str:
    """Tells the command that makes a study in this storage."""
    where = "" if str(storage) == "runs" else f" --storage {shlex.quote(str(storage))}"
    return f"make one by: python -m search.run --model mgru{where}"


def open_run(path: str | StudyPath) -> StudyPath:
    """Open a folder or prefix that a user has named.

    Raises:
        InputError: the address cannot be read.
    """
    try:
        return open_path(path)
    except ValueError as error:
        raise InputError(f"{path} {error}") from None


def find_studies(paths: Iterable[str | StudyPath]) -> dict[StudyPath, str]:
    """The studies at these paths, in order: directory -> name.

    A study is named after its directory, or by its path where two directories share a name.

    Raises:
        InputError: a path does not exist, or holds no study.
    """
    folders: dict[StudyPath, StudyPath] = {}  # a study that several paths lead to counts once
    for path in paths:
        for folder in _studies_at(path):
            folders.setdefault(folder.resolve(), folder)
    count = Counter(place.name for place in folders)
    return {
        folder: place.name if count[place.name] == 1 else str(folder)
        for place, folder in folders.items()
    }


def _studies_at(path: str | StudyPath) -> list[StudyPath]:
    place = open_run(path)
    try:
        return _study_or_children(place)
    except InputError:
        raise
    except Exception as error:  # each driver of an object store has its own errors
        if not (isinstance(error, OSError) or is_object_store(place)):
            raise
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"cannot read {path}: {reason}") from None


def _study_or_children(path: StudyPath) -> list[StudyPath]:
    """The study at ``path``, or else the studies one level below it, sorted."""
    if not path.exists():
        raise InputError(
            f"{path} does not exist; name a folder of studies, or {make_a_study(path)}"
        )
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; name a study or a folder of studies")
    if is_study(path):
        return [path]
    # A hidden folder is a study that the search is still creating.
    found = sorted(child for child in path.iterdir() if child.name[0] != "." and is_study(child))
    if not found:
        raise InputError(
            f"no study in {path}: neither {path / files.STUDY_FILE} nor "
            f"{path / '*' / files.STUDY_FILE} exists; {make_a_study(path)}"
        )
    return found


def is_study(path: StudyPath) -> bool:
    """Whether it has any file of a study: one that lost its study.yaml is broken, not absent."""
    return any((path / name).is_file() for name in FILES)
