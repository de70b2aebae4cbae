"""What a user asks of a search while it runs: small files in its study.

Only the process that holds the lock writes to a study, so a command leaves its request in a folder
of the study: a file of JSON, which appears as a whole in a folder and in an object store. The
search looks there every few seconds, takes the requests in the order in which they were made, and
removes each once its event is written. What nobody has taken waits for the next ``--resume``.
"""

import dataclasses
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.config.dimensions import Scalar
from search.storage.store import children, read_bytes, write_bytes
from studies.format import INBOX_FOLDER
from studies.paths import StudyPath


@dataclass(frozen=True)
class Enqueue:
    """Try this configuration next at T; what it leaves out is sampled."""

    T: int
    configuration: Mapping[str, Scalar]


@dataclass(frozen=True)
class StopTrial:
    """Stop this trial at its next result."""

    trial_id: str


@dataclass(frozen=True)
class NextT:
    """End the search at T, and go on to the next."""

    T: int


Request = Enqueue | StopTrial | NextT

KINDS: Mapping[str, type[Any]] = {"enqueue": Enqueue, "stop_trial": StopTrial, "next_T": NextT}
"""The name of each kind of request in its file -> its class."""

NAMES = {kind: name for name, kind in KINDS.items()}


def leave(study: StudyPath, request: Request) -> None:
    """Leave a request in the study at this path.

    Raises:
        OSError: it cannot be written.
    """
    folder = study / INBOX_FOLDER
    if isinstance(folder, Path):
        folder.mkdir(exist_ok=True)
    content = {"request": NAMES[type(request)], **dataclasses.asdict(request)}
    name = f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}.json"
    write_bytes(folder / name, json.dumps(content).encode())


def waiting(study: StudyPath) -> Iterator[tuple[StudyPath, Request | None]]:
    """The requests that were left, in the order of their making; None for a damaged one.

    The name of a file is the id of its request.

    Raises:
        OSError: the store cannot be read.
    """
    found = (path for path in children(study / INBOX_FOLDER) if path.suffix == ".json")
    for path in sorted(found, key=lambda path: path.name):
        if path.name.startswith("."):
            continue  # half written
        try:
            yield path, _parse(read_bytes(path))
        except FileNotFoundError:
            continue
        except (ValueError, TypeError, KeyError, AttributeError):
            yield path, None


def _parse(content: bytes) -> Request:
    values = json.loads(content)
    kind = KINDS[values.pop("request")]
    request: Request = kind(**values)
    for field in dataclasses.fields(kind):
        expected = {"T": int, "trial_id": str, "configuration": dict}[field.name]
        if not isinstance(getattr(request, field.name), expected):
            raise TypeError
    return request
