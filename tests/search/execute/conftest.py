import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_tune import Machine


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
