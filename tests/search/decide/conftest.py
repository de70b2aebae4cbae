import pytest

from search.study.study import Study


@pytest.fixture
def only_what_is_said_takes_time(monkeypatch) -> None:
    """The clock of a study stands still, but for what a test adds to it."""
    monkeypatch.setattr(Study, "elapsed", lambda study: study.clock._before)
