"""Settings of the process that make training fast on a CPU, and repeatable on a GPU.

Gradients that travel through a thousand steps become denormal numbers, with which a CPU is
several times slower; glibc's malloc returns the pages of a training step to the system and
fetches them again in the next one. The compiled kernels look after both themselves, so the
settings matter for everything else: torch.nn's cells, the reference loops, a user's own cell.
"""

import os

import torch

MALLOC_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment that makes glibc keep its memory. It is read when a process starts, so a library
cannot set it from inside: ``env MALLOC_MMAP_MAX_=0 ... python train.py``. A search gives it to
its workers."""

CUBLAS_WORKSPACE = ":4096:8"
"""Value of CUBLAS_WORKSPACE_CONFIG with which cuBLAS gives the same bits each time. Source:
NVIDIA, "cuBLAS", section on the reproducibility of results."""


def configure_process(threads: int | None = None) -> None:
    """Flush denormals to zero, make results on a GPU repeatable, set torch's CPU threads if given.

    For the GPU it sets CUBLAS_WORKSPACE_CONFIG, if nobody has; cuBLAS reads it at its first use.

    A :class:`copytask.Trainer` calls it. One thread is best at the sizes of this task: run
    more trials instead.
    """
    torch.set_flush_denormal(True)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACE)
    if threads is not None:
        torch.set_num_threads(threads)
