"""The engine for CPUs: calls the kernels in the C files here, on contiguous tensors.

Without a compiler everything still works, on torch's operations, but slower.
"""

import ctypes
import functools
import warnings

import torch
from torch import Tensor

from copytask.engine.builds import FastWeights, Memory, Problem, compiled_kernels, load
from copytask.engine.unrolled import GATES, Gradients, UnrolledCell

UNIT_MULTIPLE = 32
"""The kernels take hidden sizes that are multiples of this."""

MISSING_KERNELS = (
    "copytask found no compiled kernels that run here and fit its sources, so training takes "
    "several times as long; install a C compiler (gcc or clang), then reinstall copytask-search "
    "with pip install -v --no-deps --force-reinstall, which shows what the compiler says"
)


def have_bf16() -> bool:
    """Whether this build has bfloat16 products."""
    kernels = library()
    return kernels is not None and bool(kernels.has_bf16())


@functools.cache
def library() -> ctypes.CDLL | None:
    """The kernels for this processor; None, with one warning, if there are none."""
    build = compiled_kernels()
    if build is None:
        warnings.warn(MISSING_KERNELS, stacklevel=2)
        return None
    return load(build)


def has_kernels(tensor: Tensor) -> bool:
    """Whether there are kernels for tensors like this one: float32 on the CPU."""
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32 and library() is not None


def loaded() -> ctypes.CDLL:
    """The kernels, for callers to whom :func:`has_kernels` has said yes."""
    kernels = library()
    assert kernels is not None, "see has_kernels"
    return kernels


def writable(tensor: Tensor) -> Tensor:
    """A contiguous copy, for a kernel to write into."""
    return tensor.clone(memory_format=torch.contiguous_format)


def forward(unrolled: UnrolledCell, outputs: Tensor) -> None:
    """Run a sequence: fill the buffers of ``unrolled`` and ``outputs``, shape (S, B, H)."""
    _call("forward", unrolled, {"outputs": outputs})


def backward(unrolled: UnrolledCell, gradients: Gradients) -> None:
    """Run backward through a sequence that :func:`forward` ran; add to ``gradients``."""
    tensors = {f"grad_{name}": tensor for name, tensor in vars(gradients).items()}
    _call("backward", unrolled, tensors)


def _call(direction: str, unrolled: UnrolledCell, gradients: dict[str, Tensor | None]) -> None:
    kernels = loaded()
    operands = unrolled.operands
    batch, units = operands.h.shape
    scratch = operands.h.new_empty(kernels.scratch_size(batch, units, GATES[unrolled.cell]))
    problem = Problem(unrolled.steps, batch, units, unrolled.recalled, unrolled.keep, unrolled.bf16)
    tensors = {
        "index": unrolled.index,
        **operands._asdict(),
        "h": unrolled.h,
        "c": unrolled.c if operands.c is not None else None,
        "gates": unrolled.gates,
        "mh": unrolled.mh,
        "x": unrolled.x,
        **gradients,
        "scratch": scratch,
    }
    for name, tensor in tensors.items():
        if tensor is not None:
            setattr(problem, name, tensor.data_ptr())
    getattr(kernels, f"{unrolled.cell}_{direction}")(problem)


def scan_forward(a: Tensor, b: Tensor, h0: Tensor, h: Tensor) -> None:
    """Fill ``h`` with the linear scan of contiguous float32 tensors on the CPU."""
    _call_scan("forward", h, a, b, h0, h)


def scan_backward(
    a: Tensor, h0: Tensor, h: Tensor, grad: Tensor, grad_b: Tensor, grad_a: Tensor, carry: Tensor
) -> None:
    """Go back through a linear scan.

    Args:
        grad: of all h.
        grad_b: is filled.
        grad_a: is filled.
        carry: zeros; becomes the gradient of h0.
    """
    _call_scan("backward", h, a, h0, h, grad, grad_b, grad_a, carry)


def _call_scan(direction: str, h: Tensor, a: Tensor, *tensors: Tensor) -> None:
    kernels = loaded()
    steps, batch, channels = h.shape
    shared = a.shape[2] != channels
    pointers = (t.data_ptr() for t in (a, *tensors))
    getattr(kernels, f"scan_{direction}")(shared, steps, batch, channels, *pointers)


def complex_scan_forward(a: Tensor, b: Tensor, h0: Tensor, h: Tensor) -> None:
    """Fill ``h`` with the complex scan of contiguous float32 tensors on the CPU."""
    _call_complex_scan("forward", h, a, b, h0, h)


def complex_scan_backward(
    a: Tensor, h0: Tensor, h: Tensor, grad: Tensor, grad_b: Tensor, grad_a: Tensor, carry: Tensor
) -> None:
    """Go back through a complex scan.

    Args:
        grad: of all h.
        grad_b: is filled.
        grad_a: float64 zeros; becomes the gradient of ``a``.
        carry: zeros; becomes the gradient of h0.
    """
    _call_complex_scan("backward", h, a, h0, h, grad, grad_b, grad_a, torch.empty_like(a), carry)


