"""The states that a search goes through, each as a kill would leave it."""

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fake_tune import Faults, Machine
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from search.storage.lock import LOCK_FILE
from search.study.event_log import FileLog
from studies.paths import StudyPath

Files = dict[str, bytes]
"""Names, within a folder, and contents."""


def files_below(folder: StudyPath) -> Files:
    if isinstance(folder, Path):
        found = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in found}
    root, store = folder.path.rstrip("/") + "/", MemoryFileSystem.store
    return {name[len(root) :]: store[name].getvalue() for name in store if name.startswith(root)}


def put(content: Files, folder: StudyPath) -> None:
    for name, data in content.items():
        if name.endswith(LOCK_FILE):
            continue  # that of a process that was killed; see test_lock.py
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


class Moment(NamedTuple):
    """What a search leaves when it is killed, and the faults that are still to come."""

    files: Files
    faults: Faults

    def log(self) -> bytes:
        return b"".join(data for name, data in sorted(self.files.items()) if ".jsonl" in name)


def moments(machine: Machine, runs: StudyPath, run: Callable[[], None]) -> list[Moment]:
    """Each state that a search goes through which a kill could leave."""
    kept: list[Moment] = []

    def keep() -> None:
        now = files_below(runs)
        if not kept or kept[-1].files != now:
            kept.append(Moment(now, copy.deepcopy(machine.faults)))

    def watched(call):
        def wrapper(*arguments, **options):
            keep()
            answer = call(*arguments, **options)
            keep()
            return answer

        return wrapper

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in [
            (os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"), (os, "rmdir"),
            (UPath, "write_bytes"), (MemoryFileSystem, "_rm"), (FileLog, "append"),
        ]:  # fmt: skip
            patch.setattr(owner, name, watched(getattr(owner, name)))
        run()
    keep()
    return kept


def with_halves(kept: list[Moment]) -> Iterator[Moment]:
    """These moments, and between two of them those at which a line was written half."""
    before: Files = {}
    for now in kept:
        for name, new in now.files.items():
            old = before.get(name, b"")
            if name.endswith((".jsonl", ".journal")) and new.startswith(old) and new != old:
                half = new[: (len(old) + len(new)) // 2]
                yield Moment({**before, name: half}, now.faults)
        yield now
        before = now.files


def at_events(kept: list[Moment]) -> list[Moment]:
    """Of these moments, the first after each event."""
    pairs = zip([Moment({}, {}), *kept], kept, strict=False)
    return [now for before, now in pairs if before.log() != now.log()]
