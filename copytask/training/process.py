"""Settings of the process that make training fast on a CPU and repeatable on a GPU.

Over a thousand steps gradients shrink to denormal numbers, which make a CPU several times slower.
And glibc's malloc returns the pages of a training step to the system and fetches them again in the
next one. The kernels of the recurrent cells (kernels.c) reuse their memory, and on x86-64 flush
denormals by themselves. The settings help everything else: the stacks of blocks, torch.nn's cells,
the reference loops, a user's own cell.
"""

import os

import torch

MALLOC_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment variables that make glibc keep its memory. They are read when a process starts, so
set them before: ``env MALLOC_MMAP_MAX_=0 ... python train.py``. A search sets them for its
workers."""

CUBLAS_WORKSPACE = ":4096:8"
"""Value of CUBLAS_WORKSPACE_CONFIG that makes cuBLAS give the same bits each time. Source: NVIDIA,
"cuBLAS", section on the reproducibility of results."""


def configure_process(threads: int | None = None) -> None:
    """Make training in this process fast on a CPU and repeatable on a GPU.

    Flushes denormals to zero, and sets CUBLAS_WORKSPACE_CONFIG unless it is set; cuBLAS reads it at
    its first use. :class:`copytask.Trainer` calls this. One thing on a GPU is not repeatable: the
    backward pass of torch's memory-efficient attention sums in no fixed order, unless you call
    ``torch.use_deterministic_algorithms(True)``, which other operations may refuse.

    Args:
        threads: torch's CPU threads; None leaves them as they are. Extra threads do not help at the
            sizes of this task: use one, and run more trials instead.
    """
    torch.set_flush_denormal(True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    if threads is not None:
        torch.set_num_threads(threads)
