import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_tune import Machine
from moments import Moment, at_events


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a place: these tests write thousands of files."""
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def machine(monkeypatch) -> Machine:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return Machine(monkeypatch)


@pytest.fixture
def killed_at(thorough) -> Callable[[list[Moment]], list[Moment]]:
    """Picks the moments after which a search is killed: each ninth event, or each one."""
    return lambda kept: at_events(kept)[:: 1 if thorough else 9]
