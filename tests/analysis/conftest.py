from pathlib import Path

import pytest

from analysis.figures import accuracy_vs_t, rendering


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of a test's studies."""
    return tmp_path / "runs"


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws one figure only: for tests that look at none, and would take seconds each."""
    monkeypatch.setattr(rendering, "FIGURES", [accuracy_vs_t.FIGURE])
