"""An outer-product memory, written and read in chunks.

S_t = al_t S_{t-1} + k_t r_t^T and y_t = S_t^T q_t. Without the delta rule r_t = v_t; with it
r_t = beta_t (v_t - al_t S_{t-1}^T k_t), which replaces what the key k_t held.

Shapes: L steps, B sequences, D numbers in a key, V in a value, C steps in a chunk.
"""

from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels
from copytask.engine.scan import linear_scan

CHUNK = 32


def chunked_memory(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    state: Tensor,
    *,
    log_decay: Tensor | None = None,
    beta: Tensor | None = None,
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor]:
    """Run the memory over a sequence, in chunks of products instead of step by step.

    Source of the chunked delta rule: Yang et al. 2024, arXiv 2406.06484, and with decay arXiv
    2412.06464.

    Args:
        q: queries of the last S steps, shape (S, B, D); S <= L.
        k: keys, shape (L, B, D).
        v: values, shape (L, B, V).
        state: before the first step, shape (B, D, V).
        log_decay: log al_t <= 0, shape (L, B); None: no decay.
        beta: the strength of the delta rule, in 0..1, shape (L, B); None: without the rule.
        chunk: C.

    Returns:
        y of the last S steps, shape (S, B, V), and the last state, shape (B, D, V).
    """
    L, S = len(k), len(q)
    if L == 0:
        return v.new_zeros(0, *v.shape[1:]), state
    if S == 0 and log_decay is None and beta is None:  # nothing is read: a product for all steps
        last = torch.baddbmm(state.transpose(1, 2), v.permute(1, 2, 0), k.transpose(0, 1))
        return v.new_zeros(0, *v.shape[1:]), last.transpose(1, 2)
    extra = -L % chunk  # empty steps in front, so that chunks end with the sequence
    n = (L + extra) // chunk
    first = (L + extra - S) // chunk  # the chunk in which the queries begin

    def chunks(t: Tensor, front: int = extra) -> Tensor:
        """(L, B, ...) as (n, B, C, ...)."""
        if front:
            t = torch.cat((t.new_zeros(front, *t.shape[1:]), t))
        return t.view(len(t) // chunk, chunk, *t.shape[1:]).transpose(1, 2)

    K, V = chunks(k), chunks(v)
    Q = chunks(q, (n - first) * chunk - S)
    G = None if log_decay is None else chunks(log_decay).cumsum(2)  # (n, B, C)
    if beta is None:
        R = V
        keys = K if G is None else K * (G[..., -1:] - G).exp()[..., None]
        written = keys.transpose(2, 3) @ R  # (n, B, D, V)
        decay = k.new_ones(n, k.shape[1], 1) if G is None else G[..., -1:].exp()
        states = linear_scan(decay, written.flatten(2), state.flatten(1)).view_as(written)
        before = torch.cat((state[None], states[:-1]))
        last = states[-1]
    else:
        R, before, last = _delta_rule(K, V, chunks(beta), G, state)
    Kq, Rq, before = K[first:], R[first:], before[first:]
    scores = (Q @ Kq.transpose(2, 3)).tril()
    if G is not None:
        Gq = G[first:]
        scores = scores * (Gq[..., None] - Gq[..., None, :]).tril().exp()
        Q = Q * Gq.exp()[..., None]
    y = (scores @ Rq + Q @ before).transpose(1, 2).flatten(0, 1)
    return y[len(y) - S :], last


def _delta_rule(
    K: Tensor, V: Tensor, beta: Tensor, G: Tensor | None, state: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What each step writes, (n, B, C, V), the state before each chunk, and the last state."""
    C = K.shape[2]
    A = (K @ K.transpose(2, 3)) * beta[..., None]
    W, U = K * beta[..., None], V * beta[..., None]
    if G is not None:
        A = A * (G[..., None] - G[..., None, :]).tril().exp()
        W = W * G.exp()[..., None]
    A = A.tril(-1) + torch.eye(C, dtype=K.dtype, device=K.device)
    solved = torch.linalg.solve_triangular(
        A, torch.cat((W, U), -1), upper=False, unitriangular=True
    )
    W, U = solved.split((K.shape[-1], V.shape[-1]), -1)
    keys = K if G is None else K * (G[..., -1:] - G).exp()[..., None]
    decays = repeat(None) if G is None else G[..., -1:, None].exp().unbind()
    written, before = [], []
    # Parts are taken out at once: the gradient of W[i] would be a tensor of the size of W.
    for w, u, key, decay in zip(
        W.unbind(), U.unbind(), keys.transpose(2, 3).unbind(), decays, strict=False
    ):
        before.append(state)
        r = torch.baddbmm(u, w, state, alpha=-1)
        written.append(r)
        state = torch.baddbmm(state if decay is None else state * decay, key, r)
    return torch.stack(written), torch.stack(before), state


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
    but the angles. Keys are in memory for one chunk of one sequence at a time. D = 2F, with F
    frequencies.

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
        angles = angles.double()  # model.float() converts buffers too
        turns = angles.cos(), angles.sin()
        operands = {"f": f.contiguous(), "turn": turn.contiguous(), "v": v.contiguous()}
        z, memory = _copy(z0), _copy(state.transpose(1, 2))
        y = v.new_empty(last, *v.shape[1:])
        kept = {}
        if keep:
            chunks, that_read = kernels.memory_chunks(len(v), last)
            kept["kept_z"] = z.new_empty(chunks, *z.shape)
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
            "grad_y": grad_y.contiguous(), "grad_z": _copy(grad_z),
            "grad_state": _copy(grad_state.transpose(1, 2)), "grad_f": torch.empty_like(f),
            "grad_v": torch.empty_like(v), "grad_turn": torch.zeros_like(turn, dtype=torch.float64),
        }  # fmt: skip
        operands = {"f": f, "turn": turn, "v": v, "kept_z": kept_z, "kept_states": kept_states}
        kernels.memory_backward((cosine, sine), operands, gradients)
        return (
            None, None, None, gradients["grad_f"], gradients["grad_z"],
            gradients["grad_turn"].to(turn.dtype), gradients["grad_v"],
            gradients["grad_state"].transpose(1, 2),
        )  # fmt: skip


def _copy(t: Tensor) -> Tensor:
    return t.clone(memory_format=torch.contiguous_format)