def _call_complex_scan(direction: str, h: Tensor, *tensors: Tensor) -> None:
    kernels = loaded()
    steps, batch, parts = h.shape
    pointers = (t.data_ptr() for t in tensors)
    getattr(kernels, f"complex_scan_{direction}")(steps, batch, parts // 2, *pointers)


def clock_forward(
    turn: tuple[Tensor, Tensor],
    f: Tensor,
    z0: Tensor,
    phases: Tensor,
    inverse: Tensor,
    last: Tensor,
) -> None:
    """Run a clock; all tensors are contiguous, on the CPU, and float32 but for the turn.

    Args:
        turn: cosine and sine of each angle, float64.
        phases: is filled.
        inverse: is filled with 1 / |z|, shape (L, B, F).
        last: is filled with the last z.
    """
    kernels = loaded()
    scratch = turn[0].new_empty(kernels.clock_scratch(len(turn[0])))
    _call_clock("forward", inverse, *turn, f, z0, phases, inverse, last, scratch)


def clock_backward(
    turn: tuple[Tensor, Tensor], f: Tensor, z0: Tensor, phases: Tensor, inverse: Tensor,
    grad: Tensor, carry: Tensor, grad_f: Tensor,
) -> None:  # fmt: skip
    """Go back through a clock.

    Args:
        turn: cosine and sine of each angle, float32.
        grad: of the phases.
        carry: the gradient of the last z; becomes that of z0.
        grad_f: is filled.
    """
    _call_clock("backward", inverse, *turn, f, z0, phases, inverse, grad, carry, grad_f)


def _call_clock(direction: str, inverse: Tensor, *tensors: Tensor) -> None:
    kernels = loaded()
    pointers = (t.data_ptr() for t in tensors)
    getattr(kernels, f"clock_{direction}")(*inverse.shape, *pointers)


def count_chunks(steps: int) -> int:
    """Chunks of a sequence in which the memories work."""
    kernels = loaded()
    chunks: int = kernels.memory_chunks(steps)
    return chunks


def chunks_that_read(steps: int, reads: int) -> int:
    """Those of them that read, where the last ``reads`` steps do."""
    kernels = loaded()
    unread: int = kernels.memory_unread_chunks(steps, reads)
    return count_chunks(steps) - unread


def memory_forward(
    turn: tuple[Tensor, Tensor], operands: dict[str, Tensor], results: dict[str, Tensor]
) -> None:
    """Run a memory that a clock addresses; the tensors have the names of the fields in memory.c.

    Args:
        turn: cosine and sine of each angle, float64.
        operands: f, turn and v.
        results: z, state and y; to go back also kept_z and kept_states.
    """
    _call_memory("forward", len(results["y"]), turn, {**operands, **results})


def memory_backward(
    turn: tuple[Tensor, Tensor], operands: dict[str, Tensor], gradients: dict[str, Tensor]
) -> None:
    """Go back through a memory; the tensors have the names of the fields in memory.c.

    Args:
        turn: as for :func:`memory_forward`.
        operands: f, turn and v, and the kept_z and kept_states of the way forward.
        gradients: all fields whose names begin with grad.
    """
    _call_memory("backward", len(gradients["grad_y"]), turn, {**operands, **gradients})


def _call_memory(
    direction: str, reads: int, turn: tuple[Tensor, Tensor], tensors: dict[str, Tensor]
) -> None:
    kernels = loaded()
    steps, rows, values = tensors["v"].shape
    frequencies = len(turn[0])
    scratch = turn[0].new_zeros(kernels.memory_scratch(frequencies, values))
    memory = Memory(steps, rows, frequencies, values, reads)
    cosine, sine = turn
    for name, tensor in {**tensors, "cosine": cosine, "sine": sine, "scratch": scratch}.items():
        setattr(memory, name, tensor.data_ptr())
    getattr(kernels, f"memory_{direction}")(memory)


def fast_weights_forward(
    operands: dict[str, Tensor], kept: dict[str, Tensor], state: Tensor, y: Tensor
) -> None:
    """Run fast weights; the tensors have the names of the fields in fast_weights.c.

    Args:
        operands: q, k, v and, where there are, log_decay and beta.
        kept: to go back, kept_states and, with beta, kept_p.
    """
    _call_fast_weights("forward", {**operands, **kept, "state": state, "y": y})


def fast_weights_backward(
    operands: dict[str, Tensor], kept: dict[str, Tensor], gradients: dict[str, Tensor]
) -> None:
    """Go back through fast weights; the tensors have the names of the fields in fast_weights.c.

    Args:
        operands, kept: of the way forward.
        gradients: all fields whose names begin with grad, of what there is.
    """
    _call_fast_weights("backward", {**operands, **kept, **gradients})


def _call_fast_weights(direction: str, tensors: dict[str, Tensor]) -> None:
    kernels = loaded()
    (steps, rows, keys), values = tensors["k"].shape, tensors["v"].shape[2]
    scratch = tensors["k"].new_zeros(kernels.fast_weights_scratch(keys, values))
    problem = FastWeights(steps, rows, keys, values, len(tensors["q"]))
    for name, tensor in {**tensors, "scratch": scratch}.items():
        setattr(problem, name, tensor.data_ptr())
    getattr(kernels, f"fast_weights_{direction}")(problem)
