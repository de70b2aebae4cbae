"""Settings of the process that make training fast on a CPU.

Gradients that travel through a thousand steps become denormal numbers, which slow a CPU
down several-fold; glibc's malloc returns the pages of a training step to the kernel and
fetches them again in the next one.
"""

import torch

MALLOC_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
"""Environment that makes glibc keep its memory. It must be set before the process starts,
so a library cannot do it: ``env MALLOC_MMAP_MAX_=0 ... python train.py``."""


def configure_process(threads: int | None = None) -> None:
    """Flush denormals to zero in this process and, if given, set torch's CPU threads.

    One thread is best at the sizes of this task: run more trials instead.
    """
    torch.set_flush_denormal(True)
    if threads is not None:
        torch.set_num_threads(threads)
