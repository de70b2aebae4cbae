import os

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from searches import end_all

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _as_if_alone():
    """Undo what a trainer of another test did to this process, and end what a test has started."""
    torch.set_flush_denormal(False)
    yield
    end_all()
