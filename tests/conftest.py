import os
import signal

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from searches import end_all

# A shell starts what runs in its background deaf to Ctrl-C, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _as_if_alone():
    """Undo what a trainer of another test did to this process, and end what a test has started."""
    torch.set_flush_denormal(False)
    yield
    end_all()
