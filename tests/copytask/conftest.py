import pytest
from recurrences import set_engine


@pytest.fixture
def use_engine(monkeypatch):
    """Compute recurrences by one of ``recurrences.ENGINES`` until the test ends."""
    return lambda engine: set_engine(engine, monkeypatch)
