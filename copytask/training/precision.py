"""The precision of matrix products: float32, or operands rounded to bfloat16.

Weights, states, activations, sums and gradients are float32 either way. This is torch's own
setting, ``torch.set_float32_matmul_precision``, which our own kernels follow as well.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from copytask.engine import compiled_kernels
from copytask.models import CopyModel, RecurrentCell
from copytask.training.measurement_cache import cached_measurement, processor

PRECISIONS = {"fp32": "highest", "bf16": "medium"}
"""Our name -> torch's name of a precision."""

MEASURED_STEPS = 64
"""Length of the sequence whose training step is timed."""

MEASURED_SECONDS = 0.2
"""Time to spend on each precision, at least."""

WORTHWHILE_GAIN = 1.2
"""bf16 is chosen only if a step in fp32 takes at least this many times as long."""


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Compute matrix products in a precision of ``PRECISIONS`` while the context lasts.

    cuDNN's recurrences, on a GPU, have a switch of their own: with fp32 they do not round either,
    with bf16 they may round operands to TF32.
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
    """Find the precision that trains this model faster on this machine.

    It is measured once and kept in the user's cache folder: two measurements may disagree, and then
    the same command with the same seed would give other trials. On a GPU and for models other than
    the gated cells it is always fp32, because only of those do we know that bf16 learns as well.
    So it is for a model without trained parameters, which has no training step.

    Args:
        model: on the device that it will be trained on.
        batch_size: sequences in a training batch.

    Returns:
        ``fp32`` or ``bf16``.
    """
    cell = model.core
    gated = isinstance(cell, RecurrentCell) and cell.cell in ("lstm", "gru")
    trained = any(p.requires_grad for p in model.parameters())
    if not (gated and trained) or next(model.parameters()).device.type != "cpu":
        return "fp32"
    key = {
        "processor": processor(),
        "torch": torch.__version__,
        "kernels": compiled_kernels() or "none",
        "core": f"{type(cell).__module__}.{type(cell).__qualname__}",
        "gates": cell.gates,
        "input_gated": cell.input_gated,
        "implementation": cell.implementation,
        "hidden_size": cell.hidden_size,
        "batch_size": batch_size,
        "threads": torch.get_num_threads(),
    }
    return cached_measurement(
        "precision", key, PRECISIONS, lambda: measure_precision(model, batch_size)
    )


def measure_precision(model: CopyModel, batch_size: int) -> str:
    """Measure which precision trains a model faster; takes half a second to two seconds."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    tokens = torch.zeros(MEASURED_STEPS, batch_size, dtype=torch.int64)

    def measure(precision: str) -> float:
        start = time.perf_counter()
        with matmul_precision(precision):
            torch.autograd.grad(model(tokens, recalled=1).sum(), parameters)
        return time.perf_counter() - start

    for precision in PRECISIONS:  # warm up: the first step of each is slower
        measure(precision)
    repeats = max(3, math.ceil(MEASURED_SECONDS / measure("fp32")))
    rounds = [(measure("fp32"), measure("bf16")) for _ in range(repeats)]
    fp32, bf16 = (min(column) for column in zip(*rounds, strict=True))
    return "bf16" if fp32 >= WORTHWHILE_GAIN * bf16 else "fp32"
