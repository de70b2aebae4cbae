"""The recurrences as one differentiable operation."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from copytask.recurrence import graphs, kernels, tensor_loops
from copytask.recurrence.unrolled import GATES, Gradients, Operands, Unrolled


def fused(
    cell: str, operands: Operands, index: Tensor | None = None, recalled: int | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor | None]]:
    """Run a cell over a sequence, with a backward pass through time written by hand.

    On the CPU, in float32, a compiled kernel runs the whole sequence. Elsewhere torch's
    in-place operations do; on a GPU they are replayed from CUDA graphs, if the input is
    tokens. Gradients of gradients are not available.

    Args:
        cell: a key of ``GATES``.
        operands: see :class:`Operands`.
        index: shape (L, B), int64: which row of ``inputs`` and ``factors`` each position
            takes; not given: they hold L B rows, position (t, b) at row t B + b.
        recalled: return only the last ``recalled`` outputs.

    Returns:
        The outputs, shape (L or recalled, B, H), and the final state (h, c), each of shape
        (B, H); c is None for a GRU.

    Raises:
        ValueError: the shapes of state, index and weights do not fit together.
        IndexError: the index points outside of the inputs.
    """
    _check_shapes(operands, index)
    units = operands.h.shape[1]
    engine: Any = tensor_loops
    if all(kernels.has_kernels(t) for t in operands if t is not None):
        engine = kernels
        operands = _pad_units(cell, operands, -units % kernels.UNIT_MULTIPLE)
    elif operands.h.is_cuda and index is not None:
        engine = graphs
    keep = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in operands)
    run: Any = _Recurrence.apply
    outputs, h, c = run(engine, cell, index, recalled, keep, *operands)
    if operands.h.shape[1] > units:
        outputs, h = outputs[..., :units], h[:, :units]
        c = None if c is None else c[:, :units]
    return outputs, (h, c)


def _check_shapes(operands: Operands, index: Tensor | None) -> None:
    """The kernels trust the shapes, so they are checked here."""
    batch, units = len(operands.h), operands.weight_hh.shape[1]
    for name, tensor in (("h", operands.h), ("c", operands.c)):
        if tensor is not None and tensor.shape != (batch, units):
            raise ValueError(
                f"the state {name} must have shape ({batch}, {units}), "
                f"but has {tuple(tensor.shape)}"
            )
    if index is None and len(operands.inputs) % batch:
        raise ValueError(f"{len(operands.inputs)} inputs are no sequences of batch {batch}")
    if index is not None and index.shape[1:] != (batch,):
        raise ValueError(
            f"tokens of shape {tuple(index.shape)} do not fit a state of batch {batch}"
        )


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
        index = None if index is None else index.long().contiguous()
        # As in torch's own products, "medium" allows factors in bfloat16.
        bf16 = engine is kernels and torch.get_float32_matmul_precision() == "medium"
        unrolled = Unrolled(cell, operands, index, recalled, keep, bf16 and kernels.have_bf16())
        outputs = engine.forward(unrolled)
        last = unrolled.state_row(unrolled.steps)
        h = unrolled.h[last].clone()
        c = None if operands.c is None else unrolled.c[last].clone()
        if keep:
            # Saved so that autograd notices when one is changed before the way back.
            ctx.save_for_backward(*tensors)
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
        ctx.engine.backward(unrolled, gradients)
        by_operand = (getattr(gradients, name) for name in Operands._fields)
        return None, None, None, None, None, *by_operand


def _pad_units(cell: str, operands: Operands, extra: int) -> Operands:
    """Add ``extra`` units that are 0 at every step, for their weights, inputs and state are 0."""
    if extra == 0:
        return operands

    def pad(tensor: Tensor, blocks: int = 1) -> Tensor:
        """Pad the columns, which are ``blocks`` gates of H units."""
        columns = tensor.view(-1, blocks, tensor.shape[-1] // blocks)
        return F.pad(columns, (0, extra)).view(*tensor.shape[:-1], -1)

    def pad_weight(weight: Tensor, blocks: int = 1) -> Tensor:
        """Pad the columns, and the rows, which are ``blocks`` gates of H units."""
        return pad(pad(weight).t().contiguous(), blocks).t()

    gates = GATES[cell]
    return Operands(
        inputs=pad(operands.inputs.contiguous(), gates),
        factors=None if operands.factors is None else pad(operands.factors.contiguous()),
        weight_hh=pad_weight(operands.weight_hh, gates),
        weight_mh=None if operands.weight_mh is None else pad_weight(operands.weight_mh),
        bias=None if operands.bias is None else pad(operands.bias),
        h=pad(operands.h),
        c=None if operands.c is None else pad(operands.c),
    )
