"""The precision of matrix products: float32, or factors rounded to bfloat16.

Weights, states, activations, sums and gradients are float32 either way. It is torch's own
setting, ``torch.set_float32_matmul_precision``, which the fused recurrences follow as well.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from copytask.engine import compiled_kernels
from copytask.models import CopyModel, RecurrentCore
from copytask.training.measured import measured_once, processor

PRECISIONS = {"fp32": "highest", "bf16": "medium"}
"""Our name -> torch's name of a precision."""

MEASURED_STEPS = 64
MEASURED_SECONDS = 0.2
WORTHWHILE_GAIN = 1.2
"""bf16 is chosen only if a step in fp32 takes at least this many times as long."""


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Compute matrix products in a precision of ``PRECISIONS`` while the context lasts.

    On a GPU, cuDNN's recurrences have a switch of their own: in fp32 they round nothing either, in
    bf16 they may round factors to TF32.
    """
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision(PRECISIONS[precision])
    torch.backends.cudnn.allow_tf32 = precision != "fp32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def fastest_precision(model: CopyModel, batch_size: int) -> str:
    """The precision that trains this model faster here, as it was measured the first time.

    Two measurements may disagree, and then one command with one seed would give other trials. So
    the first one is kept, see :func:`copytask.training.measured.measured_once`.

    It is fp32 where bf16 was not shown to learn as well: on a GPU, and for a user's own cell.
    """
    core = model.core
    if not isinstance(core, RecurrentCore) or next(model.parameters()).device.type != "cpu":
        return "fp32"
    key = {
        "processor": processor(),
        "torch": torch.__version__,
        "kernels": compiled_kernels() or "none",
        "core": type(core).__name__,
        "implementation": core.implementation,
        "hidden_size": core.hidden_size,
        "batch_size": batch_size,
    }
    return measured_once("precision", key, PRECISIONS, lambda: measure_precision(model, batch_size))


def measure_precision(model: CopyModel, batch_size: int) -> str:
    """Measure which precision trains a model faster, in half a second to two seconds."""
    parameters = list(model.parameters())
    tokens = torch.zeros(MEASURED_STEPS, batch_size, dtype=torch.int64)

    def measure(precision: str) -> float:
        start = time.perf_counter()
        with matmul_precision(precision):
            torch.autograd.grad(model(tokens, recall=1).sum(), parameters)
        return time.perf_counter() - start

    for precision in PRECISIONS:  # the first step of each is slower than all others
        measure(precision)
    repeats = max(3, math.ceil(MEASURED_SECONDS / measure("fp32")))
    rounds = [(measure("fp32"), measure("bf16")) for _ in range(repeats)]
    fp32, bf16 = (min(column) for column in zip(*rounds, strict=True))
    return "bf16" if fp32 >= WORTHWHILE_GAIN * bf16 else "fp32"
