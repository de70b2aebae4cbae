"""A recurrent cell over a sequence as one differentiable operation."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from copytask.engine import graphs, kernels, tensor_loops
from copytask.engine.operand_checks import check_operands
from copytask.engine.unrolled import GATES, Gradients, Operands, UnrolledCell


def fused(
    cell: str, operands: Operands, index: Tensor | None = None, recalled: int | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor | None]]:
    """Run a cell over a sequence, with a hand-written backward pass through time.

    On the CPU, in float32, a compiled kernel runs the whole sequence. Otherwise torch's in-place
    operations do; on a GPU they are replayed from CUDA graphs. Gradients of gradients are not
    available. Under autocast the computation is in the type of ``weight_hh``.

    Args:
        cell: a key of ``GATES``.
        operands: see :class:`Operands`.
        index: shape (L, B), integers: which row of ``inputs`` and ``mx`` each position takes.
            None: these have shape (L, B, ...). L and B may be 0.
        recalled: return only this many outputs, the last ones; None returns all.

    Returns:
        The outputs, shape (L or recalled, B, H), and the final state (h, c), each of shape (B, H);
        c is None for a GRU.

    Raises:
        ValueError: shapes or devices of state, index and weights do not fit together.
        IndexError: the index points outside the inputs.
    """
    check_operands(cell, operands, index)
    like = operands.weight_hh
    if _autocasting(like.device):
        cast: Any = (None if t is None else t.to(like.dtype) for t in operands)
        operands = Operands(*cast)
    units = operands.h.shape[1]
    engine: Any = tensor_loops
    if all(kernels.has_kernels(t) for t in operands if t is not None):
        engine = kernels
        operands = _pad_units(cell, operands, -units % kernels.UNIT_MULTIPLE)
    elif operands.h.is_cuda:
        engine = graphs
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in operands)
    run: Any = _Recurrence.apply
    with _without_autocast(like.device):
        outputs, h, c = run(engine, cell, index, recalled, keep, *operands)
    if operands.h.shape[1] > units:
        outputs, h = outputs[..., :units], h[:, :units]
        c = None if c is None else c[:, :units]
    return outputs, (h, c)


def _autocasting(device: torch.device) -> bool:
    available = torch.amp.is_autocast_available(device.type)
    return available and torch.is_autocast_enabled(device.type)


def _without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Turn autocast off: the engines write products into buffers of a fixed type."""
    return torch.autocast(device.type, enabled=False) if _autocasting(device) else nullcontext()


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        engine: Any,
        cell: str,
        index: Tensor | None,
        recalled: int | None,
        keep: bool,
        *tensors: Any,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        contiguous: Any = (None if t is None else t.contiguous() for t in tensors)
        operands = Operands(*contiguous)
        ids = index
        if index is not None:
            # The backward pass does not check the ids again, so keep a copy: numpy may share
            # their memory and write to it without autograd noticing.
            ids = index.to(torch.int64, copy=keep, memory_format=torch.contiguous_format)
        # As in torch's own products, "medium" allows operands in bfloat16.
        bf16 = engine is kernels and torch.get_float32_matmul_precision() == "medium"
        unrolled = UnrolledCell(cell, operands, ids, recalled, keep, bf16 and kernels.have_bf16())
        outputs = operands.h.new_empty(unrolled.recalled, *operands.h.shape)
        engine.forward(unrolled, outputs)
        last = unrolled.state_row(unrolled.steps)
        h = unrolled.h[last].clone()
        c = None if operands.c is None else unrolled.c[last].clone()
        if keep:
            # Saved so that autograd notices when one is changed before the backward pass.
            ctx.save_for_backward(*tensors, index)
            ctx.engine, ctx.unrolled = engine, unrolled
        return outputs, h, c

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_outputs: Tensor, grad_h: Tensor, grad_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        _ = ctx.saved_tensors  # raises if one was changed
        unrolled = ctx.unrolled
        gradients = Gradients.start(unrolled.operands, grad_outputs.contiguous())
        gradients.h.copy_(grad_h)
        if gradients.c is not None and grad_c is not None:
            gradients.c.copy_(grad_c)
        with _without_autocast(unrolled.h.device):
            ctx.engine.backward(unrolled, gradients)
        by_operand = (getattr(gradients, name) for name in Operands._fields)
        return None, None, None, None, None, *by_operand


def _pad_units(cell: str, operands: Operands, extra: int) -> Operands:
    """Add ``extra`` units with zero weights, inputs and state, so they are 0 at every step."""
    if extra == 0:
        return operands

    def pad(tensor: Tensor, blocks: int = 1) -> Tensor:
        """Pad the columns, which are ``blocks`` gates of H units."""
        *places, width = tensor.shape
        columns = tensor.view(*places, blocks, width // blocks)
        return F.pad(columns, (0, extra)).view(*places, width + blocks * extra)

    def pad_weight(weight: Tensor, blocks: int = 1) -> Tensor:
        """Pad the columns, and the rows, which are ``blocks`` gates of H units."""
        return pad(pad(weight).t().contiguous(), blocks).t()

    gates = GATES[cell]
    return Operands(
        inputs=pad(operands.inputs.contiguous(), gates),
        mx=None if operands.mx is None else pad(operands.mx.contiguous()),
        weight_hh=pad_weight(operands.weight_hh, gates),
        weight_mh=None if operands.weight_mh is None else pad_weight(operands.weight_mh),
        bias=None if operands.bias is None else pad(operands.bias),
        h=pad(operands.h),
        c=None if operands.c is None else pad(operands.c),
        weight_im=None if operands.weight_im is None else pad_weight(operands.weight_im, gates),
    )
