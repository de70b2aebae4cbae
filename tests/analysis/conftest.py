from pathlib import Path

import pytest

from analysis.figures import rendering


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of a test's studies."""
    return tmp_path / "runs"


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws the first figure only: for tests that look at none, and would take seconds each."""
    monkeypatch.setattr(rendering, "FIGURES", rendering.FIGURES[:1])
