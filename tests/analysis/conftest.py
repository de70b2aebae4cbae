from pathlib import Path

import pytest


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of a test's studies."""
    return tmp_path / "runs"
