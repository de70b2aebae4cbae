import os

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from searches import end_all

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _no_search_left():
    yield
    end_all()
