"""An outer-product memory whose keys are the phases of a clock, for CPUs.

S_t = S_{t-1} + k_t v_t^T and y_t = S_t^T q_t.

Shapes: L steps, B sequences, F frequencies, D = 2F numbers in a key, V in a value.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels


def clocked_memory(
    f: Tensor,
    angles: Tensor,
    z0: Tensor,
    turn: Tensor,
    v: Tensor,
    state: Tensor,
    last: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run a memory whose keys are the phases of a clock, and the clock; no decay, no delta rule.

    By a compiled kernel, for which :func:`kernels.has_kernels` must have said yes to every tensor
    but the angles, and which has no gradients of gradients. Keys are in memory for one chunk of one
    sequence at a time. D = 2F, with F frequencies.

    Args:
        f, angles, z0: of the clock, see :func:`copytask.engine.phases.clock_phases`.
        turn: what the phases are multiplied with to be queries, as complex numbers; shape (2F).
        v: values, shape (L, B, V).
        state: before the first step, shape (B, D, V).
        last: S, how many steps read, the last ones.

    Returns:
        y of these, shape (S, B, V), the last state, shape (B, D, V), and the last z, shape (B, 2F).

    Raises:
        ValueError: the shapes do not fit together.
    """
    inputs = (f, z0, turn, v, state)
    (L, B, V), D = v.shape, 2 * len(angles)
    shapes = tuple(tuple(t.shape) for t in inputs)
    if shapes != ((L, B), (B, D), (D,), (L, B, V), (B, D, V)) or not 0 <= last <= L:
        raise ValueError(
            f"f, z0, turn, v, state must have the shapes (L, B), (B, 2F), (2F), (L, B, V), "
            f"(B, 2F, V), with F = {len(angles)} and 0 <= last <= L, but got {shapes} and {last}"
        )
    keep = torch.is_grad_enabled() and any(t.requires_grad for t in inputs)
    y, state, z = _ClockedMemory.apply(angles, last, keep, *inputs)  # type: ignore[no-untyped-call]
    return y, state, z


class _ClockedMemory(torch.autograd.Function):
    """The kernel has the state as (B, V, D)."""

    @staticmethod
    def forward(
        ctx: Any, angles: Tensor, last: int, keep: bool, f: Tensor, z0: Tensor, turn: Tensor,
        v: Tensor, state: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        angles = angles.double()  # the kernel takes no other type
        turns = angles.cos(), angles.sin()
        operands = {"f": f.contiguous(), "turn": turn.contiguous(), "v": v.contiguous()}
        z, memory = kernels.writable(z0), kernels.writable(state.transpose(1, 2))
        y = v.new_empty(last, *v.shape[1:])
        kept = {}
        if keep:
            kept["kept_z"] = z.new_empty(kernels.count_chunks(len(v)), *z.shape)
            that_read = kernels.chunks_that_read(len(v), last)
            kept["kept_states"] = memory.new_empty(that_read, *memory.shape)
            ctx.save_for_backward(*turns, *operands.values(), *kept.values())
        kernels.memory_forward(turns, operands, {"z": z, "state": memory, "y": y, **kept})
        return y, memory.transpose(1, 2), z

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_y: Tensor, grad_state: Tensor, grad_z: Tensor
    ) -> tuple[Tensor | None, ...]:
        cosine, sine, f, turn, v, kept_z, kept_states = ctx.saved_tensors
        gradients = {
            "grad_y": grad_y.contiguous(), "grad_z": kernels.writable(grad_z),
            "grad_state": kernels.writable(grad_state.transpose(1, 2)),
            "grad_f": torch.empty_like(f), "grad_v": torch.empty_like(v),
            "grad_turn": torch.zeros_like(turn, dtype=torch.float64),
        }  # fmt: skip
        operands = {"f": f, "turn": turn, "v": v, "kept_z": kept_z, "kept_states": kept_states}
        kernels.memory_backward((cosine, sine), operands, gradients)
        return (
            None, None, None, gradients["grad_f"], gradients["grad_z"],
            gradients["grad_turn"].to(turn.dtype), gradients["grad_v"],
            gradients["grad_state"].transpose(1, 2),
        )  # fmt: skip
