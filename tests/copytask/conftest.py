import pytest
import torch
from recurrences import set_engine


@pytest.fixture
def use_engine(monkeypatch):
    """Compute recurrences by one of ``recurrences.ENGINES`` until the test ends."""
    return lambda engine: set_engine(engine, monkeypatch)


@pytest.fixture
def use_threads():
    """Let torch have another number of CPU threads until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
