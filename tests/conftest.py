import os

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

torch.set_num_threads(1)
